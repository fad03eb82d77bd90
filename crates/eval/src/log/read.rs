//! Reading a log back.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::archive::Archive;
use super::header::{Header, Stamp};
use super::sample::{PreferenceMetadata, Summary, TextMetadata};
use crate::error::{EvalError, Result};
use crate::preferences::PreferenceResult;
use crate::texts::TextResult;

/// What is read of `header.json`.
#[derive(Deserialize)]
struct Head {
    status: String,
    eval: Eval,
}

#[derive(Deserialize)]
struct Eval {
    model: String,
    created: String,
    dataset: Dataset,
    metadata: Stamp,
}

#[derive(Deserialize)]
struct Dataset {
    samples: usize,
}

/// Reads what a log says about itself, without its samples.
///
/// # Errors
/// When the file cannot be read, or is not a log that this program wrote, or one that did not finish.
pub fn read_header(path: impl AsRef<Path>) -> Result<Header> {
    header(path.as_ref(), &mut Archive::open(path.as_ref())?)
}

/// Reads the results of a log of forced choices.
///
/// # Errors
/// As [`read_header`], and when the log is of another kind.
pub fn read_preferences(path: impl AsRef<Path>) -> Result<Vec<PreferenceResult>> {
    let path = path.as_ref();
    let summaries: Vec<Summary<PreferenceMetadata>> = summaries(path)?;
    let results: Option<Vec<PreferenceResult>> = summaries.into_iter().map(Summary::preference).collect();
    results.ok_or_else(|| EvalError::log(path, "a sample is not a choice between two things"))
}

/// Reads the results of a log of texts.
///
/// # Errors
/// As [`read_header`], and when the log is of another kind.
pub fn read_texts(path: impl AsRef<Path>) -> Result<Vec<TextResult>> {
    let summaries: Vec<Summary<TextMetadata>> = summaries(path.as_ref())?;
    Ok(summaries.into_iter().map(TextResult::from).collect())
}

fn header(path: &Path, archive: &mut Archive) -> Result<Header> {
    let Head { status, eval } = archive.json("header.json")?;
    if status != "success" {
        return Err(EvalError::log(path, format!("the evaluation did not finish: its status is `{status}`")));
    }
    let Stamp { suite, suite_version, key, labels, content } = eval.metadata;
    let samples = eval.dataset.samples;
    let (model, created) = (eval.model, eval.created);
    Ok(Header { model, key, suite, suite_version, samples, labels, content, created })
}

fn summaries<T: DeserializeOwned>(path: &Path) -> Result<Vec<Summary<T>>> {
    let mut archive = Archive::open(path)?;
    let header = header(path, &mut archive)?;
    let summaries: Vec<Summary<T>> = archive.json("summaries.json")?;
    if summaries.len() != header.samples {
        let problem = format!("{} samples instead of {}", summaries.len(), header.samples);
        return Err(EvalError::log(path, problem));
    }
    Ok(summaries)
}
