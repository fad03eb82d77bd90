//! What a log says about itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::Hash;
use suite::Suite;

use crate::evaluate::Scorer;

/// What only the caller knows about an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// How the model is called in tables.
    pub model: String,
    /// What the model is: the hash that its stage, or its folder, is addressed by.
    pub model_id: Hash,
    /// What else a reader may want to select logs by: arm, spec, seed.
    pub labels: BTreeMap<String, String>,
    /// The time of creation, as `2026-11-23T18:00:00+00:00`. No result depends on it; pass a constant for logs
    /// that are equal byte by byte.
    pub created: String,
}

/// What determines results: a log with the wanted key need not be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What the model is.
    #[serde(rename = "model_id")]
    pub model: Hash,
    /// What was asked: the hash of the suite.
    #[serde(rename = "suite_hash")]
    pub suite: Hash,
    /// How the answers became scores: the scorer's name, ...
    pub scorer: String,
    /// ... and its version.
    pub scorer_version: u32,
}

impl Key {
    /// The key of a model's log for a suite, by the scorer of this version of the program.
    pub fn new(model: Hash, suite: &Suite) -> Key {
        let Scorer { name, version } = Scorer::of(suite);
        Key { model, suite: suite.hash(), scorer: name.to_owned(), scorer_version: version }
    }
}

/// The header of a log, without its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How the model is called in tables.
    pub model: String,
    /// What determined the results.
    pub key: Key,
    /// The suite's name.
    pub suite: String,
    /// The suite's version.
    pub suite_version: u32,
    /// How many samples there are.
    pub samples: usize,
    /// Arm, spec, seed and the like.
    pub labels: BTreeMap<String, String>,
    /// The hash of everything but the time of creation: equal for equal results.
    pub content: Hash,
    /// The time of creation.
    pub created: String,
}

/// The part of [`Header`] that Inspect has no place for: `eval.metadata` of `header.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) suite: String,
    pub(crate) suite_version: u32,
    #[serde(flatten)]
    pub(crate) key: Key,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(rename = "content_hash")]
    pub(crate) content: Hash,
}
