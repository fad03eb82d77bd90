//! The only module that changes the disk: every create, write, sync, rename and remove of this crate
//! is a call of one function here, so that a test can make any of them fail.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::error::{Operation, Result, StoreError};
#[cfg(any(test, feature = "faults"))]
use crate::fault::{self, Fault};

/// Runs one operation on a path and names both in its error.
pub(crate) fn attempt<T>(
    operation: Operation,
    path: &Path,
    action: impl FnOnce() -> io::Result<T>,
) -> Result<T> {
    #[cfg(any(test, feature = "faults"))]
    match fault::meets(operation, path) {
        None => {}
        Some(Fault::Refused(source) | Fault::Half(source)) => {
            return Err(StoreError::io(operation, path, source));
        }
        Some(Fault::Killed) => std::process::abort(),
    }
    action().map_err(|source| StoreError::io(operation, path, source))
}

/// The folder that holds `path`; the current one for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Temporary siblings of `NAME` are called `.NAME.RANDOM.partial`.
const TEMPORARY_SUFFIX: &str = ".partial";

fn temporary_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Whether a file or folder name is one that this module gives to what is not finished.
pub(crate) fn is_temporary_name(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(TEMPORARY_SUFFIX))
}

/// Makes a folder and the missing ones above it, each on the disk before the next.
pub(crate) fn create_dirs(path: &Path) -> Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.is_dir()).collect();
    for dir in missing.into_iter().rev() {
        attempt(Operation::Create, dir, || match fs::create_dir(dir) {
            // Another thread or process may have been faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            other => other,
        })?;
        sync_dir(parent(dir))?;
    }
    Ok(())
}

/// Makes an empty temporary file in the folder of `path`, with the permissions of an ordinary file.
pub(crate) fn create_file_beside(path: &Path) -> Result<NamedTempFile> {
    attempt(Operation::Create, path, || {
        let prefix = temporary_prefix(path);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(TEMPORARY_SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(parent(path))
    })
}

/// Makes an empty file, or empties the one that is there.
pub(crate) fn create_file(path: &Path) -> Result<File> {
    attempt(Operation::Create, path, || File::create(path))
}

/// Makes an empty temporary folder in `workplace` that is to become `path`.
pub(crate) fn create_dir_for(path: &Path, workplace: &Path) -> Result<TempDir> {
    attempt(Operation::Create, path, || {
        Builder::new().prefix(&temporary_prefix(path)).suffix(TEMPORARY_SUFFIX).tempdir_in(workplace)
    })
}

/// Writes all bytes to an open file; `path` is for the error.
pub(crate) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> Result<()> {
    #[cfg(any(test, feature = "faults"))]
    if let Some(fault) = fault::meets(Operation::Write, path) {
        if !matches!(fault, Fault::Refused(_)) {
            let _ = file.write_all(&bytes[..bytes.len() / 2]);
        }
        match fault {
            Fault::Refused(source) | Fault::Half(source) => {
                return Err(StoreError::io(Operation::Write, path, source));
            }
            Fault::Killed => std::process::abort(),
        }
    }
    file.write_all(bytes).map_err(|source| StoreError::io(Operation::Write, path, source))
}

/// Waits until an open file's bytes are on the disk; `path` is for the error.
pub(crate) fn sync(file: &File, path: &Path) -> Result<()> {
    attempt(Operation::Sync, path, || file.sync_all())
}

/// Waits until a folder's entries are on the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    // Only Unix opens folders; elsewhere the file system orders renames by itself.
    attempt(Operation::Sync, path, || if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) })
}

/// Gives a temporary file its final name, replacing what had it.
pub(crate) fn persist(temporary: NamedTempFile, path: &Path) -> Result<()> {
    attempt(Operation::Rename, path, || temporary.persist(path).map(drop).map_err(|failed| failed.error))
}

/// Moves a file or folder; an error names the destination.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    attempt(Operation::Rename, to, || fs::rename(from, to))
}

/// Gives two existing folders each other's names, in one step where the file system can do that.
pub(crate) fn exchange_dirs(new: &Path, old: &Path) -> Result<()> {
    attempt(Operation::Rename, old, || match exchange(new, old) {
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
            exchange_in_steps(new, old)
        }
        other => other,
    })
}

/// As [`exchange`], by way of a third name; a failure puts things back.
fn exchange_in_steps(new: &Path, old: &Path) -> io::Result<()> {
    let parking = Builder::new().prefix(".").suffix(TEMPORARY_SUFFIX).tempdir_in(parent(old))?;
    // The parking place is an empty folder, which a rename may replace.
    fs::rename(old, parking.path())?;
    fs::rename(new, old).inspect_err(|_| drop(fs::rename(parking.path(), old)))?;
    fs::rename(parking.keep(), new)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Removes a file, or a folder and all within it.
pub(crate) fn remove(path: &Path) -> Result<()> {
    attempt(Operation::Remove, path, || {
        if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_can_change_places_in_steps() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        let holds = |path: &Path| fs::read_dir(path).unwrap().next().unwrap().unwrap().file_name();
        fs::create_dir_all(a.join("new")).unwrap();
        fs::create_dir_all(b.join("old")).unwrap();
        exchange_in_steps(&a, &b).unwrap();
        assert_eq!((holds(&a), holds(&b)), ("old".into(), "new".into()));
        assert!(exchange_in_steps(&dir.path().join("none"), &b).is_err());
        assert_eq!(holds(&b), "new", "put back");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
