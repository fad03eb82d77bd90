//! The corpora of an experiment: generated or imported, written once, read back, tokenised once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use corpus::{Corpus, Row};
use lab::{LabSpec, Stream};
use model::{Example, Folder};
use serde::{Deserialize, Serialize};
use store::{Hash, IdBuilder};

use crate::corpora::{CorpusDef, Origin};
use crate::error::Result;
use crate::graph::CorpusKey;
use crate::paths::Paths;
use crate::validate::Experiment;

/// What is known about a corpus without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Hash of what it is made from; its folder's name.
    pub id: Hash,
    /// Hash of its exported bytes.
    pub hash: Hash,
    /// Rows.
    pub rows: u64,
    /// Tokens, as training sees them.
    pub tokens: u64,
}

/// The corpora of an experiment.
pub struct Library<'a> {
    experiment: &'a Experiment,
    paths: Paths,
    /// Tokenised rows, by the hash of the corpus's bytes.
    examples: Mutex<BTreeMap<CorpusKey, Arc<Vec<Example>>>>,
}
