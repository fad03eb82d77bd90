//! How the server behaves.

use std::path::PathBuf;
use std::time::Duration;

use crate::fault::Faults;

/// How the server behaves. The default answers everything at once and without faults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// How long a hanging request hangs before its connection is cut, if the client has not given up by then.
    pub hang_for: Duration,
    /// How long a dripping answer takes.
    pub drip_for: Duration,
    /// What `Retry-After` asks for, where a fault is to have one.
    pub retry_after: Duration,
    /// How long a batch takes.
    pub batch_delay: Duration,
    /// Requests a second; more get a 429. `None` for as many as come.
    pub rate_limit: Option<f64>,
    /// The key that requests must have; `None` for any or none.
    pub key: Option<String>,
    /// The models that are known; empty for any name.
    pub models: Vec<String>,
    /// What tokens cost, for the server's own count.
    pub prices: Prices,
    /// The largest body of a request, in bytes; 413 above.
    pub max_body: usize,
    /// The largest body of a batch or a file, in bytes.
    pub max_batch_body: usize,
    /// A file that gets a line of JSON for every request, as soon as it is over.
    pub log: Option<PathBuf>,
    /// How many entries of the journal are kept in memory; older ones go, the counters stay.
    pub keep: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            port: 0,
            faults: Faults::default(),
            latency: Duration::ZERO,
            hang_for: Duration::from_secs(5),
            drip_for: Duration::from_secs(2),
            retry_after: Duration::from_secs(1),
            batch_delay: Duration::from_millis(200),
            rate_limit: None,
            key: None,
            models: Vec::new(),
            prices: Prices::default(),
            max_body: 32 << 20,
            max_batch_body: 256 << 20,
            log: None,
            keep: 20_000,
        }
    }
}

/// Prices per token, in picodollars (10^-12 dollars).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// What calls in batches cost, in thousandths of the price: 500 for half.
    pub batch_permille: u32,
}

impl Default for Prices {
    fn default() -> Prices {
        Prices { input: 0, output: 0, batch_permille: 500 }
    }
}

impl Prices {
    /// From dollars per million tokens, rounded up to picodollars per token. Negative amounts and what is no number
    /// count as nothing.
    pub fn per_million(input: f64, output: f64) -> Prices {
        // The float arithmetic of a price list: dollars per token first, picodollars then.
        let token = |dollars: f64| (dollars / 1e6 * 1e12).ceil().max(0.0) as u64;
        Prices { input: token(input), output: token(output), ..Prices::default() }
    }

    /// What so many tokens cost, rounded up to a picodollar.
    pub fn cost(&self, input: u64, output: u64, in_batch: bool) -> u64 {
        let full = u128::from(self.input) * u128::from(input) + u128::from(self.output) * u128::from(output);
        let part = if in_batch { (full * u128::from(self.batch_permille)).div_ceil(1000) } else { full };
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_exact() {
        let prices = Prices::per_million(3.0, 15.0);
        assert_eq!((prices.input, prices.output), (3_000_000, 15_000_000));
        assert_eq!(prices.cost(1_000_000, 2_000, false), 3_030_000_000_000);
        assert_eq!(prices.cost(1_000_000, 2_000, true), 1_515_000_000_000);
        assert_eq!(Prices { batch_permille: 333, ..prices }.cost(0, 1, true), 4_995_000);
        assert_eq!(Prices::per_million(-1.0, f64::NAN), Prices::default());
    }
}
