//! Arguments of `simulate`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The part of the requests that something goes wrong with, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub faults: f64,
    /// The kinds of faults, with commas between them [default: all]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub fault_kinds: Vec<simulator::Fault>,
    /// Another seed hits other requests
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How long every answer takes at least, in milliseconds
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub latency_ms: u64,
    /// How long a request hangs, in milliseconds, before its connection is cut
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    pub hang_ms: u64,
    /// How long a batch takes, in milliseconds
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub batch_ms: u64,
    /// Requests a second; more get a 429 [default: as many as come]
    #[arg(long, value_name = "N")]
    pub rate_limit: Option<f64>,
    /// The only model that is known; may be given several times [default: any name]
    #[arg(long = "model", value_name = "NAME")]
    pub models: Vec<String>,
    /// Dollars per million tokens of input and of output, with a comma between them, for the server's own count
    #[arg(long, value_name = "IN,OUT", value_parser = prices)]
    pub prices: Option<simulator::Prices>,
    /// The key that requests must have [default: any, or none]
    #[arg(long)]
    pub key: Option<String>,
    /// A file that gets a line of JSON for every request
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// A file that is written, with the base URL in it, once the server listens
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Reads a part of a whole.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number from 0 to 1, such as 0.2")?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("expected a number from 0 to 1, such as 0.2".to_owned())
    }
}

/// Reads two prices.
fn prices(text: &str) -> Result<simulator::Prices, String> {
    let price = |text: &str| text.trim().parse::<f64>().ok().filter(|price| *price >= 0.0);
    text.split_once(',')
        .and_then(|(input, output)| Some(simulator::Prices::per_million(price(input)?, price(output)?)))
        .ok_or_else(|| "expected two prices with a comma between them, such as 3,15".to_owned())
}
