//! The hub's cache on the disk: blobs by their tags, and for every state of a model a folder of links to them.

use crate::{HubError, ModelId, Settings};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The part of the cache that belongs to one model.
pub(crate) struct Cache {
    root: PathBuf,
    folder: String,
}

/// Without these a model cannot be used; weights come besides.
pub(crate) const REQUIRED: [&str; 2] = ["config.json", "tokenizer.json"];

/// Files that a model may or may not have.
pub(crate) const OPTIONAL: [&str; 8] = [
    "generation_config.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
];

/// The weights, whole.
pub(crate) const WHOLE: &str = "model.safetensors";
/// The weights, in shards.
pub(crate) const INDEX: &str = "model.safetensors.index.json";

impl Cache {
    pub fn new(settings: &Settings, id: &ModelId) -> Cache {
        Cache { root: settings.cache.clone(), folder: id.folder() }
    }

    fn model(&self) -> PathBuf {
        self.root.join(&self.folder)
    }

    /// The folder of one state of the model.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.model().join("snapshots").join(commit)
    }

    /// Where the bytes of a file lie.
    pub fn blob(&self, tag: &str) -> PathBuf {
        self.model().join("blobs").join(tag)
    }

    /// The commit that a revision stands for, as far as the cache knows.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let commit = fs::read_to_string(self.model().join("refs").join(revision)).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Notes which commit a revision stands for.
    pub fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) {
            return Ok(());
        }
        write(&self.model().join("refs").join(revision), commit.as_bytes())
    }

    /// Notes that the model has no file of that name.
    pub fn set_absent(&self, commit: &str, name: &str) -> Result<(), HubError> {
        let path = self.model().join(".no_exist").join(commit).join(name);
        if path.exists() { Ok(()) } else { write(&path, b"") }
    }

    fn is_absent(&self, commit: &str, name: &str) -> bool {
        self.model().join(".no_exist").join(commit).join(name).exists()
    }

    /// Whether all that a model needs is there.
    pub fn is_usable(&self, commit: &str) -> bool {
        let snapshot = self.snapshot(commit);
        let has = |name: &str| snapshot.join(name).is_file();
        let whole = has(WHOLE);
        let shards = || {
            let index = fs::read(snapshot.join(INDEX)).ok()?;
            Some(shards(&index)?.iter().all(|shard| has(shard)))
        };
        REQUIRED.into_iter().all(has) && (whole || shards().unwrap_or(false))
    }

    /// Whether besides it is known of every other file that it is there or that the model has none.
    pub fn is_complete(&self, commit: &str) -> bool {
        let snapshot = self.snapshot(commit);
        let known = |name: &&str| snapshot.join(name).is_file() || self.is_absent(commit, name);
        self.is_usable(commit) && OPTIONAL.iter().all(known)
    }

    /// Makes a file of a state: a link to its blob, or a copy where there are no links.
    pub fn link(&self, commit: &str, name: &str, tag: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(name);
        create_dirs(&self.snapshot(commit))?;
        if path.is_file() {
            return Ok(());
        }
        let _ = fs::remove_file(&path);
        #[cfg(unix)]
        let made = std::os::unix::fs::symlink(Path::new("../../blobs").join(tag), &path);
        #[cfg(not(unix))]
        let made = fs::copy(self.blob(tag), &path).map(|_| ());
        match made {
            // Another program was faster.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other.map_err(HubError::disk(path)),
        }
    }

    /// Keeps other programs from downloading a file at the same time, until the lock is dropped.
    pub fn lock(&self, tag: &str) -> Result<File, HubError> {
        let dir = self.root.join(".locks").join(&self.folder);
        create_dirs(&dir)?;
        let path = dir.join(format!("{tag}.lock"));
        let file = File::options().create(true).append(true).open(&path).map_err(HubError::disk(&path))?;
        file.lock().map_err(HubError::disk(&path))?;
        Ok(file)
    }

    /// Makes the folder of blobs.
    pub fn prepare(&self) -> Result<(), HubError> {
        create_dirs(&self.model().join("blobs"))
    }
}

/// The names of the shards that an index lists; `None` if it is no index, or one of them is no plain name.
pub(crate) fn shards(index: &[u8]) -> Option<Vec<String>> {
    let index: serde_json::Value = serde_json::from_slice(index).ok()?;
    let mut names = Vec::new();
    for name in index["weight_map"].as_object()?.values() {
        let name = name.as_str()?;
        if !is_plain(name) || !name.ends_with(".safetensors") {
            return None;
        }
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// Whether a text that somebody else chose may become a file name.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    plain && !name.is_empty() && !name.starts_with('.') && name.len() <= 200
}

/// Whether a text is the 40 digits of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

fn create_dirs(path: &Path) -> Result<(), HubError> {
    fs::create_dir_all(path).map_err(HubError::disk(path))
}

/// Writes a small file in one step.
fn write(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    let parent = path.parent().unwrap_or(path);
    create_dirs(parent)?;
    let temporary = parent.join(format!(
        ".{}.{}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    let made = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    made.map_err(HubError::disk(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_stay_plain() {
        assert!(is_plain("model-00001-of-00002.safetensors") && is_plain("5891b5b5"));
        for wrong in ["", "../x", "a/b", "/x", ".hidden", "a\\b", "a b", "a\0"] {
            assert!(!is_plain(wrong), "{wrong:?}");
        }
        let index = |name: &str| {
            format!(r#"{{"weight_map": {{"a": "x.safetensors", "b": "{name}", "c": "x.safetensors"}}}}"#)
        };
        assert_eq!(shards(index("y.safetensors").as_bytes()).unwrap(), ["x.safetensors", "y.safetensors"]);
        assert!(shards(index("../y.safetensors").as_bytes()).is_none());
        assert!(shards(index("y.bin").as_bytes()).is_none());
        assert!(shards(b"{}").is_none());
    }
}
