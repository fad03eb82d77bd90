//! Rewriting the sentences of a spec's prose, and tidying up after it.

use super::{Action, Note, short};
use crate::pieces::{Piece, PieceKind};
use crate::sentences::sentences;
use crate::{Spec, pieces};

/// What is to be done with a sentence or a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It stays as it is.
    Leave,
    /// It goes.
    Drop,
    /// This takes its place.
    Replace(String),
    /// It stays, though it should not; the notes say so.
    Regret,
}

/// A spec while it is being rewritten.
pub(crate) struct Editor<'a> {
    pub spec: &'a Spec,
    pub notes: Vec<Note>,
    /// The new bodies of the parts, in order; `None` for those that go with their headings.
    bodies: Vec<Option<String>>,
}

impl<'a> Editor<'a> {
    pub fn new(spec: &'a Spec) -> Editor<'a> {
        Editor { spec, notes: Vec::new(), bodies: Vec::new() }
    }

    /// The next part has these pieces now.
    pub fn part(&mut self, edited: Vec<Edited>) {
        self.bodies.push(Some(assemble(self.spec, edited)));
    }

    /// The next parts, up to `end`, go.
    pub fn remove_sections(&mut self, end: usize) {
        for number in self.bodies.len()..end {
            let section = &self.spec.sections[number - 1];
            self.note(section.span.start - section.heading.len(), Action::Removed, section.heading.trim());
            self.bodies.push(None);
        }
    }

    /// The new text, without the comment of an earlier transform. Sections that had text, and have none left below
    /// their heading, go.
    pub fn finish(mut self) -> (String, Vec<Note>) {
        let spec = self.spec;
        for number in (1..self.bodies.len()).rev() {
            let readable = |number: usize| self.bodies[number].as_deref().is_some_and(is_readable);
            let had = pieces::of_part(spec, number).iter().any(|piece| piece.kind.is_readable());
            let nested = spec.nested(number);
            let had = had || !nested.is_empty();
            let left = nested.clone().any(|nested| self.bodies[nested].is_some());
            if self.bodies[number].is_some() && had && !readable(number) && !left {
                let section = &spec.sections[number - 1];
                self.note(
                    section.span.start - section.heading.len(),
                    Action::Removed,
                    section.heading.trim(),
                );
                self.bodies[number] = None;
            }
        }
        let mut content = String::with_capacity(spec.text.len());
        for (number, body) in self.bodies.iter().enumerate() {
            if let Some(body) = body {
                content.push_str(spec.section(number).map_or("", |section| &section.heading));
                content.push_str(body);
            }
        }
        // The comment is the first piece, and no transform touches comments.
        let content = content[spec.provenance_length().min(content.len())..].to_string();
        (content, self.notes)
    }

    /// Notes what was done at a place.
    pub fn note(&mut self, position: usize, action: Action, text: &str) {
        self.notes.push(Note { line: self.spec.line_at(position), action, text: short(text) });
    }

    /// The prose of a piece, sentence by sentence; `None` if nothing of it is left.
    pub fn sentences(&mut self, piece: &Piece, decide: &mut dyn FnMut(&str) -> Deed) -> Option<String> {
        let text = piece.text(self.spec);
        let mut kept = String::new();
        let mut separator = "";
        let mut position = 0;
        for range in sentences(text) {
            if !kept.is_empty() && separator.is_empty() {
                separator = &text[position..range.start];
            }
            let sentence = &text[range.clone()];
            let at = piece.content.start + range.start;
            let deed = decide(sentence);
            match &deed {
                Deed::Leave => {}
                Deed::Drop => self.note(at, Action::Removed, sentence),
                Deed::Replace(_) => self.note(at, Action::Cut, sentence),
                Deed::Regret => self.note(at, Action::Kept, sentence),
            }
            let new = match deed {
                Deed::Drop => None,
                Deed::Replace(new) => Some(new),
                Deed::Leave | Deed::Regret => Some(sentence.to_string()),
            };
            if let Some(new) = new {
                kept.push_str(separator);
                kept.push_str(&new);
                separator = "";
            }
            position = range.end;
        }
        (!kept.is_empty()).then_some(kept)
    }
}

/// A piece and what has become of its text: `None` if it goes.
pub(crate) struct Edited {
    pub piece: Piece,
    pub text: Option<String>,
}

/// Puts the pieces of a part together again. A piece that goes takes the empty lines behind it along; a line that
/// introduces a list goes with the list, and stays with it.
fn assemble(spec: &Spec, mut edited: Vec<Edited>) -> String {
    keep_introductions(spec, &mut edited);
    let mut content = String::new();
    let mut gone = false;
    for Edited { piece, text } in &edited {
        let raw = &spec.text[piece.span.clone()];
        match text {
            None => gone = true,
            Some(_) if piece.kind == PieceKind::Blank && gone && ends_blank(&content) => {}
            Some(text) => {
                gone &= piece.kind == PieceKind::Blank;
                let before = &spec.text[piece.span.start..piece.content.start];
                let after = &spec.text[piece.content.end..piece.span.end];
                if piece.kind.is_prose() {
                    content.push_str(before);
                    content.push_str(text);
                    content.push_str(after);
                } else if piece.kind == PieceKind::Fence {
                    content.push_str(text);
                } else {
                    content.push_str(raw);
                }
            }
        }
    }
    content
}

/// Whether nothing is there yet, or an empty line is last.
fn ends_blank(content: &str) -> bool {
    let last = content.strip_suffix('\n').map(|rest| &rest[rest.rfind('\n').map_or(0, |at| at + 1)..]);
    content.is_empty() || last.is_some_and(|line| line.trim().is_empty())
}

fn keep_introductions(spec: &Spec, edited: &mut [Edited]) {
    for index in 0..edited.len() {
        let piece = &edited[index].piece;
        let introduces = piece.kind == PieceKind::Paragraph && piece.text(spec).trim_end().ends_with(':');
        if !introduces {
            continue;
        }
        let behind = edited[index + 1..].iter().filter(|other| other.piece.kind != PieceKind::Blank);
        let list: Vec<&Edited> = behind
            .take_while(|other| matches!(other.piece.kind, PieceKind::Item { .. }) || other.piece.indent >= 2)
            .collect();
        let any_left = list.iter().any(|other| other.text.is_some());
        if list.is_empty() {
            continue;
        }
        edited[index].text = match any_left {
            true => {
                Some(edited[index].text.clone().unwrap_or_else(|| edited[index].piece.text(spec).to_string()))
            }
            false => None,
        };
    }
}

/// All pieces of a part, as they are.
pub(crate) fn untouched(spec: &Spec, number: usize) -> Vec<Edited> {
    let pieces = pieces::of_part(spec, number).into_iter();
    let raw = |piece: &Piece| match piece.kind {
        PieceKind::Fence => spec.text[piece.span.clone()].to_string(),
        _ => piece.text(spec).to_string(),
    };
    pieces.map(|piece| Edited { text: Some(raw(&piece)), piece }).collect()
}

/// Whether anything is left that a reader sees.
fn is_readable(content: &str) -> bool {
    let mut rest = content.trim();
    while let Some(comment) = rest.strip_prefix("<!--") {
        match comment.find("-->") {
            Some(end) => rest = comment[end + 3..].trim_start(),
            None => return true,
        }
    }
    !rest.is_empty()
}
