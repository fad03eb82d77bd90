//! What there is to write: for every corpus that a model writes, or every set of mirrored ones, one job.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::Spec;
use writing::chats::ChatSettings;
use writing::documents::{self, Shape};
use writing::instructions::MixSettings;
use writing::{Brief, Prompts, Source, Tally, WritingError};

use super::client;
use super::inputs::{brief, chats, instructions};
use crate::corpora::written::{Rows, SpecOf};
use crate::corpora::{CorpusDef, Origin, Writing};
use crate::error::{ExperimentError, Result};
use crate::graph::CorpusKey;
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

impl From<writing::PromptError> for ExperimentError {
    fn from(error: writing::PromptError) -> ExperimentError {
        client::writing(&WritingError::Prompt(error))
    }
}
