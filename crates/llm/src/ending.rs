//! The end of a run: one cause, the first; everybody hears of it.

use std::fmt;
use std::sync::OnceLock;

use ledger::{Dollars, LedgerError};
use tokio::sync::watch;

/// Why the run is ending.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The user wants it to.
    Interrupted,
    /// The next call might cost more than is left.
    Budget {
        /// The cap.
        cap: Dollars,
        /// What answers cost, exactly.
        billed: Dollars,
        /// What attempts without an answer may have cost, at most.
        possibly: Dollars,
        /// The most the next call could cost.
        next: Dollars,
    },
    /// Nothing can work: wrong key, unknown model, no API there, no credit.
    Fatal(String),
    /// The provider went away, fails, or asks us to wait for very long. What it was asked is not at fault.
    Gone(String),
    /// The store cannot be written.
    Store(LedgerError),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Interrupted => f.write_str("interrupted"),
            Cause::Budget { cap, billed, possibly, next } => {
                write!(f, "the limit of {cap} is reached: {billed} spent")?;
                if *possibly > Dollars::ZERO {
                    write!(f, ", up to {possibly} more possibly billed for calls without an answer")?;
                }
                write!(f, ", and the next call could cost up to {next}")
            }
            Cause::Fatal(reason) | Cause::Gone(reason) => f.write_str(reason),
            Cause::Store(error) => write!(f, "{error}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Ending {
    cause: OnceLock<Cause>,
    begun: watch::Sender<bool>,
    aborted: watch::Sender<bool>,
}

impl Ending {
    pub(crate) fn new() -> Ending {
        Ending {
            cause: OnceLock::new(),
            begun: watch::Sender::new(false),
            aborted: watch::Sender::new(false),
        }
    }

    /// Begins it; the first cause stays.
    pub(crate) fn begin(&self, cause: Cause) {
        let _ = self.cause.set(cause);
        self.begun.send_replace(true);
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.cause.get()
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits until it begins.
    pub(crate) async fn begun(&self) {
        let _ = self.begun.subscribe().wait_for(|&begun| begun).await;
    }

    /// Calls in flight are to be given up.
    pub(crate) fn abort(&self) {
        self.aborted.send_replace(true);
    }

    /// Waits until calls in flight are to be given up.
    pub(crate) async fn aborted(&self) {
        let _ = self.aborted.subscribe().wait_for(|&aborted| aborted).await;
    }
}
