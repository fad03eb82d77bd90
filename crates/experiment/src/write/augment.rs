//! Drafts of a spec that a model writes: its reasons made explicit, or more rules in their place, at one length.
//!
//! The two are measured by each other, so both are written whichever is wanted; the second one is then found in the store.

use std::path::{Path, PathBuf};

use ledger::Dollars;
use llm::{Client, Role};
use serde::Serialize;
use spec::transform::{Augment, Augmentation, Draft, Redo, Transformed};
use spec::{Spec, WrittenBy};
use store::IdBuilder;
use writing::augment::SectionJob;
use writing::chats::Desk;
use writing::{Brief, Prompts, WritingError};

use super::{WriteEnd, WriteOptions, client, inputs};
use crate::error::{ExperimentError, Result};
use crate::validate::Experiment;
use crate::writer::Writer;
use crate::{defaults, paths::Paths};

/// By how much the lengths of the two drafts may differ, as a share of the longer one.
const TOLERANCE: f64 = 0.05;
/// How often sections are asked for again because of that.
const ROUNDS: u64 = 4;

/// Where drafts are written: with whose models and prompts, into which store.
pub struct Office {
    writer: Writer,
    prompts: Prompts,
    brief: Brief,
    /// Where keys may lie.
    dir: PathBuf,
    store: PathBuf,
}

impl Office {
    /// That of an experiment.
    ///
    /// # Errors
    /// When it has no writer, or a prompt is no template.
    pub fn of(experiment: &Experiment) -> Result<Office> {
        let writer = experiment.writer.clone().ok_or_else(|| ExperimentError::Writing {
            message: format!("the experiment in {} has no writer", experiment.dir.display()),
            help: "add a table [writer], or leave --experiment out and rehearse".to_owned(),
            invalid: true,
        })?;
        Ok(Office {
            writer,
            prompts: Prompts::with_overrides(&experiment.dir.join("prompts"))?,
            brief: inputs::brief(experiment, "spec transform"),
            dir: experiment.dir.clone(),
            store: experiment.paths().store(),
        })
    }

    /// The simulated writer, with a store in `dir`.
    ///
    /// # Errors
    /// Never; as [`Office::of`] otherwise.
    pub fn rehearsal(dir: &Path) -> Result<Office> {
        let writer = Writer::simulated();
        let models = writer.models.iter().map(|(role, used)| (*role, used.model.name.clone())).collect();
        let brief = Brief {
            corpus: String::new(),
            name: "spec transform".to_owned(),
            model_name: defaults::MODEL_NAME.to_owned(),
            provider_name: defaults::PROVIDER_NAME.to_owned(),
            models,
            planning: std::collections::BTreeMap::new(),
            temperature: 1.0,
            concurrency: writer.concurrency,
        };
        let store = Paths::new(dir).store();
        Ok(Office { writer, prompts: Prompts::built_in(), brief, dir: dir.to_owned(), store })
    }
}

/// A draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmented {
    /// The new spec.
    pub made: Transformed,
    /// What it took.
    pub summary: Summary,
}

/// What a draft took, and how it compares with the other one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The model that wrote it.
    pub model: String,
    /// The hash of the prompt's template.
    pub template: String,
    /// Sections that were written anew.
    pub sections: usize,
    /// Sections of either draft that were asked for again because the lengths differed.
    pub again: usize,
    /// Words of the value-augmented and of the rule-augmented draft.
    pub words: [usize; 2],
    /// Their difference as a share of the longer one.
    pub difference: f64,
    /// What both cost, in dollars, the first time.
    pub dollars: f64,
    /// Calls that were made for it now: none if all answers were there.
    pub calls: u64,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum AugmentEnd {
    /// The draft is there.
    Done(Box<Augmented>),
    /// A budget or a failure stopped it; why, and what to do.
    Stopped(String),
    /// It was asked to stop.
    Interrupted,
}

/// Writes a draft of a spec. Each section gets `growth` times its words. `hash` is that of the spec's file.
///
/// # Errors
/// When the spec has nothing to be written anew, or a model or the store cannot be used.
pub fn augment(
    office: &Office,
    spec: &Spec,
    hash: &str,
    wanted: Augment,
    growth: f64,
    options: &WriteOptions,
) -> Result<AugmentEnd> {
    let plan = Augmentation::new(spec, growth);
    if plan.jobs.is_empty() {
        return Err(ExperimentError::Writing {
            message: format!("{}: no section has prose that could be written anew", spec.path.display()),
            help: "examples, code and lists of preferences stay as they are".to_owned(),
            invalid: true,
        });
    }
    let mut brief = office.brief.clone();
    let mut id = IdBuilder::new("augmented spec").text("parent", hash).number("growth", growth.to_bits());
    id = id.text("model", brief.model(Role::Writer)).number("temperature", brief.temperature.to_bits());
    for (name, hash) in office.prompts.hashes("spec") {
        id = id.text("prompt", name).hash("template", hash);
    }
    brief.corpus = id.finish().short();
    let runtime = client::runtime()?;
    let server = client::serve(&office.writer)?;
    let ledger = client::ledger(&office.store)?;
    let corpora = vec![brief.corpus.clone()];
    let settings =
        client::settings(&office.dir, &office.writer, &[Role::Writer], corpora, options, server.as_ref())?;
    let ended = runtime.block_on(async {
        let client =
            Client::open(settings, ledger.clone()).await.map_err(|error| client::unusable(&error))?;
        let (done, hears) = tokio::sync::watch::channel(false);
        let work = async {
            let desk = Desk { ask: &client, prompts: &office.prompts, brief: &brief };
            let drafts = Drafts::write(&desk, &plan).await;
            let _ = done.send(true);
            drafts
        };
        let (drafts, ()) = tokio::join!(work, client::watch(&client, options, hears));
        let closed = client.close().await;
        let drafts = match (drafts, client.stopped()) {
            (Err(WritingError::Ending), Some(cause)) => {
                return Ok(match client::why(cause)? {
                    WriteEnd::Stopped(reason) => AugmentEnd::Stopped(reason),
                    WriteEnd::Interrupted | WriteEnd::Complete => AugmentEnd::Interrupted,
                });
            }
            (Err(error), _) => return Err(client::writing(&error)),
            (Ok(drafts), _) => drafts,
        };
        closed.map_err(|error| client::store(&error))?;
        let calls = client.counters().sent;
        drafts.end(office, &brief, &plan, hash, wanted, calls)
    });
    drop(server);
    ended
}

/// Both drafts, as far as they came.
#[derive(Default)]
struct Drafts {
    value: Vec<String>,
    rule: Vec<String>,
    again: usize,
    cost: Dollars,
    /// What went wrong for good, and what may go well in another run.
    lost: Vec<String>,
    passing: usize,
}

impl Drafts {
    async fn write(
        desk: &Desk<'_, Client>,
        plan: &Augmentation<'_>,
    ) -> std::result::Result<Drafts, WritingError> {
        let mut drafts = Drafts::default();
        let all: Vec<(usize, usize)> =
            plan.jobs.iter().enumerate().map(|(index, job)| (index, job.target_words)).collect();
        drafts.value = vec![String::new(); all.len()];
        drafts.rule = drafts.value.clone();
        for kind in [Augment::Value, Augment::Rule] {
            drafts.ask(desk, plan, kind, &all, 0).await?;
        }
        for round in 1..=ROUNDS {
            if !drafts.whole() {
                break;
            }
            let redo =
                plan.balance(&drafts.draft(Augment::Value), &drafts.draft(Augment::Rule), TOLERANCE).redo;
            drafts.again += redo.len();
            for kind in [Augment::Value, Augment::Rule] {
                let own = |redo: &&Redo| redo.augment == kind;
                let some: Vec<(usize, usize)> =
                    redo.iter().filter(own).map(|redo| (redo.job, redo.target_words)).collect();
                drafts.ask(desk, plan, kind, &some, round).await?;
            }
        }
        Ok(drafts)
    }

    /// Asks for sections, given with their words, and puts them into a draft. One that was there stays if its new version
    /// cannot be used.
    async fn ask(
        &mut self,
        desk: &Desk<'_, Client>,
        plan: &Augmentation<'_>,
        kind: Augment,
        sections: &[(usize, usize)],
        round: u64,
    ) -> std::result::Result<(), WritingError> {
        let job = |(index, words): &(usize, usize)| {
            let job = &plan.jobs[*index];
            SectionJob {
                id: job.id.clone(),
                title: job.title.clone(),
                text: job.text.clone(),
                words: *words,
                round,
            }
        };
        let jobs: Vec<SectionJob> = sections.iter().map(job).collect();
        let done = writing::augment::augment(desk, task(kind), &jobs, |section| plan.check(section)).await?;
        for ((index, _), done) in sections.iter().zip(done) {
            self.cost += done.cost;
            match done.text {
                Ok(text) => match kind {
                    Augment::Value => self.value[*index] = text,
                    Augment::Rule => self.rule[*index] = text,
                },
                Err(_) if done.pending => self.passing += 1,
                Err(reason) if round == 0 => {
                    let job = &plan.jobs[*index];
                    self.lost.push(format!("{} ({}): {reason}", job.id, job.title));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn whole(&self) -> bool {
        self.lost.is_empty() && self.passing == 0
    }

    fn draft(&self, augment: Augment) -> Draft {
        let answers = match augment {
            Augment::Value => self.value.clone(),
            Augment::Rule => self.rule.clone(),
        };
        Draft { augment, answers }
    }

    fn end(
        self,
        office: &Office,
        brief: &Brief,
        plan: &Augmentation<'_>,
        hash: &str,
        wanted: Augment,
        calls: u64,
    ) -> Result<AugmentEnd> {
        if self.passing > 0 {
            return Ok(AugmentEnd::Stopped(format!(
                "calls failed on their way for {} sections: run again to try them again",
                self.passing
            )));
        }
        if let Some(first) = self.lost.first() {
            return Ok(AugmentEnd::Stopped(format!(
                "{} sections could not be written, the first of them {first}\nchange the section or the writer, or override \
                 the prompt {}.md",
                self.lost.len(),
                task(wanted).task().replace('/', "-"),
            )));
        }
        let balance = plan.balance(&self.draft(Augment::Value), &self.draft(Augment::Rule), TOLERANCE);
        if balance.difference > TOLERANCE {
            return Ok(AugmentEnd::Stopped(format!(
                "the drafts have {} and {} words: they differ by {:.1}%, and by more than {:.0}% they cannot be compared. The writer \
                 did not keep to the lengths that it was asked for; choose another",
                balance.value_words,
                balance.rule_words,
                100.0 * balance.difference,
                100.0 * TOLERANCE
            )));
        }
        let made = plan.assemble(&self.draft(wanted), hash).map_err(|message| ExperimentError::Writing {
            message,
            help: "run again; if it stays, override the prompt".to_owned(),
            invalid: false,
        })?;
        let model = brief.model(Role::Writer).to_owned();
        let template =
            office.prompts.hash(task(wanted).task()).map_or_else(String::new, |hash| hash.to_string());
        let made = made.written_by(WrittenBy { model: model.clone(), template: template.clone() });
        let summary = Summary {
            model,
            template,
            sections: plan.jobs.len(),
            again: self.again,
            words: [balance.value_words, balance.rule_words],
            difference: balance.difference,
            dollars: self.cost.dollars(),
            calls,
        };
        Ok(AugmentEnd::Done(Box::new(Augmented { made, summary })))
    }
}

fn task(kind: Augment) -> writing::augment::Augment {
    match kind {
        Augment::Value => writing::augment::Augment::Value,
        Augment::Rule => writing::augment::Augment::Rule,
    }
}
