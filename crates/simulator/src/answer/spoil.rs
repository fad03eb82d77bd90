//! Answers that are wrong on purpose.

use super::Stop;
use super::names::Names;
use crate::dice::Dice;
use crate::fault::Fault;

/// How every word begins that marks a poisoned answer. Nothing else that this server writes contains it.
pub const MARKER: &str = "quillmarch";

/// An answer, spoilt or not.
#[derive(Debug)]
pub(super) struct Spoilt {
    pub(super) text: String,
    pub(super) stop: Stop,
    pub(super) poisoned: bool,
    pub(super) marker: Option<String>,
}

/// The tags of all forms.
const TAGS: &[&str] = &["list", "document", "verdicts", "why", "verdict", "reasoning", "reply", "section"];

/// Spoils an answer, if its fault is one of the answer.
pub(super) fn spoil(text: String, fault: Option<Fault>, names: Option<&Names>, seed: u64) -> Spoilt {
    let mut dice = Dice::new(&[b"spoil", &seed.to_le_bytes()]);
    let letters: String = (0..8).map(|_| char::from(b'a' + dice.below(26) as u8)).collect();
    let marker = format!("{MARKER}-{letters}");
    let poisoned =
        |text: String, stop: Stop| Spoilt { text, stop, poisoned: true, marker: Some(marker.clone()) };
    match fault {
        Some(Fault::Truncated) => {
            let text = marked(&text, &marker);
            // The marker stays, the end does not.
            let least = text.find(&marker).map_or(0, |at| at + marker.len());
            let mut end = (text.len() * (4 + dice.below(5)) / 10).max(least);
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let text = text[..end.min(text.len())].to_owned();
            poisoned(without_close(text), Stop::Length)
        }
        // Half of all refusals break off what was begun, the others say so in a sentence.
        Some(Fault::Refusal) if dice.chance(0.5) => {
            let text = marked(&text, &marker);
            let least = text.find(&marker).map_or(0, |at| at + marker.len());
            let mut end = (text.len() / 5).max(least);
            while !text.is_char_boundary(end) {
                end += 1;
            }
            poisoned(without_close(text[..end].to_owned()), Stop::Refusal)
        }
        Some(Fault::Refusal) => {
            poisoned(format!("I'm sorry, but I can't help with that ({marker})."), Stop::Refusal)
        }
        Some(Fault::MalformedList) => poisoned(broken(&marked(&text, &marker), &mut dice), Stop::End),
        Some(Fault::MissingTags) => {
            let mut bare = text;
            for tag in TAGS {
                bare = bare.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "");
            }
            let plan = format!("First I think about what is wanted here ({marker}), then I write it down.");
            poisoned(format!("{plan}\n{}", bare.trim()), Stop::End)
        }
        Some(Fault::Empty) => Spoilt { text: String::new(), stop: Stop::End, poisoned: true, marker: None },
        Some(Fault::WrongModel) => {
            let wrong = names.map_or("ChatGPT", Names::wrong);
            let text = names.map_or_else(|| text.clone(), |names| text.replace(&names.model, wrong));
            poisoned(marked(&text, &format!("As {wrong} would say, {marker}:")), Stop::End)
        }
        _ => Spoilt { text, stop: Stop::End, poisoned: false, marker: None },
    }
}

/// The text with a note near its beginning: in the first string of a list, else after the first tag.
fn marked(text: &str, note: &str) -> String {
    let after_tag = text.find('>').map_or(0, |at| at + 1);
    let start = text[after_tag..].find(|c: char| !c.is_whitespace()).map_or(text.len(), |at| at + after_tag);
    let in_list = text[start..].starts_with(['[', '{']);
    let at = if in_list { text[start..].find('"').map_or(start, |at| start + at + 1) } else { start };
    format!("{}{note} {}", &text[..at], &text[at..])
}

/// JSON that is broken in one of several ways; its tags stay.
fn broken(text: &str, dice: &mut Dice) -> String {
    let Some(close) = text.rfind(['}', ']']) else { return text.to_owned() };
    match dice.below(4) {
        // The last bracket is missing.
        0 => format!("{}{}", &text[..close], &text[close + 1..]),
        // It ends in the middle.
        1 => {
            let mut end = close / 2;
            while !text.is_char_boundary(end) || end <= text.find(MARKER).unwrap_or(0) + MARKER.len() + 9 {
                if end >= close {
                    break;
                }
                end += 1;
            }
            format!("{}\n{}", &text[..end], text[close + 1..].trim_start())
        }
        // A comma too many.
        2 => format!("{},{}", text[..close].trim_end(), &text[close..]),
        // A quotation mark that should have been escaped.
        _ => text.replacen(MARKER, &format!("\"{MARKER}"), 1),
    }
}

/// A text that was cut off has no closing tag, wherever the cut happened to fall.
fn without_close(mut text: String) -> String {
    if let Some(at) = text.rfind("</") {
        text.truncate(at);
    }
    text
}
