//! The audit of every written corpus, and the gates that stand before training.

use std::path::{Path, PathBuf};

use audit::{About, Across, Audit, Balance, Breach, Documents, HeldOut, Side};
use corpus::{Lines, Opened};

use super::jobs::{Job, Work};
use super::{WriteEnd, own};
use crate::error::{ExperimentError, Result};
use crate::library::Library;
use crate::progress::{Event, Progress};
use crate::suites;
use crate::validate::Experiment;

/// What an audit of an experiment's corpora found.
pub struct Findings {
    /// Of each corpus.
    pub audits: Vec<Audit>,
    /// Of each pair of mirrored ones.
    pub mirrored: Vec<Balance>,
    /// What corpora share.
    pub shared: Vec<Across>,
}

impl Findings {
    /// The gates that are not passed, in sentences.
    pub fn breaches(&self) -> Vec<String> {
        self.all_breaches().map(|breach| shown(&breach)).collect()
    }

    fn all_breaches(&self) -> impl Iterator<Item = Breach> {
        let mirrored = self.mirrored.iter().flat_map(|balance| balance.breaches.clone());
        self.audits.iter().flat_map(Audit::breaches).chain(mirrored)
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "corpora": self.audits, "mirrored": self.mirrored, "across": self.shared })
    }

    /// Writes `audit.html` and `audit.json` to a folder, and returns the path of the page.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Path, title: &str) -> Result<PathBuf> {
        let page = folder.join("audit.html");
        store::update(&page, audit::html(title, &self.audits, &self.mirrored, &self.shared).as_bytes())?;
        store::update_json(folder.join("audit.json"), &self.json())?;
        Ok(page)
    }
}

/// What a rehearsal shows, and does not stop at: the simulated writer's turns of phrase are not those of the real one.
const TICS: [&str; 3] = ["repeated-phrase", "repeated-opening", "repeated-name"];

fn shown(breach: &Breach) -> String {
    format!("gate `{}`: {}", breach.rule, breach.message)
}

/// Audits all corpora, writes the page, and says whether the gates let the run go on.
pub(super) fn gate(experiment: &Experiment, jobs: &[Job], progress: &dyn Progress) -> Result<WriteEnd> {
    decide(experiment, &findings(experiment, jobs)?, progress)
}

/// Writes the page of what was found, and says whether the gates let the run go on.
pub(super) fn decide(experiment: &Experiment, found: &Findings, progress: &dyn Progress) -> Result<WriteEnd> {
    let page = found.write(&experiment.paths().audit(), &experiment.name)?;
    progress.event(Event::Note(&format!("audit: {}", page.display())));
    let rehearsed = experiment.rehearsal;
    let (stopping, shown_only): (Vec<Breach>, Vec<Breach>) = found.all_breaches().partition(|breach| {
        experiment.gates.audit.enabled && !(rehearsed && TICS.contains(&breach.rule.as_str()))
    });
    shown_only.iter().for_each(|breach| progress.event(Event::Warning(&shown(breach))));
    let breaches: Vec<String> = stopping.iter().map(shown).collect();
    match breaches.is_empty() {
        true => Ok(WriteEnd::Complete),
        false => Ok(WriteEnd::Stopped(format!(
            "{}\nthe corpora are kept; mend what they were written from, or change the gates under [gates]",
            breaches.join("\n")
        ))),
    }
}

/// Audits the corpora of an experiment that a model has written so far; without any, those that are files of the user's.
///
/// # Errors
/// When none is written, or one cannot be read.
pub fn audit_written(experiment: &Experiment) -> Result<Findings> {
    let library = Library::new(experiment, &experiment.paths());
    let mut written = Vec::new();
    let mut missing = None;
    for mut job in super::jobs::jobs(experiment)? {
        match job.is_written(&library)? {
            true => written.push(job),
            false => missing = missing.or(Some(job.name.clone())),
        }
    }
    match (written.is_empty(), missing) {
        (true, Some(corpus)) => Err(ExperimentError::NotWritten { corpus }),
        (true, None) => own::findings(experiment)?.ok_or_else(|| ExperimentError::Writing {
            message: "no corpus of this experiment is written by a model, or was read by a run".to_owned(),
            help: "name a JSONL file or the folder of a corpus instead".to_owned(),
            invalid: true,
        }),
        (false, _) => findings(experiment, &written),
    }
}

fn findings(experiment: &Experiment, jobs: &[Job]) -> Result<Findings> {
    let gates = &experiment.gates.audit;
    let held_out = HeldOut::new(held_out(experiment));
    let (mut audits, mut mirrored, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        let mut corpora = Vec::new();
        for (index, folder) in job.folders.iter().enumerate() {
            let source = match &job.work {
                Work::Instructions(_) => None,
                _ => job.sources.get(index),
            };
            let sections = source.map_or_else(Vec::new, |source| {
                source.units.iter().map(|unit| (unit.id.clone(), unit.title.clone())).collect()
            });
            let about = About {
                name: &job.names[index],
                documents: job.kind == corpus::Kind::Documents,
                names: Some((&experiment.model_name, &experiment.provider_name)),
                sections,
                spec: job.sources.get(index).map_or("", |source| source.text.as_str()),
                held_out: &held_out,
            };
            let rows = Opened::folder(&experiment.paths().corpora().join(folder))?.rows;
            audits.push(audit::audit(&rows, &about, gates)?);
            corpora.push((job.names[index].as_str(), rows));
        }
        for other in 1..corpora.len() {
            let side = |at: usize| (corpora[at].0, job.sources[at].text.as_str(), &corpora[at].1);
            mirrored.push(compare([side(0), side(other)], gates)?);
        }
        all.extend(corpora);
    }
    let all: Vec<(&str, &dyn Documents)> = all.iter().map(|(name, rows)| (*name, rows as _)).collect();
    let shared = audit::across(&all)?;
    Ok(Findings { audits, mirrored, shared })
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

/// Compares two mirrored corpora: their names, their specs, their rows.
///
/// # Errors
/// When they cannot be read.
pub fn compare(sides: [(&str, &str, &Lines); 2], gates: &audit::Gates) -> Result<Balance> {
    let mut read = Vec::new();
    for (name, spec, rows) in sides {
        let mut side = Side::new(name, spec);
        for index in 0..rows.len() {
            let text = rows.document(index)?.text;
            side.see(&rows.id(index)?, &text, llm::tokens_in(&text));
        }
        read.push(side);
    }
    Ok(audit::balance(&read[0], &read[1], gates))
}
