//! What writing would take, before anything is sent: rows, calls, tokens, dollars, hours.

use std::time::Duration;

use ledger::Dollars;
use llm::{Role, tokens_in};
use serde::Serialize;
use writing::Estimate;

use super::jobs::{self, Job, Work};
use crate::error::Result;
use crate::library::Library;
use crate::validate::Experiment;

/// The plan of what models are to write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WritingPlan {
    /// Every corpus, or set of mirrored ones.
    pub corpora: Vec<PlannedWriting>,
    /// By role, for all corpora that are not there.
    pub roles: Vec<PlannedRole>,
    /// What that would cost, in dollars, at the prices of the file.
    pub dollars: f64,
    /// How long it would take, in seconds, as far as it can be known: with all slots busy and calls of a usual length.
    pub seconds: f64,
    /// What the estimate rests on.
    pub basis: &'static str,
}

/// A corpus to be written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedWriting {
    /// `why:main`.
    pub name: String,
    /// `documents`, `chats` or `instructions`.
    pub kind: &'static str,
    /// The specs that it is written from.
    pub specs: Vec<String>,
    /// Rows, if all are kept.
    pub rows: u64,
    /// Tokens of those rows, about.
    pub tokens: u64,
    /// Calls.
    pub calls: u64,
    /// What it would cost, in dollars.
    pub dollars: f64,
    /// Whether it is there already.
    pub done: bool,
}

/// What one role's model is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRole {
    /// `planner`, `writer`, `critic`.
    pub role: &'static str,
    /// Its model.
    pub model: String,
    /// Calls.
    pub calls: u64,
    /// Tokens read, about.
    pub input_tokens: u64,
    /// Tokens written, about.
    pub output_tokens: u64,
    /// What that would cost, in dollars.
    pub dollars: f64,
}

/// Output tokens a second of one call, about: what providers' models of today write.
const TOKENS_PER_SECOND: f64 = 60.0;
/// Seconds until a call's first token, about.
const FIRST_TOKEN: f64 = 1.0;

/// Plans the writing of an experiment; `None` if no model writes anything.
///
/// # Errors
/// When prompts or specs cannot be used.
pub fn plan(experiment: &Experiment) -> Result<Option<WritingPlan>> {
    let Some(writer) = experiment.writer.as_ref().filter(|_| experiment.corpora.from_writer()) else {
        return Ok(None);
    };
    let library = Library::new(experiment, &experiment.paths());
    let mut total = Estimate::default();
    let mut corpora = Vec::new();
    let price = |estimate: &Estimate| -> Dollars {
        let one = |(role, sum): (&Role, &writing::RoleEstimate)| {
            writer.model(*role).model.estimate(sum.input, sum.output)
        };
        estimate.roles.iter().map(one).sum()
    };
    for mut job in jobs::jobs(experiment)? {
        let done = job.is_written(&library)?;
        let estimate = estimate(&job);
        if !done {
            for (role, sum) in &estimate.roles {
                let all = total.roles.entry(*role).or_default();
                all.calls += sum.calls;
                all.input += sum.input;
                all.output += sum.output;
            }
        }
        let written = estimate.roles.get(&Role::Writer).map_or(0, |sum| sum.output / sum.calls.max(1));
        corpora.push(PlannedWriting {
            name: job.name.clone(),
            kind: crate::corpora::kind_name(job.kind),
            specs: job.sources.iter().map(|source| source.name.clone()).collect(),
            rows: estimate.rows,
            tokens: estimate.rows * written,
            calls: estimate.roles.values().map(|sum| sum.calls).sum(),
            dollars: price(&estimate).dollars(),
            done,
        });
    }
    let roles = total.roles.iter().map(|(role, sum)| PlannedRole {
        role: role.name(),
        model: writer.model(*role).model.name.clone(),
        calls: sum.calls,
        input_tokens: sum.input,
        output_tokens: sum.output,
        dollars: writer.model(*role).model.estimate(sum.input, sum.output).dollars(),
    });
    let busy: f64 = total
        .roles
        .values()
        .map(|sum| sum.calls as f64 * FIRST_TOKEN + sum.output as f64 / TOKENS_PER_SECOND)
        .sum();
    Ok(Some(WritingPlan {
        corpora,
        roles: roles.collect(),
        dollars: price(&total).dollars(),
        seconds: busy / writer.concurrency as f64,
        basis: "a token is a quarter of a text's bytes, one answer in seven is written again, a call takes a second and a \
                sixtieth for every token it writes; the pilot will tell better",
    }))
}

fn estimate(job: &Job) -> Estimate {
    match &job.work {
        Work::Documents(request) => writing::documents::estimate(request),
        Work::Chats(chats) => {
            writing::chats::estimate(&chats.settings, &chats.source, chats.preferences.len())
        }
        Work::Instructions(mix) => {
            let mut sum = Estimate { rows: mix.settings.identity_rows as u64, ..Estimate::default() };
            if let (Some(source), Some(file)) = (&mix.source, &mix.file) {
                // How many rows a file has is known only when it is read; a row of usual length is a kilobyte.
                let rows = std::fs::metadata(file).map_or(0, |meta| meta.len() / 1_000);
                let shown = tokens_in(&source.text).min(12_000);
                sum.rows += rows;
                sum.add(Role::Critic, rows, shown + 300, 60);
            }
            sum
        }
    }
}

impl WritingPlan {
    /// How long it would take.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
