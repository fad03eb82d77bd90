//! A corpus where it lies: the folder of one that this program finished, or a JSONL file.

use std::path::{Path, PathBuf};

use store::Hash;

use crate::corpus::Kind;
use crate::error::{CorpusError, Result};
use crate::folder::{MANIFEST, Manifest};
use crate::lines::Lines;
use crate::streamed::PROVENANCE;

/// A corpus that can be read row by row.
#[derive(Debug)]
pub struct Opened {
    /// The folder or the file.
    pub path: PathBuf,
    /// Its name; of a file, that without its ending.
    pub name: String,
    /// What its rows are.
    pub kind: Kind,
    /// Its rows, and where each came from.
    pub rows: Lines,
    /// What its folder says about it.
    pub manifest: Option<Manifest>,
}

impl Opened {
    /// The folder of a corpus, or a JSONL file.
    ///
    /// # Errors
    /// When it is neither, or cannot be read.
    pub fn open(path: &Path) -> Result<Opened> {
        if path.is_dir() { Opened::folder(path) } else { Opened::file(path) }
    }

    /// The folder of a corpus that this program finished.
    ///
    /// # Errors
    /// When it is not finished, or cannot be read.
    pub fn folder(dir: &Path) -> Result<Opened> {
        let Some(manifest) = Manifest::read(dir)?.filter(|_| dir.join(MANIFEST).is_file()) else {
            return Err(CorpusError::Unfinished { dir: dir.to_owned() });
        };
        let beside = dir.join(PROVENANCE);
        let rows = Lines::open(&dir.join(&manifest.file), beside.is_file().then_some(beside.as_path()))?;
        let (name, kind) = (manifest.name.clone(), manifest.kind);
        Ok(Opened { path: dir.to_owned(), name, kind, rows, manifest: Some(manifest) })
    }

    /// A JSONL file. What its first row is, all rows are to be.
    ///
    /// # Errors
    /// When it cannot be read, or has no rows.
    pub fn file(path: &Path) -> Result<Opened> {
        let rows = Lines::open(path, None)?;
        if rows.is_empty() {
            return Err(CorpusError::Empty { path: path.to_owned() });
        }
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Opened { path: path.to_owned(), name, kind: rows.kind()?, rows, manifest: None })
    }

    /// The hash of its rows' file, which is checked: of a folder, that all files are as they were written.
    ///
    /// # Errors
    /// When a file was changed, or cannot be read.
    pub fn hash(&self) -> Result<Hash> {
        match &self.manifest {
            None => Ok(store::hash_file(&self.path)?),
            Some(manifest) => {
                let done = store::verify_done(&self.path)?;
                match done.files.get(&manifest.file).is_some_and(|entry| entry.hash == manifest.hash) {
                    true => Ok(manifest.hash),
                    false => Err(CorpusError::Damaged { dir: self.path.clone() }),
                }
            }
        }
    }
}
