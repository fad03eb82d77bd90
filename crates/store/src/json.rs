//! JSON files for people: indented, with a newline at the end.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::{read, update, write_atomic};
use crate::error::{Result, StoreError};

/// Writes a value as indented JSON, atomically ([`write_atomic`]).
///
/// # Errors
/// When the value is not representable as JSON, or the file cannot be written.
pub fn write_json<T: Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<()> {
    let path = path.as_ref();
    write_atomic(path, &json_bytes(path, value)?)
}

/// As [`write_json`], unless the file holds exactly that already ([`update`]); says whether it wrote.
///
/// # Errors
/// As [`write_json`].
pub fn update_json<T: Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<bool> {
    let path = path.as_ref();
    update(path, &json_bytes(path, value)?)
}

fn json_bytes<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| StoreError::Json { path: path.to_owned(), error })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a value from a JSON file.
///
/// # Errors
/// When the file cannot be read, or is not the JSON of a `T`: the error names the file and line.
pub fn read_json<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T> {
    let path = path.as_ref();
    serde_json::from_slice(&read(path)?).map_err(|error| StoreError::Json { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_and_the_file_is_readable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.json");
        write_json(&path, &vec![0.1f64, 1e-300, 3.0]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  0.1,\n  1e-300,\n  3.0\n]\n");
        assert_eq!(read_json::<Vec<f64>>(&path).unwrap(), [0.1, 1e-300, 3.0]);
    }

    #[test]
    fn an_error_names_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.json");
        std::fs::write(&path, "[\n1,\nx]").unwrap();
        let message = read_json::<Vec<f64>>(&path).unwrap_err().to_string();
        assert!(message.contains("b.json") && message.contains("line 3"), "{message}");
    }
}
