//! Preferences: one item over another, in a domain.

use crate::language::first_word;
use crate::{Line, Section, Spec, SpecError};

/// One preference that a spec lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The domain, lower case: from the bullet itself or from the heading above it.
    pub domain: String,
    /// What is preferred.
    pub choice: Line,
    /// What it is preferred to.
    pub other: Line,
}

/// Whether a part lists preferences: its title, or that of a section above it, begins with "Preferences".
pub(crate) fn lists_preferences(spec: &Spec, number: usize) -> bool {
    spec.path_titles(number).into_iter().any(|title| first_word(title) == "preferences")
}

/// A preference without what follows B; `None` if nothing follows, or if it is no preference.
pub(crate) fn without_reason(text: &str) -> Option<&str> {
    let over = text.find(" over ")? + " over ".len();
    let end = over + other_end(&text[over..]);
    (!text[end..].trim().is_empty() && end > over).then(|| text[..end].trim_end())
}

/// Where B ends: at a sign, or at a word that begins a reason.
fn other_end(text: &str) -> usize {
    let signs = [',', '.', ';', ':', '(', '—', '–'];
    let ends = text.find(signs).into_iter().chain(REASONS.into_iter().filter_map(|word| text.find(word)));
    ends.min().unwrap_or(text.len())
}

/// Words behind B that begin a reason.
const REASONS: [&str; 3] = [" because ", " since ", " as "];

/// Reads `- A over B`, or `- domain: A over B`; what follows B after a sign or a "because" is for people.
pub(crate) fn preference(spec: &Spec, section: &Section, bullet: Line) -> Result<Preference, SpecError> {
    let Some((left, right)) = bullet.text.split_once(" over ") else {
        return Err(spec.error(
            bullet.span,
            "this preference does not say what is preferred to what",
            "write it as `- Brindlewick over Castermere`; a reason may follow after a comma",
        ));
    };
    let (domain, choice) = match left.split_once(':') {
        Some((domain, choice)) => (domain.trim().to_lowercase(), choice),
        None => (section.title.to_lowercase(), left),
    };
    if domain.is_empty() || domain.starts_with("preferences") {
        return Err(spec.error(
            bullet.span,
            "this preference has no domain",
            "put it below a heading such as `### Cheese`, or write `- cheese: A over B`",
        ));
    }
    let other = &right[..other_end(right)];
    let piece = |text: &str| {
        let text = text.trim().to_string();
        // The exact place if the bullet has no markup there, and else the whole bullet.
        let found = spec.text[bullet.span.clone()].find(&text);
        let span = found.map_or(bullet.span.clone(), |at| {
            let start = bullet.span.start + at;
            start..start + text.len()
        });
        Line { line: spec.line_at(span.start), text, span }
    };
    Ok(Preference { domain, choice: piece(choice), other: piece(other) })
}
