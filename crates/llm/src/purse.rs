//! The cap on money. Before an attempt is sent its worst case is reserved; the sum of what was billed, what may have been, and
//! what is reserved never passes the cap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::{Dollars, Spending};
use tokio::sync::Notify;

use crate::ending::Cause;

#[derive(Debug)]
pub(crate) struct Purse {
    cap: Option<Dollars>,
    sums: Mutex<Sums>,
    settled: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    billed: Dollars,
    possibly: Dollars,
    reserved: Dollars,
    /// Attempts in flight, free ones too.
    holders: u64,
}

impl Purse {
    /// What earlier runs spent counts. What they left in flight is in batches, and must be taken over by
    /// [`Purse::take_over`] or counts as spent.
    pub(crate) fn new(cap: Option<Dollars>, before: &Spending) -> Purse {
        let sums = Sums {
            billed: before.billed,
            possibly: before.possibly + before.reserved,
            reserved: Dollars::ZERO,
            holders: 0,
        };
        Purse { cap, sums: Mutex::new(sums), settled: Notify::new() }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the worst case of an attempt; waits while it fits only once others in flight have settled.
    ///
    /// The error is the end of the run: nothing is in flight, and it does not fit.
    pub(crate) async fn reserve(self: &Arc<Self>, worst: Dollars) -> Result<Reservation, Cause> {
        loop {
            let settled = self.settled.notified();
            let mut settled = std::pin::pin!(settled);
            // From here on nobody can settle unnoticed.
            settled.as_mut().enable();
            if let Some(reservation) = self.try_reserve(worst)? {
                return Ok(reservation);
            }
            settled.await;
        }
    }

    /// As [`Purse::reserve`], but `None` where that would wait.
    pub(crate) fn try_reserve(self: &Arc<Self>, worst: Dollars) -> Result<Option<Reservation>, Cause> {
        let mut sums = self.sums();
        if let Some(cap) = self.cap
            && sums.billed + sums.possibly + sums.reserved + worst > cap
        {
            if sums.holders > 0 {
                return Ok(None);
            }
            return Err(Cause::Budget { cap, billed: sums.billed, possibly: sums.possibly, next: worst });
        }
        sums.reserved += worst;
        sums.holders += 1;
        drop(sums);
        Ok(Some(Reservation { purse: Arc::clone(self), worst, settled: false }))
    }

    /// Takes over what an earlier run left in flight.
    pub(crate) fn take_over(self: &Arc<Self>, worst: Dollars) -> Reservation {
        let mut sums = self.sums();
        sums.possibly = sums.possibly.less(worst);
        sums.reserved += worst;
        sums.holders += 1;
        drop(sums);
        Reservation { purse: Arc::clone(self), worst, settled: false }
    }

    /// Billed, possibly billed, reserved.
    pub(crate) fn amounts(&self) -> (Dollars, Dollars, Dollars) {
        let sums = self.sums();
        (sums.billed, sums.possibly, sums.reserved)
    }
}

/// Money that an attempt in flight may need.
#[derive(Debug)]
pub(crate) struct Reservation {
    purse: Arc<Purse>,
    worst: Dollars,
    settled: bool,
}

impl Reservation {
    /// The attempt has an outcome.
    pub(crate) fn settle(mut self, billed: Dollars, possibly: Dollars) {
        self.give_back(billed, possibly);
    }

    pub(crate) fn worst(&self) -> Dollars {
        self.worst
    }

    fn give_back(&mut self, billed: Dollars, possibly: Dollars) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let mut sums = self.purse.sums();
        sums.reserved = sums.reserved.less(self.worst);
        sums.holders -= 1;
        sums.billed += billed;
        sums.possibly += possibly;
        drop(sums);
        self.purse.settled.notify_waiters();
    }
}

impl Drop for Reservation {
    /// Nobody knows what came of it.
    fn drop(&mut self) {
        self.give_back(Dollars::ZERO, self.worst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purse(cap: u64) -> Arc<Purse> {
        Arc::new(Purse::new(Some(Dollars::from_pico(cap)), &Spending::default()))
    }

    fn pico(amount: u64) -> Dollars {
        Dollars::from_pico(amount)
    }

    #[tokio::test]
    async fn what_fits_only_later_waits_and_what_never_fits_ends_the_run() {
        let purse = purse(100);
        let first = purse.reserve(pico(60)).await.unwrap();
        assert!(purse.try_reserve(pico(50)).unwrap().is_none());
        let waiting = tokio::spawn({
            let purse = Arc::clone(&purse);
            async move { purse.reserve(pico(50)).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        first.settle(pico(10), Dollars::ZERO);
        waiting.await.unwrap().settle(Dollars::ZERO, pico(50));
        assert_eq!(purse.amounts(), (pico(10), pico(50), Dollars::ZERO));
        let cause = purse.reserve(pico(41)).await.unwrap_err();
        let expected = Cause::Budget { cap: pico(100), billed: pico(10), possibly: pico(50), next: pico(41) };
        assert_eq!(cause, expected);
        drop(purse.reserve(pico(40)).await.unwrap());
        assert_eq!(purse.amounts().1, pico(90), "an attempt that vanished may have been billed");
    }

    #[test]
    fn what_earlier_runs_left_in_flight_counts_until_it_is_taken_over() {
        let before = Spending { billed: pico(1), reserved: pico(10), ..Spending::default() };
        let purse = Arc::new(Purse::new(None, &before));
        assert_eq!(purse.amounts(), (pico(1), pico(10), Dollars::ZERO));
        let taken = purse.take_over(pico(10));
        assert_eq!(purse.amounts(), (pico(1), Dollars::ZERO, pico(10)));
        taken.settle(pico(4), Dollars::ZERO);
        assert_eq!(purse.amounts(), (pico(5), Dollars::ZERO, Dollars::ZERO));
    }
}
