//! What is wrong with a spec, or likely to be, before documents are written from it.

mod links;
mod names;
mod placeholders;
mod reasons;
mod structure;

use serde::Serialize;

pub use structure::unusable;

use crate::kind::{all_traits, detect};
use crate::{Kind, Spec};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing good can be made from the spec as it is.
    Error,
    /// Probably not meant; documents will suffer from it.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Something that was found in a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that found it, for example `no-reason`; it stays the same between versions.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The line, counted from 1.
    pub line: usize,
    /// The title of the section that it is in; empty before the first heading.
    pub section: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// What a spec is to be good for.
#[derive(Clone, Debug)]
pub struct LintOptions {
    /// The name of the model that the spec is for, if known.
    pub model_name: Option<String>,
    /// The name of who provides it, if known.
    pub provider_name: Option<String>,
    /// Names of other models that must not stand in the spec, besides the well-known ones.
    pub known_other_models: Vec<String>,
    /// How many tokens of spec fit into one prompt. Sections are put into prompts whole.
    pub prompt_tokens: usize,
    /// The kind, or `None` to detect it. Rules need no reasons.
    pub kind: Option<Kind>,
}

/// Tokens of spec that fit into one prompt unless something else is said: models with a context of 32,000 tokens
/// have room for that, beside instructions, a draft and an answer.
const PROMPT_TOKENS: usize = 8000;

impl Default for LintOptions {
    fn default() -> LintOptions {
        LintOptions {
            model_name: None,
            provider_name: None,
            known_other_models: Vec::new(),
            prompt_tokens: PROMPT_TOKENS,
            kind: None,
        }
    }
}

/// Looks for what is wrong with a spec. Findings are in the order of the file.
///
/// A spec without text, or without headings, has that one finding: nothing else can be said about it.
pub fn lint(spec: &Spec, options: &LintOptions) -> Vec<Finding> {
    if let Some(finding) = structure::unusable(spec) {
        return vec![finding];
    }
    let mut findings = Vec::new();
    structure::find(spec, options, &mut findings);
    let traits = all_traits(spec);
    reasons::find(spec, options.kind.unwrap_or_else(|| detect(&traits).kind), &traits, &mut findings);
    placeholders::find(spec, &mut findings);
    names::find(spec, options, &mut findings);
    links::find(spec, &mut findings);
    findings.sort_by(|a, b| (a.line, a.rule, &a.message).cmp(&(b.line, b.rule, &b.message)));
    findings
}

/// A finding at a byte position.
fn at(
    spec: &Spec,
    position: usize,
    rule: &'static str,
    severity: Severity,
    message: String,
    help: &str,
) -> Finding {
    let section = spec.title_of(spec.part_at(position)).to_string();
    Finding { rule, severity, line: spec.line_at(position), section, message, help: help.to_string() }
}

/// A finding at a section's heading.
fn in_section(
    spec: &Spec,
    number: usize,
    rule: &'static str,
    severity: Severity,
    message: String,
    help: &str,
) -> Finding {
    let line = spec.section(number).map_or(1, |section| section.line);
    let section = spec.title_of(number).to_string();
    Finding { rule, severity, line, section, message, help: help.to_string() }
}

/// `1 rule`, `2 rules`.
fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `lines 3, 8 and 10`, or with more than a few `lines 3, 8, 10 and 5 more`.
fn lines(lines: &[usize]) -> String {
    const SHOWN: usize = 5;
    let mut distinct = lines.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let word = if distinct.len() == 1 { "line" } else { "lines" };
    let texts: Vec<String> = distinct.iter().take(SHOWN).map(usize::to_string).collect();
    match texts.as_slice() {
        _ if distinct.len() > SHOWN => {
            format!("{word} {} and {} more", texts.join(", "), distinct.len() - SHOWN)
        }
        [first @ .., last] if !first.is_empty() => format!("{word} {} and {last}", first.join(", ")),
        _ => format!("{word} {}", texts.join("")),
    }
}
