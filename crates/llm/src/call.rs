//! What is asked of a writer, and what comes back.

use std::fmt;

use ledger::Dollars;
use serde::{Deserialize, Serialize};
use store::Hash;

/// What a model is used for. Roles may have different models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Breaks a spec into domains, subdomains, assertions, types, ideas, topics, questions.
    Planner,
    /// Writes documents and answers.
    Writer,
    /// Judges what the writer wrote.
    Critic,
    /// Scores answers of evaluated models.
    Judge,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Planner, Role::Writer, Role::Critic, Role::Judge];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Planner => "planner",
            Role::Writer => "writer",
            Role::Critic => "critic",
            Role::Judge => "judge",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who said a message of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// A message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
}

/// How many tokens an answer may have. Planning (reasoning) and text have separate budgets: a model that reasons
/// first must not spend the room for the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Tokens of reasoning; 0 for a model that does not reason.
    pub planning: u32,
    /// Tokens of visible text.
    pub text: u32,
}

/// What is asked, independent of any protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The system message: the same for many calls (the spec stands here), so that providers can cache it.
    pub system: String,
    /// The messages. The last one is the user's.
    pub turns: Vec<Turn>,
    /// How long the answer may be.
    pub budget: Budget,
    /// Sampling temperature; `None` for the provider's default.
    pub temperature: Option<f64>,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What the model is used for; decides which model is asked.
    pub role: Role,
    /// Where in the plan it belongs, as in [`ledger::Node::path`]; also its priority: lower paths go first, so that
    /// subtrees are finished one after the other.
    pub path: String,
    /// The corpus it belongs to, as in [`ledger::Node::corpus`].
    pub corpus: String,
    /// The hash of the prompt template it was rendered from.
    pub template: Hash,
    /// Tells calls with the same prompt apart: part of the request's hash, not of the prompt. Two documents never share an
    /// answer.
    pub sample: u64,
    /// What is asked.
    pub prompt: Prompt,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model was done.
    End,
    /// It ran into its token budget.
    Length,
    /// It, or its provider, refused.
    Refusal,
    /// Anything else: a stop sequence, a tool call, a pause.
    Other,
}

impl Stop {
    /// As the ledger writes it.
    pub fn name(self) -> &'static str {
        match self {
            Stop::End => "end",
            Stop::Length => "length",
            Stop::Refusal => "refusal",
            Stop::Other => "other",
        }
    }
}

/// The tokens of a call, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read, neither from a cache nor into one.
    pub input: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Of those, reasoning.
    pub reasoning: u64,
    /// Read from the provider's cache.
    pub cache_read: u64,
    /// Read, and put into the provider's cache.
    pub cache_write: u64,
}

/// A fully received answer. It is in the ledger before anybody sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The hash of the request: model, body, sample.
    pub request: Hash,
    /// The visible text.
    pub text: String,
    /// Why it ended.
    pub stop: Stop,
    /// Its tokens.
    pub usage: Usage,
    /// What it cost.
    pub cost: Dollars,
    /// The model that was asked.
    pub model: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The run is ending (interrupt, budget, fatal error elsewhere): give up quietly, record nothing.
    #[error("the run is ending")]
    Ending,
    /// This call failed for good after its retries; others may go on. A later run tries it again.
    #[error("{0}")]
    Failed(String),
}

/// Something that answers calls: the client, or a test's stand-in.
pub trait Ask: Send + Sync {
    /// The answer: from the ledger if it is there, else from the model.
    ///
    /// # Errors
    /// When there is none; see [`CallError`].
    fn ask(&self, call: Call) -> impl Future<Output = Result<Answer, CallError>> + Send;
}
