//! The handle that everybody holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{LedgerError, Result};
use crate::open;
use crate::pool::Pool;
use crate::writer::{Reply, Writer};

/// The store of an experiment. Cheap to clone; when the last clone is dropped, all that was queued is on the disk and the
/// file is closed.
#[derive(Clone, Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    pool: Pool,
    /// `None` if opened for reading only.
    writer: Option<Writer>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Before the writer's connection, which tidies up if it is the last.
        self.pool.close();
    }
}

impl Ledger {
    /// Opens the store, or makes it; its folder must be there. One process at a time may do this: the one that holds the
    /// lock of the runs folder.
    ///
    /// # Errors
    /// When it cannot be made or opened, is another program's, or a newer version's.
    pub fn open(path: impl AsRef<Path>) -> Result<Ledger> {
        let path = path.as_ref();
        let connection = open::writer(path)?;
        Ok(Ledger::with(path, Some(Writer::start(path, connection))))
    }

    /// Opens the store to look at it, while another process may be writing. Every write is an error.
    ///
    /// # Errors
    /// As [`Ledger::open`], and when there is none.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Ledger> {
        let ledger = Ledger::with(path.as_ref(), None);
        ledger.read(|_| Ok(()))?;
        Ok(ledger)
    }

    fn with(path: &Path, writer: Option<Writer>) -> Ledger {
        Ledger { shared: Arc::new(Shared { path: path.to_owned(), pool: Pool::new(path), writer }) }
    }

    /// As [`Ledger::open`], but the file may not grow beyond so many pages: a small full disk.
    #[cfg(test)]
    pub(crate) fn open_with_room_for(path: &Path, pages: u32) -> Result<Ledger> {
        let connection = open::writer(path)?;
        connection.pragma_update(None, "max_page_count", pages).unwrap();
        Ok(Ledger::with(path, Some(Writer::start(path, connection))))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Does something in the writer's next transaction; returns when that is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, wait) = oneshot::channel();
        let writer = self.writer()?;
        writer
            .submit(Box::new(move |connection| match job(connection) {
                Ok(value) => (Box::new(move || drop(answer.send(value))) as Reply, Ok(())),
                Err(error) => (Box::new(move || drop(answer)) as Reply, Err(error)),
            }))
            .await
            .map_err(|error| self.gone(error))?;
        wait.await.map_err(|_| self.gone(writer.failure()))
    }

    /// As [`Ledger::write`], but returns as soon as there is room in the queue. A failure shows at the next write.
    pub(crate) async fn queue(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<()> {
        self.writer()?
            .submit(Box::new(move |connection| (Box::new(|| ()) as Reply, job(connection))))
            .await
            .map_err(|error| self.gone(error))
    }

    /// Waits until everything that was queued before is on the disk.
    ///
    /// # Errors
    /// When a write failed, now or earlier.
    pub async fn flush(&self) -> Result<()> {
        self.write(|_| Ok(())).await
    }

    /// Why writing has ended, if it has.
    pub fn failure(&self) -> Option<LedgerError> {
        self.shared.writer.as_ref().and_then(Writer::failure)
    }

    fn writer(&self) -> Result<&Writer> {
        self.shared.writer.as_ref().ok_or_else(|| self.gone(None))
    }

    fn gone(&self, error: Option<LedgerError>) -> LedgerError {
        error.unwrap_or_else(|| LedgerError::Closed { path: self.shared.path.clone() })
    }

    /// Reads something.
    pub(crate) fn read<T>(&self, action: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.shared.pool.read(action)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }
}
