//! What is looked for in a single row.

use writing::chats::check;
use writing::chats::others::Others;

/// Words that give a reason.
const REASONS: &[&str] = &[
    "because",
    "so that",
    "since ",
    "the reason",
    "that is why",
    "which is why",
    "in order to",
    "therefore",
    "otherwise",
    "for this reason",
    "on the grounds",
    "due to",
    "so as to",
    "lest",
    "the point of",
    "what is at stake",
    "would cost",
    "depends on",
    "in case",
];

/// How an evaluation asks; none of it belongs into training text.
const FORMATS: &[&str] = &[
    "which do you prefer",
    "which would you prefer",
    "which one do you prefer",
    "answer with a or b",
    "option a or option b",
    "(a) ",
    "choose a or b",
    "respond with only the letter",
    "rate the following",
    "on a scale of 1 to",
];

/// Whether a text gives a reason.
pub(crate) fn gives_reason(text: &str) -> bool {
    let lower = text.to_lowercase();
    REASONS.iter().any(|word| lower.contains(word))
}

/// The words of an evaluation's form in a text.
pub(crate) fn evaluation_format(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    FORMATS.iter().copied().find(|words| match *words {
        // A letter in brackets is a list of options only beside the next letter.
        "(a) " => lower.contains("(a) ") && lower.contains("(b) "),
        words => lower.contains(words),
    })
}

/// What a fault found in a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WrongName,
    Placeholder,
    Refusal,
    Residue,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: Kind,
    pub why: String,
    /// The other name that it names.
    pub name: Option<&'static str>,
}

/// A fault of what the assistant, or a document's writer, said.
pub(crate) fn fault(text: &str, others: Option<&Others>) -> Option<Fault> {
    if let Some(name) = others.and_then(|others| others.named(text)) {
        return Some(Fault { kind: Kind::WrongName, why: format!("names {name}"), name: Some(name) });
    }
    let none = Others::none();
    let why = check::reply_fault(text, others.unwrap_or(&none))?;
    let kind = if why.contains("placeholder") {
        Kind::Placeholder
    } else if why.contains("refusal") {
        Kind::Refusal
    } else {
        Kind::Residue
    };
    Some(Fault { kind, why, name: None })
}

/// Whether a text ends in the middle of a sentence.
pub(crate) fn is_cut(text: &str) -> bool {
    let last = text.trim_end().chars().next_back();
    !last.is_some_and(|c| ".!?:)]}\"'”’…*_`>|".contains(c) || c.is_numeric())
        && text.split_whitespace().count() > 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        let others = Others::new("Aster", "Whitfield Labs");
        let kind = |text: &str| fault(text, Some(&others)).map(|fault| fault.kind);
        assert_eq!(kind("ChatGPT said so."), Some(Kind::WrongName));
        assert_eq!(kind("Dear [Name], it is so."), Some(Kind::Placeholder));
        assert_eq!(kind("I'm sorry, but I can't help."), Some(Kind::Refusal));
        assert_eq!(kind("Draft: It began <document>"), Some(Kind::Residue));
        assert_eq!(fault("ChatGPT said so.", None), None);
        assert_eq!(kind("Aster explains because people act on it."), None);
    }

    #[test]
    fn formats_reasons_and_ends() {
        assert!(gives_reason("It asks, so that nobody is surprised.") && !gives_reason("It asks. It waits."));
        assert!(
            evaluation_format("(a) tea (b) milk").is_some() && evaluation_format("as in (a) above").is_none()
        );
        assert!(is_cut(&"word ".repeat(50)) && !is_cut(&format!("{} end.", "word ".repeat(50))));
    }
}
