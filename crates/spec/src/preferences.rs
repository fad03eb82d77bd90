//! Preferences: one item over another, in a domain.

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
    let mut other = right.split([',', '.', ';', ':', '(', '—', '–']).next().unwrap_or(right);
    for word in [" because ", " since ", " as "] {
        other = other.split(word).next().unwrap_or(other);
    }
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
