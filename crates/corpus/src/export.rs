//! A corpus for others: one file a part, with all that is known about each row or only what is trained on, a manifest and a
//! dataset card.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Hash, StagedDir, StagedFile, StoreError};

use crate::card;
use crate::corpus::{Kind, Source};
use crate::error::{CorpusError, Result};
use crate::folder::MANIFEST;
use crate::opened::Opened;
use crate::parquet::{ExportError, ParquetWriter};
use crate::row::Row;
use crate::subset::{Part, nested_rows, nested_tokens};

/// The format of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON Lines.
    Jsonl,
    /// Parquet.
    Parquet,
}

/// The size of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// So many tokens, as exactly as whole rows allow.
    Tokens(u64),
    /// So many rows.
    Rows(u64),
}

/// What to export.
#[derive(Clone, Debug, PartialEq)]
pub struct Export<'a> {
    /// The format of the files.
    pub format: Format,
    /// Only `text` or `messages`, without where a row came from.
    pub lean: bool,
    /// The parts; none for all rows in their order.
    pub sizes: &'a [Size],
    /// With which seed the rows of parts are drawn.
    pub seed: u64,
    /// How tokens are counted, in words; and whether that is an estimate.
    pub counted: (&'a str, bool),
}

/// What an export says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportManifest {
    /// The corpus's name.
    pub name: String,
    /// What its rows are.
    pub kind: Kind,
    /// The format of the files.
    pub format: Format,
    /// Whether only what is trained on is there.
    pub lean: bool,
    /// The hash of the corpus that it was made from.
    pub parent: Hash,
    /// That corpus's rows.
    pub parent_rows: u64,
    /// Its tokens, counted as those of the parts.
    pub parent_tokens: u64,
    /// How tokens are counted.
    pub tokens_counted: String,
    /// With which seed rows were drawn, if they were.
    pub seed: Option<u64>,
    /// The files.
    pub parts: Vec<PartManifest>,
    /// Where it departs from what was asked for and from the published method, and what was not checked.
    pub deviations: Vec<String>,
    /// Where the corpus came from, if that is known.
    pub origin: Option<Source>,
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartManifest {
    /// Its name.
    pub file: String,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Its rows.
    pub rows: u64,
    /// Their tokens.
    pub tokens: u64,
    /// The size that was asked for.
    pub asked: Option<Size>,
}

/// What came of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// What the folder says about itself.
    pub manifest: ExportManifest,
    /// Whether the same export was there already.
    pub was_there: bool,
}

/// Exports a corpus to the folder `out`, whole or not at all. `count` says how many tokens a row is.
///
/// # Errors
/// When the corpus was changed or has a bad row, when `out` holds anything else than the same export, or when it cannot be
/// written.
pub fn export(
    from: &Opened,
    export: &Export,
    out: &Path,
    mut count: impl FnMut(&Row) -> Result<u64>,
) -> Result<Exported> {
    vacant(out)?;
    let parent = from.hash()?;
    let (mut lengths, mut named) = (Vec::with_capacity(from.rows.len()), false);
    for index in 0..from.rows.len() {
        let row = from.rows.row(index, from.kind)?;
        named |= crate::parquet::named(std::slice::from_ref(&row));
        lengths.push(count(&row)?);
    }
    let parts = parts(&lengths, export);
    let staged = StagedDir::create(out)?;
    let mut files = Vec::new();
    for (asked, part) in &parts {
        let file = file_name(from.kind, export.format, *asked);
        let hash = write(from, export, named, part, staged.file(&file)?)?;
        files.push(PartManifest {
            file,
            hash,
            rows: part.rows.len() as u64,
            tokens: part.tokens,
            asked: *asked,
        });
    }
    let origin = from.manifest.as_ref().map(|manifest| manifest.source.clone());
    let manifest = ExportManifest {
        name: from.name.clone(),
        kind: from.kind,
        format: export.format,
        lean: export.lean,
        parent,
        parent_rows: lengths.len() as u64,
        parent_tokens: lengths.iter().sum(),
        tokens_counted: export.counted.0.to_owned(),
        seed: (!export.sizes.is_empty()).then_some(export.seed),
        deviations: deviations(from, export, &files, origin.as_ref()),
        parts: files,
        origin,
    };
    store::write_json(staged.path().join(MANIFEST), &manifest)?;
    store::write_atomic(staged.path().join("README.md"), card::exported(&manifest).as_bytes())?;
    let was_there = store::read_done(out)?.is_some();
    staged.commit().map_err(taken)?;
    Ok(Exported { manifest, was_there })
}

/// Refuses a folder with files of somebody else's: those are not ours to replace.
pub(crate) fn vacant(out: &Path) -> Result<()> {
    let taken = || CorpusError::Taken { path: PathBuf::from(out) };
    if out.is_dir() {
        let empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
        return if empty || store::read_done(out)?.is_some() { Ok(()) } else { Err(taken()) };
    }
    if out.exists() { Err(taken()) } else { Ok(()) }
}

/// A complete folder with other contents is in the way of what somebody asked for.
pub(crate) fn taken(error: StoreError) -> CorpusError {
    match error {
        StoreError::Occupied { path } => CorpusError::Taken { path },
        other => CorpusError::Store(other),
    }
}

/// The parts that were asked for, in that order.
fn parts(lengths: &[u64], export: &Export) -> Vec<(Option<Size>, Part)> {
    if export.sizes.is_empty() {
        let part = Part { rows: (0..lengths.len()).collect(), tokens: lengths.iter().sum() };
        return vec![(None, part)];
    }
    let tokens =
        export.sizes.iter().filter_map(|size| if let Size::Tokens(n) = size { Some(*n) } else { None });
    let rows = export.sizes.iter().filter_map(|size| if let Size::Rows(n) = size { Some(*n) } else { None });
    let mut tokens = nested_tokens(lengths, export.seed, &tokens.collect::<Vec<_>>()).into_iter();
    let mut rows = nested_rows(lengths, export.seed, &rows.collect::<Vec<_>>()).into_iter();
    let next = |size: &Size| {
        let part = match size {
            Size::Tokens(_) => tokens.next(),
            Size::Rows(_) => rows.next(),
        };
        (Some(*size), part.unwrap_or_default())
    };
    export.sizes.iter().map(next).collect()
}

/// `documents.jsonl`, `chats-500-rows.parquet`.
fn file_name(kind: Kind, format: Format, asked: Option<Size>) -> String {
    let stem = kind.file_name().trim_end_matches(".jsonl");
    let ending = if format == Format::Jsonl { "jsonl" } else { "parquet" };
    match asked {
        None => format!("{stem}.{ending}"),
        Some(Size::Tokens(tokens)) => format!("{stem}-{tokens}-tokens.{ending}"),
        Some(Size::Rows(rows)) => format!("{stem}-{rows}-rows.{ending}"),
    }
}

/// Writes the rows of a part, and returns the hash of the file.
fn write(from: &Opened, export: &Export, named: bool, part: &Part, file: StagedFile) -> Result<Hash> {
    match export.format {
        Format::Jsonl => {
            let mut file = file;
            for row in &part.rows {
                file.write(json(from, export.lean, *row)?.as_bytes())?;
                file.write(b"\n")?;
            }
            Ok(file.finish()?)
        }
        Format::Parquet => {
            let mut writer = ParquetWriter::new(Sink(file), from.kind, !export.lean, named)?;
            for row in &part.rows {
                let origin = if export.lean { None } else { from.rows.provenance(*row)? };
                let line = origin.map_or_else(String::new, |origin| origin.to_string());
                writer.push(from.rows.row(*row, from.kind)?, &line)?;
            }
            Ok(writer.finish()?.0.finish()?)
        }
    }
}

/// A row as a line: what is trained on, and beside it where it came from.
fn json(from: &Opened, lean: bool, index: usize) -> Result<String> {
    let row = from.rows.row(index, from.kind)?;
    match from.rows.provenance(index)?.filter(|_| !lean) {
        None => Ok(row.json()),
        Some(provenance) => {
            let mut fields: Map<String, Value> = match serde_json::to_value(&row) {
                Ok(Value::Object(fields)) => fields,
                _ => Map::new(),
            };
            fields.insert("provenance".to_owned(), provenance);
            Ok(Value::Object(fields).to_string())
        }
    }
}

fn deviations(
    from: &Opened,
    export: &Export,
    parts: &[PartManifest],
    origin: Option<&Source>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let mut source = origin;
    // What was said of the corpus holds for what was made from it.
    while let Some(known) = source {
        source = match known {
            Source::Writer(written) => {
                notes.extend(written.deviations.iter().cloned());
                None
            }
            Source::Transformed { origin, .. } => origin.as_deref(),
            _ => None,
        };
    }
    if export.counted.1 && !notes.iter().any(|note| note.starts_with("Tokens are estimated")) {
        notes.push(format!("Tokens are estimated: {}.", export.counted.0));
    }
    if !export.lean && !from.rows.has_provenance() {
        notes.push("Where each row came from was not written down.".to_owned());
    }
    for part in parts {
        match part.asked {
            Some(Size::Tokens(asked)) if part.tokens != asked => notes.push(format!(
                "{}: {} tokens instead of {asked}: {}.",
                part.file,
                part.tokens,
                if part.rows == from.rows.len() as u64 {
                    "there are no more"
                } else {
                    "no whole rows make up the rest"
                }
            )),
            Some(Size::Rows(asked)) if part.rows != asked => {
                notes.push(format!(
                    "{}: {} rows instead of {asked}: there are no more.",
                    part.file, part.rows
                ));
            }
            _ => {}
        }
    }
    notes
}

/// A staged file for a library that writes.
struct Sink(StagedFile);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl From<::parquet::errors::ParquetError> for CorpusError {
    fn from(error: ::parquet::errors::ParquetError) -> CorpusError {
        CorpusError::Export(ExportError::Write(error))
    }
}
