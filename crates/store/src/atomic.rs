//! Whole files: read, and replaced in one step.

use std::path::Path;

use crate::disk;
use crate::error::{Operation, Result, StoreError};

/// Replaces a file by new bytes so that at any moment, a crash included, it is either the old file or
/// the new one. Missing parent folders are made. When this returns, the bytes are on the disk.
///
/// # Errors
/// When any step fails; the old file is then as it was and nothing else is left behind.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let parent = disk::parent(path);
    disk::create_dirs(parent)?;
    // The temporary file deletes itself unless it was renamed.
    let mut temporary = disk::create_file_beside(path)?;
    disk::write(temporary.as_file_mut(), path, bytes)?;
    disk::sync(temporary.as_file(), path)?;
    disk::persist(temporary, path)?;
    disk::sync_dir(parent)
}

/// As [`write_atomic`], unless the file holds exactly these bytes already; says whether it wrote.
///
/// # Errors
/// As [`write_atomic`].
pub fn update(path: impl AsRef<Path>, bytes: &[u8]) -> Result<bool> {
    let path = path.as_ref();
    let same = std::fs::read(path).is_ok_and(|present| present == bytes);
    if !same {
        write_atomic(path, bytes)?;
    }
    Ok(!same)
}

/// The bytes of a file.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    std::fs::read(path).map_err(|source| StoreError::io(Operation::Read, path, source))
}

/// The text of a file.
///
/// # Errors
/// When the file cannot be read, or is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    String::from_utf8(read(path)?).map_err(|error| StoreError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::by_thread as fault;
    use std::fs;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_with_its_folders_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.txt");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(read_text(&path).unwrap(), "new");
        assert_eq!(names(path.parent().unwrap()), ["c.txt"]);
    }

    #[test]
    fn what_is_there_already_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert!(update(&path, b"text").unwrap());
        assert!(!fault::with(Operation::Create, || update(&path, b"text")).unwrap());
        assert!(fault::with(Operation::Create, || update(&path, b"other")).is_err());
        assert!(update(&path, b"other").unwrap());
        assert_eq!(read(&path).unwrap(), b"other");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("plain"), "").unwrap();
        write_atomic(dir.path().join("ours"), b"").unwrap();
        let mode = |name| fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("plain"));
    }

    #[test]
    fn a_failure_at_any_step_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        fs::write(&path, "old").unwrap();
        for operation in [Operation::Create, Operation::Write, Operation::Sync, Operation::Rename] {
            let error = fault::with(operation, || write_atomic(&path, b"new")).unwrap_err();
            assert!(error.to_string().contains(&format!("cannot {operation} ")), "{error}");
            assert!(error.to_string().contains("kept"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "old", "{operation}");
            assert_eq!(names(dir.path()), ["kept"], "{operation}");
        }
        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        let error = write_atomic(&path, b"new").unwrap_err();
        assert!(error.to_string().contains("folder"), "{error}");
        assert_eq!(names(dir.path()), ["folder"]);
        assert_eq!(names(&path), ["inside"]);
    }

    #[test]
    fn a_file_where_a_parent_should_be_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "old").unwrap();
        let error = write_atomic(dir.path().join("file/below"), b"new").unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "old");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_nobody_may_write_to_is_an_error() {
        // Even the superuser cannot make files here.
        for path in ["/proc/whyfirst", "/proc/whyfirst/below"] {
            let error = write_atomic(path, b"new").unwrap_err().to_string();
            assert!(error.starts_with("cannot create /proc/whyfirst"), "{error}");
        }
    }

    #[test]
    fn text_must_be_utf8() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bytes");
        fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotText { offset: 2, .. }), "{error}");
        assert!(read_text(dir.path().join("none")).unwrap_err().is_not_found());
    }
}
