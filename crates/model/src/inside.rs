//! A folder from which nothing outside of it is read, whatever its files and links say.

use crate::ModelError;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use store::{Operation, StoreError};

/// A folder whose files may come from strangers.
pub(crate) struct Inside {
    dir: PathBuf,
    /// Where links may lead: the folder itself and, in a hub cache, the folder of blobs that its links are made of.
    allowed: Vec<PathBuf>,
}

impl Inside {
    /// Opens a folder.
    pub fn open(dir: &Path) -> Result<Inside, ModelError> {
        let real = dir.canonicalize().map_err(|error| StoreError::io(Operation::Read, dir, error))?;
        let mut allowed = vec![real.clone()];
        allowed.extend(blobs_of(&real));
        Ok(Inside { dir: dir.to_path_buf(), allowed })
    }

    /// The path of a file of the folder; `None` if there is none of that name.
    pub fn file(&self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        let path = self.dir.join(name);
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || name.is_empty() {
            return Err(ModelError::invalid(
                &self.dir,
                format!("the file name {name:?} leaves the folder; it is not read"),
            ));
        }
        let failed = |error| StoreError::io(Operation::Read, &path, error);
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                return Ok(None);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(ModelError::invalid(
                    &path,
                    "a link to a file that is not there; download the model anew",
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(failed(error).into()),
        };
        if !self.allowed.iter().any(|allowed| real.starts_with(allowed)) {
            return Err(ModelError::invalid(
                &path,
                "a link that leaves the model's folder; it is not followed (put the file itself there)",
            ));
        }
        // A named pipe would never end.
        if !real.metadata().map_err(failed)?.is_file() {
            return Err(ModelError::invalid(&path, "not an ordinary file"));
        }
        Ok(Some(path))
    }

    /// The bytes of a file; `None` if there is none of that name.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ModelError> {
        Ok(self.file(name)?.map(store::read).transpose()?)
    }
}

/// `models--org--name/blobs`, for a folder that is `models--org--name/snapshots/<revision>`: so the hub's cache is laid
/// out.
fn blobs_of(real: &Path) -> Option<PathBuf> {
    let snapshots = real.parent().filter(|parent| parent.ends_with("snapshots"))?;
    let repository = snapshots.parent()?;
    let is_model = repository.file_name()?.to_str()?.starts_with("models--");
    is_model
        .then(|| repository.join("blobs").canonicalize().ok())
        .flatten()
        .filter(|blobs| blobs.starts_with(repository))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_names_that_leave_the_folder_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("model");
        fs::create_dir_all(dir.join("sub")).unwrap();
        fs::write(root.path().join("secret"), "s").unwrap();
        fs::write(dir.join("own"), "o").unwrap();
        symlink("own", dir.join("alias")).unwrap();
        symlink("../secret", dir.join("out")).unwrap();
        symlink("/etc/hostname", dir.join("absolute")).unwrap();
        symlink("..", dir.join("up")).unwrap();
        symlink("nowhere", dir.join("dangling")).unwrap();
        let inside = Inside::open(&dir).unwrap();
        assert_eq!(inside.read("own").unwrap().unwrap(), b"o");
        assert_eq!(inside.read("alias").unwrap().unwrap(), b"o");
        assert!(inside.read("none").unwrap().is_none());
        for name in ["out", "absolute", "up/secret", "../secret", "/etc/hostname", "dangling", "sub", ""] {
            let error = inside.read(name).unwrap_err().to_string();
            assert!(
                error.contains("link") || error.contains("leaves") || error.contains("ordinary"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_links_of_a_hub_cache_are_its_own() {
        let root = tempfile::tempdir().unwrap();
        let (repository, other) = (root.path().join("models--a--b"), root.path().join("models--c--d"));
        let snapshot = repository.join("snapshots/1234");
        for dir in [&repository, &other] {
            fs::create_dir_all(dir.join("blobs")).unwrap();
            fs::write(dir.join("blobs/abc"), "blob").unwrap();
        }
        fs::create_dir_all(&snapshot).unwrap();
        symlink("../../blobs/abc", snapshot.join("own")).unwrap();
        symlink("../../../models--c--d/blobs/abc", snapshot.join("other")).unwrap();
        let inside = Inside::open(&snapshot).unwrap();
        assert_eq!(inside.read("own").unwrap().unwrap(), b"blob");
        assert!(inside.read("other").unwrap_err().to_string().contains("leaves the model's folder"));
    }
}
