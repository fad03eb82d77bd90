//! Opening the file: ours, of a version we know, writable; or one clear error.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::{LedgerError, Result};
use crate::schema::{APPLICATION, TABLES, VERSION};

/// How long to wait for another program that has the file open, such as an SQLite browser.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection; more than there are.
const STATEMENTS: usize = 64;

/// The connection that writes; makes the store if there is none.
pub(crate) fn writer(path: &Path) -> Result<Connection> {
    look_at_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = connect(path, flags)?;
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    // SQLite falls back to reading alone when it may not write.
    if connection.is_readonly("main").map_err(failed)? {
        let detail = "the file, or its folder, may only be read".to_owned();
        return Err(LedgerError::ReadOnly { path: path.to_owned(), detail });
    }
    let fresh = check_version(path, &connection)?;
    prepare_for_writing(&connection, fresh).map_err(failed)?;
    Ok(connection)
}

fn prepare_for_writing(connection: &Connection, fresh: bool) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // A commit returns when its bytes are on the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    if fresh {
        // One transaction: a crash leaves an empty file or a store.
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    Ok(())
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    look_at_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = connect(path, flags).and_then(|connection| {
        check_version(path, &connection)?;
        Ok(connection)
    });
    match connection {
        // In a folder that may not be written to, SQLite cannot make the files that readers share. If nothing waits to be
        // carried over into the store, none are needed.
        Err(LedgerError::Io { .. } | LedgerError::ReadOnly { .. }) if !has_log(path) => {
            let name = format!("file:{}?immutable=1", escaped(path));
            let connection = connect(Path::new(&name), flags | OpenFlags::SQLITE_OPEN_URI)?;
            check_version(path, &connection)?;
            Ok(connection)
        }
        other => other,
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Tells a text or an image from a database before SQLite touches the file.
fn look_at_header(path: &Path) -> Result<()> {
    let foreign = |what: &str| Err(LedgerError::Foreign { path: path.to_owned(), what: what.to_owned() });
    if path.is_dir() {
        return foreign("it is a folder");
    }
    let mut header = Vec::new();
    // Whether it can be opened at all is for SQLite to say.
    let Ok(file) = File::open(path) else { return Ok(()) };
    let read = file.take(16).read_to_end(&mut header);
    if read.is_err() || header.is_empty() || header == b"SQLite format 3\0" {
        return Ok(());
    }
    foreign("it is not an SQLite database")
}

/// Whether the file is new; an error if it is another program's or a newer version's.
fn check_version(path: &Path, connection: &Connection) -> Result<bool> {
    let read = |sql: &str| -> Result<i64> {
        connection.query_row(sql, [], |row| row.get(0)).map_err(|error| LedgerError::sqlite(path, &error))
    };
    let found = read("PRAGMA user_version")?;
    let application = read("PRAGMA application_id")?;
    let tables = read("SELECT count(*) FROM sqlite_schema")?;
    if application == 0 && found == 0 && tables == 0 {
        return Ok(true);
    }
    if application != APPLICATION {
        let what = "it is another program's database".to_owned();
        return Err(LedgerError::Foreign { path: path.to_owned(), what });
    }
    if found > VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(false)
}

/// Whether commits wait beside the file, in its write-ahead log.
fn has_log(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).is_ok_and(|log| log.len() > 0)
}

/// A path as part of a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
