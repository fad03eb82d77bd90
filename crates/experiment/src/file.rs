//! The experiment file as written: TOML into plain tables that remember where every value stands.
//!
//! Nothing is judged here beyond spelling and types; [`crate::validate`] turns these tables into an
//! [`crate::Experiment`]. Keeping the two forms apart means that every rule of an experiment has one home
//! and every message can point at the words it is about.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use lab::WhyMix;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use crate::problem::{FileProblem, Source};

pub mod writing;

use writing::{GatesTable, WriterTables, WrittenTable};

/// A table whose keys are names chosen by the user, in the order of the file.
pub type Named<T> = Vec<(Spanned<String>, T)>;

/// `experiment.toml` as written.
#[derive(Debug)]
pub struct Written {
    /// The settings at the top and the plain tables.
    pub top: Top,
    /// `[specs]`: name to path.
    pub specs: Named<Spanned<String>>,
    /// `[corpora]`.
    pub corpora: Corpora,
    /// `[training]`.
    pub training: Training,
    /// `[writer]`.
    pub writer: Option<WriterTables>,
    /// `[gates]`.
    pub gates: Option<GatesTable>,
}

/// The settings at the top of the file and the tables with fixed keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Top {
    /// The experiment's name.
    pub name: Spanned<String>,
    /// `lab` or a folder. An experiment that only writes corpora needs none.
    pub base: Option<Spanned<String>>,
    /// `native` or `torch`: what trains.
    pub engine: Option<Spanned<String>>,
    /// `[torch]`: how the torch engine is spread over processes.
    pub torch: Option<Spanned<torch::TorchSettings>>,
    /// Whether arms may have different engines.
    #[serde(default)]
    pub mixed_engines: bool,
    /// The seeds of the run.
    pub seeds: Option<Spanned<Vec<Spanned<u64>>>>,
    /// What the assistant is called.
    pub model_name: Option<Spanned<String>>,
    /// Who makes it.
    pub provider_name: Option<Spanned<String>>,
    /// `[[arms]]`.
    #[serde(default)]
    pub arms: Vec<ArmTable>,
    /// Names of controls that are not wanted.
    #[serde(default)]
    pub without_controls: Vec<Spanned<String>>,
    /// Analyses declared primary.
    pub primary: Option<Vec<Spanned<String>>>,
    /// `[evals]`.
    pub evals: Option<EvalsTable>,
}

/// `[corpora]`: where corpora come from, and one table per corpus.
#[derive(Debug)]
pub struct Corpora {
    /// Where the table stands; the end of the file if it is missing.
    pub span: Range<usize>,
    /// `lab`, `files` or `writer`.
    pub source: Option<Spanned<String>>,
    /// `[corpora.NAME]`.
    pub named: Named<CorpusTable>,
}

/// `[corpora.NAME]`.
#[derive(Debug)]
pub struct CorpusTable {
    /// Settings of corpora from any source.
    pub plain: PlainTable,
    /// Settings of corpora that a model writes.
    pub written: WrittenTable,
}

impl std::ops::Deref for CorpusTable {
    type Target = PlainTable;

    fn deref(&self) -> &PlainTable {
        &self.plain
    }
}

/// The settings of `[corpora.NAME]` that corpora from any source may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainTable {
    /// `documents`, `chats` or `instructions`.
    pub kind: Option<Spanned<String>>,
    /// A user's JSONL file; may hold `{spec}`.
    pub path: Option<Spanned<String>>,
    /// The corpus this one is the beginning of.
    pub derive: Option<Spanned<String>>,
    /// How many tokens it has.
    pub tokens: Option<Spanned<u64>>,
    /// For a derived corpus of chats: without the reasoning before each reply.
    pub without_reasoning: Option<Spanned<bool>>,
    /// For the lab's `why`: shares of the kinds of documents.
    pub mix: Option<Spanned<WhyMix>>,
    /// For instructions: which part of a stage's rows they make up.
    pub share: Option<Spanned<f64>>,
    /// For instructions: the kinds of stage they are mixed into.
    pub into: Option<Vec<Spanned<String>>>,
}

/// `[training]`: the recipe of all stages, and what single corpora change of it.
#[derive(Debug)]
pub struct Training {
    /// Where the table stands; the end of the file if it is missing.
    pub span: Range<usize>,
    /// Steps between checkpoints; no part of a recipe, because the result does not depend on it.
    pub checkpoint_every: Option<Spanned<u64>>,
    /// Settings for all stages.
    pub all: RecipeTable,
    /// `[training.NAME]`, by corpus.
    pub named: Named<RecipeTable>,
}

/// Settings of a recipe, each optional.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeTable {
    /// `full` or `lora`.
    pub method: Option<Spanned<String>>,
    /// LoRA: rank.
    pub rank: Option<Spanned<u64>>,
    /// LoRA: alpha; the update is scaled by alpha / rank.
    pub alpha: Option<Spanned<f64>>,
    /// LoRA: the matrices that get an adapter.
    pub targets: Option<Spanned<Vec<String>>>,
    /// Optimizer steps.
    pub steps: Option<Spanned<u64>>,
    /// Rows a step.
    pub rows: Option<Spanned<u64>>,
    /// Tokens a row.
    pub max_length: Option<Spanned<u64>>,
    /// Peak learning rate.
    pub learning_rate: Option<Spanned<f64>>,
    /// Learning rate at the end, as a part of the peak.
    pub min_lr_ratio: Option<Spanned<f64>>,
    /// Warmup, as a part of the steps.
    pub warmup: Option<Spanned<f64>>,
    /// How the learning rate falls: `cosine` or `constant`.
    pub decay: Option<Spanned<String>>,
    /// AdamW: weight decay.
    pub weight_decay: Option<Spanned<f64>>,
    /// AdamW: decay of the first moment.
    pub beta1: Option<Spanned<f64>>,
    /// AdamW: decay of the second moment.
    pub beta2: Option<Spanned<f64>>,
    /// AdamW: added to the root of the second moment.
    pub eps: Option<Spanned<f64>>,
    /// Largest norm of the gradient.
    pub clip: Option<Spanned<f64>>,
    /// Operands of matrix products: `f32` or `bf16`.
    pub precision: Option<Spanned<String>>,
    /// Gradient buffers a step is cut into: the most threads that can work on one stage.
    pub gradient_buffers: Option<Spanned<u64>>,
}

/// The keys of [`RecipeTable`]: what tells a setting from a corpus name under `[training]`.
const RECIPE_KEYS: [&str; 18] = [
    "method",
    "rank",
    "alpha",
    "targets",
    "steps",
    "rows",
    "max_length",
    "learning_rate",
    "min_lr_ratio",
    "warmup",
    "decay",
    "weight_decay",
    "beta1",
    "beta2",
    "eps",
    "clip",
    "precision",
    "gradient_buffers",
];

/// The one setting under `[training]` that is not of a recipe.
const CHECKPOINT_EVERY: &str = "checkpoint_every";

/// One of `[[arms]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmTable {
    /// Its name.
    pub name: Spanned<String>,
    /// Its stages, in order.
    pub stages: Vec<Spanned<StageWritten>>,
    /// The engine that trains it, where it is another than the file's.
    pub engine: Option<Spanned<String>>,
}

/// A stage: one corpus, or several mixed.
#[derive(Debug, Clone)]
pub enum StageWritten {
    /// `"why:{spec}"` or `{ corpus = "why:{spec}", steps = 30 }`.
    One(StepTable),
    /// `["why:{spec}", "what"]` inside the list of stages.
    Mixed(Vec<Spanned<StageWritten>>),
}

/// `{ corpus = "why:{spec}", steps = 30, learning_rate = 5e-4 }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    /// The corpus.
    pub corpus: String,
    /// Optimizer steps.
    pub steps: Option<Spanned<u64>>,
    /// Peak learning rate.
    pub learning_rate: Option<Spanned<f64>>,
}

/// `[evals]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalsTable {
    /// Names of suites.
    pub suites: Option<Vec<Spanned<String>>>,
    /// Pairs per attribute and domain in the preferences suite.
    pub pairs: Option<Spanned<u64>>,
    /// Texts of each kind in the capability suite.
    pub texts: Option<Spanned<u64>>,
}

impl<'de> Deserialize<'de> for StageWritten {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<StageWritten, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = StageWritten;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a corpus (\"why:{spec}\"), a table ({ corpus = \"what\", steps = 30 }) or a list of those to mix")
            }

            fn visit_str<E: de::Error>(self, corpus: &str) -> Result<StageWritten, E> {
                Ok(StageWritten::One(StepTable { corpus: corpus.to_owned(), ..StepTable::default() }))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<StageWritten, A::Error> {
                StepTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(StageWritten::One)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<StageWritten, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(StageWritten::Mixed)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads the text of an experiment file.
///
/// # Errors
/// The first thing that is not TOML, not a known key, or not of the right type.
pub fn parse(path: &Path, text: &str) -> Result<Written, FileProblem> {
    let source = Source::new(path, text);
    let fault = |error: toml::de::Error| source.syntax(&error);
    let document = DeTable::parse(text).map_err(fault)?;
    let end = text.len()..text.len();
    let (mut specs, mut corpora, mut training) = (None, None, None);
    let (mut writer, mut gates) = (None, None);
    let mut top = DeTable::new();
    for (key, value) in document.into_inner() {
        let name = key.get_ref().to_string();
        match name.as_str() {
            "specs" => specs = Some(value),
            "corpora" => corpora = Some((key.span(), value)),
            "training" => training = Some((key.span(), value)),
            "writer" => writer = Some((key.span(), value)),
            "gates" => gates = Some((key.span(), value)),
            _ => {
                top.insert(key, value);
            }
        }
    }
    let top = read(Spanned::new(0..0, DeValue::Table(top))).map_err(|error| {
        // The tables that were taken out are valid beside the keys of this one.
        if error.message().starts_with("unknown field") && error.message().contains("`without_controls`") {
            source.unknown_key(&error, &["specs", "corpora", "training", "writer", "gates"])
        } else {
            source.syntax(&error)
        }
    })?;
    let specs = match specs {
        Some(value) => named(table(value, &source)?).map_err(fault)?,
        None => Vec::new(),
    };
    let corpora = match corpora {
        Some((span, value)) => {
            let (mut settings, tables) = split(table(value, &source)?, |key| key == "source");
            let source_value = settings.pop().map(|(_, value)| read(value)).transpose().map_err(fault)?;
            let named =
                tables.into_iter().map(|entry| corpus_table(entry, &source)).collect::<Result<_, _>>()?;
            Corpora { span, source: source_value, named }
        }
        None => Corpora { span: end.clone(), source: None, named: Vec::new() },
    };
    let training = match training {
        Some((span, value)) => {
            let (mut settings, tables) =
                split(table(value, &source)?, |key| key == CHECKPOINT_EVERY || RECIPE_KEYS.contains(&key));
            let checkpoint_every =
                settings.extract_if(.., |(key, _)| key.get_ref() == CHECKPOINT_EVERY).next();
            let checkpoint_every =
                checkpoint_every.map(|(_, value)| read(value)).transpose().map_err(fault)?;
            // A scalar under [training] that is no setting is a misspelt setting, not a corpus.
            if let Some((key, _)) = tables.iter().find(|(_, value)| !value.get_ref().is_table()) {
                return Err(source.unknown(key.get_ref(), key.span(), "setting of a recipe", &RECIPE_KEYS));
            }
            let settings = settings.into_iter().collect();
            let all = read(Spanned::new(span.clone(), DeValue::Table(settings))).map_err(fault)?;
            Training { span, checkpoint_every, all, named: named_list(tables).map_err(fault)? }
        }
        None => {
            Training { span: end, checkpoint_every: None, all: RecipeTable::default(), named: Vec::new() }
        }
    };
    let writer =
        writer.map(|(span, value)| writing::writer(span, table(value, &source)?, &source)).transpose()?;
    let gates = gates.map(|(span, value)| writing::gates(span, value, &source)).transpose()?;
    Ok(Written { top, specs, corpora, training, writer, gates })
}

/// `[corpora.NAME]`: settings of corpora that a model writes apart from the rest.
fn corpus_table(entry: Entry<'_>, source: &Source) -> Result<(Spanned<String>, CorpusTable), FileProblem> {
    let (key, value) = entry;
    let span = value.span();
    let (written, plain) = split(table(value, source)?, |key| writing::CORPUS_KEYS.contains(&key));
    let plain = read(Spanned::new(span.clone(), DeValue::Table(plain.into_iter().collect())));
    let plain =
        plain.map_err(|error: toml::de::Error| match error.message().starts_with("unknown field") {
            true => source.unknown_key(&error, &writing::CORPUS_KEYS),
            false => source.syntax(&error),
        })?;
    let written = read(Spanned::new(span, DeValue::Table(written.into_iter().collect())))
        .map_err(|error| source.syntax(&error))?;
    Ok((Spanned::new(key.span(), key.into_inner().into_owned()), CorpusTable { plain, written }))
}

type Entry<'i> = (Spanned<DeString<'i>>, Spanned<DeValue<'i>>);

fn read<'i, T: DeserializeOwned>(value: Spanned<DeValue<'i>>) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(value))
}

fn table<'i>(value: Spanned<DeValue<'i>>, source: &Source) -> Result<DeTable<'i>, FileProblem> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Ok(table),
        other => Err(source.problem(
            format!("expected a table, found {}", other.type_str()),
            span,
            "not a table",
            "write it as a table: a line `[name]` with keys below it",
        )),
    }
}

/// The entries of a table in the order of the file.
fn entries<'i>(table: DeTable<'i>) -> Vec<Entry<'i>> {
    let mut entries: Vec<Entry<'i>> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// Parts the settings of a table from the tables with names of the user's choice.
fn split<'i>(table: DeTable<'i>, is_setting: impl Fn(&str) -> bool) -> (Vec<Entry<'i>>, Vec<Entry<'i>>) {
    entries(table).into_iter().partition(|(key, _)| is_setting(key.get_ref()))
}

fn named<T: DeserializeOwned>(table: DeTable<'_>) -> Result<Named<T>, toml::de::Error> {
    named_list(entries(table))
}

fn named_list<T: DeserializeOwned>(entries: Vec<Entry<'_>>) -> Result<Named<T>, toml::de::Error> {
    let owned = |key: Spanned<DeString>| Spanned::new(key.span(), key.into_inner().into_owned());
    entries.into_iter().map(|(key, value)| Ok((owned(key), read(value)?))).collect()
}
