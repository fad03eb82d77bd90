//! A corpus's files as an audit reads them.

use std::borrow::Cow;

use corpus::Lines;
use serde::Deserialize;

use crate::document::{Document, Documents, Origin};
use crate::error::Result;

impl Documents for Lines {
    fn len(&self) -> usize {
        Lines::len(self)
    }

    fn document(&self, index: usize) -> Result<Document<'_>> {
        self.with(index, parse)
    }

    fn origin(&self, index: usize) -> Result<Origin> {
        Ok(self.provenance(index)?.as_ref().map(Origin::of).unwrap_or_default())
    }

    fn id(&self, index: usize) -> Result<String> {
        Ok(self.origin(index)?.path.unwrap_or_else(|| format!("line {}", self.line(index))))
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    messages: Option<Vec<Message<'a>>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// One line as a row.
pub(crate) fn parse(line: &[u8]) -> std::result::Result<Document<'static>, String> {
    let raw: Raw<'_> = serde_json::from_slice(line).map_err(|error| {
        let problem = error.to_string();
        // The parser counts lines within this one, which would mislead.
        format!("not a row: {}", problem.split(" at line ").next().unwrap_or_default())
    })?;
    match (raw.text, raw.messages) {
        (Some(text), None) => Ok(Document { text: Cow::Owned(text.into_owned()), replies: None }),
        (None, Some(messages)) => {
            let (mut text, mut replies) = (String::new(), Vec::new());
            for message in &messages {
                if !text.is_empty() {
                    text.push_str("\n\n");
                }
                let start = text.len();
                text.push_str(&message.content);
                if message.role == "assistant" {
                    replies.push(start..text.len());
                }
            }
            Ok(Document { text: Cow::Owned(text), replies: Some(replies) })
        }
        _ => Err("a row has either `text` or `messages`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_places() {
        let dir = tempfile::tempdir().unwrap();
        let (rows, beside) = (dir.path().join("rows"), dir.path().join("beside"));
        std::fs::write(&rows, "{\"text\": \"one\\ntwo\"}\n\n{\"text\": \"\u{e9}\"}\n{\"text\": 3}\n")
            .unwrap();
        std::fs::write(&beside, "{\"path\": \"0001\"}\n{\"domain\": \"tea\"}\n{}\n").unwrap();
        let lines = Lines::open(&rows, Some(&beside)).unwrap();
        assert_eq!(lines.document(0).unwrap().text, "one\ntwo");
        assert_eq!((lines.id(0).unwrap(), lines.id(1).unwrap()), ("0001".into(), "line 3".into()));
        assert_eq!(lines.origin(1).unwrap().subject(), Some("tea"));
        let message = lines.document(2).unwrap_err().to_string();
        assert!(message.contains("rows:4: not a row: invalid type"), "{message}");
    }
}
