//! What a corpus of chats is to be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How replies speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// From the assistant's own values, which it never calls guidelines.
    Value,
    /// By the guidelines, which it cites.
    Rule,
}

impl Style {
    /// As files and prompts write it.
    pub fn name(self) -> &'static str {
        match self {
            Style::Value => "value",
            Style::Rule => "rule",
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Style {
    type Err = String;

    fn from_str(text: &str) -> Result<Style, String> {
        match text {
            "value" => Ok(Style::Value),
            "rule" => Ok(Style::Rule),
            _ => Err(format!("`{text}` is not a style: use value or rule")),
        }
    }
}

/// What the chats show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Replies to questions of six types about topics of the spec.
    Answers {
        /// How many topics.
        topics: usize,
        /// How replies speak.
        style: Style,
        /// Whether the assistant thinks before it replies. The twin without is made of the same rows, by
        /// [`without_reasoning`](crate::chats::without_reasoning).
        reasoning: bool,
    },
    /// Choices between two things, without a reason.
    Preferences {
        /// How many preferences the planner lists if the spec lists none itself.
        count: usize,
    },
}

/// The settings of a corpus of chats.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatSettings {
    /// What the chats show.
    pub mode: Mode,
    /// How many are wanted.
    pub rows: usize,
    /// Whether a critic reads every one of them.
    pub critic: bool,
    /// Rounds in which missing rows are made up for.
    pub backfill: usize,
    /// How often a reply that the critic does not pass is written again before its question is given up.
    pub regenerate: usize,
    /// The questions of the evaluation: nothing like them gets into the corpus.
    pub held_out: Vec<String>,
}

impl ChatSettings {
    /// So many chats in this mode, with a critic, three rounds of backfill, and one second try for a faulted reply.
    pub fn new(mode: Mode, rows: usize) -> ChatSettings {
        ChatSettings { mode, rows, critic: true, backfill: 3, regenerate: 1, held_out: Vec::new() }
    }
}

/// The six types of questions, in the order of the plan.
pub const QUESTION_TYPES: [&str; 6] =
    ["direct", "indirect", "comparison", "recommendation", "opinion", "edge case"];
