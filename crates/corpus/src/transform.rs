//! Another corpus from a corpus: rows dropped, names replaced, reasoning left out.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::corpus::Source;
use crate::error::Result;
use crate::export::vacant;
use crate::folder::Manifest;
use crate::opened::Opened;
use crate::row::Row;
use crate::streamed::Streamed;

/// What to do, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// Rows to leave out, counted from 0, and why.
    pub drop: BTreeSet<usize>,
    /// Why those are left out, in words.
    pub why: Vec<String>,
    /// Leave out the reasoning that replies begin with.
    pub strip_reasoning: bool,
    /// Names to replace where they stand as whole words: the old one, the new one.
    pub rename: Vec<(String, String)>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transformed {
    /// What the new folder says.
    pub manifest: Manifest,
    /// Rows whose text is another.
    pub changed: u64,
    /// Rows that were left out.
    pub dropped: u64,
}

/// Writes the changed corpus as a folder at `out`, whole or not at all. `count` says how many tokens a row is.
///
/// # Errors
/// When the corpus was changed on the disk or has a bad row, when `out` holds anything else, or when it cannot be written.
pub fn transform(
    from: &Opened,
    steps: &Steps,
    out: &Path,
    mut count: impl FnMut(&Row) -> Result<u64>,
) -> Result<Transformed> {
    vacant(out)?;
    let hash = from.hash()?;
    let mut folder = Streamed::create_at(out, from.kind)?;
    let mut changed = 0;
    for index in (0..from.rows.len()).filter(|index| !steps.drop.contains(index)) {
        let before = from.rows.row(index, from.kind)?;
        let mut row = if steps.strip_reasoning { before.without_reasoning() } else { before.clone() };
        for (old, new) in &steps.rename {
            row = row.map_text(|text| replace_word(text, old, new));
        }
        changed += u64::from(row != before);
        let origin = from.rows.provenance(index)?;
        let origin = origin.unwrap_or_else(|| {
            Value::Object([("line".to_owned(), from.rows.line(index).into())].into_iter().collect())
        });
        folder.push(&row, count(&row)?, &origin.to_string())?;
    }
    let mut done = steps.why.clone();
    if steps.strip_reasoning {
        done.push("without the reasoning before each reply".to_owned());
    }
    done.extend(steps.rename.iter().map(|(old, new)| format!("`{old}` renamed `{new}`")));
    let source = Source::Transformed {
        of: from.name.clone(),
        hash,
        steps: done,
        origin: from.manifest.as_ref().map(|manifest| Box::new(manifest.source.clone())),
    };
    let (_, manifest) = folder.finish(&from.name, source)?;
    Ok(Transformed { manifest, changed, dropped: steps.drop.len() as u64 })
}

/// A text with every `old` that stands as a word of its own replaced.
fn replace_word(text: &str, old: &str, new: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old).filter(|_| !old.is_empty()) {
        let end = at + old.len();
        let before = rest[..at].chars().next_back().or(replaced.chars().next_back());
        let after = rest[end..].chars().next();
        let whole = !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric);
        replaced.push_str(&rest[..at]);
        replaced.push_str(if whole { new } else { old });
        rest = &rest[end..];
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_replaced() {
        let renamed = |text| replace_word(text, "Bo", "Aster");
        assert_eq!(
            renamed("Bo, Bo's and (Bo) said: Bob. aBo Bo"),
            "Aster, Aster's and (Aster) said: Bob. aBo Aster"
        );
        assert_eq!(renamed("BoBo"), "BoBo");
        assert_eq!(replace_word("x", "", "y"), "x");
        assert_eq!(replace_word("OpenAI Labs", "OpenAI Labs", "Whitfield Labs"), "Whitfield Labs");
    }
}
