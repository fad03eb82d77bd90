//! Content hashes: 32 bytes of BLAKE3, written as 64 hexadecimal digits.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Operation, Result, StoreError};
use crate::id::IdBuilder;

/// The BLAKE3 hash of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The first 16 hexadecimal digits: enough to name things within one experiment.
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<blake3::Hash> for Hash {
    fn from(hash: blake3::Hash) -> Hash {
        Hash(*hash.as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hash: expected 64 hexadecimal digits")]
pub struct HashParseError(String);

impl FromStr for Hash {
    type Err = HashParseError;

    fn from_str(text: &str) -> std::result::Result<Hash, HashParseError> {
        blake3::Hash::from_hex(text).map(Hash::from).map_err(|_| HashParseError(text.to_owned()))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Hash, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The hash of bytes in memory.
pub fn hash_bytes(bytes: &[u8]) -> Hash {
    blake3::hash(bytes).into()
}

/// The hash of a file's bytes; equal to [`hash_bytes`] of the same bytes.
///
/// # Errors
/// When the file cannot be read.
pub fn hash_file(path: impl AsRef<Path>) -> Result<Hash> {
    let path = path.as_ref();
    let failed = |source| StoreError::io(Operation::Read, path, source);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path).map_err(failed)?).map_err(failed)?;
    Ok(hasher.finalize().into())
}

/// The hash of the named files of a folder, by name and contents; the order of `names` does not matter.
///
/// # Errors
/// When one of the files cannot be read.
pub fn hash_dir<S: AsRef<str>>(dir: impl AsRef<Path>, names: &[S]) -> Result<Hash> {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names.dedup();
    let mut id = IdBuilder::new("files");
    for name in names {
        id = id.hash(name, hash_file(dir.as_ref().join(name))?);
    }
    Ok(id.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vector of BLAKE3 for the empty input.
    const EMPTY: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

    #[test]
    fn the_empty_input_has_the_published_hash() {
        assert_eq!(hash_bytes(b"").to_string(), EMPTY);
        assert_eq!(hash_bytes(b"").short(), &EMPTY[..16]);
    }

    #[test]
    fn a_hash_survives_its_text_and_json() {
        let hash = hash_bytes(b"cheese");
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{hash}\""));
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
        assert!("12".parse::<Hash>().is_err());
        assert!(serde_json::from_str::<Hash>("\"12\"").is_err());
    }

    #[test]
    fn a_file_hashes_as_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..300_000u32).map(|i| (i * 31 % 251) as u8).collect();
        std::fs::write(dir.path().join("a"), &bytes).unwrap();
        assert_eq!(hash_file(dir.path().join("a")).unwrap(), hash_bytes(&bytes));
        assert!(hash_file(dir.path().join("b")).unwrap_err().is_not_found());
    }

    #[test]
    fn a_folder_hashes_by_names_and_contents() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "1").unwrap();
        std::fs::write(dir.path().join("b"), "2").unwrap();
        let hash = hash_dir(dir.path(), &["a", "b"]).unwrap();
        assert_eq!(hash, hash_dir(dir.path(), &["b", "a"]).unwrap());
        assert_ne!(hash, hash_dir(dir.path(), &["a"]).unwrap());
        std::fs::write(dir.path().join("a"), "2").unwrap();
        std::fs::write(dir.path().join("b"), "1").unwrap();
        assert_ne!(hash, hash_dir(dir.path(), &["a", "b"]).unwrap(), "swapped contents are other contents");
    }
}
