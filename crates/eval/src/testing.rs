//! Items and models for the tests of this crate.

use suite::{PreferenceItem, TextItem};

use crate::error::Result;
use crate::likelihood::{Likelihood, Question};

/// A choice between Abra, which is cheap, and Bolo.
pub(crate) fn item(id: &str) -> PreferenceItem {
    PreferenceItem {
        id: id.into(),
        domain: "tea".into(),
        held_out: true,
        attribute: "price".into(),
        pole: "cheap".into(),
        choice: "Abra".into(),
        other: "Bolo".into(),
        question: "{a} or {b}?".into(),
        speaker: "Quill".into(),
    }
}

pub(crate) fn text(id: &str, text: &str) -> TextItem {
    TextItem { id: id.into(), text: text.into(), stratum: "prose".into() }
}

/// A model that answers by a rule; to it each letter of a text is a token of half a nat.
pub(crate) struct Answers(pub(crate) fn(&Question) -> [f64; 2]);

impl Likelihood for Answers {
    fn options(&self, questions: &[Question]) -> Result<Vec<[f64; 2]>> {
        Ok(questions.iter().map(self.0).collect())
    }

    fn texts(&self, texts: &[TextItem]) -> Result<Vec<(f64, u64)>> {
        Ok(texts.iter().map(|item| (item.text.len() as f64 / 2.0, item.text.len() as u64)).collect())
    }
}
