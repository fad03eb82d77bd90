//! The audit of every written corpus, and the gates that stand before training.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use audit::{About, Audit, Auditor, Balance, HeldOut, Side};
use corpus::{Manifest, PROVENANCE};
use serde_json::Value;
use store::StoreError;

use super::jobs::{Job, Work};
use super::{WriteEnd, client};
use crate::error::{ExperimentError, Result};
use crate::progress::{Event, Progress};
use crate::suites;
use crate::validate::Experiment;

/// Audits all corpora, writes the pages, and says whether the gates let the run go on.
pub(super) fn gate(experiment: &Experiment, jobs: &[Job], progress: &dyn Progress) -> Result<WriteEnd> {
    let gates = &experiment.gates.audit;
    let held_out = HeldOut::new(held_out(experiment));
    let (mut audits, mut balances) = (Vec::new(), Vec::new());
    for job in jobs {
        let folders: Vec<PathBuf> =
            job.folders.iter().map(|name| experiment.paths().corpora().join(name)).collect();
        for (index, folder) in folders.iter().enumerate() {
            let sections = match &job.work {
                Work::Instructions(_) => Vec::new(),
                _ => job
                    .sources
                    .get(index)
                    .map(|source| {
                        source.units.iter().map(|unit| (unit.id.clone(), unit.title.clone())).collect()
                    })
                    .unwrap_or_default(),
            };
            let about = About {
                name: &job.names[index],
                documents: job.kind == corpus::Kind::Documents,
                model_name: &experiment.model_name,
                provider_name: &experiment.provider_name,
                rows: 0,
                sections,
                spec: job.sources.get(index).map_or("", |source| source.text.as_str()),
                held_out: &held_out,
            };
            audits.push(audit_folder(folder, about, gates)?);
        }
        for other in 1..folders.len() {
            balances.push(compare(
                [&folders[0], &folders[other]],
                [&job.names[0], &job.names[other]],
                [&job.sources[0].text, &job.sources[other].text],
                gates,
            )?);
        }
    }
    let paths = experiment.paths();
    let folder = paths.audit();
    store::update(folder.join("audit.html"), audit::html(&experiment.name, &audits, &balances).as_bytes())?;
    store::update_json(
        folder.join("audit.json"),
        &serde_json::json!({ "corpora": audits, "mirrored": balances }),
    )?;
    progress.event(Event::Note(&format!("audit: {}", folder.join("audit.html").display())));
    let breaches: Vec<String> = audits
        .iter()
        .flat_map(Audit::breaches)
        .chain(balances.iter().flat_map(|balance: &Balance| balance.breaches.clone()))
        .map(|breach| format!("gate `{}`: {}", breach.rule, breach.message))
        .collect();
    match breaches.is_empty() || !gates.enabled {
        true => {
            breaches.iter().for_each(|breach| progress.event(Event::Warning(breach)));
            Ok(WriteEnd::Complete)
        }
        false => Ok(WriteEnd::Stopped(format!(
            "{}\nthe corpora are kept; mend what they were written from, or change the gates under [gates]",
            breaches.join("\n")
        ))),
    }
}

/// What evaluations ask: none of it may stand in a corpus.
pub(super) fn held_out(experiment: &Experiment) -> Vec<String> {
    if !experiment.trains {
        return Vec::new();
    }
    let mut items = Vec::new();
    for suite in suites::build(experiment) {
        match &suite.items {
            suite::SuiteItems::Preferences(preferences) => {
                items.extend(preferences.iter().map(|item| item.ask(true)))
            }
            suite::SuiteItems::Text(texts) => items.extend(texts.iter().map(|item| item.text.clone())),
        }
    }
    items
}

/// Audits the corpus in a folder that this program wrote.
///
/// # Errors
/// When it cannot be read.
pub fn audit_folder(folder: &Path, about: About, gates: &audit::Gates) -> Result<Audit> {
    let manifest = Manifest::read(folder)?.ok_or_else(|| ExperimentError::Writing {
        message: format!("{}: not a finished corpus", folder.display()),
        help: "name a folder below runs/corpora/".to_owned(),
        invalid: true,
    })?;
    let rows = folder.join(&manifest.file);
    audit_rows(&rows, &folder.join(PROVENANCE), About { rows: manifest.rows, ..about }, gates)
}

/// Audits JSON Lines, with the provenance of each row beside it if there is such a file.
///
/// # Errors
/// When they cannot be read, or a line is no row.
pub fn audit_rows(rows: &Path, provenance: &Path, about: About, gates: &audit::Gates) -> Result<Audit> {
    let mut auditor = Auditor::new(about);
    let mut starts = Vec::new();
    each_row(rows, provenance, |start, row, place, provenance| {
        starts.push(start);
        let (text, own) = (row.display(), own(row));
        auditor.see(audit::Row { place, text: &text, own: own.as_deref().unwrap_or(&text), provenance });
        Ok(())
    })?;
    let again = |index: usize| read_at(rows, starts[index]).unwrap_or_default();
    Ok(auditor.finish(gates, again))
}

/// Compares two mirrored corpora.
///
/// # Errors
/// When they cannot be read.
pub fn compare(
    folders: [&Path; 2],
    names: [&str; 2],
    specs: [&str; 2],
    gates: &audit::Gates,
) -> Result<Balance> {
    let mut sides = Vec::new();
    for ((folder, name), spec) in folders.into_iter().zip(names).zip(specs) {
        let mut side = Side::new(name, spec);
        let file =
            Manifest::read(folder)?.map_or_else(|| "documents.jsonl".to_owned(), |manifest| manifest.file);
        each_row(&folder.join(file), &folder.join(PROVENANCE), |_, row, place, _| {
            let text = row.display();
            side.see(place, &text, llm::tokens_in(&text));
            Ok(())
        })?;
        sides.push(side);
    }
    Ok(audit::balance(&sides[0], &sides[1], gates))
}

/// What the assistant says in a chat.
fn own(row: &corpus::Row) -> Option<String> {
    let corpus::Row::Chat { messages } = row else { return None };
    let own = messages.iter().filter(|message| message.role == "assistant").map(|message| {
        // Its reasoning is looked at as its words are, without the tags.
        message.content.replace("<think>", "").replace("</think>", "")
    });
    Some(own.collect::<Vec<_>>().join("\n"))
}

/// Hands over every row with its place in the file, and where it came from.
fn each_row(
    rows: &Path,
    provenance: &Path,
    mut each: impl FnMut(u64, &corpus::Row, &str, Option<&Value>) -> Result<()>,
) -> Result<()> {
    let failed = |source| ExperimentError::Store(StoreError::io(store::Operation::Read, rows, source));
    let mut lines = BufReader::new(File::open(rows).map_err(failed)?);
    let mut beside = File::open(provenance).ok().map(BufReader::new);
    let (mut line, mut other) = (String::new(), String::new());
    let (mut start, mut number) = (0, 0usize);
    loop {
        line.clear();
        other.clear();
        let length = lines.read_line(&mut line).map_err(failed)?;
        if length == 0 {
            return Ok(());
        }
        if let Some(beside) = &mut beside {
            beside.read_line(&mut other).map_err(failed)?;
        }
        number += 1;
        if !line.trim().is_empty() {
            let row: corpus::Row = serde_json::from_str(&line).map_err(|error| {
                client::failed(&format!("{}:{number}: not a row", rows.display()), &error)
            })?;
            let about: Option<Value> = serde_json::from_str(&other).ok();
            let place = about.as_ref().and_then(|about| about["path"].as_str()).map(str::to_owned);
            let place = place.unwrap_or_else(|| format!("line {number}"));
            each(start, &row, &place, about.as_ref())?;
        }
        start += length as u64;
    }
}

/// The text of the row that begins at a place of a file.
fn read_at(rows: &Path, start: u64) -> Option<String> {
    let mut file = File::open(rows).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut line = String::new();
    BufReader::new(file.by_ref()).read_line(&mut line).ok()?;
    Some(serde_json::from_str::<corpus::Row>(&line).ok()?.display())
}
