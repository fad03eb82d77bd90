//! `[writer]`, `[gates]` and the settings of corpora that a model writes, as written.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Named, named_list, read, split};
use crate::problem::{FileProblem, Source};

/// `[writer]`: how corpora are written, and with which models.
#[derive(Debug)]
pub struct WriterTables {
    /// Where the table stands.
    pub span: Range<usize>,
    /// Settings of the whole run.
    pub run: RunTable,
    /// The model of all roles.
    pub all: ModelTable,
    /// `[writer.planner]`, `[writer.critic]`, `[writer.judge]`: what single roles change of it.
    pub roles: Named<ModelTable>,
}

/// Settings under `[writer]` that are not of a model.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunTable {
    /// Most calls under way at once.
    pub concurrency: Option<Spanned<u64>>,
    /// Seconds that one attempt may take.
    pub timeout: Option<Spanned<f64>>,
    /// Seconds that a call may take, with all its attempts.
    pub total_timeout: Option<Spanned<f64>>,
    /// Most attempts of a call.
    pub attempts: Option<Spanned<u64>>,
    /// Whether the critic may be the writer.
    pub same_critic: Option<Spanned<bool>>,
    /// Rows written first, to look at.
    pub probe: Option<Spanned<u64>>,
    /// The part of all rows that is written next.
    pub pilot: Option<Spanned<f64>>,
    /// For `simulated`: the share of calls that go wrong.
    pub faults: Option<Spanned<f64>>,
}

/// The keys of [`RunTable`].
const RUN_KEYS: [&str; 8] =
    ["concurrency", "timeout", "total_timeout", "attempts", "same_critic", "probe", "pilot", "faults"];

/// Which model, where, at what price.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTable {
    /// `anthropic`, `openai` or `simulated`.
    pub api: Option<Spanned<String>>,
    /// The model's name at that api.
    pub model: Option<Spanned<String>>,
    /// Where the api is.
    pub base_url: Option<Spanned<String>>,
    /// The environment variable with the key.
    pub key_env: Option<Spanned<String>>,
    /// Dollars per million tokens.
    pub prices: Option<Spanned<PricesTable>>,
    /// Whether the model reasons before its text: `none`, `budget` or `adaptive`.
    pub reasoning: Option<Spanned<String>>,
    /// Tokens that it may spend on that.
    pub reasoning_tokens: Option<Spanned<u64>>,
    /// How hard it reasons, in the provider's words.
    pub effort: Option<Spanned<String>>,
    /// `direct` or `batch`.
    pub mode: Option<Spanned<String>>,
    /// How the api calls the most tokens of an answer: `max_tokens` or `max_completion_tokens`.
    pub max_tokens_key: Option<Spanned<String>>,
    /// Sampling temperature of planner and writer.
    pub temperature: Option<Spanned<f64>>,
    /// Whether a temperature is sent at all: some models refuse one.
    pub send_temperature: Option<Spanned<bool>>,
    /// Limit: requests a minute.
    pub requests_per_minute: Option<Spanned<u64>>,
    /// Limit: tokens read a minute.
    pub input_tokens_per_minute: Option<Spanned<u64>>,
    /// Limit: tokens written a minute.
    pub output_tokens_per_minute: Option<Spanned<u64>>,
}

/// Dollars per million tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricesTable {
    /// Read.
    pub input: f64,
    /// Written, reasoning included.
    pub output: f64,
    /// Read from the provider's cache; that of `input` unless given.
    pub cache_read: Option<f64>,
    /// Read and put into the provider's cache; that of `input` and a quarter unless given.
    pub cache_write: Option<f64>,
    /// The part of these prices that a batch costs.
    pub batch: Option<f64>,
}

/// `[gates]`: figures at which a run stops.
#[derive(Debug)]
pub struct GatesTable {
    /// Where the table stands.
    pub span: Range<usize>,
    /// The least part of written rows that must be kept.
    pub min_yield: Option<Spanned<f64>>,
    /// The gates of the audit.
    pub audit: audit::Gates,
}

/// Settings of a corpus that a model writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenTable {
    /// The spec of `[specs]` that it is written from, where it is not one per spec.
    pub spec: Option<Spanned<String>>,
    /// Another spec that it is written from, for controls; may hold `{spec}`.
    pub spec_path: Option<Spanned<String>>,
    /// `prose` or `rules`; otherwise as the spec looks.
    pub spec_kind: Option<Spanned<String>>,
    /// Documents: how many domains.
    pub domains: Option<Spanned<u64>>,
    /// Documents: subdomains of a domain.
    pub subdomains: Option<Spanned<u64>>,
    /// Documents: assertions of a subdomain.
    pub assertions: Option<Spanned<u64>>,
    /// Documents: types of documents in a subdomain.
    pub types: Option<Spanned<u64>>,
    /// Documents: ideas of a type.
    pub ideas: Option<Spanned<u64>>,
    /// Documents: words of each, about.
    pub words: Option<Spanned<u64>>,
    /// Whether a critic reads every row.
    pub critic: Option<Spanned<bool>>,
    /// Documents: how often one is written again that the critic faults.
    pub rewrites: Option<Spanned<u64>>,
    /// Documents: one plan for all specs, and equal amounts of text.
    pub mirrored: Option<Spanned<bool>>,
    /// Chats: how many.
    pub rows: Option<Spanned<u64>>,
    /// Chats: how many topics they are about.
    pub topics: Option<Spanned<u64>>,
    /// Chats: `answers` or `preferences`.
    pub mode: Option<Spanned<String>>,
    /// Chats: `value` or `rule`.
    pub style: Option<Spanned<String>>,
    /// Chats: whether answers reason first.
    pub reasoning: Option<Spanned<bool>>,
    /// Chats: how many preferences, where the spec lists none.
    pub preferences: Option<Spanned<u64>>,
    /// Chats: rounds in which missing rows are made up.
    pub backfill: Option<Spanned<u64>>,
    /// Instructions: made-up rows about who the assistant is.
    pub identity_rows: Option<Spanned<u64>>,
    /// Instructions: shortest row, in tokens.
    pub min_row_tokens: Option<Spanned<u64>>,
    /// Instructions: longest row, in tokens.
    pub max_row_tokens: Option<Spanned<u64>>,
    /// Instructions: whether a critic drops rows that contradict the spec.
    pub check_conflicts: Option<Spanned<bool>>,
}

/// The keys of [`WrittenTable`].
pub const CORPUS_KEYS: [&str; 23] = [
    "spec",
    "spec_path",
    "spec_kind",
    "domains",
    "subdomains",
    "assertions",
    "types",
    "ideas",
    "words",
    "critic",
    "rewrites",
    "mirrored",
    "rows",
    "topics",
    "mode",
    "style",
    "reasoning",
    "preferences",
    "backfill",
    "identity_rows",
    "min_row_tokens",
    "max_row_tokens",
    "check_conflicts",
];

/// Roles that may have a table of their own.
const ROLES: [&str; 3] = ["planner", "critic", "judge"];

/// Reads `[writer]`.
///
/// # Errors
/// The first key that is unknown or of the wrong type.
pub fn writer(span: Range<usize>, table: DeTable<'_>, source: &Source) -> Result<WriterTables, FileProblem> {
    let (roles, settings) = split(table, |key| ROLES.contains(&key));
    let (run, model): (Vec<_>, Vec<_>) =
        settings.into_iter().partition(|(key, _)| RUN_KEYS.contains(&key.get_ref().as_ref()));
    let (run, model): (DeTable, DeTable) = (run.into_iter().collect(), model.into_iter().collect());
    let fault = |error: toml::de::Error| match error.message().starts_with("unknown field") {
        true => source.unknown_key(&error, &[&RUN_KEYS[..], &ROLES[..]].concat()),
        false => source.syntax(&error),
    };
    Ok(WriterTables {
        run: read(Spanned::new(span.clone(), DeValue::Table(run))).map_err(fault)?,
        all: read(Spanned::new(span.clone(), DeValue::Table(model))).map_err(fault)?,
        roles: named_list(roles).map_err(|error| source.syntax(&error))?,
        span,
    })
}

/// Reads `[gates]`.
///
/// # Errors
/// The first key that is unknown or of the wrong type.
pub fn gates(
    span: Range<usize>,
    value: Spanned<DeValue<'_>>,
    source: &Source,
) -> Result<GatesTable, FileProblem> {
    let (mut own, audit) = split(super::table(value, source)?, |key| key == "min_yield");
    let min_yield =
        own.pop().map(|(_, value)| read(value)).transpose().map_err(|error| source.syntax(&error))?;
    let audit: DeTable = audit.into_iter().collect();
    let audit = read(Spanned::new(span.clone(), DeValue::Table(audit))).map_err(|error| {
        match error.message().starts_with("unknown field") {
            true => source.unknown_key(&error, &["min_yield"]),
            false => source.syntax(&error),
        }
    })?;
    Ok(GatesTable { span, min_yield, audit })
}
