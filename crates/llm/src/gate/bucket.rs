//! A limit per minute: a bucket that fills evenly.

use std::time::Duration;

use tokio::time::Instant;

/// How many seconds' worth the bucket holds: providers watch shorter times than a minute.
const BURST: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Bucket {
    /// Per second; `None` for no limit.
    rate: Option<f64>,
    level: f64,
    since: Instant,
}

impl Bucket {
    pub(super) fn new(per_minute: Option<u64>, now: Instant) -> Bucket {
        let rate = per_minute.map(|limit| limit.max(1) as f64 / 60.0);
        Bucket { rate, level: rate.map_or(0.0, Bucket::size), since: now }
    }

    /// At least one request fits.
    fn size(rate: f64) -> f64 {
        (rate * BURST).max(1.0)
    }

    /// When there is enough; `None` for now. More than the bucket holds is let through when it is full.
    pub(super) fn ready(&mut self, amount: u64, now: Instant) -> Option<Instant> {
        let rate = self.rate?;
        let size = Bucket::size(rate);
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        self.level = (self.level + seconds * rate).min(size);
        self.since = now;
        // Sums of floating-point numbers are a little off.
        let missing = (amount as f64).min(size) - self.level - 1e-6;
        (missing > 0.0).then(|| now + Duration::from_secs_f64(missing / rate) + Duration::from_millis(1))
    }

    /// May go below nothing, and is filled up then first.
    pub(super) fn take(&mut self, amount: u64) {
        self.level -= amount as f64;
    }

    /// So much was taken, and so much it was.
    pub(super) fn correct(&mut self, taken: u64, was: u64) {
        self.level += taken as f64 - was as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_a_minute_and_no_more() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(60), start);
        let (mut now, mut passed) = (start, 0);
        while now < start + Duration::from_secs(60) {
            match bucket.ready(1, now) {
                None => {
                    bucket.take(1);
                    passed += 1;
                }
                Some(later) => now = later,
            }
        }
        // The first ten seconds' worth at once, then one a second.
        assert!((69..=70).contains(&passed), "{passed}");
    }

    #[test]
    fn more_than_it_holds_passes_when_it_is_full_and_is_paid_back() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Some(600), now);
        assert_eq!(bucket.ready(1_000_000, now), None);
        bucket.take(1000);
        bucket.correct(1000, 300);
        let wait = bucket.ready(50, now).unwrap() - now;
        // From -200 to 50 at ten a second.
        assert!((wait.as_secs_f64() - 25.0).abs() < 0.01, "{wait:?}");
        assert_eq!(Bucket::new(None, now).ready(u64::MAX, now), None);
    }
}
