//! Placeholders that were never replaced.

use super::{Finding, Severity, at};
use crate::inline::prose_only;
use crate::{Spec, pieces};

/// Words in brackets that ask for something to be put in, alone or as the first of several.
const INSERTS: [&str; 9] = ["insert", "your", "add", "fill", "todo", "tbd", "name of", "enter", "replace"];

/// What a single word in capitals and brackets may be a placeholder for.
const SLOTS: [&str; 12] = [
    "NAME",
    "COMPANY",
    "MODEL",
    "PROVIDER",
    "DATE",
    "TITLE",
    "USER",
    "ASSISTANT",
    "ORGANIZATION",
    "ORGANISATION",
    "PRODUCT",
    "PLACEHOLDER",
];

const HELP: &str = "write what belongs there: documents would repeat it as it is";

/// Finds what looks like a placeholder in headings and prose; code and examples may have them.
pub fn find(spec: &Spec, findings: &mut Vec<Finding>) {
    for number in 0..=spec.sections.len() {
        if let Some(section) = spec.section(number) {
            scan(spec, section.span.start - section.heading.len(), &section.heading, findings);
        }
        for piece in pieces::of_part(spec, number) {
            if piece.kind.is_prose() || piece.kind == pieces::PieceKind::Table {
                scan(spec, piece.content.start, piece.text(spec), findings);
            }
        }
    }
}

fn scan(spec: &Spec, offset: usize, raw: &str, findings: &mut Vec<Finding>) {
    let text = prose_only(raw);
    braces(spec, offset, &text, findings);
    brackets(spec, offset, &text, findings);
    for word in ["TODO", "TBD", "XXX", "FIXME"] {
        for (position, _) in
            text.match_indices(word).filter(|(position, _)| is_word(&text, *position, word.len()))
        {
            let message = format!("`{word}` is left in the text");
            findings.push(at(spec, offset + position, "placeholder", Severity::Warning, message, HELP));
        }
    }
    let lorem =
        text.match_indices("orem ipsum").find(|(position, _)| text[..*position].ends_with(['L', 'l']));
    if let Some((position, _)) = lorem {
        let message = "filler text (\"lorem ipsum\") is left in the text".to_string();
        findings.push(at(spec, offset + position, "placeholder", Severity::Warning, message, HELP));
    }
}

/// `{other_name}` and `{{other_name}}`.
fn braces(spec: &Spec, offset: usize, text: &str, findings: &mut Vec<Finding>) {
    for (position, _) in text.match_indices('{') {
        let rest = &text[position + 1..];
        let length =
            rest.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_').count();
        let name = &rest[..length];
        let named = length > 1 && name.starts_with(|c: char| c.is_ascii_lowercase());
        if !named || !rest[length..].starts_with('}') || ["model_name", "provider_name"].contains(&name) {
            continue;
        }
        let message = format!("`{{{name}}}` looks like a placeholder, and is none that is filled");
        let help = "only {model_name} and {provider_name} are filled; write the words, or put it in `code` if it is \
            meant as it stands";
        findings.push(at(spec, offset + position, "placeholder", Severity::Warning, message, help));
    }
}

/// `[COMPANY NAME]`, `[insert a name]`, `[DATE]`.
fn brackets(spec: &Spec, offset: usize, text: &str, findings: &mut Vec<Finding>) {
    const LONGEST: usize = 60;
    for (position, _) in text.match_indices('[') {
        let rest = &text[position + 1..];
        let end = rest.char_indices().take(LONGEST).find(|(_, c)| matches!(c, ']' | '[' | '\n'));
        let Some((end, ']')) = end else { continue };
        let (inside, after) = (rest[..end].trim(), &rest[end + 1..]);
        // Links and footnotes; the target of a link was blanked out, and was behind the bracket.
        let link = after.starts_with(['(', '[', ':']) || inside.starts_with(['^', '?', '.', '…']);
        let linked = text.as_bytes().get(position + end + 2).is_some_and(|byte| *byte == b' ')
            && after.len() - after.trim_start_matches(' ').len() > 2;
        if link || linked || !asks_for_words(inside) {
            continue;
        }
        let message = format!("`[{inside}]` looks like a placeholder");
        findings.push(at(spec, offset + position, "placeholder", Severity::Warning, message, HELP));
    }
}

fn asks_for_words(inside: &str) -> bool {
    let lower = inside.to_lowercase();
    let words: Vec<&str> = inside.split_whitespace().collect();
    let capitals = |word: &&str| word.chars().all(|c| c.is_uppercase() || "_-'/&".contains(c));
    let asks = INSERTS.iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':']))
    });
    asks || match words.as_slice() {
        [] => false,
        [word] => SLOTS.iter().any(|slot| word.split('_').any(|part| part == *slot)) && capitals(word),
        several => several.iter().all(capitals),
    }
}

/// Whether a word stands alone: `XXX`, but not `XXXL` or `XXX-rated`.
fn is_word(text: &str, position: usize, length: usize) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
    !text[..position].ends_with(joins) && !text[position + length..].starts_with(joins)
}
