//! Folders that appear complete or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::disk;
use crate::done::{DONE, Done, sync_and_list, verify_done};
use crate::error::{Operation, Result, StoreError};
use crate::hash::Hash;
use crate::json::write_json;

/// A folder under construction: a hidden sibling of its final path.
///
/// Fill [`path`](StagedDir::path), then [`commit`](StagedDir::commit). Dropped without that, it is
/// removed; what a killed process leaves is removed by [`remove_leftovers`].
#[derive(Debug)]
pub struct StagedDir {
    temporary: TempDir,
    destination: PathBuf,
}

impl StagedDir {
    /// Makes an empty folder beside `destination`, and missing parent folders.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn create(destination: impl AsRef<Path>) -> Result<StagedDir> {
        let destination = destination.as_ref();
        StagedDir::create_in(disk::parent(destination), destination)
    }

    /// As [`create`](StagedDir::create), but under construction in `workplace`, a folder of the same file
    /// system: for a destination among files that are not ours to clean up.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn create_in(workplace: impl AsRef<Path>, destination: impl AsRef<Path>) -> Result<StagedDir> {
        let destination = destination.as_ref().to_owned();
        disk::create_dirs(workplace.as_ref())?;
        Ok(StagedDir { temporary: disk::create_dir_for(&destination, workplace.as_ref())?, destination })
    }

    /// Where to put the files.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// A new file in the folder, to be written piece by piece.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn file(&self, name: &str) -> Result<StagedFile> {
        let path = self.path().join(name);
        let file = disk::create_file(&path)?;
        Ok(StagedFile { file, path, buffer: Vec::with_capacity(PIECE), hasher: blake3::Hasher::new() })
    }

    /// Another final path, in the same folder as the first: for names that depend on what was written.
    pub fn rename(mut self, name: &str) -> StagedDir {
        self.destination.set_file_name(name);
        self
    }

    /// Puts every file on the disk, writes `DONE` last, and moves the folder to its final path.
    ///
    /// An incomplete folder there is replaced. A complete one with the same files is kept: two makers of
    /// one content-addressed result agree.
    ///
    /// # Errors
    /// When a step fails (the final path is then as it was), or when the final path is a complete folder
    /// with other contents ([`StoreError::Occupied`]).
    pub fn commit(self) -> Result<Done> {
        let done = self.seal()?;
        match verify_done(&self.destination) {
            Ok(present) if present == done => return Ok(done),
            Ok(_) => return Err(StoreError::Occupied { path: self.destination }),
            Err(_) => self.install()?,
        }
        Ok(done)
    }

    /// As [`commit`](StagedDir::commit), but a complete folder at the final path is replaced too, as for
    /// checkpoints: at any moment the final path holds the whole old folder or the whole new one, where
    /// the file system can exchange two names (Linux, macOS). Elsewhere a crash at the worst moment can
    /// leave nothing there.
    ///
    /// # Errors
    /// When a step fails; the final path is then as it was.
    pub fn replace(self) -> Result<Done> {
        let done = self.seal()?;
        self.install()?;
        Ok(done)
    }

    /// Makes the staged folder complete and durable, still under its temporary name.
    fn seal(&self) -> Result<Done> {
        let done = sync_and_list(self.path())?;
        write_json(self.path().join(DONE), &done)?;
        Ok(done)
    }

    /// Moves the sealed folder to its final path.
    fn install(self) -> Result<()> {
        if self.destination.is_dir() {
            // The temporary name then holds the old folder, which goes when `temporary` is dropped.
            disk::exchange_dirs(self.path(), &self.destination)?;
        } else {
            disk::rename(self.path(), &self.destination)?;
            let _moved_away = self.temporary.keep();
        }
        disk::sync_dir(disk::parent(&self.destination))
    }
}

/// A file of a [`StagedDir`] that is written piece by piece, for what is too large to be held in memory. It is
/// durable when the folder is committed.
#[derive(Debug)]
pub struct StagedFile {
    file: fs::File,
    path: PathBuf,
    buffer: Vec<u8>,
    hasher: blake3::Hasher,
}

/// Bytes that are collected before they are written.
const PIECE: usize = 1 << 16;

impl StagedFile {
    /// Adds bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and gives the hash of all bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Hash> {
        self.flush()?;
        Ok(self.hasher.finalize().into())
    }

    fn flush(&mut self) -> Result<()> {
        self.hasher.update(&self.buffer);
        disk::write(&mut self.file, &self.path, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Removes a file, or a folder with all that is in it, if it is there.
///
/// # Errors
/// When it cannot be removed; a part of a folder may be gone then.
pub fn remove(path: impl AsRef<Path>) -> Result<()> {
    match disk::remove(path.as_ref()) {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// Removes what killed processes left unfinished in a folder (not in folders below it), and says how
/// many files and folders that were. Only the holder of the folder's [`RunLock`](crate::RunLock) may call this.
///
/// # Errors
/// When the folder cannot be listed or something cannot be removed.
pub fn remove_leftovers(dir: impl AsRef<Path>) -> Result<usize> {
    let dir = dir.as_ref();
    let failed = |source| StoreError::io(Operation::Read, dir, source);
    let mut removed = 0;
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if disk::is_temporary_name(&entry.file_name()) {
            disk::remove(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::done::read_done;
    use crate::fault::by_thread as fault;
    use crate::hash::hash_bytes;

    fn staged(destination: &Path, text: &str) -> StagedDir {
        let staged = StagedDir::create(destination).unwrap();
        fs::write(staged.path().join("weights"), text).unwrap();
        fs::create_dir(staged.path().join("sub")).unwrap();
        fs::write(staged.path().join("sub/log"), "l").unwrap();
        staged
    }

    /// Everything in a folder, for "as it was" and "nothing else is left".
    fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = Vec::new();
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.extend(snapshot(&path));
                all.push((path, Vec::new()));
            } else {
                all.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
        all.sort();
        all
    }

    #[test]
    fn a_committed_folder_is_complete_and_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stages/abc");
        let done = staged(&path, "w").commit().unwrap();
        assert_eq!(done.files.keys().collect::<Vec<_>>(), ["sub/log", "weights"]);
        assert_eq!(done.files["weights"].hash, hash_bytes(b"w"));
        assert_eq!(done.files["weights"].bytes, 1);
        assert_eq!(verify_done(&path).unwrap(), done);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_written_in_pieces_is_the_whole_and_the_folder_may_be_named_by_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        let staged = StagedDir::create(dir.path().join("unnamed")).unwrap();
        let mut file = staged.file("rows").unwrap();
        let text = "some text\n".repeat(20_000);
        for piece in text.as_bytes().chunks(777) {
            file.write(piece).unwrap();
        }
        let hash = file.finish().unwrap();
        assert_eq!(hash, hash_bytes(text.as_bytes()));
        let done = staged.rename(&hash.short()).commit().unwrap();
        assert_eq!(done.files["rows"].hash, hash);
        assert_eq!(fs::read_to_string(dir.path().join(hash.short()).join("rows")).unwrap(), text);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_dropped_folder_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        drop(staged(&dir.path().join("abc"), "w"));
        assert_eq!(snapshot(dir.path()), []);
    }

    #[test]
    fn the_same_contents_may_be_committed_again_but_others_may_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        staged(&path, "w").commit().unwrap();
        let before = snapshot(dir.path());
        staged(&path, "w").commit().unwrap();
        let error = staged(&path, "other").commit().unwrap_err();
        assert!(matches!(&error, StoreError::Occupied { path: p } if *p == path), "{error}");
        assert_eq!(snapshot(dir.path()), before);
    }

    #[test]
    fn an_incomplete_folder_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("half"), "").unwrap();
        staged(&path, "w").commit().unwrap();
        assert!(!path.join("half").exists());
        // A folder whose file changed after DONE counts as incomplete.
        fs::write(path.join("weights"), "W").unwrap();
        staged(&path, "w").commit().unwrap();
        verify_done(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn replace_puts_the_new_folder_in_the_place_of_a_complete_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        staged(&path, "1").replace().unwrap();
        let done = staged(&path, "2").replace().unwrap();
        assert_eq!(verify_done(&path).unwrap(), done);
        assert_eq!(fs::read_to_string(path.join("weights")).unwrap(), "2");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_at_any_step_leaves_the_final_path_as_it_was() {
        for old in [None, Some("old")] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("abc");
            if let Some(text) = old {
                staged(&path, text).commit().unwrap();
            }
            let before = snapshot(dir.path());
            // Steps in order: two files synced, two folders; DONE created, written, synced, renamed,
            // its folder synced; the folder renamed.
            let steps = [
                (Operation::Sync, 0),
                (Operation::Sync, 3),
                (Operation::Create, 0),
                (Operation::Write, 0),
                (Operation::Sync, 4),
                (Operation::Rename, 0),
                (Operation::Sync, 5),
                (Operation::Rename, 1),
            ];
            for (operation, n) in steps {
                let next = staged(&path, "new");
                let result = fault::with_nth(operation, n, || next.replace());
                assert!(matches!(result, Err(StoreError::Io { operation: o, .. }) if o == operation));
                assert_eq!(snapshot(dir.path()), before, "{operation} {n}");
            }
        }
    }

    #[test]
    fn what_is_altered_or_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        assert_eq!(read_done(&path).unwrap(), None);
        assert!(matches!(verify_done(&path).unwrap_err(), StoreError::NotDone { .. }));
        staged(&path, "w").commit().unwrap();
        let message = |path: &Path| verify_done(path).unwrap_err().to_string();
        fs::write(path.join("weights"), "W").unwrap();
        assert!(message(&path).contains("weights") && message(&path).contains("hash"));
        fs::write(path.join("weights"), "ww").unwrap();
        assert!(message(&path).contains("expected 1 bytes, found 2"));
        fs::remove_file(path.join("weights")).unwrap();
        assert!(message(&path).contains("weights"));
        fs::write(path.join(DONE), "{").unwrap();
        assert!(read_done(&path).unwrap_err().to_string().contains("DONE"));
    }

    #[test]
    fn a_staged_folder_may_not_bring_its_own_done_or_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let next = staged(&dir.path().join("abc"), "w");
        fs::write(next.path().join(DONE), "").unwrap();
        assert!(matches!(next.commit().unwrap_err(), StoreError::NotPlain { .. }));
        #[cfg(unix)]
        {
            let next = staged(&dir.path().join("abc"), "w");
            std::os::unix::fs::symlink("weights", next.path().join("link")).unwrap();
            assert!(matches!(next.commit().unwrap_err(), StoreError::NotPlain { .. }));
        }
        assert_eq!(snapshot(dir.path()), []);
    }

    #[test]
    fn a_file_at_the_final_path_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "file").unwrap();
        assert!(staged(&path, "w").commit().unwrap_err().to_string().contains("abc"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "file");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_can_be_under_construction_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let (workplace, path) = (dir.path().join("work"), dir.path().join("abc"));
        let next = StagedDir::create_in(&workplace, &path).unwrap();
        fs::write(next.path().join("weights"), "w").unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the workplace");
        next.commit().unwrap();
        verify_done(&path).unwrap();
        assert_eq!(fs::read_dir(&workplace).unwrap().count(), 0);
        remove(&workplace).unwrap();
        remove(&workplace).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn leftovers_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        staged(&dir.path().join("abc"), "w").commit().unwrap();
        fs::write(dir.path().join(".hidden"), "").unwrap();
        let before = snapshot(dir.path());
        // As after a kill: the destructors never ran.
        let _left = staged(&dir.path().join("def"), "w").temporary.keep();
        let _left = disk::create_file_beside(&dir.path().join("file")).unwrap().keep().unwrap();
        assert_eq!(remove_leftovers(dir.path()).unwrap(), 2);
        assert_eq!(snapshot(dir.path()), before);
    }
}
