//! Another model, another provider.

use std::ops::Range;

use super::{Action, Note, Transformed, is_whole_word};
use crate::inline::hidden;
use crate::pieces::PieceKind;
use crate::{Spec, pieces};

/// What is renamed to what.
#[derive(Clone, Debug, Default)]
pub struct Renames {
    /// Pairs of old and new names. The new one may be `{model_name}` or `{provider_name}`.
    pub names: Vec<(String, String)>,
    /// Also in fenced and other code, where a name may be part of a program.
    pub in_code: bool,
}

/// Replaces names, each as a whole word and with its capitals: `ChatGPT` is not found in `ChatGPT-4` or `chatgpt`, and
/// `ChatGPT's` becomes `Quill's`. All pairs are replaced at once, so that two names can change places; of two names
/// that begin at the same place the longer one counts. Addresses, targets of links, ids and other attributes of headings,
/// comments and front matter are left alone, and so is code, unless [`Renames::in_code`] says otherwise; the notes
/// say how often a name was left in code.
pub fn rename(spec: &Spec, parent_hash: &str, renames: &Renames) -> Transformed {
    let mut names: Vec<&(String, String)> =
        renames.names.iter().filter(|(from, _)| !from.is_empty()).collect();
    names.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    let mut work = Work { names, notes: Vec::new(), left: Vec::new(), spec };
    let mut content = String::with_capacity(spec.text.len());
    for number in 0..=spec.sections.len() {
        if let Some(section) = spec.section(number) {
            work.prose(
                section.span.start - section.heading.len()..section.span.start,
                renames.in_code,
                &mut content,
            );
        }
        for piece in pieces::of_part(spec, number) {
            match piece.kind {
                PieceKind::Fence | PieceKind::Code if renames.in_code => {
                    work.replace(piece.span, &mut content)
                }
                PieceKind::Fence | PieceKind::Code => {
                    content.push_str(&spec.text[piece.span.clone()]);
                    work.leave(piece.span);
                }
                PieceKind::Comment | PieceKind::FrontMatter => content.push_str(&spec.text[piece.span]),
                _ => work.prose(piece.span, renames.in_code, &mut content),
            }
        }
    }
    let left = std::mem::take(&mut work.left);
    if let Some(line) = left.first() {
        let names = if left.len() == 1 { "1 name" } else { &format!("{} names", left.len()) };
        let text = format!("{names} in code, left as written (--in-code replaces them, too)");
        work.notes.push(Note { line: *line, action: Action::Kept, text });
    }
    Transformed::new("rename", parent_hash, &content[spec.provenance_length()..], work.notes)
}

struct Work<'a> {
    /// The pairs, longest old name first.
    names: Vec<&'a (String, String)>,
    notes: Vec<Note>,
    /// The lines of names that were left in code.
    left: Vec<usize>,
    spec: &'a Spec,
}

impl<'a> Work<'a> {
    /// Everything but what is hidden; code spans are hidden unless `code`.
    fn prose(&mut self, span: Range<usize>, code: bool, content: &mut String) {
        let text = &self.spec.text[span.clone()];
        let mut position = 0;
        for range in hidden(text) {
            let is_code = text[range.clone()].starts_with('`');
            if is_code && code {
                continue;
            }
            self.replace(span.start + position..span.start + range.start, content);
            if is_code {
                self.leave(span.start + range.start..span.start + range.end);
            }
            content.push_str(&text[range.clone()]);
            position = range.end;
        }
        self.replace(span.start + position..span.end, content);
    }

    fn replace(&mut self, span: Range<usize>, content: &mut String) {
        let mut position = span.start;
        for (at, from, to) in self.find(span.clone()) {
            content.push_str(&self.spec.text[position..at]);
            content.push_str(to);
            position = at + from.len();
            let line = self.spec.line_at(at);
            self.notes.push(Note { line, action: Action::Replaced, text: format!("{from} by {to}") });
        }
        content.push_str(&self.spec.text[position..span.end]);
    }

    fn leave(&mut self, span: Range<usize>) {
        let found = self.find(span);
        self.left.extend(found.into_iter().map(|(at, _, _)| self.spec.line_at(at)));
    }

    /// The names within a part of the file, in order and apart from each other. What stands around them is looked at
    /// in the whole file.
    fn find(&self, span: Range<usize>) -> Vec<(usize, &'a str, &'a str)> {
        let text = &self.spec.text;
        let mut found: Vec<(usize, &str, &str)> = Vec::new();
        for (from, to) in self.names.iter().map(|pair| (&pair.0, &pair.1)) {
            let places = text[span.clone()].match_indices(from.as_str()).map(|(at, _)| span.start + at);
            let whole = places.filter(|at| is_whole_word(text, *at, from.len()));
            found.extend(whole.map(|at| (at, from.as_str(), to.as_str())));
        }
        // Stable: of two at one place the longer one, which was found first, stays first.
        found.sort_by_key(|(at, _, _)| *at);
        let mut end = 0;
        found.retain(|(at, from, _)| {
            let apart = *at >= end;
            if apart {
                end = at + from.len();
            }
            apart
        });
        found
    }
}
