//! Training rows: text or messages become tokens and a loss mask.

use serde::{Deserialize, Serialize};

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Who speaks, where a template cares (the lab's personas speak as assistants under their own names).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is said.
    pub content: String,
}

/// A tokenised row: token `i` is a target, predicted from the tokens before it, when `loss[i]`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Example {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// As long as `tokens`; `loss[0]` is never used, since nothing comes before the first token.
    pub loss: Vec<bool>,
}

impl Example {
    /// How many tokens are targets.
    pub fn targets(&self) -> usize {
        self.loss.iter().skip(1).filter(|l| **l).count()
    }
}
