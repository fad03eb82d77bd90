//! A corpus's folder written row by row, with the provenance of each: a corpus that a model wrote need never be in
//! memory whole.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use store::{Hash, IdBuilder, StagedDir, StagedFile};

use crate::card;
use crate::corpus::{Kind, Source};
use crate::error::Result;
use crate::export::taken;
use crate::folder::{MANIFEST, Manifest};
use crate::row::Row;

/// The file that says where each row came from, line by line beside the rows.
pub const PROVENANCE: &str = "provenance.jsonl";

/// A corpus's folder under construction.
pub struct Streamed {
    staged: StagedDir,
    /// Where it will be, or the folder in which its id will name it.
    place: Place,
    kind: Kind,
    rows: StagedFile,
    provenance: StagedFile,
    count: u64,
    tokens: u64,
    /// The beginnings of the rows' hashes, to count repeated rows.
    seen: HashSet<[u8; 16]>,
    repeated: u64,
    samples: Samples,
}

enum Place {
    Below(PathBuf),
    At(PathBuf),
}

impl Streamed {
    /// Begins a folder below `corpora`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(corpora: &Path, kind: Kind) -> Result<Streamed> {
        let staged = StagedDir::create(corpora.join("streamed"))?;
        Streamed::staged(staged, Place::Below(corpora.to_owned()), kind)
    }

    /// Begins the folder at a path that somebody chose.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create_at(dir: &Path, kind: Kind) -> Result<Streamed> {
        Streamed::staged(StagedDir::create(dir)?, Place::At(dir.to_owned()), kind)
    }

    fn staged(staged: StagedDir, place: Place, kind: Kind) -> Result<Streamed> {
        Ok(Streamed {
            rows: staged.file(kind.file_name())?,
            provenance: staged.file(PROVENANCE)?,
            staged,
            place,
            kind,
            count: 0,
            tokens: 0,
            seen: HashSet::new(),
            repeated: 0,
            samples: Samples::default(),
        })
    }

    /// Adds a row of so many tokens; `provenance` is one line of JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, row: &Row, tokens: u64, provenance: &str) -> Result<()> {
        let json = row.json();
        let hash = store::hash_bytes(json.as_bytes());
        let mut beginning = [0; 16];
        beginning.copy_from_slice(&hash.as_bytes()[..16]);
        self.repeated += u64::from(!self.seen.insert(beginning));
        self.samples.offer(self.count, row);
        self.rows.write(json.as_bytes())?;
        self.rows.write(b"\n")?;
        self.provenance.write(provenance.as_bytes())?;
        self.provenance.write(b"\n")?;
        self.count += 1;
        self.tokens += tokens;
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.count
    }

    /// Their tokens.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Finishes the folder and gives its path and manifest. The same rows of the same origin give the same folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self, name: &str, source: Source) -> Result<(PathBuf, Manifest)> {
        let hash = self.rows.finish()?;
        self.provenance.finish()?;
        let distinct = self.count - self.repeated;
        let duplicates = if self.count == 0 { 0.0 } else { 1.0 - distinct as f64 / self.count as f64 };
        let manifest = Manifest {
            name: name.to_string(),
            kind: self.kind,
            file: self.kind.file_name().to_string(),
            hash,
            rows: self.count,
            tokens: self.tokens,
            duplicates,
            source,
        };
        store::write_json(self.staged.path().join(MANIFEST), &manifest)?;
        let card = card::card(&manifest, &self.samples.texts());
        store::write_atomic(self.staged.path().join("README.md"), card.as_bytes())?;
        let path = match self.place {
            Place::At(path) => {
                self.staged.commit().map_err(taken)?;
                path
            }
            Place::Below(corpora) => {
                let folder = id(&manifest).short();
                self.staged.rename(&folder).commit()?;
                corpora.join(folder)
            }
        };
        Ok((path, manifest))
    }
}

/// The id of a corpus's folder, as [`crate::Corpus::id`] has it.
fn id(manifest: &Manifest) -> Hash {
    let source = serde_json::to_string(&manifest.source).expect("a source is plain data");
    IdBuilder::new("corpus")
        .text("name", &manifest.name)
        .text("kind", &manifest.kind.to_string())
        .text("source", &source)
        .number("tokens", manifest.tokens)
        .hash("rows", manifest.hash)
        .finish()
}

/// A few rows spread over the corpus, whose length is not known beforehand: those at multiples of a power of two that
/// grows with it.
#[derive(Default)]
struct Samples {
    every: u64,
    kept: Vec<(u64, String)>,
}

impl Samples {
    fn offer(&mut self, index: u64, row: &Row) {
        self.every = self.every.max(1);
        if !index.is_multiple_of(self.every) {
            return;
        }
        self.kept.push((index, row.display()));
        if self.kept.len() > 2 * card::SAMPLES {
            self.every *= 2;
            self.kept.retain(|(index, _)| index.is_multiple_of(self.every));
        }
    }

    fn texts(self) -> Vec<String> {
        self.kept.into_iter().take(card::SAMPLES).map(|(_, text)| text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Corpus;

    #[test]
    fn a_streamed_folder_is_the_one_that_is_written_whole() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<Row> = (0..40).map(|n| Row::Document { text: format!("text {}", n % 39) }).collect();
        let source = Source::File { file_name: "x".into(), hash: store::hash_bytes(b"x") };
        let mut streamed = Streamed::create(&dir.path().join("a"), Kind::Documents).unwrap();
        for row in &rows {
            streamed.push(row, 3, "{}").unwrap();
        }
        let (path, manifest) = streamed.finish("why", source.clone()).unwrap();
        let whole = Corpus { name: "why".into(), kind: Kind::Documents, source, rows, tokens: 120 };
        assert_eq!(manifest, Manifest::of(&whole));
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), whole.id().short());
        assert_eq!(Corpus::load(&path).unwrap(), whole);
        assert!((manifest.duplicates - 1.0 / 40.0).abs() < 1e-12);
        assert_eq!(std::fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }
}
