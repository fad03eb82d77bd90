//! Specs made from specs, to find out what it is in a spec that works.
//!
//! Each transform is a pure function of the text. What it writes begins with a comment that names the transform and the
//! hash of the file it was made from, which the parser does not count as content. Three are done by rule:
//!
//! - [`rules_only()`]: the reasons are removed, the rules stay;
//! - [`attribution_ablated`]: values and preferences stay, and that one explains the other is no longer said;
//! - [`rename()`]: another model, another provider.
//!
//! Two are written by a model, section by section, to the same length: value-augmented and rule-augmented drafts.
//! What needs no model about them is in [`Augmentation`]: the jobs, the assembly, and the balance.

mod ablate;
mod augment;
mod clause;
mod cut;
mod edit;
mod names;
mod rename;
mod rules_only;

use serde::Serialize;

pub use ablate::{AblateOptions, attribution_ablated};
pub use augment::{Augment, Augmentation, Balance, Draft, Job, Redo};
pub(crate) use names::is_whole_word;
pub use rename::{Renames, rename};
pub use rules_only::rules_only;

use crate::{Provenance, WrittenBy};

/// A spec that was made from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformed {
    /// The new file, with the comment that says what it was made from.
    pub text: String,
    /// The transform, for example `rules-only`.
    pub kind: &'static str,
    /// The hash of the file that it was made from, as the caller gave it.
    pub parent_hash: String,
    /// What was done, in the order of the file.
    pub notes: Vec<Note>,
}

/// One thing that a transform did, or could not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The line in the file that was transformed, counted from 1.
    pub line: usize,
    /// What happened.
    pub action: Action,
    /// The text that it happened to, or a sentence about it.
    pub text: String,
}

/// What happened to a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It was removed.
    Removed,
    /// A part of it was removed.
    Cut,
    /// It was replaced.
    Replaced,
    /// It should have been changed, and could not be without damage. A person should look at it.
    Kept,
}

impl Action {
    /// `removed`, `cut`, `replaced` or `kept`.
    pub fn name(self) -> &'static str {
        match self {
            Action::Removed => "removed",
            Action::Cut => "cut",
            Action::Replaced => "replaced",
            Action::Kept => "kept",
        }
    }
}

impl Transformed {
    /// `content` is without the comment of an earlier transform: the new one takes its place.
    fn new(kind: &'static str, parent_hash: &str, content: &str, mut notes: Vec<Note>) -> Transformed {
        notes.sort_by_key(|note| note.line);
        let provenance =
            Provenance { transform: kind.to_string(), parent: parent_hash.to_string(), writer: None };
        Transformed {
            text: provenance.comment() + content,
            kind,
            parent_hash: parent_hash.to_string(),
            notes,
        }
    }

    /// The same, with the model that wrote it in the comment.
    #[must_use]
    pub fn written_by(self, writer: WrittenBy) -> Transformed {
        let content = self.text.split_once('\n').map_or("", |(_, content)| content);
        let (transform, parent) = (self.kind.to_string(), self.parent_hash.clone());
        let provenance = Provenance { transform, parent, writer: Some(writer) };
        Transformed { text: provenance.comment() + content, ..self }
    }

    /// How many notes have this action.
    pub fn count(&self, action: Action) -> usize {
        self.notes.iter().filter(|note| note.action == action).count()
    }
}

/// A text on one line, shortened for notes.
fn short(text: &str) -> String {
    const LONGEST: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", line[..end].trim_end()),
        None => line,
    }
}
