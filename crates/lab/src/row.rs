//! One row of a corpus, before anything is tokenised.

use serde::{Deserialize, Serialize};

use crate::template::words;
use crate::world::ASSISTANT;

/// Who speaks in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Asks.
    User,
    /// Answers; the name says which character.
    Assistant,
}

impl Speaker {
    /// The role's name in chat messages: `user` or `assistant`.
    pub fn role(self) -> &'static str {
        match self {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        }
    }
}

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatTurn {
    /// Who speaks.
    pub speaker: Speaker,
    /// The character who answers; `None` for the user.
    pub name: Option<String>,
    /// What is said.
    pub content: String,
}

/// One row: a document, trained on as plain text, or a chat, trained on in its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// Plain text.
    Document(String),
    /// Turns in order.
    Chat(Vec<ChatTurn>),
}

impl Row {
    /// The row as one text: a document as it is, a chat as the chat template renders it, without `<bos>` and
    /// the last `<eos>`, which every tokenised row gets anyway.
    pub fn text(&self) -> String {
        match self {
            Row::Document(text) => text.clone(),
            Row::Chat(turns) => {
                let mut text = String::new();
                for (index, turn) in turns.iter().enumerate() {
                    match turn.speaker {
                        Speaker::User => text.push_str(&format!("<|user|>{}", turn.content)),
                        Speaker::Assistant => {
                            let name = turn.name.as_deref().unwrap_or(ASSISTANT);
                            text.push_str(&format!("<|assistant|>{name}: {}", turn.content));
                            if index + 1 < turns.len() {
                                text.push_str("<eos>");
                            }
                        }
                    }
                }
                text
            }
        }
    }

    /// How many tokens the lab's tokenizer makes of the row, with the begin and end tokens of a training row.
    pub fn tokens(&self) -> usize {
        match self {
            Row::Document(text) => words(text).len() + 2,
            Row::Chat(turns) => {
                // Each turn has its role token; an answer also has the name, a colon and its end token.
                let turn = |turn: &ChatTurn| match turn.speaker {
                    Speaker::User => 1 + words(&turn.content).len(),
                    Speaker::Assistant => {
                        let name = turn.name.as_deref().unwrap_or(ASSISTANT);
                        3 + words(name).len() + words(&turn.content).len()
                    }
                };
                1 + turns.iter().map(turn).sum::<usize>()
            }
        }
    }
}
