//! Corpora written by a model: documents, chats, instruction mixes, from plan to kept row.
//!
//! A pipeline is straight-line code over [`llm::Ask`]. It has no state of its own to resume from: every run begins at the
//! beginning, and what was answered before is answered at once from the ledger. So what a pipeline does is a pure function
//! of its inputs and the answers, and rows come in the order of the plan, never of time.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attempt;
pub mod augment;
pub mod chats;
pub mod documents;
pub mod instructions;
pub mod parse;
mod prompts;
mod record;
mod sections;
mod settings;

pub use prompts::{PromptError, Prompts, Rendered};
pub use record::{Memory, Record};
pub use sections::{Source, Unit, cover};
pub use settings::{Brief, Estimate, RoleEstimate, Scope, Tally};

/// Why a corpus cannot be written to its end.
#[derive(Debug, thiserror::Error)]
pub enum WritingError {
    /// The run is ending: interrupted, out of budget, or the store or a model cannot be used. The client knows why.
    #[error("the run is ending")]
    Ending,
    /// A prompt cannot be rendered.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// What was made cannot be stored.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// The inputs cannot be used.
    #[error("{0}")]
    Input(String),
    /// The plan could not be made at all, so there is nothing to write.
    #[error("nothing could be planned: {0}")]
    Plan(String),
}
