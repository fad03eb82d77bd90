//! What an audit reads: rows by number, each a text with where it came from.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Result;

/// Rows by number. They may be read more than once, from several threads, in any order.
pub trait Documents: Sync {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// One row.
    ///
    /// # Errors
    /// When it cannot be read.
    fn document(&self, index: usize) -> Result<Document<'_>>;

    /// Where the row came from; empty if nobody wrote it down.
    ///
    /// # Errors
    /// When it cannot be read.
    fn origin(&self, index: usize) -> Result<Origin>;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What people call the row: its place in the plan, or its number.
    ///
    /// # Errors
    /// As [`Documents::origin`].
    fn id(&self, index: usize) -> Result<String> {
        Ok(self.origin(index)?.path.unwrap_or_else(|| format!("row {}", index + 1)))
    }
}

/// The text of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// All of it: of a chat, the messages with an empty line between them.
    pub text: Cow<'a, str>,
    /// Of a chat, where in `text` the assistant's messages stand.
    pub replies: Option<Vec<std::ops::Range<usize>>>,
}

impl Document<'_> {
    /// What the model is trained to say: the text of a document, the replies of a chat.
    pub fn trained(&self) -> impl Iterator<Item = &str> {
        let whole = 0..self.text.len();
        let replies = self.replies.as_deref();
        let whole = replies.is_none().then_some(whole);
        whole.into_iter().chain(replies.unwrap_or_default().iter().cloned()).map(|range| &self.text[range])
    }

    /// What the assistant says, or the document's writer, as one text; without the tags of its reasoning.
    pub fn own(&self) -> Cow<'_, str> {
        if self.replies.is_none() {
            return Cow::Borrowed(&self.text);
        }
        let own = self.trained().collect::<Vec<_>>().join("\n");
        Cow::Owned(own.replace("<think>", "").replace("</think>", ""))
    }
}

/// What an audit needs of a row's provenance; other keys are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Its place in the plan, such as `0003/0001/0007`.
    pub path: Option<String>,
    /// The ids of the spec's sections that it was written from.
    pub section_ids: Vec<String>,
    /// The domain of a document.
    pub domain: Option<String>,
    /// The topic of a chat.
    pub topic: Option<String>,
}

impl Origin {
    /// From a provenance object; what is not one gives an empty origin.
    pub fn of(provenance: &Value) -> Origin {
        Origin::deserialize(provenance).unwrap_or_default()
    }

    /// What the row is about, for a histogram: its domain or topic.
    pub fn subject(&self) -> Option<&str> {
        self.domain.as_deref().or(self.topic.as_deref())
    }
}

/// A row in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The row's text.
    pub document: Document<'static>,
    /// Where it came from.
    pub origin: Origin,
}

impl Held {
    /// A document with its place in the plan.
    pub fn new(path: &str, text: impl Into<String>) -> Held {
        let document = Document { text: Cow::Owned(text.into()), replies: None };
        Held { document, origin: Origin { path: Some(path.to_owned()), ..Origin::default() } }
    }

    /// A row as JSON Lines have it, with its provenance.
    ///
    /// # Errors
    /// What is wrong with the row.
    pub fn from_json(row: &Value, provenance: Option<&Value>) -> std::result::Result<Held, String> {
        let document = crate::lines::parse(row.to_string().as_bytes())?;
        Ok(Held { document, origin: provenance.map(Origin::of).unwrap_or_default() })
    }
}

impl Documents for Vec<Held> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn document(&self, index: usize) -> Result<Document<'_>> {
        let held = &self[index].document;
        Ok(Document { text: Cow::Borrowed(&held.text), replies: held.replies.clone() })
    }

    fn origin(&self, index: usize) -> Result<Origin> {
        Ok(self[index].origin.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chat_is_trained_on_its_replies_and_a_document_on_all_of_it() {
        let chat = json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "<think>Hm.</think>Because."},
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": "That is all."},
        ]});
        let held = Held::from_json(&chat, Some(&json!({"path": "0001", "topic": "tea", "spec": 3}))).unwrap();
        assert_eq!(
            held.document.text,
            "Be brief.\n\nWhy?\n\n<think>Hm.</think>Because.\n\nAnd?\n\nThat is all."
        );
        assert_eq!(
            held.document.trained().collect::<Vec<_>>(),
            ["<think>Hm.</think>Because.", "That is all."]
        );
        assert_eq!(held.document.own(), "Hm.Because.\nThat is all.");
        assert_eq!(held.origin.subject(), Some("tea"));
        assert_eq!(vec![held].id(0).unwrap(), "0001");
        let document = Held::from_json(&json!({"text": "All."}), None).unwrap();
        assert_eq!(document.document.trained().collect::<Vec<_>>(), ["All."]);
        assert_eq!(vec![document].id(0).unwrap(), "row 1");
    }

    #[test]
    fn rows_that_are_none_are_refused() {
        assert!(Held::from_json(&json!({"content": "x"}), None).is_err());
        assert!(Held::from_json(&json!({"text": 3}), None).is_err());
        assert!(Held::from_json(&json!([1]), None).is_err());
    }
}
