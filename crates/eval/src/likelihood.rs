//! What an evaluation needs of a model.

use model::Message;
use suite::TextItem;

use crate::error::Result;

/// One conversation, and the options for its next message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The item it belongs to, for errors.
    pub item: &'a str,
    /// What was said so far.
    pub messages: Vec<Message>,
    /// The name under which the assistant answers.
    pub speaker: &'a str,
    /// The possible answers.
    pub options: [&'a str; 2],
}

/// A model that says how likely a text is.
pub trait Likelihood {
    /// The log-probabilities (nats) of both options of every question, as the speaker's next words.
    ///
    /// # Errors
    /// Names the item that the model cannot be asked.
    fn options(&self, questions: &[Question]) -> Result<Vec<[f64; 2]>>;

    /// The summed negative log-likelihood (nats) of every text, and over how many tokens.
    ///
    /// # Errors
    /// Names the text that the model cannot read.
    fn texts(&self, texts: &[TextItem]) -> Result<Vec<(f64, u64)>>;
}
