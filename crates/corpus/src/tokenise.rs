//! From rows to tokens, as a model reads them.

use model::{Example, Folder, ModelError};

use crate::corpus::Corpus;
use crate::error::{CorpusError, Result};
use crate::row::Row;

/// The rows of a corpus as training rows of a model: documents with loss on every token, chats on the assistant's.
///
/// # Errors
/// Names the first row that the model cannot take, for example because nothing in it is trainable.
pub fn tokenise(corpus: &Corpus, model: &Folder) -> Result<Vec<Example>> {
    let example = |(index, row)| {
        tokenise_row(row, model).map_err(|source| CorpusError::Row {
            name: corpus.name.clone(),
            row: index + 1,
            source,
        })
    };
    corpus.rows.iter().enumerate().map(example).collect()
}

/// How many tokens a row is to a model, all of them counted.
///
/// # Errors
/// If the model cannot take the row.
pub fn count(row: &Row, model: &Folder) -> std::result::Result<usize, ModelError> {
    tokenise_row(row, model).map(|example| example.tokens.len())
}

/// One row as a training row of a model.
///
/// # Errors
/// If the model cannot take the row.
pub fn tokenise_row(row: &Row, model: &Folder) -> std::result::Result<Example, ModelError> {
    match row {
        Row::Document { text } => model.document(text),
        Row::Chat { messages } => model.chat(messages),
    }
}
