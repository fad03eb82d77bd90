//! Numbered principles: as headings (`## SP1: Tell the truth`) or as list items (`1. Tell the truth`).

use std::ops::Range;

use crate::heading::label;
use crate::pieces::PieceKind;
use crate::{Section, Spec, pieces};

/// A numbered principle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principle {
    /// Its number as written, for example `SP1`, `2.3` or `Principle 4`.
    pub label: String,
    /// What it says: the title of a heading, or the whole first paragraph of an item, on one line.
    pub text: String,
    /// The number of the section that it is, or stands in.
    pub section: usize,
    /// Whether it is a heading.
    pub is_section: bool,
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// Where the heading or the item lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
}

/// Words in titles below which the items of a numbered list are principles.
const TITLES: [&str; 9] =
    ["principle", "rule", "commitment", "value", "norm", "guideline", "priorit", "standard", "tenet"];

impl Spec {
    /// The numbered principles in order.
    ///
    /// A heading is one if its title begins with a number ([`label`]). A list item or a paragraph is one
    /// if it begins with letters and digits such as `SP1:`; a plain number such as `1.` makes a list item one only
    /// if the section's title speaks of principles, rules, values or the like, since other lists are numbered, too.
    pub fn principles(&self) -> Vec<Principle> {
        let mut found = Vec::new();
        for number in self.numbers() {
            found.extend(self.section(number).and_then(|section| heading_principle(section, number)));
            found.extend(self.principles_in(number));
        }
        found
    }

    /// The principles that stand in a part's own text.
    pub(crate) fn principles_in(&self, number: usize) -> Vec<Principle> {
        let title = self.title_of(number).to_lowercase();
        let listed = TITLES.iter().any(|word| title.contains(word));
        let mut found = Vec::new();
        for piece in pieces::of_part(self, number) {
            if !matches!(piece.kind, PieceKind::Item { .. } | PieceKind::Paragraph) || piece.indent >= 2 {
                continue;
            }
            let text = piece.text(self);
            let named = label(text).filter(|(label, _)| label.starts_with(|c: char| c.is_alphabetic()));
            let mark = self.text[piece.span.start..piece.content.start].trim();
            let numbered = matches!(piece.kind, PieceKind::Item { numbered: true }) && listed;
            let (label, text) = match named {
                Some((label, rest)) => (label, rest),
                None if numbered => (mark.trim_end_matches(['.', ')']), text),
                None => continue,
            };
            found.push(Principle {
                label: label.to_string(),
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                section: number,
                is_section: false,
                line: self.line_at(piece.span.start),
                span: piece.content.clone(),
            });
        }
        found
    }
}

fn heading_principle(section: &Section, number: usize) -> Option<Principle> {
    let (label, rest) = label(&section.title)?;
    Some(Principle {
        label: label.to_string(),
        text: rest.to_string(),
        section: number,
        is_section: true,
        line: section.line,
        span: section.span.start - section.heading.len()..section.span.start,
    })
}
