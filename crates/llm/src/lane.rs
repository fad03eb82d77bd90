//! One model at one place: its connections, its gate, and whether it was ever heard of.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;

use crate::batch::Submission;
use crate::gate::Gate;
use crate::protocol;
use crate::settings::{Model, SettingsError, Timeouts};
use crate::transport::Transport;

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) model: Model,
    /// Where calls go.
    pub(crate) url: String,
    pub(crate) transport: Transport,
    pub(crate) gate: Arc<Gate>,
    /// Who gathers its calls into batches, once there is one.
    pub(crate) gatherer: OnceLock<mpsc::UnboundedSender<Submission>>,
    /// Whether an answer ever came.
    proven: AtomicBool,
    /// Calls that did not work before the first answer.
    disappointments: AtomicU32,
    /// Calls that were given up after all their attempts, since the last answer.
    given_up: AtomicU32,
}

/// How many calls may be refused, or fail to reach the server, before the first answer. Then no call would work.
const PATIENCE: u32 = 3;

/// How many calls may be given up in a row, each after all its attempts, before the server counts as gone. Otherwise a run
/// would set every node aside, one by one.
const GONE: u32 = 10;

impl Lane {
    /// A lane of its own, or one that shares gate and connections with those that have the same model at the same place:
    /// limits are the provider's, per model, whatever roles it is used for.
    pub(crate) fn new(
        model: Model,
        timeouts: &Timeouts,
        others: &[Arc<Lane>],
    ) -> Result<Lane, SettingsError> {
        model.check()?;
        let (gate, transport) = match others.iter().find(|lane| lane.shares_with(&model)) {
            Some(lane) => (Arc::clone(&lane.gate), lane.transport.clone()),
            None => (
                Arc::new(Gate::new(model.concurrency, model.limits)),
                Transport::new(&model, timeouts.connect, protocol::headers(&model))?,
            ),
        };
        Ok(Lane {
            url: protocol::url(&model),
            gate,
            transport,
            model,
            gatherer: OnceLock::new(),
            proven: AtomicBool::new(false),
            disappointments: AtomicU32::new(0),
            given_up: AtomicU32::new(0),
        })
    }

    fn shares_with(&self, model: &Model) -> bool {
        self.model.protocol == model.protocol
            && self.model.base() == model.base()
            && self.model.name == model.name
            && self.model.key == model.key
    }

    /// An answer came.
    pub(crate) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
        self.given_up.store(0, Ordering::Relaxed);
    }

    /// A call was given up after all its attempts; whether that makes so many in a row that the server counts as gone.
    pub(crate) fn give_up(&self) -> bool {
        self.given_up.fetch_add(1, Ordering::Relaxed) + 1 >= GONE
    }

    /// A call did not work; whether that is enough to say that none will.
    pub(crate) fn disappoint(&self) -> bool {
        !self.proven.load(Ordering::Relaxed)
            && self.disappointments.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE
    }

    /// A text without the key, should the server have sent it back.
    pub(crate) fn censor(&self, text: String) -> String {
        match &self.model.key {
            Some(key) => key.censor(text),
            None => text,
        }
    }
}
