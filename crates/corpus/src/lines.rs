//! Rows in a JSONL file, read where they stand: of the corpus, only where each line begins is in memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use store::{Operation, StoreError};

use crate::corpus::Kind;
use crate::error::{CorpusError, Result};
use crate::import;
use crate::row::Row;

/// A corpus's files: rows, and optionally where each came from, line by line beside them. They may be read from several
/// threads, in any order.
#[derive(Debug)]
pub struct Lines {
    rows: Indexed,
    provenance: Option<Indexed>,
}

impl Lines {
    /// Opens the rows and, if there is one, the file that says where they came from. Empty lines are skipped.
    ///
    /// # Errors
    /// When a file cannot be read, or the second has not a line for each row.
    pub fn open(rows: &Path, provenance: Option<&Path>) -> Result<Lines> {
        let rows = Indexed::open(rows)?;
        let provenance = provenance.map(Indexed::open).transpose()?;
        match provenance {
            Some(beside) if beside.starts.len() != rows.starts.len() => Err(CorpusError::Unequal {
                rows_path: rows.path,
                rows: rows.starts.len(),
                path: beside.path,
                lines: beside.starts.len(),
            }),
            provenance => Ok(Lines { rows, provenance }),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is known where rows came from.
    pub fn has_provenance(&self) -> bool {
        self.provenance.is_some()
    }

    /// The line of the file that a row stands in, counted from 1.
    pub fn line(&self, index: usize) -> u32 {
        self.rows.starts[index].2
    }

    /// What `parse` makes of a row's line; what it says is wrong gets the place of the line.
    ///
    /// # Errors
    /// When it cannot be read, and what `parse` returns.
    pub fn with<T>(
        &self,
        index: usize,
        parse: impl Fn(&[u8]) -> std::result::Result<T, String>,
    ) -> Result<T> {
        self.rows.with(index, parse)
    }

    /// A row.
    ///
    /// # Errors
    /// When it cannot be read, or is not one of this kind.
    pub fn row(&self, index: usize, kind: Kind) -> Result<Row> {
        self.rows.with(index, |line| import::row(kind, line))
    }

    /// What the first row is: documents or chats; documents if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no row.
    pub fn kind(&self) -> Result<Kind> {
        if self.is_empty() {
            return Ok(Kind::Documents);
        }
        let is_chat = |line: &[u8]| {
            let row: Value = serde_json::from_slice(line).map_err(|error| import::problem(&error))?;
            Ok(row.get("messages").is_some())
        };
        Ok(if self.with(0, is_chat)? { Kind::Chats } else { Kind::Documents })
    }

    /// Where a row came from; nothing if nobody wrote it down.
    ///
    /// # Errors
    /// When it cannot be read, or is not a JSON object.
    pub fn provenance(&self, index: usize) -> Result<Option<Value>> {
        let Some(provenance) = &self.provenance else { return Ok(None) };
        let value = |line: &[u8]| match serde_json::from_slice(line) {
            Ok(value @ Value::Object(_)) => Ok(value),
            Ok(_) => Err("provenance is a JSON object".to_owned()),
            Err(error) => Err(format!("not provenance: {}", import::problem(&error))),
        };
        provenance.with(index, value).map(Some)
    }
}

/// A file and where its lines are.
#[derive(Debug)]
struct Indexed {
    path: PathBuf,
    file: File,
    /// Of each line that is not empty: where it begins, how long it is, its number.
    starts: Vec<(u64, u32, u32)>,
}

impl Indexed {
    fn open(path: &Path) -> Result<Indexed> {
        let read = |error| StoreError::io(Operation::Read, path, error);
        let file = File::open(path).map_err(read)?;
        let mut reader = BufReader::with_capacity(1 << 18, &file);
        let (mut starts, mut at, mut number) = (Vec::new(), 0, 0);
        loop {
            let length = reader.skip_until(b'\n').map_err(read)?;
            if length == 0 {
                break;
            }
            number += 1;
            let short = u32::try_from(length).map_err(|_| CorpusError::Line {
                path: path.to_owned(),
                line: number as usize,
                problem: "longer than 4 GB".to_owned(),
            })?;
            starts.push((at, short, number));
            at += length as u64;
        }
        let mut indexed = Indexed { path: path.to_owned(), file, starts: Vec::new() };
        // Only short lines can be empty.
        for (start, length, number) in starts {
            let empty = length < 8 && indexed.read(start, length)?.iter().all(u8::is_ascii_whitespace);
            if !empty {
                indexed.starts.push((start, length, number));
            }
        }
        Ok(indexed)
    }

    fn read(&self, start: u64, length: u32) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize];
        let read = read_at(&self.file, &mut bytes, start);
        read.map_err(|error| StoreError::io(Operation::Read, &self.path, error))?;
        Ok(bytes)
    }

    fn with<T>(&self, index: usize, parse: impl Fn(&[u8]) -> std::result::Result<T, String>) -> Result<T> {
        let (start, length, line) = self.starts[index];
        let bytes = self.read(start, length)?;
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        parse(bytes).map_err(|problem| CorpusError::Line {
            path: self.path.clone(),
            line: line as usize,
            problem,
        })
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    // The place in the file is shared by all threads.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut file = file;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn rows_and_provenance_are_read_where_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let text = "\u{feff}{\"text\": \"one\\ntwo\"}\n\n  \r\n{\"text\": \"\u{e9}\", \"x\": 1}";
        let rows = written(dir.path(), "rows", text);
        let beside = written(dir.path(), "beside", "{\"path\": \"0001\"}\n{\"domain\": \"tea\"}\n");
        let lines = Lines::open(&rows, Some(&beside)).unwrap();
        assert_eq!((lines.len(), lines.line(1), lines.kind().unwrap()), (2, 4, Kind::Documents));
        assert_eq!(lines.row(0, Kind::Documents).unwrap(), Row::Document { text: "one\ntwo".into() });
        assert_eq!(lines.row(1, Kind::Documents).unwrap(), Row::Document { text: "\u{e9}".into() });
        assert_eq!(lines.provenance(1).unwrap().unwrap()["domain"], "tea");
        assert!(Lines::open(&rows, None).unwrap().provenance(0).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let rows = written(dir.path(), "rows", "{\"text\": \"one\"}\n\n{\"text\": 2}\n");
        let lines = Lines::open(&rows, None).unwrap();
        let message = lines.row(1, Kind::Documents).unwrap_err().to_string();
        assert!(message.contains("rows:3: the `text` is not a string"), "{message}");
        let beside = written(dir.path(), "beside", "{}\n");
        assert!(Lines::open(&rows, Some(&beside)).unwrap_err().to_string().contains("2 rows"));
        assert!(Lines::open(&dir.path().join("none"), None).unwrap_err().to_string().contains("none"));
    }
}
