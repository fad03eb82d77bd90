//! Links and footnote marks that lead nowhere.

use std::collections::BTreeSet;

use super::{Finding, Severity, at, counted, lines};
use crate::pieces::PieceKind;
use crate::{Spec, pieces};

/// Finds links to sections that there are not, and footnote marks without a footnote.
pub fn find(spec: &Spec, findings: &mut Vec<Finding>) {
    for link in spec.links().into_iter().filter(|link| link.to.is_none()) {
        let message = format!("the link to `#{}` leads nowhere", link.target);
        let help = "write the id of a section, as in `## Title {#id}`";
        findings.push(at(spec, link.span.start, "dangling-link", Severity::Warning, message, help));
    }
    footnotes(spec, findings);
}

fn footnotes(spec: &Spec, findings: &mut Vec<Finding>) {
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut marks: Vec<(usize, &str)> = Vec::new();
    for number in 0..=spec.sections.len() {
        for piece in pieces::of_part(spec, number) {
            let mark = &spec.text[piece.span.start..piece.content.start];
            if piece.kind == PieceKind::Footnote
                && let Some(name) = mark.trim().strip_prefix("[^").and_then(|mark| mark.strip_suffix("]:"))
            {
                explained.insert(name);
            }
            if piece.kind.is_prose() || piece.kind == PieceKind::Table {
                let text = piece.text(spec);
                for (position, _) in text.match_indices("[^") {
                    let name = text[position + 2..].split([']', '[', ' ', '\n']).next().unwrap_or("");
                    if !name.is_empty() && text[position + 2 + name.len()..].starts_with(']') {
                        marks.push((piece.content.start + position, name));
                    }
                }
            }
        }
    }
    marks.retain(|(_, name)| !explained.contains(name));
    let Some((first, name)) = marks.first() else { return };
    let at_lines: Vec<usize> = marks.iter().map(|(position, _)| spec.line_at(*position)).collect();
    let message = format!(
        "{} without a footnote, such as [^{name}] ({})",
        counted(marks.len(), "footnote mark"),
        lines(&at_lines)
    );
    let help = "write each footnote as `[^name]: text`, or remove the marks: writers may copy them";
    findings.push(at(spec, *first, "footnote-without-text", Severity::Note, message, help));
}
