//! What there is to write: for every corpus that a model writes, or every set of mirrored ones, one job.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Ledger;
use llm::{Client, Role};
use spec::Spec;
use store::IdBuilder;
use writing::chats::{ChatSettings, Desk, Mode, Style, write_chats};
use writing::documents::{self, Shape};
use writing::instructions::{Conversation, Judge, MixSettings, import, mix};
use writing::{Brief, Prompts, Scope, Source, Tally, WritingError};

use super::Counter;
use super::client;
use crate::corpora::written::{Rows, SpecOf};
use crate::corpora::{CorpusDef, Origin, Writing};
use crate::error::{ExperimentError, Result};
use crate::graph::CorpusKey;
use crate::library::Library;
use crate::validate::Experiment;

/// A corpus to be written, or several mirrored ones.
pub(super) struct Job {
    /// `why:main`, or `why` for mirrored ones.
    pub name: String,
    /// The kind of its rows.
    pub kind: corpus::Kind,
    /// The corpora's keys.
    pub keys: Vec<CorpusKey>,
    /// Their names in full.
    pub names: Vec<String>,
    /// Their ids in the store.
    pub ids: Vec<String>,
    /// What to write.
    pub writing: Writing,
    /// The most tokens of each.
    pub tokens: Option<u64>,
    /// The specs, for what is exported and audited.
    pub sources: Vec<Source>,
    pub work: Work,
    /// Rows of the last phase.
    pub asked: u64,
    /// What the last phase came to, for each corpus.
    pub tallies: Vec<Tally>,
    /// Whether all of it is there.
    pub done: bool,
    /// Folders of the finished corpora.
    pub folders: Vec<String>,
}

/// How rows come about.
pub(super) enum Work {
    /// Documents.
    Documents(Arc<documents::Request>),
    /// Chats.
    Chats(Box<Chats>),
    /// Instructions.
    Instructions(Box<Instructions>),
}

/// A corpus of chats.
pub(super) struct Chats {
    pub brief: Brief,
    pub source: Source,
    pub preferences: Vec<spec::Preference>,
    pub settings: ChatSettings,
    pub prompts: Arc<Prompts>,
}

/// An instruction mix.
pub(super) struct Instructions {
    pub brief: Brief,
    /// The spec that rows must not contradict.
    pub source: Option<Source>,
    pub file: Option<std::path::PathBuf>,
    pub settings: MixSettings,
    pub prompts: Arc<Prompts>,
}

/// The ids of all corpora that a model writes: the hashes of all that determines them. A corpus whose inputs cannot be read has
/// none; [`jobs`] says why.
pub fn ids(experiment: &Experiment) -> BTreeMap<CorpusKey, String> {
    let jobs = jobs(experiment).unwrap_or_default();
    jobs.into_iter().flat_map(|job| job.keys.into_iter().zip(job.ids)).collect()
}

/// The jobs, in the order of the file's corpora by name.
///
/// # Errors
/// A prompt that is no template, a spec without text, mirrored specs with different outlines.
pub(super) fn jobs(experiment: &Experiment) -> Result<Vec<Job>> {
    if !experiment.corpora.from_writer() {
        return Ok(Vec::new());
    }
    let prompts = Prompts::with_overrides(&experiment.dir.join("prompts"))
        .map_err(|error| client::writing(&WritingError::Prompt(error)))?;
    let prompts = Arc::new(prompts);
    let mut jobs = Vec::new();
    for definition in experiment.corpora.all.values() {
        let Origin::Written(writing) = &definition.origin else { continue };
        let keys = keys(experiment, definition, writing);
        let groups: Vec<Vec<CorpusKey>> = match writing.mirrored() {
            true => vec![keys],
            false => keys.into_iter().map(|key| vec![key]).collect(),
        };
        for keys in groups {
            jobs.push(job(experiment, definition, writing, keys, &prompts)?);
        }
    }
    Ok(jobs)
}

fn keys(experiment: &Experiment, definition: &CorpusDef, writing: &Writing) -> Vec<CorpusKey> {
    let key = |spec: Option<&str>| CorpusKey {
        name: definition.name.clone(),
        spec: spec.map(str::to_owned),
        seed: None,
    };
    match writing.per_spec() {
        true => experiment.specs.iter().map(|spec| key(Some(&spec.name))).collect(),
        false => vec![key(None)],
    }
}

fn job(
    experiment: &Experiment,
    definition: &CorpusDef,
    writing: &Writing,
    keys: Vec<CorpusKey>,
    prompts: &Arc<Prompts>,
) -> Result<Job> {
    let specs: Vec<Option<&Spec>> = keys.iter().map(|key| spec_of(experiment, writing, key)).collect();
    let sources =
        specs.iter().flatten().map(|spec| source(experiment, writing, spec)).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = keys.iter().map(CorpusKey::written).collect();
    let briefs: Vec<Brief> = names.iter().map(|name| brief(experiment, name)).collect();
    let (work, ids) = match &writing.rows {
        Rows::Documents { domains, subdomains, assertions, types, ideas, words, rewrites, mirrored: _ } => {
            let shape = Shape {
                domains: *domains as usize,
                subdomains: *subdomains as usize,
                assertions: *assertions as usize,
                types: *types as usize,
                ideas: *ideas as usize,
                words: *words as usize,
                critic: writing.critic,
                rewrites: *rewrites as usize,
            };
            let imbalance = experiment.gates.audit.max_balance_tokens();
            let request = documents::Request::new(briefs, sources.clone(), shape, prompts.clone(), imbalance)
                .map_err(|message| client::writing(&WritingError::Input(message)))?;
            let ids = request.briefs.iter().map(|brief| brief.corpus.clone()).collect();
            (Work::Documents(Arc::new(request)), ids)
        }
        Rows::Answers { .. } | Rows::Preferences { .. } => {
            let chats = chats(experiment, writing, briefs, &sources, specs[0], prompts)?;
            let ids = vec![chats.brief.corpus.clone()];
            (Work::Chats(Box::new(chats)), ids)
        }
        Rows::Instructions { path, identity_rows, min_tokens, max_tokens, .. } => {
            let settings = MixSettings {
                tokens: definition.tokens,
                min_row_tokens: *min_tokens,
                max_row_tokens: *max_tokens,
                identity_rows: *identity_rows as usize,
                seed: 0,
            };
            let file = path.as_ref().map(|path| experiment.dir.join(path));
            let instructions = instructions(experiment, writing, briefs, &sources, file, settings, prompts)?;
            let ids = vec![instructions.brief.corpus.clone()];
            (Work::Instructions(Box::new(instructions)), ids)
        }
    };
    let name = if names.len() > 1 { definition.name.clone() } else { names[0].clone() };
    Ok(Job {
        name,
        kind: definition.kind,
        keys,
        names,
        ids,
        writing: writing.clone(),
        tokens: definition.tokens,
        sources,
        work,
        asked: 0,
        tallies: Vec::new(),
        done: false,
        folders: Vec::new(),
    })
}

/// The spec that a corpus is written from.
fn spec_of<'a>(experiment: &'a Experiment, writing: &Writing, key: &CorpusKey) -> Option<&'a Spec> {
    let named = |name: &str| experiment.specs.iter().find(|spec| spec.name == name).map(|entry| &entry.spec);
    match &writing.from {
        SpecOf::Each => named(key.spec.as_deref()?),
        SpecOf::Named(name) => named(name),
        SpecOf::Path(_) => experiment.own_specs.get(key),
        SpecOf::None => None,
    }
}

fn source(experiment: &Experiment, writing: &Writing, spec: &Spec) -> Result<Source> {
    let kind = writing.rules.map(|rules| if rules { spec::Kind::Rules } else { spec::Kind::Prose });
    Source::new(spec, &experiment.model_name, &experiment.provider_name, kind)
        .map_err(|message| client::writing(&WritingError::Input(message)))
}

/// What the calls of a corpus share; its id is put in later.
fn brief(experiment: &Experiment, name: &str) -> Brief {
    let writer = experiment.writer.as_ref();
    let used = |role: Role| writer.map(|writer| writer.model(role));
    let roles = [Role::Planner, Role::Writer, Role::Critic];
    Brief {
        corpus: String::new(),
        name: name.to_owned(),
        model_name: experiment.model_name.clone(),
        provider_name: experiment.provider_name.clone(),
        models: roles.iter().filter_map(|role| Some((*role, used(*role)?.model.name.clone()))).collect(),
        planning: roles.iter().filter_map(|role| Some((*role, used(*role)?.reasoning_tokens))).collect(),
        temperature: used(Role::Writer).map_or(1.0, |used| used.temperature),
        concurrency: writer.map_or(1, |writer| writer.concurrency),
    }
}

/// The id of a corpus that is not of documents.
fn id(
    brief: &Brief,
    writing: &Writing,
    source: Option<&Source>,
    prompts: &Prompts,
    family: &str,
) -> IdBuilder {
    let mut id = IdBuilder::new(family)
        .text("name", &brief.name)
        .text("model name", &brief.model_name)
        .text("provider name", &brief.provider_name)
        .text("settings", &serde_json::to_string(writing).unwrap_or_default())
        .number("temperature", brief.temperature.to_bits());
    if let Some(source) = source {
        id = id.hash("spec", source.hash).text("kind", source.kind.name());
    }
    for (role, model) in &brief.models {
        id = id.text("role", role.name()).text("model", model);
        id = id.number("planning", brief.planning.get(role).copied().unwrap_or(0).into());
    }
    for (name, hash) in prompts.hashes(family) {
        id = id.text("prompt", name).hash("template", hash);
    }
    id
}

fn chats(
    experiment: &Experiment,
    writing: &Writing,
    briefs: Vec<Brief>,
    sources: &[Source],
    spec: Option<&Spec>,
    prompts: &Arc<Prompts>,
) -> Result<Chats> {
    let input = |message: String| client::writing(&WritingError::Input(message));
    let source = sources.first().cloned().ok_or_else(|| input("chats need a spec".to_owned()))?;
    let (mode, rows, backfill) = match &writing.rows {
        Rows::Answers { rows, topics, rule_style, reasoning, backfill } => {
            let style = if *rule_style { Style::Rule } else { Style::Value };
            (Mode::Answers { topics: *topics as usize, style, reasoning: *reasoning }, *rows, *backfill)
        }
        Rows::Preferences { rows, preferences, backfill } => {
            (Mode::Preferences { count: *preferences as usize }, *rows, *backfill)
        }
        _ => return Err(input("not a corpus of chats".to_owned())),
    };
    let preferences = match (mode, spec) {
        (Mode::Preferences { .. }, Some(spec)) => spec.preferences()?,
        _ => Vec::new(),
    };
    let held_out = super::audits::held_out(experiment);
    let settings = ChatSettings {
        critic: writing.critic,
        backfill: backfill as usize,
        held_out,
        ..ChatSettings::new(mode, rows as usize)
    };
    let mut brief = briefs.into_iter().next().ok_or_else(|| input("a corpus without a name".to_owned()))?;
    let mut id = id(&brief, writing, Some(&source), prompts, "chats");
    for item in &settings.held_out {
        id = id.text("held out", item);
    }
    brief.corpus = id.finish().short();
    Ok(Chats { brief, source, preferences, settings, prompts: prompts.clone() })
}

#[allow(clippy::too_many_arguments)]
fn instructions(
    experiment: &Experiment,
    writing: &Writing,
    briefs: Vec<Brief>,
    sources: &[Source],
    file: Option<std::path::PathBuf>,
    settings: MixSettings,
    prompts: &Arc<Prompts>,
) -> Result<Instructions> {
    let input = |message: String| client::writing(&WritingError::Input(message));
    let mut brief = briefs.into_iter().next().ok_or_else(|| input("a corpus without a name".to_owned()))?;
    let mut id = id(&brief, writing, sources.first(), prompts, "instructions")
        .number("tokens", settings.tokens.unwrap_or_default());
    if experiment.counts_with_base() {
        id = id.hash("base", experiment.base.hash);
    }
    if let Some(file) = &file {
        id = id.hash("file", store::hash_file(file)?);
    }
    brief.corpus = id.finish().short();
    Ok(Instructions { brief, source: sources.first().cloned(), file, settings, prompts: prompts.clone() })
}

impl Job {
    /// Rows of each corpus if all are kept.
    pub fn wanted(&self) -> u64 {
        match &self.work {
            Work::Documents(request) => request.shape.documents(),
            Work::Chats(chats) => chats.settings.rows as u64,
            // A mix is made whole: it is filtered, not written.
            Work::Instructions(_) => 1,
        }
    }

    /// Whether all its corpora are on the disk.
    pub fn is_written(&mut self, library: &Library) -> Result<bool> {
        let mut folders = Vec::new();
        for key in &self.keys {
            match library.folder_of(key)? {
                Some(folder) => folders.push(folder),
                None => return Ok(false),
            }
        }
        self.folders = folders;
        Ok(true)
    }

    /// Writes a scope of it.
    pub async fn write(
        &self,
        client: &Arc<Client>,
        ledger: &Arc<Ledger>,
        scope: Scope,
        counter: &Counter,
    ) -> std::result::Result<Vec<Tally>, WritingError> {
        match &self.work {
            Work::Documents(request) => {
                let counter = counter.clone();
                let count: Arc<dyn Fn(&str) -> u64 + Send + Sync> = Arc::new(move |text| counter.text(text));
                let mut written = documents::write(client, ledger, request, scope, &count).await?;
                if scope == Scope::Full {
                    documents::balance(ledger.as_ref(), request, &mut written).await?;
                }
                Ok(written.tallies)
            }
            Work::Chats(chats) => {
                let desk = Desk { ask: client.as_ref(), prompts: &chats.prompts, brief: &chats.brief };
                let tally = write_chats(
                    desk,
                    &chats.source,
                    &chats.preferences,
                    &chats.settings,
                    scope,
                    ledger.as_ref(),
                )
                .await?;
                Ok(vec![tally.rows])
            }
            Work::Instructions(instructions) => Ok(vec![instructions.write(client, ledger, counter).await?]),
        }
    }
}

impl Instructions {
    async fn write(
        &self,
        client: &Arc<Client>,
        ledger: &Arc<Ledger>,
        counter: &Counter,
    ) -> std::result::Result<Tally, WritingError> {
        let mut files = Vec::new();
        if let Some(file) = &self.file {
            files.push(import(file).map_err(|error| WritingError::Input(error.to_string()))?);
        }
        let judge = self.source.as_ref().map(|source| Judge {
            desk: Desk { ask: client.as_ref(), prompts: &self.prompts, brief: &self.brief },
            source,
        });
        let count = |row: &Conversation| -> std::result::Result<usize, String> {
            let row: corpus::Row = serde_json::from_str(&row.json()).map_err(|error| error.to_string())?;
            Ok(counter.row(&row) as usize)
        };
        let report = mix(&files, &self.settings, &self.brief, count, judge.as_ref(), ledger.as_ref()).await?;
        let mut tally = Tally {
            asked: report.kept as u64 + report.foreign.values().sum::<usize>() as u64,
            kept: report.kept as u64,
            input_tokens: report.input_tokens,
            output_tokens: report.output_tokens,
            cost: report.cost,
            passing: report.pending as u64,
            ..Tally::default()
        };
        for (reason, rows) in [
            ("cannot be trained on", report.unusable.values().sum::<usize>() + report.untokenised),
            ("repeats an earlier row", report.repeated),
            ("too short", report.too_short),
            ("too long", report.too_long),
            ("claims to be another assistant", report.foreign.values().sum()),
            ("no room in the token budget", report.left_over),
        ] {
            tally.drop(reason, rows as u64);
        }
        Ok(tally)
    }
}

impl From<writing::PromptError> for ExperimentError {
    fn from(error: writing::PromptError) -> ExperimentError {
        client::writing(&WritingError::Prompt(error))
    }
}
