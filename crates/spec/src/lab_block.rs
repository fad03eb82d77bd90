//! The fenced TOML block that says what a spec means in the lab.

use serde::Deserialize;
use toml::Spanned;

use crate::{Block, Line, Spec, SpecError};

/// What the `[lab]` table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabBlock {
    /// The pole that is valued, for example `cheap`.
    pub value: Line,
    /// The attributes that do not matter, for example `origin`.
    pub indifferent: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    value: Option<Spanned<String>>,
    #[serde(default)]
    indifferent: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
struct Root {
    lab: Spanned<Written>,
}

const EXAMPLE: &str =
    "write it as\n```toml\n[lab]\nvalue = \"cheap\"\nindifferent = [\"origin\", \"age\"]\n```";

/// Finds the block: the one fenced `toml` block with a `[lab]` table.
pub(crate) fn find(spec: &Spec) -> Result<Option<LabBlock>, SpecError> {
    let mut found: Option<LabBlock> = None;
    for block in spec.blocks.iter().filter(|block| is_lab(block)) {
        if found.is_some() {
            return Err(spec.error(
                block.span.clone(),
                "this is the second [lab] block of the spec",
                "keep one of them: a spec has one value in the lab",
            ));
        }
        found = Some(read(spec, block)?);
    }
    Ok(found)
}

fn is_lab(block: &Block) -> bool {
    let is_toml = block.info.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("toml"));
    is_toml
        && block.body.lines().any(|line| line.split('#').next().is_some_and(|line| line.trim() == "[lab]"))
}

fn read(spec: &Spec, block: &Block) -> Result<LabBlock, SpecError> {
    let offset = block.span.start;
    let line = |text: &Spanned<String>| {
        let span = text.span().start + offset..text.span().end + offset;
        Line { text: text.get_ref().clone(), line: spec.line_at(span.start), span }
    };
    let root: Root = toml::from_str(&block.body).map_err(|error| {
        let span = error.span().unwrap_or(0..block.body.len());
        let message = format!("the [lab] block cannot be read: {}", error.message());
        spec.error(span.start + offset..span.end + offset, message, EXAMPLE)
    })?;
    let lab = root.lab.get_ref();
    let Some(value) = &lab.value else {
        return Err(spec.error(block.span.clone(), "the [lab] block names no value", EXAMPLE));
    };
    Ok(LabBlock { value: line(value), indifferent: lab.indifferent.iter().map(line).collect() })
}
