//! The thread that writes: takes what waits in its queue, does all of it in one transaction, commits, then answers.
//!
//! A commit waits for the disk. While it does, the next group gathers by itself, so the number of durable writes a second
//! grows with the number of those who wait, and the number of syncs does not.
//!
//! The first failure is the last: the transaction is rolled back, whoever waits gets the error, and so does every later
//! write. What was acknowledged is on the disk; nothing after the failure is. So the file is what a crash at that moment
//! would have left, and the next run continues from it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::error::LedgerError;

/// Called once the group is on the disk. Dropped instead if it is not.
pub(crate) type Reply = Box<dyn FnOnce() + Send>;

/// One write, within the transaction of its group. The reply comes back with the result even if that is an error, so
/// that it is dropped only when the reason can be seen.
pub(crate) type Job = Box<dyn FnOnce(&Connection) -> (Reply, rusqlite::Result<()>) + Send>;

/// Jobs that may wait before those who bring more have to wait themselves. It bounds the memory of answers on their way
/// to the disk.
const QUEUE: usize = 1024;

/// The most jobs in one transaction.
const GROUP: usize = 512;

#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` once closed.
    queue: Option<mpsc::Sender<Job>>,
    failed: Arc<OnceLock<LedgerError>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(path: &Path, connection: Connection) -> Writer {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let failed = Arc::new(OnceLock::new());
        let work = Work { path: path.to_owned(), connection, failed: Arc::clone(&failed) };
        let thread = thread::spawn(move || work.run(jobs));
        Writer { queue: Some(queue), failed, thread: Some(thread) }
    }

    /// Puts a job into the queue; waits while it is full.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), Option<LedgerError>> {
        if let Some(error) = self.failed.get() {
            return Err(Some(error.clone()));
        }
        match &self.queue {
            Some(queue) => queue.send(job).await.map_err(|_| self.failed.get().cloned()),
            None => Err(None),
        }
    }

    /// Why the writer gave up, if it did.
    pub(crate) fn failure(&self) -> Option<LedgerError> {
        self.failed.get().cloned()
    }
}

impl Drop for Writer {
    /// Waits until what is in the queue is on the disk.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    path: PathBuf,
    connection: Connection,
    failed: Arc<OnceLock<LedgerError>>,
}

impl Work {
    fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            if self.failed.get().is_some() {
                // Dropping a job tells whoever waits for it.
                continue;
            }
            if let Err(error) = self.group(first, &mut jobs) {
                // A failed statement may have ended the transaction already.
                if !self.connection.is_autocommit() {
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
                let _ = self.failed.set(LedgerError::sqlite(&self.path, &error));
            }
        }
    }

    fn group(&self, first: Job, jobs: &mut mpsc::Receiver<Job>) -> rusqlite::Result<()> {
        let mut replies = Vec::new();
        let result = self.transaction(first, jobs, &mut replies);
        if let Err(error) = &result {
            // Before the replies are dropped: those who wait look for the reason then.
            let _ = self.failed.set(LedgerError::sqlite(&self.path, error));
            return result;
        }
        replies.into_iter().for_each(|reply| reply());
        result
    }

    fn transaction(
        &self,
        first: Job,
        jobs: &mut mpsc::Receiver<Job>,
        replies: &mut Vec<Reply>,
    ) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut next = Some(first);
        while let Some(job) = next {
            let (reply, result) = job(&self.connection);
            replies.push(reply);
            result?;
            next = if replies.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Item, Ledger, LedgerError};

    fn item(n: usize) -> Item {
        Item {
            corpus: "c".to_owned(),
            path: format!("{n:06}"),
            kept: true,
            reason: None,
            row: "x".repeat(10_000),
            provenance: String::new(),
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_one_clear_error_and_the_next_run_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.sqlite");
        let ledger = Ledger::open_with_room_for(&path, 200).unwrap();
        let mut acknowledged = 0;
        let error = loop {
            ledger.put_item(item(acknowledged)).await.unwrap();
            match ledger.flush().await {
                Ok(()) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, LedgerError::Full { path: path.clone() });
        assert!(error.help().unwrap().contains("free some space"));
        assert!(acknowledged > 10);
        // Nothing is written after a failure, so nothing is missing in the middle.
        assert_eq!(ledger.put_meta("small", "").await, Err(error.clone()));
        assert_eq!(ledger.put_item(item(0)).await, Err(error.clone()));
        assert_eq!(ledger.failure(), Some(error));
        drop(ledger);

        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.count_items("c").unwrap(), (acknowledged as u64, 0));
        ledger.put_item(item(acknowledged)).await.unwrap();
        ledger.flush().await.unwrap();
        assert_eq!(ledger.count_items("c").unwrap().0, acknowledged as u64 + 1);
    }

    #[tokio::test]
    async fn a_failed_write_fails_all_who_share_its_commit() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
        let good = ledger.write(|connection| connection.execute("UPDATE items SET kept = 1", []));
        let bad = ledger.write(|connection| connection.execute("UPDATE no_such_table SET kept = 1", []));
        assert!(good.await.is_ok());
        let error = bad.await.unwrap_err();
        assert!(
            matches!(&error, LedgerError::Other { detail, .. } if detail.contains("no_such_table")),
            "{error}"
        );
        assert_eq!(ledger.flush().await, Err(error));
    }
}
