//! What a server may use, and who may use it.

use llm::Secret;
use std::net::SocketAddr;
use std::time::Duration;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 is any free one.
    pub address: SocketAddr,
    /// The key that requests must have. Required beyond this machine.
    pub key: Option<Secret>,
    /// Threads of the engine.
    pub threads: usize,
    /// Texts that are continued at once.
    pub active: usize,
    /// Texts that may wait for their turn; more are refused.
    pub queue: usize,
    /// Memory of keys and values, in bytes.
    pub cache_bytes: u64,
    /// Memory of models that are kept loaded, in bytes; the one asked for last is kept in any case.
    pub model_bytes: u64,
    /// The longest request, in bytes.
    pub body_bytes: usize,
    /// The most answers to one request.
    pub choices: usize,
    /// How long what is under way may take once the server is to stop.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            key: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            active: 64,
            queue: 256,
            cache_bytes: 2 << 30,
            model_bytes: 16 << 30,
            body_bytes: 4 << 20,
            choices: 128,
            grace: Duration::from_secs(30),
        }
    }
}
