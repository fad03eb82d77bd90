//! Running an experiment: what is missing is done, what is there is kept.
//!
//! A killed run leaves complete stages and logs, checkpoints of stages under way, and nothing that looks
//! finished and is not: stage folders and logs appear whole or not at all. The next run goes on from there.

mod evaluate;
mod pool;
mod stage;
mod torch_stage;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use miette::Diagnostic;
use store::RunLock;

use crate::error::Result;
use crate::paths::Paths;
use crate::prepare::{Prepared, prepare};
use crate::progress::{Event, Progress};
use crate::record::RunRecord;
use crate::validate::Experiment;
use crate::write::{self, WriteEnd, WriteOptions};
use crate::{assemble, notes};
use pool::{Job, Outcome};

/// How to run.
pub struct Options<'a> {
    /// Threads to use; results do not depend on it.
    pub threads: usize,
    /// Set to stop after the current steps, with checkpoints.
    pub interrupt: &'a AtomicBool,
    /// Watches.
    pub progress: &'a dyn Progress,
    /// The most that writers of corpora may ever cost.
    pub max_cost: Option<ledger::Dollars>,
    /// The time that logs say they were made at, as `2026-11-23T18:00:00+00:00`.
    pub created: String,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Stages trained by this run.
    pub stages: usize,
    /// Evaluations made by this run.
    pub evals: usize,
    /// What all runs together left behind; `None` if this one was interrupted.
    pub record: Option<RunRecord>,
    /// Keeps other processes out of `runs/` until the report is written too.
    pub lock: RunLock,
}

impl Ran {
    /// Whether this run did anything.
    pub fn changed(&self) -> bool {
        self.stages + self.evals > 0
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every stage and every evaluation is there.
    Complete,
    /// Some are not; the record says which and why.
    Failed,
    /// It was asked to stop.
    Interrupted,
    /// A budget or a gate stopped it; the text says which and what to do.
    Stopped(String),
    /// Corpora were written, and nothing is to be trained on them.
    Written,
}

/// Runs what is missing, and writes `runs/record.json`.
///
/// # Errors
/// Before anything is trained: when another process is at work in the folder, or the inputs cannot be used.
/// A stage that fails later is no error here but a failure in the record.
pub fn run(experiment: &Experiment, options: &Options) -> Result<Ran> {
    // Everything that can be wrong with the inputs is found before anything is written. What a model is to write is not
    // there yet: then the stages are prepared when it is.
    let paths = experiment.paths();
    let (lock, mut prepared) = match experiment.corpora.from_writer() {
        true => {
            let lock = lock(&paths)?;
            let ended = match write_corpora(experiment, options)? {
                WriteEnd::Interrupted => Some(Ended::Interrupted),
                WriteEnd::Stopped(reason) => Some(Ended::Stopped(reason)),
                WriteEnd::Complete if !experiment.trains => Some(Ended::Written),
                WriteEnd::Complete => None,
            };
            if let Some(ended) = ended {
                return Ok(Ran { ended, stages: 0, evals: 0, record: None, lock });
            }
            (lock, prepare(experiment)?)
        }
        false => {
            let prepared = prepare(experiment)?;
            (lock(&paths)?, prepared)
        }
    };
    prepared.refresh()?;
    torch_stage::check(&prepared)?;
    prepared.write_corpora()?;
    if let WriteEnd::Stopped(reason) = write::gate_own(experiment, options.progress)? {
        return Ok(Ran { ended: Ended::Stopped(reason), stages: 0, evals: 0, record: None, lock });
    }
    let stages_left = prepared.stages.iter().filter(|stage| stage.manifest.is_none()).count();
    let evals_left = prepared.evals.iter().filter(|eval| !eval.done).count();
    let (failures, stopped) = if stages_left + evals_left > 0 {
        options.progress.event(Event::Planned {
            stages: prepared.stages.len(),
            stages_left,
            evals: prepared.evals.len(),
            evals_left,
            steps_left: prepared.steps_left(),
        });
        notes::warnings(&prepared).iter().for_each(|warning| options.progress.event(Event::Warning(warning)));
        work(&prepared, options)
    } else {
        (Failures::default(), false)
    };
    if stopped {
        return Ok(Ran { ended: Ended::Interrupted, stages: 0, evals: 0, record: None, lock });
    }
    let record = assemble::record(&prepared, &failures)?;
    assemble::write(&paths, &record)?;
    let failed = failures.stages.len() + failures.evals.len();
    Ok(Ran {
        ended: if failed > 0 { Ended::Failed } else { Ended::Complete },
        stages: stages_left - failures.stages.len(),
        evals: evals_left - failures.evals.len(),
        record: Some(record),
        lock,
    })
}

fn write_corpora(experiment: &Experiment, options: &Options) -> Result<WriteEnd> {
    write::run(
        experiment,
        &WriteOptions {
            max_cost: options.max_cost,
            interrupt: options.interrupt,
            progress: options.progress,
        },
    )
}

/// What failed, and why.
#[derive(Debug, Default)]
pub struct Failures {
    /// By stage, as an index into the graph.
    pub stages: BTreeMap<usize, String>,
    /// By evaluation, as an index.
    pub evals: BTreeMap<usize, String>,
}

/// Trains and evaluates what is missing; says what failed and whether it was stopped.
fn work(prepared: &Prepared, options: &Options) -> (Failures, bool) {
    let stages: Vec<usize> =
        (0..prepared.stages.len()).filter(|i| prepared.stages[*i].manifest.is_none()).collect();
    let evals: Vec<usize> = (0..prepared.evals.len()).filter(|i| !prepared.evals[*i].done).collect();
    let job_of = |stage: Option<usize>| stage.and_then(|stage| stages.binary_search(&stage).ok());
    let mut jobs: Vec<Job> = Vec::new();
    for &stage in &stages {
        let after = job_of(prepared.graph.stages[stage].parent).into_iter().collect();
        jobs.push(Job { after, work: prepared.stages[stage].plan.tokens });
    }
    for &eval in &evals {
        jobs.push(Job { after: job_of(prepared.evals[eval].stage).into_iter().collect(), work: 1 });
    }
    let stop = || options.interrupt.load(Ordering::SeqCst);
    let outcomes = pool::run(&jobs, options.threads, &stop, &|job, threads| {
        let (label, result) = match stages.get(job) {
            Some(&stage) => {
                (prepared.graph.stages[stage].label.clone(), stage::train(prepared, stage, threads, options))
            }
            None => {
                let evaluation = &prepared.evals[evals[job - stages.len()]];
                let result = evaluate::evaluate(prepared, evaluation, threads, options).map(|()| true);
                options.progress.event(Event::Evaluated);
                (evaluate::label(prepared, evaluation), result)
            }
        };
        match result {
            Ok(true) => Outcome::Done,
            Ok(false) => Outcome::Stopped,
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                let reason = format!("{error}{help}");
                options.progress.event(Event::Failed { label: &label, reason: &reason });
                Outcome::Failed(reason)
            }
        }
    });
    let mut failures = Failures::default();
    let mut stopped = false;
    for (job, outcome) in outcomes.into_iter().enumerate() {
        match (outcome, stages.get(job)) {
            (Outcome::Done, _) => {}
            (Outcome::Stopped, _) => stopped = true,
            (Outcome::Failed(reason), Some(&stage)) => {
                failures.stages.insert(stage, reason);
            }
            (Outcome::Failed(reason), None) => {
                failures.evals.insert(evals[job - stages.len()], reason);
            }
        }
    }
    (failures, stopped)
}

/// Takes the right to write into `runs/`, and removes what killed processes left unfinished there: hidden
/// leftovers, and checkpoints of stages that were finished since.
///
/// # Errors
/// When another process is at work there (the error names it), or nothing can be written there.
pub fn lock(paths: &Paths) -> Result<RunLock> {
    let lock = RunLock::acquire(paths.runs())?;
    for dir in paths.written() {
        store::remove_leftovers(&dir)?;
    }
    for (work, stage) in paths.work_and_stages() {
        if store::read_done(&stage)?.is_some() {
            store::remove(&work)?;
        }
    }
    Ok(lock)
}
