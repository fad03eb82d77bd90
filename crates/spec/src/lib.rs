//! Model Specs in Markdown: sections, reasons, preferences, the lab block.
//!
//! The parser is our own and small: headings (with an optional `{#id ...}`), fenced blocks, bullets. Everything else
//! is kept as it is written. Nothing is lost: preamble, heading lines and bodies, put together, are the file again.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bullets;
mod error;
mod lab_block;
mod parse;
mod preferences;

use std::ops::Range;
use std::path::PathBuf;

pub use error::SpecError;
pub use lab_block::LabBlock;
pub use parse::parse;
pub use preferences::Preference;

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
}

/// A heading and what stands below it, up to the next heading of any level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// 1 to 6.
    pub level: usize,
    /// The heading's text without its `{#id ...}`.
    pub title: String,
    /// The id in `{#id ...}`, if there is one.
    pub id: Option<String>,
    /// The heading's line, counted from 1.
    pub line: usize,
    /// The heading's whole line as written, with its line break.
    pub heading: String,
    /// Raw Markdown below the heading, up to the next heading.
    pub body: String,
    /// Where the body lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
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
        let end = position.min(self.text.len());
        1 + self.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count()
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
/// stays as it is.
pub fn fill(text: &str, model_name: &str, provider_name: &str) -> String {
    text.replace("{model_name}", model_name).replace("{provider_name}", provider_name)
}
