//! `DONE`: the list of files that makes a folder complete.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{Operation, Result, StoreError};
use crate::hash::{Hash, hash_file};
use crate::json::read_json;

/// The name of the file that is written last into a complete folder.
pub const DONE: &str = "DONE";

/// One file of a complete folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The hash of its bytes.
    pub hash: Hash,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What a `DONE` file says: every other file of the folder, by path within it with `/` between parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The files.
    pub files: BTreeMap<String, FileEntry>,
}

/// Reads the `DONE` file of a folder without looking at the other files; `None` when the folder or its
/// `DONE` file does not exist.
///
/// # Errors
/// When `DONE` exists but cannot be read or is not what this crate writes.
pub fn read_done(dir: impl AsRef<Path>) -> Result<Option<Done>> {
    match read_json(dir.as_ref().join(DONE)) {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the `DONE` file of a folder and hashes every file that it lists. Files that it does not list
/// are allowed: a viewer may leave some.
///
/// # Errors
/// When there is no `DONE`, or a file is missing, or has another size or hash; the error names the file.
pub fn verify_done(dir: impl AsRef<Path>) -> Result<Done> {
    let dir = dir.as_ref();
    let done = read_done(dir)?.ok_or_else(|| StoreError::NotDone { path: dir.to_owned() })?;
    for (name, entry) in &done.files {
        let path = dir.join(name);
        let altered = |problem| StoreError::Altered { path: path.clone(), dir: dir.to_owned(), problem };
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(altered("it is gone".into()));
            }
            Err(error) => return Err(StoreError::io(Operation::Read, &path, error)),
        };
        if size != entry.bytes {
            return Err(altered(format!("expected {} bytes, found {size}", entry.bytes)));
        }
        let hash = hash_file(&path)?;
        if hash != entry.hash {
            return Err(altered(format!("expected hash {}, found {}", entry.hash.short(), hash.short())));
        }
    }
    Ok(done)
}

/// Lists a folder's files, each waited for until it is on the disk.
pub(crate) fn sync_and_list(dir: &Path) -> Result<Done> {
    let mut files = BTreeMap::new();
    visit(dir, "", &mut files)?;
    Ok(Done { files })
}

fn visit(dir: &Path, prefix: &str, files: &mut BTreeMap<String, FileEntry>) -> Result<()> {
    let failed = |source| StoreError::io(Operation::Read, dir, source);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let not_plain = |problem| StoreError::NotPlain { path: path.clone(), problem };
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
            return Err(not_plain("its name is not UTF-8"));
        };
        let kind = entry.file_type().map_err(failed)?;
        if name == DONE {
            return Err(not_plain("the name DONE is taken"));
        } else if kind.is_dir() {
            visit(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            let file = File::open(&path).map_err(|e| StoreError::io(Operation::Read, &path, e))?;
            disk::sync(&file, &path)?;
            let bytes = file.metadata().map_err(|e| StoreError::io(Operation::Read, &path, e))?.len();
            files.insert(name, FileEntry { hash: hash_file(&path)?, bytes });
        } else {
            return Err(not_plain("neither a file nor a folder"));
        }
    }
    disk::sync_dir(dir)
}
