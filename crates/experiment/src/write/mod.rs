//! Corpora that a model writes, before anything is trained: a probe of a few rows, a pilot, the rest; then every corpus is
//! exported and audited, and gates decide whether the run goes on.
//!
//! All of it is done anew in every run, and every call that was answered before is answered from the store: so a run that
//! was stopped, killed or broken off goes on where it was, and ends with the same bytes.

mod audits;
mod augment;
mod client;
mod estimate;
mod export;
mod inputs;
mod jobs;
mod own;
mod report;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ledger::{Dollars, Ledger};
use llm::{Client, Role};
use writing::{Scope, Tally, WritingError};

pub use audits::{Findings as AuditFindings, audit_written};
pub use augment::{AugmentEnd, Augmented, Office, augment};
pub use estimate::{WritingPlan, plan};
pub use jobs::ids;
pub use own::gate as gate_own;
pub use report::{CorpusReport, WritingReport, WritingStatus, status};

use crate::error::Result;
use crate::library::Library;
use crate::progress::{Event, Progress};
use crate::validate::Experiment;
use jobs::{Job, Work};

/// How to write.
pub struct WriteOptions<'a> {
    /// The most that this experiment may ever spend on writers.
    pub max_cost: Option<Dollars>,
    /// Set to stop.
    pub interrupt: &'a AtomicBool,
    /// Watches.
    pub progress: &'a dyn Progress,
}

/// How writing ended.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteEnd {
    /// Every corpus is there and passed its gates.
    Complete,
    /// A budget or a gate stopped it; why, and what to do.
    Stopped(String),
    /// It was asked to stop.
    Interrupted,
}

/// Whether corpora are missing that a model is to write.
///
/// # Errors
/// When a folder cannot be read.
pub fn missing(experiment: &Experiment) -> Result<bool> {
    if !experiment.corpora.from_writer() {
        return Ok(false);
    }
    let library = Library::new(experiment, &experiment.paths());
    for key in ids(experiment).keys() {
        if !library.is_written(key)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes what is missing. The caller holds the lock of `runs/`.
///
/// # Errors
/// When the inputs, a model or the store cannot be used.
pub fn run(experiment: &Experiment, options: &WriteOptions) -> Result<WriteEnd> {
    let Some(writer) = &experiment.writer else { return Ok(WriteEnd::Complete) };
    let library = Library::new(experiment, &experiment.paths());
    let mut jobs = jobs::jobs(experiment)?;
    for job in &mut jobs {
        job.done = job.is_written(&library)?;
    }
    let runtime = client::runtime()?;
    let all_done = jobs.iter().all(|job| job.done);
    if all_done {
        // Nothing to ask anybody: gates are applied again, for they may have changed.
        return audits::gate(experiment, &jobs, options.progress);
    }
    // The server of a rehearsal lives as long as the run.
    let server = client::serve(writer)?;
    let ledger = client::ledger(&experiment.paths().store())?;
    let roles = [Role::Planner, Role::Writer, Role::Critic];
    let corpora = jobs.iter().flat_map(|job| job.ids.clone()).collect();
    let settings = client::settings(&experiment.dir, writer, &roles, corpora, options, server.as_ref())?;
    let ended = runtime.block_on(async {
        let client =
            Client::open(settings, ledger.clone()).await.map_err(|error| client::unusable(&error))?;
        let session = Session {
            experiment,
            options,
            client: Arc::new(client),
            ledger: Arc::new(ledger),
            library: &library,
        };
        session.run(&mut jobs).await
    });
    drop(server);
    ended
}

/// A run with its client and store.
struct Session<'a> {
    experiment: &'a Experiment,
    options: &'a WriteOptions<'a>,
    client: Arc<Client>,
    ledger: Arc<Ledger>,
    library: &'a Library<'a>,
}

/// A part of the work, after which yields are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Phase {
    name: &'static str,
    scope: Scope,
}

impl Session<'_> {
    async fn run(&self, jobs: &mut [Job]) -> Result<WriteEnd> {
        let (done, hears) = tokio::sync::watch::channel(false);
        let watching = client::watch(&self.client, self.options, hears);
        let work = async {
            let ended = self.phases(jobs).await;
            let _ = done.send(true);
            ended
        };
        let (ended, ()) = tokio::join!(work, watching);
        let closed = self.client.close().await;
        let ended = match (ended, self.client.stopped()) {
            (Err(WritingError::Ending), Some(cause)) => client::why(cause)?,
            (Err(error), _) => return Err(client::writing(&error)),
            (Ok(ended), _) => ended,
        };
        closed.map_err(|error| client::store(&error))?;
        report::write(self.experiment, jobs, &self.client, &self.ledger, &ended)?;
        Ok(ended)
    }

    async fn phases(&self, jobs: &mut [Job]) -> std::result::Result<WriteEnd, WritingError> {
        let writer = self.experiment.writer.as_ref();
        let (probe, pilot) = writer.map_or((0, 0.0), |writer| (writer.probe, writer.pilot));
        let phases = [
            Phase { name: "probe", scope: Scope::Probe(probe) },
            Phase { name: "pilot", scope: Scope::Pilot(pilot) },
            Phase { name: "full", scope: Scope::Full },
        ];
        for phase in phases {
            for job in jobs.iter_mut().filter(|job| !job.done) {
                let wanted = phase.scope.rows(job.wanted());
                // A phase that asks for no more than the one before it would show nothing new.
                if phase.scope != Scope::Full && (wanted <= job.asked || wanted == job.wanted()) {
                    continue;
                }
                job.asked = wanted;
                self.note(&format!("{}: {}, {} rows", job.name, phase.name, wanted));
                let tallies = job.write(&self.client, &self.ledger, phase.scope, &self.counter()).await?;
                for (corpus, tally) in tallies.iter().enumerate() {
                    self.note(&format!("{}: {}", job.names[corpus], shown(tally)));
                    let reason = self.too_little(&job.names[corpus], phase, tally);
                    // Rows of a mix are filtered, not written: how many pass says nothing about a writer.
                    if let Some(reason) = reason.filter(|_| !matches!(job.work, Work::Instructions(_))) {
                        job.tallies = tallies;
                        return Ok(WriteEnd::Stopped(reason));
                    }
                }
                job.tallies = tallies;
            }
        }
        let mut passing = Vec::new();
        for job in jobs.iter_mut().filter(|job| !job.done) {
            let lost: u64 = job.tallies.iter().map(|tally| tally.passing).sum();
            if lost > 0 {
                passing.push(format!("{lost} of {}", job.name));
                continue;
            }
            job.export(self.experiment, self.library, &self.ledger, &self.counter())?;
            self.note(&format!("{}: exported to {}", job.name, job.folders.join(", ")));
        }
        if !passing.is_empty() {
            return Ok(WriteEnd::Stopped(format!(
                "calls failed on their way for {} rows, so these corpora are not exported: run again to try them again",
                passing.join(", ")
            )));
        }
        audits::gate(self.experiment, jobs, self.options.progress)
            .map_err(|error| WritingError::Input(error.to_string()))
    }

    /// The gate after a phase: whether too few of the rows were kept.
    fn too_little(&self, name: &str, phase: Phase, tally: &Tally) -> Option<String> {
        let least = self.experiment.gates.min_yield;
        let share = tally.yielded();
        if share >= least || tally.passing > 0 {
            return None;
        }
        let mut reasons: Vec<(&String, &u64)> = tally.dropped.iter().collect();
        reasons.sort_by_key(|(reason, rows)| (std::cmp::Reverse(**rows), (*reason).clone()));
        let reasons: Vec<String> =
            reasons.iter().take(5).map(|(reason, rows)| format!("\n  {rows}: {reason}")).collect();
        Some(format!(
            "{name}: only {:.0}% of the rows that were begun for the {} were kept, and `min_yield` is {:.0}%. Rows were dropped because:{}\nlook at \
             the answers in the store (table `calls`), change prompts or models, or lower `min_yield` under [gates]",
            100.0 * share,
            phase.name,
            100.0 * least,
            reasons.concat(),
        ))
    }

    /// How many tokens a text is: to the base, if there is one to train, else estimated.
    fn counter(&self) -> Counter {
        let base = self.experiment.counts_with_base().then(|| Arc::new(self.experiment.base.folder.clone()));
        Counter(base)
    }

    fn note(&self, text: &str) {
        self.options.progress.event(Event::Note(text));
    }
}

/// A tally in a line.
fn shown(tally: &Tally) -> String {
    let each = match tally.kept {
        0 => String::new(),
        kept => format!(", {} a kept row", Dollars::from_pico(tally.cost.pico() / kept)),
    };
    let passing = match tally.passing {
        0 => String::new(),
        rows => format!(", {rows} failed on their way"),
    };
    format!(
        "{} of {} rows kept ({:.0}%), {} written again, {}{each}{passing}",
        tally.kept,
        tally.asked,
        100.0 * tally.kept_share(),
        tally.rewritten,
        tally.cost,
    )
}

/// Counts tokens.
#[derive(Clone)]
pub(crate) struct Counter(Option<Arc<model::Folder>>);

impl Counter {
    /// Of a text. A text that the base cannot take is estimated: the corpus will say so when it is tokenised.
    fn text(&self, text: &str) -> u64 {
        let counted = self.0.as_ref().and_then(|folder| folder.document(text).ok());
        counted.map_or_else(|| llm::tokens_in(text), |example| example.tokens.len() as u64)
    }

    /// Of a row.
    fn row(&self, row: &corpus::Row) -> u64 {
        let counted = self.0.as_ref().and_then(|folder| corpus::count(row, folder).ok());
        counted.map_or_else(|| llm::tokens_in(&row.display()), |tokens| tokens as u64)
    }
}
