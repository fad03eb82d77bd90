//! `runs/writing.json`: what the last writing came to, for people and programs.

use std::collections::BTreeMap;

use ledger::Ledger;
use llm::Client;
use serde::Serialize;

use super::WriteEnd;
use super::client;
use super::jobs::{self, Job};
use crate::error::Result;
use crate::library::Library;
use crate::validate::Experiment;

/// What a run of writing came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WritingReport {
    /// `complete`, `stopped` or `interrupted`.
    pub ended: &'static str,
    /// Why it was stopped.
    pub reason: Option<String>,
    /// Every corpus.
    pub corpora: Vec<CorpusReport>,
    /// Calls of all runs together.
    pub calls: CallsReport,
    /// By role and model.
    pub roles: Vec<RoleReport>,
}

/// What became of a corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorpusReport {
    /// `why:main`.
    pub name: String,
    /// Its id in the store: column `corpus` of its tables.
    pub id: String,
    /// Its folder below `corpora/`, if it is finished.
    pub folder: Option<String>,
    /// Rows asked for in the last phase.
    pub asked: u64,
    /// Rows kept.
    pub kept: u64,
    /// Rows dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Rows written again.
    pub rewritten: u64,
    /// Rounds in which lost rows were made up.
    pub backfilled: u64,
    /// What the calls behind it cost, in dollars.
    pub dollars: f64,
}

/// Calls and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallsReport {
    /// Attempts that were sent.
    pub attempts: u64,
    /// Answers that were received whole.
    pub answers: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts in flight when a process died: possibly billed without an answer.
    pub lost: u64,
    /// Dollars for answers, exactly.
    pub billed: f64,
    /// Dollars that attempts without an answer may have cost, at most.
    pub possibly_billed: f64,
    /// Answers that this run found in the store.
    pub from_store: u64,
    /// The part of the slots that was busy while calls were waiting, in this run.
    pub slots_busy: f64,
}

/// What a role's model was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleReport {
    /// The role.
    pub role: String,
    /// The model.
    pub model: String,
    /// Answers.
    pub answers: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Dollars.
    pub dollars: f64,
}

/// Writes the report.
pub(super) fn write(
    experiment: &Experiment,
    jobs: &[Job],
    client: &Client,
    ledger: &Ledger,
    ended: &WriteEnd,
) -> Result<()> {
    let spent = ledger.spent().map_err(|error| client::store(&error))?;
    let roles = ledger.spent_by_role(None).map_err(|error| client::store(&error))?;
    let counters = client.counters();
    let busy = match counters.open_slot_seconds {
        open if open > 0.0 => counters.busy_slot_seconds / open,
        _ => 0.0,
    };
    let (name, reason) = match ended {
        WriteEnd::Complete => ("complete", None),
        WriteEnd::Stopped(reason) => ("stopped", Some(reason.clone())),
        WriteEnd::Interrupted => ("interrupted", None),
    };
    let report = WritingReport {
        ended: name,
        reason,
        corpora: jobs.iter().flat_map(corpora).collect(),
        calls: CallsReport {
            attempts: spent.attempts,
            answers: spent.answers,
            failed: spent.failed,
            lost: spent.lost,
            billed: spent.billed.dollars(),
            possibly_billed: spent.possibly.dollars(),
            from_store: counters.from_store,
            slots_busy: busy,
        },
        roles: roles
            .into_iter()
            .map(|role| RoleReport {
                role: role.role,
                model: role.model,
                answers: role.spending.answers,
                input_tokens: role.spending.tokens.input,
                output_tokens: role.spending.tokens.output,
                dollars: role.spending.billed.dollars(),
            })
            .collect(),
    };
    store::write_json(experiment.paths().writing(), &report)?;
    Ok(())
}

fn corpora(job: &Job) -> Vec<CorpusReport> {
    (0..job.names.len())
        .map(|index| {
            let tally = job.tallies.get(index).cloned().unwrap_or_default();
            CorpusReport {
                name: job.names[index].clone(),
                id: job.ids[index].clone(),
                folder: job.folders.get(index).cloned(),
                asked: tally.asked,
                kept: tally.kept,
                dropped: tally.dropped,
                rewritten: tally.rewritten,
                backfilled: tally.backfilled,
                dollars: tally.cost.dollars(),
            }
        })
        .collect()
}

/// How far the writing is, from what is in the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WritingStatus {
    /// Every corpus.
    pub corpora: Vec<CorpusStatus>,
    /// Answers that were received whole, of all runs.
    pub answers: u64,
    /// Dollars for them.
    pub billed: f64,
    /// Dollars that attempts without an answer may have cost, at most.
    pub possibly_billed: f64,
}

/// How far a corpus is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorpusStatus {
    /// `why:main`.
    pub name: String,
    /// Rows wanted.
    pub wanted: u64,
    /// Rows kept so far.
    pub kept: u64,
    /// Rows dropped so far.
    pub dropped: u64,
    /// Whether it is finished.
    pub done: bool,
}

/// Looks into the store. Writes nothing.
///
/// # Errors
/// When the inputs or the store cannot be read.
pub fn status(experiment: &Experiment) -> Result<WritingStatus> {
    let path = experiment.paths().store();
    let ledger = match path.is_file() {
        true => Some(Ledger::open_to_read(&path).map_err(|error| client::store(&error))?),
        false => None,
    };
    let library = Library::new(experiment, &experiment.paths());
    let mut corpora = Vec::new();
    for mut job in jobs::jobs(experiment)? {
        let done = job.is_written(&library)?;
        for (name, id) in job.names.iter().zip(&job.ids) {
            let (kept, dropped) = match &ledger {
                Some(ledger) => ledger.count_items(id).map_err(|error| client::store(&error))?,
                None => (0, 0),
            };
            corpora.push(CorpusStatus { name: name.clone(), wanted: job.wanted(), kept, dropped, done });
        }
    }
    let spent = ledger.map(|ledger| ledger.spent()).transpose().map_err(|error| client::store(&error))?;
    let spent = spent.unwrap_or_default();
    Ok(WritingStatus {
        corpora,
        answers: spent.answers,
        billed: spent.billed.dollars(),
        possibly_billed: spent.possibly.dollars(),
    })
}
