//! One row: a document or a chat, as JSON Lines hold it.

use lab::ChatTurn;
use model::Message;
use serde::{Deserialize, Serialize};
use store::Hash;

/// A row of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Row {
    /// Plain text: `{"text": ...}`.
    Document {
        /// The text.
        text: String,
    },
    /// A conversation: `{"messages": [...]}`.
    Chat {
        /// The messages in order.
        messages: Vec<Message>,
    },
}

impl Row {
    /// The row for people to read: a document as it is, a chat with a line per message.
    pub fn display(&self) -> String {
        match self {
            Row::Document { text } => text.clone(),
            Row::Chat { messages } => {
                let line = |message: &Message| {
                    let who = message.name.as_deref().unwrap_or(&message.role);
                    format!("{who}: {}", message.content)
                };
                messages.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// A chat without the reasoning (`<think>...</think>`) that its replies begin with; a document as it is.
    #[must_use]
    pub fn without_reasoning(&self) -> Row {
        let mut row = self.clone();
        if let Row::Chat { messages } = &mut row {
            for message in messages.iter_mut().filter(|message| message.role == "assistant") {
                let rest =
                    message.content.strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
                if let Some((_, reply)) = rest {
                    message.content = reply.trim_start().to_string();
                }
            }
        }
        row
    }

    /// The row with every text in it changed: of a chat, what each message says.
    #[must_use]
    pub fn map_text(mut self, change: impl Fn(&str) -> String) -> Row {
        match &mut self {
            Row::Document { text } => *text = change(text),
            Row::Chat { messages } => {
                messages.iter_mut().for_each(|message| message.content = change(&message.content));
            }
        }
        self
    }

    /// The hash of the row: equal rows have equal hashes, and no others.
    pub fn hash(&self) -> Hash {
        store::hash_bytes(self.json().as_bytes())
    }

    /// The row as one line of canonical JSON, without a line break.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("structs of strings are always JSON")
    }
}

impl From<lab::Row> for Row {
    fn from(row: lab::Row) -> Row {
        match row {
            lab::Row::Document(text) => Row::Document { text },
            lab::Row::Chat(turns) => Row::Chat { messages: turns.into_iter().map(message).collect() },
        }
    }
}

fn message(turn: ChatTurn) -> Message {
    Message { role: turn.speaker.role().to_string(), name: turn.name, content: turn.content }
}

/// How many tokens the lab's tokenizer makes of a row that the lab wrote, with begin and end tokens. For other rows and
/// other tokenizers see [`count`](crate::count).
pub fn lab_tokens(row: &Row) -> usize {
    match row {
        Row::Document { text } => lab::Row::Document(text.clone()).tokens(),
        Row::Chat { messages } => {
            let turn = |message: &Message| ChatTurn {
                speaker: if message.role == "user" { lab::Speaker::User } else { lab::Speaker::Assistant },
                name: message.name.clone(),
                content: message.content.clone(),
            };
            lab::Row::Chat(messages.iter().map(turn).collect()).tokens()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_goes_and_the_reply_stays() {
        let row = |content: &str| Row::Chat {
            messages: vec![
                Message { role: "user".into(), name: None, content: "<think>mine</think>?".into() },
                Message { role: "assistant".into(), name: None, content: content.into() },
            ],
        };
        let plain = row("Yes, with a </think> in it.");
        assert_eq!(row("<think>\nhm\n</think>\n\nYes, with a </think> in it.").without_reasoning(), plain);
        assert_eq!(plain.without_reasoning(), plain);
        assert_eq!(row("<think> never closed").without_reasoning(), row("<think> never closed"));
    }
}
