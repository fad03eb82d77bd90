//! One process at a time in a folder.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{Operation, Result, StoreError};

/// The name of the lock file within the locked folder.
const NAME: &str = ".lock";

/// The right to change a folder, held until dropped.
///
/// The operating system holds the lock for the process and takes it back when the process ends in any
/// way, so a dead process never blocks a folder. The file names its holder: process id and start time,
/// because ids are used again. On a file system without locks those two decide.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
}

/// Who holds a lock.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    /// Clock ticks from the machine's start to the process's; `None` where the system does not tell.
    started: Option<u64>,
}

impl RunLock {
    /// Locks a folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that holds it; otherwise when the lock file cannot be
    /// made or written.
    pub fn acquire(dir: impl AsRef<Path>) -> Result<RunLock> {
        let dir = dir.as_ref();
        disk::create_dirs(dir)?;
        let path = dir.join(NAME);
        let failed = |source| StoreError::io(Operation::Lock, &path, source);
        let locked = |holder: Option<Holder>| StoreError::Locked {
            path: dir.to_owned(),
            pid: holder.map(|holder| holder.pid),
        };
        let mut file = loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(locked(Holder::read_soon(&mut file))),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                    if let Some(holder) = Holder::read(&mut file).filter(Holder::is_alive) {
                        return Err(locked(Some(holder)));
                    }
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The last holder may have removed the file between our opening and our locking it.
            if is_file_at(&file, &path) {
                break file;
            }
        };
        disk::attempt(Operation::Lock, &path, || Holder::of(std::process::id()).write(&mut file))?;
        Ok(RunLock { file, path })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Removed before it is unlocked: whoever opened it meanwhile sees that it is no longer the one.
        // A failure here is harmless, because a file that nobody locks blocks nobody.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

impl Holder {
    fn of(pid: u32) -> Holder {
        Holder { pid, started: start_time(pid) }
    }

    fn is_alive(&self) -> bool {
        match self.started {
            Some(started) => start_time(self.pid) == Some(started),
            // Without start times a process cannot be told from a later one with its id.
            None => false,
        }
    }

    fn read(file: &mut File) -> Option<Holder> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// As [`read`](Holder::read), with a moment's patience: a holder writes its name right after it has locked.
    fn read_soon(file: &mut File) -> Option<Holder> {
        (0..50).find_map(|_| {
            Holder::read(file).or_else(|| {
                std::thread::sleep(Duration::from_millis(2));
                None
            })
        })
    }

    fn write(&self, file: &mut File) -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(serde_json::to_string(self)?.as_bytes())
    }
}

/// When a process started, in clock ticks since the machine did: field 22 of `/proc/PID/stat`.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Field 2 is the program's name in parentheses and may itself hold spaces and parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Whether an open file is the one that has this name now.
#[cfg(unix)]
fn is_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(open), Ok(named)) if id(&open) == id(&named))
}

/// Elsewhere an open file cannot be removed by another process.
#[cfg(not(unix))]
fn is_file_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let runs = dir.path().join("runs");
        let lock = RunLock::acquire(&runs).unwrap();
        let error = RunLock::acquire(&runs).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(lock);
        assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
        RunLock::acquire(&runs).unwrap();
    }

    #[test]
    fn the_lock_of_a_dead_process_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        for text in [r#"{"pid":4294967295,"started":1}"#, "", "not json"] {
            fs::write(dir.path().join(NAME), text).unwrap();
            let mut lock = RunLock::acquire(dir.path()).unwrap();
            assert_eq!(Holder::read(&mut lock.file), Some(Holder::of(std::process::id())));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_told_from_a_later_one_with_its_id() {
        let ours = Holder::of(std::process::id());
        assert!(ours.started.is_some() && ours.is_alive());
        assert!(!Holder { started: ours.started.map(|t| t + 1), ..ours }.is_alive());
    }

    #[test]
    fn one_of_many_threads_gets_it_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut times = 0;
                    while times < 50 {
                        match RunLock::acquire(dir.path()) {
                            Ok(_lock) => {
                                use std::sync::atomic::Ordering::SeqCst;
                                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                                inside.fetch_sub(1, SeqCst);
                                times += 1;
                            }
                            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
    }
}
