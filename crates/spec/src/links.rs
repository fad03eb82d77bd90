//! Links from one section to another: `[words](#id)`, or `[?](#id)`, which stands for the title.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::{Section, Spec, pieces};

/// A link within the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the link shows; `?` stands for the title of the section.
    pub text: String,
    /// The id that it leads to, without `#`.
    pub target: String,
    /// The line, counted from 1.
    pub line: usize,
    /// Where it lies in [`Spec::text`], in bytes.
    pub span: Range<usize>,
    /// The number of the section that it leads to, if there is one.
    pub to: Option<usize>,
}

impl Spec {
    /// The links within the spec, in order, outside of fenced blocks and comments.
    pub fn links(&self) -> Vec<Link> {
        let mut found = Vec::new();
        for number in 0..=self.sections.len() {
            for piece in pieces::of_part(self, number) {
                if !piece.kind.is_prose() && piece.kind != pieces::PieceKind::Table {
                    continue;
                }
                let offset = piece.content.start;
                for link in find(piece.text(self)) {
                    let span = offset + link.span.start..offset + link.span.end;
                    found.push(Link {
                        text: link.text.to_string(),
                        target: link.target.to_string(),
                        line: self.line_at(span.start),
                        to: self.targets.get(link.target).copied(),
                        span,
                    });
                }
            }
        }
        found
    }

    /// A text in which every `[?](#id)` is replaced by the title of its section, in quotes. Other links and ids that
    /// lead nowhere stay.
    pub fn resolve_links(&self, text: &str) -> String {
        if !text.contains("[?](#") {
            return text.to_string();
        }
        let mut resolved = String::with_capacity(text.len());
        let mut position = 0;
        for link in find(text).into_iter().filter(|link| link.text == "?") {
            let Some(number) = self.targets.get(link.target) else { continue };
            resolved.push_str(&text[position..link.span.start]);
            resolved.push_str(&format!("\"{}\"", self.title_of(*number)));
            position = link.span.end;
        }
        resolved + &text[position..]
    }
}

/// The section numbers by what a link may call them: their id, or else the anchor that Markdown renderers make from
/// the title. The first section of a name counts.
pub(crate) fn targets(sections: &[Section]) -> BTreeMap<String, usize> {
    let mut targets = BTreeMap::new();
    let ids =
        sections.iter().enumerate().filter_map(|(index, section)| Some((section.id.clone()?, index + 1)));
    let anchors = sections.iter().enumerate().map(|(index, section)| (anchor(&section.title), index + 1));
    for (name, number) in ids.chain(anchors) {
        targets.entry(name).or_insert(number);
    }
    targets
}

/// A link in a text.
struct Found<'a> {
    text: &'a str,
    target: &'a str,
    span: Range<usize>,
}

/// How long an id may be, in characters.
const LONGEST_ID: usize = 200;

fn find(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(at) = text[position..].find("](#") {
        let middle = position + at;
        // Brackets that were closed before belong to another link, so what was looked at is not looked at again.
        let open = text[position..middle].rfind('[').map(|open| position + open);
        position = middle + 3;
        let close = text[position..].char_indices().take(LONGEST_ID).find(|(_, c)| matches!(c, ')' | '\n'));
        let (Some(open), Some((close, ')'))) = (open, close) else { continue };
        let target = &text[position..position + close];
        if !target.is_empty() && !target.contains(char::is_whitespace) && !text[open..middle].contains(']') {
            let end = position + close + 1;
            found.push(Found { text: &text[open + 1..middle], target, span: open..end });
            position = end;
        }
    }
    found
}

/// The anchor of a title as the common renderers make it: lower case, spaces to hyphens, other signs dropped.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
