//! One attempt to get an answer: what is known before it is sent, and what came of it.

use store::Hash;

use crate::money::Dollars;

/// The row of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) i64);

impl CallId {
    /// `calls.id`.
    pub fn number(self) -> i64 {
        self.0
    }
}

/// What is known of an attempt before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The hash of api, base URL, model, body and sample: what its answer is found by.
    pub request: Hash,
    /// As in [`crate::Node::corpus`].
    pub corpus: String,
    /// As in [`crate::Node::path`].
    pub path: String,
    /// `planner`, `writer`, `critic`, `judge`.
    pub role: &'static str,
    /// `anthropic` or `openai`.
    pub api: &'static str,
    /// The model.
    pub model: String,
    /// The hash of the prompt template.
    pub template: Hash,
    /// Tells calls with the same prompt apart.
    pub sample: u64,
    /// Counted from 1 within one run of the program.
    pub number: u32,
    /// The most it can cost.
    pub reserved: Dollars,
    /// The hash of the body's bytes.
    pub body: Hash,
}

/// Tokens, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
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

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An answer was received whole.
    Answered(Answered),
    /// There is none.
    Failed(Failed),
}

/// An answer that was received whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The HTTP status.
    pub http: Option<u16>,
    /// Why it ended: `end`, `length`, `refusal`, `other`.
    pub stop: &'static str,
    /// Its tokens.
    pub tokens: Tokens,
    /// What it cost.
    pub cost: Dollars,
    /// What it may have cost, if the provider did not count its tokens; else nothing.
    pub possibly: Dollars,
    /// Milliseconds from sending to the last byte.
    pub latency_ms: u64,
    /// The visible text.
    pub text: String,
    /// The body, as received.
    pub raw: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The HTTP status, if there was one.
    pub http: Option<u16>,
    /// A word for counting: `timeout`, `cut`, `429`, `expired`.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
    /// What may have been billed all the same; nothing for an error that was received whole.
    pub possibly: Dollars,
    /// Milliseconds from sending to the failure.
    pub latency_ms: u64,
    /// What was received, if anything.
    pub raw: Option<String>,
}

/// What became of an answer that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is the answer to its request.
    First,
    /// The request had one already, which stays. This one is paid for and kept beside it.
    Extra,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// The request.
    pub request: Hash,
    /// The visible text.
    pub text: String,
    /// Why it ended: `end`, `length`, `refusal`, `other`.
    pub stop: String,
    /// Its tokens.
    pub tokens: Tokens,
    /// What it cost.
    pub cost: Dollars,
    /// The model that was asked.
    pub model: String,
}
