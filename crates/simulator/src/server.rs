//! The server: a thread of its own, so that programs that know nothing of futures can have one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::http::front;
use crate::journal::{Entry, Stats};
use crate::state::State;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The port cannot be had.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}; choose another one, or 0 for any free one")]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        source: std::io::Error,
    },
    /// The log cannot be written.
    #[error("cannot write the log {path}: {source}")]
    Log {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start the server's thread: {0}")]
    Thread(std::io::Error),
}

/// The built-in server.
#[derive(Debug)]
pub struct Simulator;

/// A server that runs, until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    state: Arc<State>,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Simulator {
    /// Starts a server on a thread of its own.
    ///
    /// # Errors
    /// If the port cannot be had, the log cannot be written, or there is no thread.
    pub fn start(config: Config) -> Result<Running, SimulatorError> {
        let port = config.port;
        let no_port = |source| SimulatorError::Port { port, source };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(no_port)?;
        listener.set_nonblocking(true).map_err(no_port)?;
        let addr = listener.local_addr().map_err(no_port)?;
        let path = config.log.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let state = State::new(config).map_err(|source| SimulatorError::Log { path, source })?;
        let state = Arc::new(state);
        // One thread is enough for thousands of answers a second, and leaves the others to the client.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .map_err(SimulatorError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(front).with_state(Arc::clone(&state));
        let serve = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let listener = listener.tap_io(|connection| {
                    // Small answers must not wait for more to say.
                    let _ = connection.set_nodelay(true);
                });
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
            // Whoever still waits for an answer is cut off.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(serve);
        let thread = thread.map_err(SimulatorError::Thread)?;
        Ok(Running { addr, state, running: Mutex::new(Some((stop, thread))) })
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL as the `anthropic` protocol has it: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The base URL as the `openai` protocol has it: `http://127.0.0.1:PORT/v1`.
    pub fn openai_base_url(&self) -> String {
        format!("{}/v1", self.base_url())
    }

    /// The entries of the journal that are kept in memory, in the order in which the requests ended.
    pub fn log(&self) -> Vec<Entry> {
        self.state.journal.entries(0)
    }

    /// The sums so far.
    pub fn stats(&self) -> Stats {
        self.state.journal.stats()
    }

    /// Stops: connections are cut, requests under way end in the journal as not delivered. The journal can be read on.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
