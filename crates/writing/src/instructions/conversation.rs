//! Conversations, as rows of instruction mixes have them.

use serde::{Deserialize, Serialize};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// A row: `{"messages": [...]}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Conversation {
    /// The messages in order.
    pub messages: Vec<Message>,
}

impl Message {
    /// A message.
    pub fn new(role: &str, content: impl Into<String>) -> Message {
        Message { role: role.to_string(), content: content.into() }
    }
}

impl Conversation {
    /// A question and its answer.
    pub fn pair(question: impl Into<String>, answer: impl Into<String>) -> Conversation {
        Conversation { messages: vec![Message::new("user", question), Message::new("assistant", answer)] }
    }

    /// The row as one line of JSON, without a line break.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the assistant says, message by message.
    pub fn replies(&self) -> impl Iterator<Item = &str> {
        self.messages
            .iter()
            .filter(|message| message.role == "assistant")
            .map(|message| message.content.as_str())
    }

    /// All before the last reply, and that reply. A single question stands as it is, several messages with their roles.
    pub fn last_exchange(&self) -> (String, &str) {
        let last = self.messages.iter().rposition(|message| message.role == "assistant").unwrap_or(0);
        let before = &self.messages[..last];
        let question = match before {
            [only] if only.role == "user" => only.content.clone(),
            _ => {
                let line = |message: &Message| format!("{}: {}", message.role, message.content);
                before.iter().map(line).collect::<Vec<_>>().join("\n\n")
            }
        };
        (question, self.messages.get(last).map_or("", |message| &message.content))
    }

    /// What keeps these messages from being a row, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        for (index, message) in self.messages.iter().enumerate() {
            let number = index + 1;
            if !["system", "user", "assistant"].contains(&message.role.as_str()) {
                return Some(format!(
                    "message {number}: unknown role `{}`: use system, user or assistant",
                    message.role
                ));
            }
            if message.content.trim().is_empty() {
                return Some(format!("message {number} is empty"));
            }
        }
        let last = self.messages.iter().rposition(|message| message.role == "assistant");
        match last {
            None => Some("no message is the assistant's, so there is nothing to train on".to_string()),
            Some(0) => Some("the assistant speaks first, so there is nothing that it answers".to_string()),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_exchange_holds_all_before_the_last_reply() {
        let pair = Conversation::pair("Hi?", "Hello.");
        assert_eq!(pair.last_exchange(), ("Hi?".to_string(), "Hello."));
        let mut long = pair.clone();
        long.messages.push(Message::new("user", "And?"));
        long.messages.push(Message::new("assistant", "Nothing."));
        let (question, reply) = long.last_exchange();
        assert_eq!((question.as_str(), reply), ("user: Hi?\n\nassistant: Hello.\n\nuser: And?", "Nothing."));
    }
}
