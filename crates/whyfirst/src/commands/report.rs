//! `report`: the results of the last run, as a table and as a page.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use experiment::findings::{self, Findings, FindingsError};
use experiment::record::RunRecord;
use experiment::{ExperimentError, Paths};
use serde_json::json;

use crate::args::{Open, Report};
use crate::exit::Exit;
use crate::output;

/// What a report shows.
pub struct Results {
    /// The findings.
    pub findings: Findings,
    /// The tables for a terminal.
    pub text: String,
    /// The page.
    pub page: PathBuf,
}

/// Writes the report of the last run again and opens it.
pub fn run(args: &Report) -> Exit {
    let folder = &args.folder.folder;
    let paths = if args.rehearsal { Paths::rehearsal(folder) } else { Paths::new(folder) };
    // Only a folder that was run has something to lock.
    let locked = if paths.record().is_file() { experiment::lock(&paths).map(Some) } else { Ok(None) };
    let read = locked.and_then(|lock| Ok((experiment::read_record(&paths)?, lock)));
    let (record, _lock) = match read {
        Ok((Some(record), lock)) => (record, lock),
        Ok((None, _)) => return output::error(&ExperimentError::NoResults { folder: folder.clone() }),
        Err(error) => return output::error(&error),
    };
    let results = match write(&paths, &record) {
        Ok(results) => results,
        Err(exit) => return exit,
    };
    match args.folder.json {
        true => output::json(&json!({ "report": results.page, "findings": results.findings })),
        false => {
            output::line(&results.text);
            output::line(&format!("report: {}", results.page.display()));
        }
    }
    let watched = std::io::stdout().is_terminal() && !args.folder.json;
    if args.open == Open::Yes || (args.open == Open::Auto && watched) {
        open(&results.page);
    }
    Exit::Done
}

/// Computes the findings and writes the page and the tables. The caller holds the lock of `runs/`.
pub fn write(paths: &Paths, record: &RunRecord) -> Result<Results, Exit> {
    let read = findings::read_results(record, paths.dir());
    let found = read.and_then(|results| findings::find(record, &results));
    let findings = found.map_err(|error| match error {
        FindingsError::Log(error) => output::error(&ExperimentError::Eval(error)),
        other => output::failure(other),
    })?;
    let written = ::report::write(&findings, &paths.runs());
    let page = written.map_err(|error| output::error(&ExperimentError::Store(error)))?;
    let text = ::report::terminal(&findings, output::width());
    Ok(Results { findings, text, page })
}

/// Opens a page in the browser. It is a convenience: where nothing can open it, its path was printed.
fn open(page: &Path) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let _ = Command::new(opener)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
