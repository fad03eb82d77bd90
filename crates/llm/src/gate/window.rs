//! How many calls may be in flight: more as long as all goes well, half as many when the provider objects.

use crate::settings::Concurrency;

#[derive(Debug)]
pub(super) struct Window {
    size: f64,
    max: f64,
    /// Whether the provider has never objected: the window doubles per round trip until then.
    doubling: bool,
    cuts: u64,
}

impl Window {
    pub(super) fn new(concurrency: Concurrency) -> Window {
        let max = f64::from(concurrency.max.max(1));
        let size = f64::from(concurrency.start.max(1)).min(max);
        Window { size, max, doubling: true, cuts: 0 }
    }

    pub(super) fn slots(&self) -> u32 {
        self.size as u32
    }

    pub(super) fn cuts(&self) -> u64 {
        self.cuts
    }

    /// An answer came while so many were in flight. A window that is not used says nothing about a larger one.
    pub(super) fn grow(&mut self, in_flight: u32) {
        if f64::from(in_flight) * 2.0 >= self.size {
            self.size += if self.doubling { 1.0 } else { 1.0 / self.size };
            self.size = self.size.min(self.max);
        }
    }

    /// The provider objected to a call that was sent after so many cuts. The others that were in flight at the last cut tell
    /// nothing new.
    pub(super) fn cut(&mut self, cuts: u64) {
        if cuts == self.cuts {
            self.size = (self.size / 2.0).floor().max(1.0);
            self.doubling = false;
            self.cuts += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_then_halves_once_per_round_trip_then_grows_by_one() {
        let mut window = Window::new(Concurrency { start: 4, max: 20 });
        for _ in 0..4 {
            window.grow(4);
        }
        assert_eq!(window.slots(), 8);
        (0..100).for_each(|_| window.grow(20));
        assert_eq!(window.slots(), 20);
        for _ in 0..5 {
            window.cut(0);
        }
        assert_eq!(window.slots(), 10);
        (0..11).for_each(|_| window.grow(10));
        assert_eq!(window.slots(), 11);
        window.grow(2);
        for cuts in 1..10 {
            window.cut(cuts);
        }
        assert_eq!(window.slots(), 1);
    }
}
