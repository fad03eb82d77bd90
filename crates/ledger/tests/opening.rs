//! Files that are no store, or not one for us.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{answer, attempt};
use whyfirst_ledger::{Ledger, LedgerError};

async fn filled(path: &Path) {
    let ledger = Ledger::open(path).unwrap();
    for n in 0..200 {
        let call = ledger.begin(attempt(n)).await.unwrap();
        ledger.finish(call, answer(&"long ".repeat(200))).await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    filled(&path).await;
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    for error in [Ledger::open(&path).unwrap_err(), Ledger::open_to_read(&path).unwrap_err()] {
        assert!(matches!(error, LedgerError::Newer { found: 99, .. }), "{error}");
        assert!(error.help().unwrap().contains("nothing was changed"));
    }
    assert!(fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn other_files_are_named_for_what_they_are_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let message = || {
        let error = Ledger::open(&path).unwrap_err();
        assert!(error.help().unwrap().contains("move"), "{error}");
        error.to_string()
    };
    fs::write(&path, "a diary\n").unwrap();
    assert!(message().ends_with("it is not an SQLite database"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a diary\n");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(message().ends_with("it is a folder"));
    fs::remove_dir(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
    assert!(message().ends_with("it is another program's database"));
    let missing = Ledger::open_to_read(dir.path().join("none.sqlite")).unwrap_err();
    assert!(missing.to_string().starts_with("there is no store at"));
    let nowhere = Ledger::open(dir.path().join("no/such/folder/store.sqlite")).unwrap_err();
    assert!(nowhere.to_string().contains("store.sqlite") && nowhere.help().is_some(), "{nowhere}");
}

#[tokio::test]
async fn a_damaged_store_is_an_error_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    filled(&path).await;
    let mut bytes = fs::read(&path).unwrap();
    // All but the header.
    bytes[100..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    assert!(error.help().unwrap().contains(".recover"));
    // Somewhere within.
    fs::remove_file(&path).unwrap();
    filled(&path).await;
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    bytes[4096 * (pages / 4)..4096 * (pages / 4 * 3)].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let read = Ledger::open(&path).and_then(|ledger| {
        (0..200).try_for_each(|n| ledger.answer_of(attempt(n).request).map(drop))?;
        ledger.spent()
    });
    assert!(matches!(read, Err(LedgerError::Damaged { .. })), "{read:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_nobody_may_write_to_is_an_error() {
    // Even the superuser cannot make files here.
    let error = Ledger::open("/proc/store.sqlite").unwrap_err();
    assert!(error.to_string().contains("/proc/store.sqlite"), "{error}");
    assert!(error.help().unwrap().contains("run the same command again"));
}

#[tokio::test]
async fn a_reader_sees_what_a_writer_commits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let writer = Ledger::open(&path).unwrap();
    let reader = Ledger::open_to_read(&path).unwrap();
    let call = writer.begin(attempt(1)).await.unwrap();
    assert_eq!(reader.spent().unwrap().pending, 1);
    writer.finish(call, answer("A")).await.unwrap();
    assert_eq!(reader.answer_of(attempt(1).request).unwrap().unwrap().text, "A");
}

#[tokio::test]
async fn the_views_say_what_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    filled(&path).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sums: (i64, f64) = connection
        .query_row("SELECT sum(answers), sum(dollars) FROM cost_by_role", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(sums.0, 200);
    assert!((sums.1 - 200.0 * 300e-12).abs() < 1e-15);
    let answers: i64 = connection.query_row("SELECT count(*) FROM answers", [], |row| row.get(0)).unwrap();
    assert_eq!(answers, 200);
}
