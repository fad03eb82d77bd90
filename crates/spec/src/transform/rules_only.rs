//! The rules without their reasons.

use super::cut::{Cut, Part, cut};
use super::edit::{Deed, Edited, Editor, untouched};
use super::{Action, Transformed};
use crate::language::{is_why, traits};
use crate::pieces::{Piece, PieceKind};
use crate::{Spec, preferences};

/// Removes the reasons and keeps the rules.
///
/// - Sections whose title begins with "Why", "Reasons" or "Rationale" go, with those nested in them.
/// - Admonitions that comment (`meta`, or a title with "commentary", "why", "reason", "rationale", "background") go.
/// - A paragraph that begins with an emphasised question why goes.
/// - A sentence that gives a reason, or says what somebody values, believes or aims at, and prescribes nothing goes.
/// - Of a sentence that does both, the reason is cut off, if what is left is certain to be a sentence; if not, it
///   stays, with a note.
/// - Of a preference (`- A over B, because ...`) what follows B goes.
/// - In example dialogues the reasons in `<!-- GOOD: ... -->` and `<!-- BAD: ... -->` go; the examples stay.
///
/// Sentences that neither prescribe nor explain stay: definitions, and what rules refer to. A section of which nothing
/// is left goes with its heading. Headings, code, tables and comments are not touched.
pub fn rules_only(spec: &Spec, parent_hash: &str) -> Transformed {
    let mut editor = Editor::new(spec);
    let mut number = 0;
    while number <= spec.sections.len() {
        if number > 0 && is_why(spec.title_of(number)) {
            number = spec.nested(number).end;
            editor.remove_sections(number);
        } else {
            part(&mut editor, number);
            number += 1;
        }
    }
    let (content, notes) = editor.finish();
    Transformed::new("rules-only", parent_hash, &content, notes)
}

fn part(editor: &mut Editor, number: usize) {
    let spec = editor.spec;
    let in_preferences = preferences::lists_preferences(spec, number);
    let mut comments = false;
    let mut edited = untouched(spec, number);
    for Edited { piece, text } in &mut edited {
        if piece.kind == PieceKind::Admonition {
            comments = is_commentary(piece.text(spec));
            if comments {
                editor.note(piece.content.start, Action::Removed, piece.text(spec));
            }
        }
        match piece.kind {
            _ if comments && piece.in_admonition => *text = None,
            PieceKind::Fence => *text = text.take().map(|text| without_verdict_reasons(editor, piece, text)),
            PieceKind::Item { .. } if in_preferences => {
                if let Some(bare) = preferences::without_reason(piece.text(spec)) {
                    editor.note(piece.content.start, Action::Cut, piece.text(spec));
                    *text = Some(bare.to_string());
                }
            }
            kind if kind.is_prose() && !piece.announces_example(spec) => *text = prose(editor, piece),
            _ => {}
        }
    }
    editor.part(edited);
}

fn prose(editor: &mut Editor, piece: &Piece) -> Option<String> {
    let text = piece.text(editor.spec);
    if asks_why(text) {
        editor.note(piece.content.start, Action::Removed, text);
        return None;
    }
    editor.sentences(piece, &mut |sentence| {
        let found = traits(sentence);
        if !found.prescribes {
            return if found.reasons || found.values { Deed::Drop } else { Deed::Leave };
        }
        match strip(sentence) {
            // The reason is told by other words than those that can be cut at.
            Some(main) if main == sentence && found.reasons => Deed::Regret,
            Some(main) if main == sentence => Deed::Leave,
            Some(main) => Deed::Replace(main),
            None => Deed::Regret,
        }
    })
}

/// A rule without its reasons; `None` if they cannot be cut off.
fn strip(sentence: &str) -> Option<String> {
    let mut current = sentence.to_string();
    loop {
        match cut(&current) {
            Cut::Nothing => return Some(current),
            Cut::Stuck => return None,
            Cut::Off { main, reason, part } => {
                // "Rule one, so rule two": both are rules.
                let keeps = part == Part::Sentence && traits(&reason).prescribes;
                if keeps {
                    return Some(format!("{reason} {main}"));
                }
                current = main;
            }
        }
    }
}

/// `*Why are there defaults?* Because ...`
fn asks_why(text: &str) -> bool {
    let marked = text.starts_with(['*', '_']);
    let question = text.trim_start_matches(['*', '_']);
    marked
        && question.starts_with("Why")
        && question.find(['?', '*', '_']).is_some_and(|end| question[end..].starts_with('?'))
}

fn is_commentary(head: &str) -> bool {
    let lower = head.to_lowercase();
    let words = ["meta", "commentary", "why", "reason", "rationale", "background"];
    lower.split(|c: char| !c.is_alphanumeric()).any(|word| words.iter().any(|other| word.starts_with(other)))
}

/// Example dialogues say why an answer is good or bad; only that it is stays.
fn without_verdict_reasons(editor: &mut Editor, piece: &Piece, text: String) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut position = piece.span.start;
    for line in text.split_inclusive('\n') {
        let verdict = ["<!-- GOOD:", "<!-- BAD:"].into_iter().find_map(|open| Some((line.find(open)?, open)));
        let end = line.rfind("-->");
        match (verdict, end) {
            (Some((start, open)), Some(end)) if end > start => {
                editor.note(position, Action::Cut, &line[start..end + 3]);
                kept.push_str(&line[..start]);
                kept.push_str(open.trim_end_matches(':'));
                kept.push_str(" -->");
                kept.push_str(&line[end + 3..]);
            }
            _ => kept.push_str(line),
        }
        position += line.len();
    }
    kept
}
