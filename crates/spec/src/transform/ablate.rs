//! Values and preferences, without one explaining the other.

use super::clause::{capital, terminal};
use super::cut::{Cut, Part, cut};
use super::edit::{Deed, Edited, Editor, untouched};
use super::{Action, Transformed};
use crate::language::{is_why, traits, words};
use crate::pieces::{Piece, PieceKind};
use crate::{Spec, preferences};

/// How the attribution is removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct AblateOptions {
    /// Whether the reasons that are cut off are kept as statements of their own, in a section at the end.
    pub keep_reasons: bool,
}

/// The title of the section of kept reasons.
const KEPT: &str = "Further statements";

/// Phrases of sentences that say nothing but that one thing explains another.
const ATTRIBUTING: &str = "\
    is why, the reason, the reasons, follows from, follow from, is because, stems from, rests on";

/// Removes what says that a value explains a preference or a rule. Both stay.
///
/// - Of `X because Y`, `Because Y, X`, `X, so that Y`, `To ensure Y, X` and the like, X stays as a sentence. Y goes, or with
///   [`AblateOptions::keep_reasons`] becomes a statement of its own in a section "Further statements" at the end.
/// - `Y, so X` and `Y; therefore X` become two sentences, Y and X. `Therefore, X` becomes X.
/// - Of a preference (`- A over B, because ...`) what follows B goes.
/// - A sentence, or the end of one, that prescribes nothing and says that something is the reason, or follows from something,
///   goes.
/// - A sentence that says what somebody values, believes or aims at, and prescribes nothing, stays with its own reasons: they
///   belong to the value.
/// - Sections whose title begins with "Why", "Reasons" or "Rationale" hold the values, and stay as they are.
///
/// A sentence that cannot be cut so that a sentence is left stays, with a note. Nothing else is touched.
pub fn attribution_ablated(spec: &Spec, parent_hash: &str, options: &AblateOptions) -> Transformed {
    let mut editor = Editor::new(spec);
    let mut kept: Vec<String> = Vec::new();
    for number in 0..=spec.sections.len() {
        part(&mut editor, number, &mut kept);
    }
    let (mut content, notes) = editor.finish();
    if options.keep_reasons && !kept.is_empty() {
        let level =
            spec.sections.iter().map(|section| section.level).filter(|level| *level > 1).min().unwrap_or(2);
        let line_break = if content.contains("\r\n") { "\r\n" } else { "\n" };
        if !content.ends_with('\n') {
            content.push_str(line_break);
        }
        content.push_str(&format!("{line_break}{} {KEPT}{line_break}{line_break}", "#".repeat(level)));
        for statement in kept {
            content.push_str(&format!("- {statement}{line_break}"));
        }
    }
    Transformed::new("attribution-ablated", parent_hash, &content, notes)
}

fn part(editor: &mut Editor, number: usize, kept: &mut Vec<String>) {
    let spec = editor.spec;
    let mut edited = untouched(spec, number);
    let in_why = spec.path_titles(number).into_iter().any(is_why);
    let in_preferences = preferences::lists_preferences(spec, number);
    if !in_why {
        for Edited { piece, text } in &mut edited {
            let bare = matches!(piece.kind, PieceKind::Item { .. })
                .then(|| preferences::without_reason(piece.text(spec)))
                .flatten()
                .filter(|_| in_preferences);
            if let Some(bare) = bare {
                editor.note(piece.content.start, Action::Cut, piece.text(spec));
                *text = Some(bare.to_string());
            } else if piece.kind.is_prose()
                && !piece.announces_example(spec)
                && !in_preferences_item(piece, in_preferences)
            {
                *text = editor.sentences(piece, &mut |sentence| unlink(sentence, kept));
            }
        }
    }
    editor.part(edited);
}

/// Items of a list of preferences are preferences, whatever they look like.
fn in_preferences_item(piece: &Piece, in_preferences: bool) -> bool {
    in_preferences && matches!(piece.kind, PieceKind::Item { .. })
}

fn unlink(sentence: &str, kept: &mut Vec<String>) -> Deed {
    let found = traits(sentence);
    if !found.prescribes && attributes(sentence) {
        // What else is said in it stays.
        return match without_attribution(sentence) {
            Some(main) => Deed::Replace(main),
            None if found.values => Deed::Regret,
            None => Deed::Drop,
        };
    }
    // "We want this so that that": the reasons of a value are the value.
    if !found.prescribes && found.values {
        return Deed::Leave;
    }
    let mut current = sentence.to_string();
    loop {
        match cut(&current) {
            Cut::Nothing if current == sentence => return Deed::Leave,
            Cut::Nothing => return Deed::Replace(current),
            Cut::Stuck => return Deed::Regret,
            Cut::Off { main, reason, part: Part::Sentence } => {
                // One sentence became two; what is in each of them is looked at again by the next transform only.
                return Deed::Replace(format!("{reason} {main}"));
            }
            Cut::Off { main, reason, part } => {
                let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
                let statement = format!("{}.", capital(reason.trim_end_matches(['.', '!', '?'])));
                if part == Part::Clause && words(&reason).len() >= 3 && !kept.contains(&statement) {
                    kept.push(statement);
                }
                current = main;
            }
        }
    }
}

/// Whether a sentence says that one thing explains another.
fn attributes(sentence: &str) -> bool {
    let words = words(sentence);
    ATTRIBUTING.split(", ").any(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        words
            .windows(phrase.len())
            .any(|window| window.iter().zip(&phrase).all(|(word, other)| word == other))
    })
}

/// A sentence of several clauses without the last ones, which say that one thing explains another.
fn without_attribution(sentence: &str) -> Option<String> {
    let breaks = ["; ", " --- ", " — ", ", and ", ", so "];
    let mut places: Vec<usize> =
        breaks.iter().flat_map(|mark| sentence.match_indices(mark)).map(|(at, _)| at).collect();
    places.sort_unstable();
    let first =
        places.into_iter().rev().find(|at| !attributes(&sentence[..*at]) && attributes(&sentence[*at..]))?;
    let main = sentence[..first].trim_end();
    let is_clause = words(main).len() >= 4;
    is_clause.then(|| format!("{main}{}", terminal(sentence)))
}
