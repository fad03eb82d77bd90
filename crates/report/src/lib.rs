//! Findings as tables in a terminal, as CSV and JSON, and as one self-contained HTML page.
//!
//! Nothing is computed here: every number, interval and sentence comes from [`experiment::findings`]. The same
//! findings give the same bytes; no output depends on the time or the machine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod csv;
mod number;
mod page;
mod table;
mod tables;
mod terminal;

pub use csv::{Csv, csv};
pub use page::html;
pub use terminal::terminal;

use std::path::{Path, PathBuf};

use experiment::findings::Findings;

/// The findings as indented JSON with a newline at the end.
///
/// # Errors
/// Never for findings that [`experiment::findings::find`] made; only when a number cannot be written as JSON.
pub fn json(findings: &Findings) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(findings).map(|text| text + "\n")
}

/// Writes `report.html`, `findings.json` and `tables/*.csv` into the folder `runs`, each file atomically and only if it
/// differs. Returns the path of the page.
///
/// # Errors
/// When a file cannot be written: the error names it.
pub fn write(findings: &Findings, runs: &Path) -> store::Result<PathBuf> {
    for table in csv(findings) {
        store::update(runs.join("tables").join(format!("{}.csv", table.name)), table.text.as_bytes())?;
    }
    store::update_json(runs.join("findings.json"), findings)?;
    let page = runs.join("report.html");
    store::update(&page, html(findings).as_bytes())?;
    Ok(page)
}
