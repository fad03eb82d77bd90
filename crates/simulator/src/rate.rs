//! How many requests a second are let through.

use std::time::{Duration, Instant};

/// A bucket of requests that fills at a steady rate and holds one second's worth.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    full: f64,
    at: Instant,
}

impl Rate {
    pub(crate) fn new(per_second: f64) -> Rate {
        let per_second = per_second.max(1e-3);
        Rate { per_second, full: per_second.max(1.0), at: Instant::now() }
    }

    /// Lets a request through, or says how long it should wait.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.full = (self.full + passed * self.per_second).min(self.per_second.max(1.0));
        if self.full >= 1.0 {
            self.full -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.full) / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_rate_gets_through() {
        let mut rate = Rate::new(10.0);
        let start = Instant::now();
        // 1,000 requests in 5 seconds, evenly: a second's worth at once and ten a second from then on.
        let through = (0..1000).filter(|i| rate.take(start + Duration::from_millis(i * 5)).is_ok()).count();
        assert!((58..=60).contains(&through), "{through}");
        let end = start + Duration::from_secs(5);
        let wait = (0..3).find_map(|_| rate.take(end).err()).unwrap();
        assert!(wait <= Duration::from_millis(100));
    }
}
