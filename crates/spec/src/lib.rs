//! Model Specs in Markdown: sections, reasons, preferences, the lab block.
//!
//! The parser is our own and small: headings (with `{#id key=value}`, or with an underline), fenced blocks, comments,
//! and within sections paragraphs, items, admonitions and footnotes. Everything is kept as it is written. Nothing is
//! lost: preamble, heading lines and bodies, put together, are the file again.
//!
//! Above it stand what is read from a spec ([`Spec::outline`], [`Spec::dialogues`], [`Spec::principles`], [`kind()`]), what
//! is wrong with it ([`lint`](fn@lint)), and the specs that are made from it ([`transform`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod assistants;
mod bullets;
mod decode;
mod dialogues;
mod error;
mod heading;
mod inline;
mod items;
mod kind;
mod lab_block;
mod language;
mod links;
mod lint;
mod parse;
mod pieces;
mod preferences;
mod principles;
mod provenance;
mod scan;
mod sentences;
mod tokens;
pub mod transform;
mod tree;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

pub use decode::{NotText, text_of};
pub use dialogues::{Dialogue, Turn, Verdict};
pub use error::SpecError;
pub use heading::label;
pub use kind::{Detected, Kind, kind};
pub use lab_block::LabBlock;
pub use links::Link;
pub use lint::{Finding, LintOptions, Severity, lint, unusable};
pub use parse::parse;
pub use preferences::Preference;
pub use principles::Principle;
pub use provenance::{Provenance, WrittenBy};
pub use tokens::{count_words, estimate_tokens};

/// A Model Spec, as read.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What the experiment calls it, for example `affordability`.
    pub name: String,
    /// Where it was read from; for messages.
    pub path: PathBuf,
    /// The whole file.
    pub text: String,
    /// The first heading of level 1, or the name if there is none.
    pub title: String,
    /// What stands before the first heading.
    pub preamble: String,
    /// The sections in order. Nesting is told by their levels.
    pub sections: Vec<Section>,
    /// All fenced blocks in order.
    pub blocks: Vec<Block>,
    /// The lab's block, if there is one.
    pub lab: Option<LabBlock>,
    /// What it was made from, if a transform wrote it.
    pub provenance: Option<Provenance>,
    /// What is to be read before the first heading, without comments and front matter.
    readable_preamble: Range<usize>,
    /// The section numbers by id and anchor.
    targets: BTreeMap<String, usize>,
    /// Where each line begins.
    starts: Vec<usize>,
}

/// A heading and what stands below it, up to the next heading of any level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// 1 to 6.
    pub level: usize,
    /// The heading's text without its `{#id ...}`.
    pub title: String,
    /// The number of a numbered principle, for example `SP1` or `2.3`. It is part of the title, too.
    pub label: Option<String>,
    /// The id in `{#id ...}`, if there is one.
    pub id: Option<String>,
    /// What else stands in `{#id key=value ...}`, in order; a `.class` is under `class`.
    pub attributes: Vec<(String, String)>,
    /// The heading's line, counted from 1.
    pub line: usize,
    /// The heading as written, with its line break: one line, or two if the title is underlined.
    pub heading: String,
    /// Raw Markdown below the heading, up to the next heading.
    pub body: String,
    /// Where the body lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
    /// The section that this one is nested in, as an index of [`Spec::sections`].
    pub parent: Option<usize>,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What follows the opening fence, for example `toml`.
    pub info: String,
    /// The line of the opening fence, counted from 1.
    pub line: usize,
    /// The text between the fences.
    pub body: String,
    /// Where that text lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
    /// Whether there is a closing fence. Without one the block reaches to the end of the file.
    pub closed: bool,
}

/// A piece of a spec and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text, without markup.
    pub text: String,
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// Where it lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
}

impl Spec {
    /// The reasons for the value: the bullets of every section whose title begins with "Why" or "Reasons", and of
    /// the sections nested in it.
    pub fn reasons(&self) -> Vec<Line> {
        let mut reasons = Vec::new();
        for section in self.under(&["why", "reasons"]) {
            reasons.extend(bullets::bullets(self, section));
        }
        reasons
    }

    /// The preferences: the bullets of every section whose title begins with "Preferences", and of the sections
    /// nested in it, each written `- A over B` below a heading that names the domain, or `- domain: A over B`.
    ///
    /// # Errors
    /// If a bullet there is not of that form, or has no domain; the error points at the bullet.
    pub fn preferences(&self) -> Result<Vec<Preference>, SpecError> {
        let mut found = Vec::new();
        for section in self.under(&["preferences"]) {
            for bullet in bullets::bullets(self, section) {
                found.push(preferences::preference(self, section, bullet)?);
            }
        }
        Ok(found)
    }

    /// The sections whose title begins with one of `words` (lower case), each followed by those nested in it.
    fn under(&self, words: &[&str]) -> Vec<&Section> {
        let mut inside: Option<usize> = None;
        let mut found = Vec::new();
        for section in &self.sections {
            let first =
                section.title.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_lowercase();
            if inside.is_some_and(|level| section.level <= level) {
                inside = None;
            }
            if inside.is_none() && words.contains(&first.as_str()) {
                inside = Some(section.level);
            }
            if inside.is_some() {
                found.push(section);
            }
        }
        found
    }

    /// The line, counted from 1, of a byte position in [`Spec::text`].
    pub fn line_at(&self, position: usize) -> usize {
        if position >= self.text.len() {
            // Behind a last line break there is one more line.
            return self.starts.len() + usize::from(self.text.is_empty() || self.text.ends_with('\n'));
        }
        self.starts.partition_point(|start| *start <= position)
    }

    /// An error that points at `span` of this spec.
    pub fn error(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SpecError {
        SpecError::new(&self.path, &self.text, span, message.into(), help.into())
    }
}

/// Puts the names into a spec's text. Only `{model_name}` and `{provider_name}` are placeholders; every other brace
/// stays as it is, also one in a name that was put in.
pub fn fill(text: &str, model_name: &str, provider_name: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let names = [("{model_name}", model_name), ("{provider_name}", provider_name)];
        let found = names.into_iter().find(|(placeholder, _)| rest.starts_with(placeholder));
        let (placeholder, name) = found.unwrap_or(("{", "{"));
        filled.push_str(name);
        rest = &rest[placeholder.len()..];
    }
    filled.push_str(rest);
    filled
}
