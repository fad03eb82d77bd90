//! A corpus as a folder: rows, manifest, dataset card.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::{Hash, StagedDir};

use crate::card;
use crate::corpus::{Corpus, Kind, Source};
use crate::error::{CorpusError, Result};
use crate::import;

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";

/// What a corpus's folder says about its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The corpus's name.
    pub name: String,
    /// What its rows are.
    pub kind: Kind,
    /// The file that holds the rows.
    pub file: String,
    /// The hash of that file: the corpus's content hash.
    pub hash: Hash,
    /// How many rows.
    pub rows: u64,
    /// How many tokens, with the begin and end tokens of every row.
    pub tokens: u64,
    /// The share of rows that repeat an earlier row exactly.
    pub duplicates: f64,
    /// Where the rows came from.
    #[serde(flatten)]
    pub source: Source,
}

impl Manifest {
    /// What the folder of `corpus` says.
    pub fn of(corpus: &Corpus) -> Manifest {
        Manifest {
            name: corpus.name.clone(),
            kind: corpus.kind,
            file: corpus.kind.file_name().to_string(),
            hash: corpus.hash(),
            rows: corpus.rows.len() as u64,
            tokens: corpus.tokens,
            duplicates: corpus.duplicates(),
            source: corpus.source.clone(),
        }
    }

    /// Reads the manifest of a folder; `None` if the folder is not there or not complete.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(dir: &Path) -> Result<Option<Manifest>> {
        if store::read_done(dir)?.is_none() {
            return Ok(None);
        }
        Ok(Some(store::read_json(dir.join(MANIFEST))?))
    }
}

impl Corpus {
    /// Writes the corpus to `<corpora>/<first 16 digits of its id>`, atomically, and returns that path. Writing the same
    /// corpus again changes nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, corpora: &Path) -> Result<PathBuf> {
        let dir = corpora.join(self.id().short());
        let manifest = Manifest::of(self);
        let staged = StagedDir::create(&dir)?;
        store::write_atomic(staged.path().join(&manifest.file), &self.bytes())?;
        store::write_json(staged.path().join(MANIFEST), &manifest)?;
        store::write_atomic(
            staged.path().join("README.md"),
            card::card(&manifest, &self.samples(card::SAMPLES)).as_bytes(),
        )?;
        staged.commit()?;
        Ok(dir)
    }

    /// Reads a folder that [`Corpus::write`] wrote.
    ///
    /// # Errors
    /// If it is not complete, a file was changed, or the rows are not those that the manifest describes.
    pub fn load(dir: &Path) -> Result<Corpus> {
        store::verify_done(dir)?;
        let manifest: Manifest = store::read_json(dir.join(MANIFEST))?;
        let path = dir.join(&manifest.file);
        let rows = import::rows(manifest.kind, &path, &store::read(&path)?)?;
        let Manifest { name, kind, source, tokens, .. } = manifest;
        let corpus = Corpus { name, kind, source, rows, tokens };
        if corpus.hash() != manifest.hash {
            return Err(CorpusError::Damaged { dir: dir.to_path_buf() });
        }
        Ok(corpus)
    }
}
