//! Corpora that a model writes: what is asked for.

use std::ops::Range;

use corpus::Kind;
use serde::Serialize;
use toml::Spanned;

use super::kind_name;
use crate::defaults::writing as defaults;
use crate::file::{CorpusTable, Written};
use crate::problem::{FileProblem, Source};

/// What a model is to write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Writing {
    /// From which spec.
    pub from: SpecOf,
    /// Whether the spec is read as prose or as rules; `None` as it looks.
    pub rules: Option<bool>,
    /// Whether a critic reads every row.
    pub critic: bool,
    /// What the rows are.
    pub rows: Rows,
}

/// The spec that a corpus is written from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SpecOf {
    /// Each of `[specs]`: one corpus per spec.
    Each,
    /// One of `[specs]`: one corpus for all arms.
    Named(String),
    /// A file of its own, relative to the experiment folder; with `{spec}` in it, one per spec.
    Path(String),
    /// None: rows that come from a file or say who the assistant is.
    None,
}

/// What the rows of a written corpus are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Rows {
    /// Documents: domains x subdomains x types x ideas.
    Documents {
        /// Domains of the spec.
        domains: u64,
        /// Subdomains of a domain.
        subdomains: u64,
        /// Assertions of a subdomain.
        assertions: u64,
        /// Types of documents in a subdomain.
        types: u64,
        /// Ideas of a type, each a document.
        ideas: u64,
        /// Words of a document, about.
        words: u64,
        /// How often a document is written again that the critic faults.
        rewrites: u64,
        /// One plan for all specs and equal amounts of text.
        mirrored: bool,
    },
    /// Chats that show the values in answers.
    Answers {
        /// How many.
        rows: u64,
        /// How many topics they are about.
        topics: u64,
        /// `value` or `rule`.
        rule_style: bool,
        /// Whether answers reason first.
        reasoning: bool,
        /// Rounds in which missing rows are made up.
        backfill: u64,
    },
    /// Chats in which the assistant picks one of two things and gives no reason.
    Preferences {
        /// How many.
        rows: u64,
        /// How many preferences, where the spec lists none.
        preferences: u64,
        /// Rounds in which missing rows are made up.
        backfill: u64,
    },
    /// General rows, from a file or made up, filtered.
    Instructions {
        /// A JSONL or Parquet file, relative to the experiment folder.
        path: Option<String>,
        /// Made-up rows about who the assistant is.
        identity_rows: u64,
        /// Shortest row, in tokens.
        min_tokens: u64,
        /// Longest row, in tokens.
        max_tokens: u64,
        /// Whether a critic drops rows that contradict the spec.
        check_conflicts: bool,
    },
}

impl Writing {
    /// Whether there is one corpus per spec.
    pub fn per_spec(&self) -> bool {
        match &self.from {
            SpecOf::Each => true,
            SpecOf::Path(path) => path.contains("{spec}"),
            SpecOf::Named(_) | SpecOf::None => false,
        }
    }

    /// Whether all specs' corpora are written together.
    pub fn mirrored(&self) -> bool {
        matches!(self.rows, Rows::Documents { mirrored: true, .. })
    }

    /// How many rows a full corpus would have if all were kept.
    pub fn wanted(&self) -> u64 {
        match self.rows {
            Rows::Documents { domains, subdomains, types, ideas, .. } => domains * subdomains * types * ideas,
            Rows::Answers { rows, .. } | Rows::Preferences { rows, .. } => rows,
            Rows::Instructions { identity_rows, .. } => identity_rows,
        }
    }
}

/// Reads what a model is to write for `[corpora.NAME]`.
///
/// # Errors
/// A setting of another kind of corpus, a number out of range, a spec that does not exist.
pub(super) fn read(
    name: &str,
    span: Range<usize>,
    table: &CorpusTable,
    kind: Option<Kind>,
    written: &Written,
    source: &Source,
) -> Result<Writing, FileProblem> {
    let Some(kind) = kind else {
        return Err(source.problem(
            format!("`{name}` does not say what its rows are"),
            span,
            "no `kind` here",
            "add `kind = \"documents\"`, `\"chats\"` or `\"instructions\"`",
        ));
    };
    let preferences = match table.written.mode.as_ref().map(|mode| (mode.get_ref().as_str(), mode.span())) {
        None | Some(("answers", _)) => false,
        Some(("preferences", _)) => true,
        Some((other, span)) => return Err(source.unknown(other, span, "mode", &["answers", "preferences"])),
    };
    check_keys(name, table, kind, preferences, source)?;
    let number = Numbers { source };
    let w = &table.written;
    let rows = match kind {
        Kind::Documents => {
            let mirrored = flag(&w.mirrored, false);
            if let Some(value) = w.mirrored.as_ref().filter(|_| mirrored && written.specs.len() < 2) {
                return Err(source.problem(
                    "mirrored corpora need two specs or more",
                    value.span(),
                    "nothing to mirror",
                    "add a second spec under [specs], or remove this line",
                ));
            }
            Rows::Documents {
                domains: number.of("domains", &w.domains, defaults::DOMAINS, 1..=200)?,
                subdomains: number.of("subdomains", &w.subdomains, defaults::SUBDOMAINS, 1..=100)?,
                assertions: number.of("assertions", &w.assertions, defaults::ASSERTIONS, 1..=50)?,
                types: number.of("types", &w.types, defaults::TYPES, 1..=60)?,
                ideas: number.of("ideas", &w.ideas, defaults::IDEAS, 1..=100)?,
                words: number.of("words", &w.words, defaults::WORDS, 50..=5_000)?,
                rewrites: number.of("rewrites", &w.rewrites, defaults::REWRITES, 0..=5)?,
                mirrored,
            }
        }
        Kind::Chats => {
            let rows = number.of("rows", &w.rows, defaults::CHATS, 1..=1_000_000)?;
            let backfill = number.of("backfill", &w.backfill, defaults::BACKFILL, 0..=10)?;
            match preferences {
                true => Rows::Preferences {
                    rows,
                    preferences: number.of(
                        "preferences",
                        &w.preferences,
                        defaults::PREFERENCES,
                        1..=1_000,
                    )?,
                    backfill,
                },
                false => Rows::Answers {
                    rows,
                    topics: number.of("topics", &w.topics, defaults::TOPICS, 1..=1_000)?,
                    rule_style: match w.style.as_ref().map(|style| (style.get_ref().as_str(), style.span())) {
                        None | Some(("value", _)) => false,
                        Some(("rule", _)) => true,
                        Some((other, span)) => {
                            return Err(source.unknown(other, span, "style", &["value", "rule"]));
                        }
                    },
                    reasoning: flag(&w.reasoning, false),
                    backfill,
                },
            }
        }
        Kind::Instructions => Rows::Instructions {
            path: table.path.as_ref().map(|path| path.get_ref().clone()),
            identity_rows: number.of(
                "identity_rows",
                &w.identity_rows,
                defaults::IDENTITY_ROWS,
                0..=10_000,
            )?,
            min_tokens: number.of(
                "min_row_tokens",
                &w.min_row_tokens,
                defaults::MIN_ROW_TOKENS,
                0..=1_000_000,
            )?,
            max_tokens: number.of(
                "max_row_tokens",
                &w.max_row_tokens,
                defaults::MAX_ROW_TOKENS,
                1..=1_000_000,
            )?,
            check_conflicts: flag(&w.check_conflicts, false),
        },
    };
    let needs_spec = !matches!(rows, Rows::Instructions { check_conflicts: false, .. });
    Ok(Writing {
        from: spec_of(name, span, table, kind, needs_spec, written, source)?,
        rules: match w.spec_kind.as_ref().map(|kind| (kind.get_ref().as_str(), kind.span())) {
            None => None,
            Some(("prose", _)) => Some(false),
            Some(("rules", _)) => Some(true),
            Some((other, span)) => {
                return Err(source.unknown(other, span, "kind of spec", &["prose", "rules"]));
            }
        },
        critic: flag(&w.critic, true),
        rows,
    })
}

/// Which spec a corpus is written from: documents each, chats the first, unless the table says otherwise.
fn spec_of(
    name: &str,
    span: Range<usize>,
    table: &CorpusTable,
    kind: Kind,
    needs_spec: bool,
    written: &Written,
    source: &Source,
) -> Result<SpecOf, FileProblem> {
    let w = &table.written;
    if let Some(path) = &w.spec_path {
        if let Some(spec) = &w.spec {
            return Err(source.problem(
                format!("`{name}` has both a `spec` and a `spec_path`"),
                spec.span(),
                "one of the two",
                "remove one of the lines",
            ));
        }
        return Ok(SpecOf::Path(path.get_ref().clone()));
    }
    let specs: Vec<&str> = written.specs.iter().map(|(name, _)| name.get_ref().as_str()).collect();
    if let Some(spec) = &w.spec {
        return match specs.contains(&spec.get_ref().as_str()) {
            true => Ok(SpecOf::Named(spec.get_ref().clone())),
            false => Err(source.unknown(spec.get_ref(), spec.span(), "spec", &specs)),
        };
    }
    match (specs.first(), kind) {
        _ if !needs_spec => Ok(SpecOf::None),
        (None, _) => Err(source.problem(
            format!("`{name}` is written from a spec, and there is none"),
            span,
            "made from a spec",
            "add a table [specs] with lines `name = \"specs/name.md\"`",
        )),
        (Some(_), Kind::Documents) => Ok(SpecOf::Each),
        (Some(first), _) => Ok(SpecOf::Named((*first).to_owned())),
    }
}

/// A setting with its place.
type Place = Option<(&'static str, Range<usize>)>;

/// Finds settings that mean nothing for this kind of corpus.
fn check_keys(
    name: &str,
    table: &CorpusTable,
    kind: Kind,
    preferences: bool,
    source: &Source,
) -> Result<(), FileProblem> {
    let [documents, chats, answers, picks, instructions, shared] = places(table);
    let wrong: Vec<Vec<Place>> = match kind {
        Kind::Documents => vec![chats, answers, picks, instructions],
        Kind::Chats if preferences => vec![documents, answers, instructions],
        Kind::Chats => vec![documents, picks, instructions],
        Kind::Instructions => vec![documents, chats, answers, picks],
    };
    let _ = shared;
    match wrong.into_iter().flatten().flatten().next() {
        None => Ok(()),
        Some((key, span)) => Err(source.problem(
            format!("`{key}` means nothing for `{name}`"),
            span,
            format!("not for {}", kind_name(kind)),
            "remove this line",
        )),
    }
}

/// Finds settings of written corpora in the table of one that is not written.
pub(super) fn refuse(
    name: &str,
    table: &CorpusTable,
    derived: bool,
    source: &Source,
) -> Result<(), FileProblem> {
    let mut all: Vec<(&'static str, Range<usize>)> = places(table).into_iter().flatten().flatten().collect();
    // A derived corpus may be cut by rows.
    all.retain(|(key, _)| !(derived && *key == "rows"));
    if let Some(without) = table.without_reasoning.as_ref().filter(|_| !derived) {
        return Err(source.problem(
            format!("`{name}` is not derived from another corpus"),
            without.span(),
            "only beside `derive`",
            "remove this line, or add `derive = \"...\"`",
        ));
    }
    match all.into_iter().next() {
        None => Ok(()),
        Some((key, span)) => Err(source.problem(
            format!("`{key}` is a setting of corpora that a model writes, and `{name}` is none"),
            span,
            "means nothing here",
            "remove this line, or set `source = \"writer\"` under [corpora] and add a table [writer]",
        )),
    }
}

/// The settings that are there, by what they belong to: documents, all chats, answers, preferences, instructions, all.
fn places(table: &CorpusTable) -> [Vec<Place>; 6] {
    fn place<T>(key: &'static str, value: &Option<Spanned<T>>) -> Place {
        value.as_ref().map(|value| (key, value.span()))
    }
    let w = &table.written;
    [
        vec![
            place("domains", &w.domains),
            place("subdomains", &w.subdomains),
            place("assertions", &w.assertions),
            place("types", &w.types),
            place("ideas", &w.ideas),
            place("words", &w.words),
            place("rewrites", &w.rewrites),
            place("mirrored", &w.mirrored),
        ],
        vec![place("rows", &w.rows), place("mode", &w.mode), place("backfill", &w.backfill)],
        vec![place("topics", &w.topics), place("style", &w.style), place("reasoning", &w.reasoning)],
        vec![place("preferences", &w.preferences)],
        vec![
            place("identity_rows", &w.identity_rows),
            place("min_row_tokens", &w.min_row_tokens),
            place("max_row_tokens", &w.max_row_tokens),
            place("check_conflicts", &w.check_conflicts),
        ],
        vec![
            place("spec", &w.spec),
            place("spec_path", &w.spec_path),
            place("spec_kind", &w.spec_kind),
            place("critic", &w.critic),
        ],
    ]
}

fn flag(value: &Option<Spanned<bool>>, default: bool) -> bool {
    value.as_ref().map_or(default, |value| *value.get_ref())
}

struct Numbers<'a> {
    source: &'a Source,
}

impl Numbers<'_> {
    /// A whole number within limits, or its default.
    fn of(
        &self,
        key: &str,
        value: &Option<Spanned<u64>>,
        default: u64,
        limits: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, FileProblem> {
        let Some(value) = value else { return Ok(default) };
        if limits.contains(value.get_ref()) {
            return Ok(*value.get_ref());
        }
        Err(self.source.problem(
            format!("`{key}` is {}", value.get_ref()),
            value.span(),
            format!("must be between {} and {}", limits.start(), limits.end()),
            format!("remove the line for the default, {default}"),
        ))
    }
}
