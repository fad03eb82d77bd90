//! What the calls of a corpus share, and its id: the hash of all that determines it.

use std::sync::Arc;

use llm::Role;
use spec::Spec;
use store::IdBuilder;
use writing::chats::{ChatSettings, Mode, Style};
use writing::instructions::MixSettings;
use writing::{Brief, Prompts, Source, WritingError};

use super::client;
use super::jobs::{Chats, Instructions};
use crate::corpora::Writing;
use crate::corpora::written::Rows;
use crate::error::Result;
use crate::validate::Experiment;
use crate::writer::Writer;

/// What the calls of a corpus share; its id is put in later.
pub(super) fn brief(experiment: &Experiment, name: &str) -> Brief {
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
        concurrency: writer.map_or(1, Writer::under_way),
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

pub(super) fn chats(
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
pub(super) fn instructions(
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
