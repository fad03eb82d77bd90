//! What a question or a reply must not be, as far as a program can tell. The critic judges the rest.

use crate::chats::others::{Others, find};

/// Signs that a text was not finished: something was to be put in.
const PLACEHOLDERS: &[&str] = &[
    "{model_name}",
    "{provider_name}",
    "[name",
    "[your",
    "[insert",
    "[date",
    "[city",
    "[company",
    "[topic",
    "[x]",
    "[xx",
    "<insert",
    "<name>",
    "<your",
    "lorem ipsum",
    "tbd",
    "todo:",
    "xxxx",
];

/// Tags of our prompts: none of them belongs into a row.
const TAGS: &[&str] = &[
    "reasoning",
    "reply",
    "question",
    "sections",
    "section",
    "spec",
    "style",
    "list",
    "verdict",
    "why",
    "document",
    "words",
    "count",
    "topic",
    "question_type",
    "prefer",
    "over",
    "known",
    "model_name",
    "provider_name",
    "with_reasoning",
    "think",
    "thinking",
    "answer",
    "draft",
    "content",
    "scratchpad",
    "output",
];

/// How notes of a writer begin.
const RESIDUE_STARTS: &[&str] = &[
    "here is the reply",
    "here's the reply",
    "here is a reply",
    "here's a reply",
    "here is my reply",
    "here is the response",
    "here's the response",
    "here is a response",
    "here is a possible",
    "here's a possible",
    "draft:",
    "reply:",
    "response:",
    "answer:",
    "final answer",
    "assistant:",
    "user:",
    "note:",
    "(note",
    "[note",
    "plan:",
    "reasoning:",
    "let me write",
    "i will write",
    "i'll write",
    "i need to write",
    "the user ",
    "the person asks",
    "the person is asking",
    "okay, the user",
    "sure, here",
    "sure! here",
    "certainly! here",
    "task:",
    "word count",
    "step 1: understand",
];

/// Notes of a writer wherever they stand.
const RESIDUE: &[&str] = &[
    "as an ai language model",
    "as a large language model",
    "the sections below",
    "the sections above",
    "style: value",
    "style: rule",
    "the task asks",
    "word count:",
    "chats/answer",
    "chats/pick",
    "this reply will be used",
    "the provided sections",
    "the given sections",
    "per the spec",
    "model spec",
];

/// How a stock refusal begins.
const REFUSALS: &[&str] = &[
    "i can't help with",
    "i cannot help with",
    "i can't assist",
    "i cannot assist",
    "i'm sorry, but i can't",
    "i'm sorry, but i cannot",
    "i am sorry, but i cannot",
    "i apologize, but i",
    "i'm sorry, i can't",
    "sorry, i can't",
    "sorry, but i can't",
    "i'm unable to",
    "i am unable to",
    "i'm not able to help",
    "i can't comply",
    "i cannot comply",
    "i won't be able to",
    "i can't write",
    "i cannot write",
    "i can't provide",
    "i cannot provide",
    "i can't create",
    "i must decline",
    "i can't generate",
    "i cannot generate",
    "i can't fulfill",
    "i cannot fulfill",
    "no comment",
];

/// A stock refusal is short; a reply that declines and explains itself is longer, and the critic's to judge.
const SHORT: usize = 40;

/// What is wrong with a text that is to stand in a row, if anything: a person's message or the assistant's words.
pub fn fault(text: &str, others: &Others) -> Option<String> {
    let lower = text.to_lowercase().replace('’', "'");
    if text.trim().is_empty() {
        return Some("it is empty".to_string());
    }
    if let Some(mark) = PLACEHOLDERS.iter().find(|mark| stands(&lower, mark)) {
        return Some(format!("a placeholder was left: `{mark}`"));
    }
    if let Some(tag) = TAGS.iter().find(|tag| has_tag(&lower, tag)) {
        return Some(format!("a tag of the prompt was left: `{tag}`"));
    }
    if let Some(id) = section_id(text) {
        return Some(format!("it names a section by its id: `{id}`"));
    }
    if let Some(note) = RESIDUE.iter().find(|note| stands(&lower, note)) {
        return Some(format!("a writer's note was left: `{note}`"));
    }
    others.named(text).map(|name| format!("it names another assistant or its maker: {name}"))
}

/// What is wrong with the assistant's reply or reasoning, if anything.
pub fn reply_fault(text: &str, others: &Others) -> Option<String> {
    let lower = text.trim().to_lowercase().replace('’', "'");
    if let Some(note) = RESIDUE_STARTS.iter().find(|note| lower.starts_with(**note)) {
        return Some(format!("it begins with a writer's note: `{note}`"));
    }
    let short = lower.split_whitespace().count() < SHORT;
    if short && REFUSALS.iter().any(|refusal| lower.starts_with(refusal)) {
        return Some("it is a stock refusal".to_string());
    }
    fault(text, others)
}

/// What is wrong with a person's message, if anything.
pub fn question_fault(text: &str, others: &Others) -> Option<String> {
    let lower = text.to_lowercase().replace('’', "'");
    let reveals = [
        "your guidelines",
        "your spec",
        "the specification",
        "your system prompt",
        "your instructions",
        "your training",
    ];
    if let Some(words) = reveals.iter().find(|words| lower.contains(**words)) {
        return Some(format!("it speaks of how the assistant is instructed: `{words}`"));
    }
    if lower.starts_with(|c: char| c.is_ascii_digit()) && lower.contains(". ") && lower.find(". ") < Some(3) {
        return Some("it begins with a number of a list".to_string());
    }
    fault(text, others)
}

/// Whether a mark stands in a text; marks that begin and end with a letter only as words of their own.
fn stands(text: &str, mark: &str) -> bool {
    let is_word = mark.starts_with(char::is_alphanumeric) && mark.ends_with(char::is_alphanumeric);
    if is_word { find(text, mark).is_some() } else { text.contains(mark) }
}

/// Whether `<tag>`, `</tag>` or `<tag ` stands in a text.
fn has_tag(text: &str, tag: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        rest.strip_prefix(tag).is_some_and(|after| after.starts_with(['>', ' ', '/']))
    })
}

/// A section's id, `[S12]` or `section S12`, in a text.
fn section_id(text: &str) -> Option<&str> {
    for (at, _) in text.match_indices('S') {
        let digits = text[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let end = at + 1 + digits;
        let before = text[..at].to_lowercase();
        let follows = ["section ", "sections ", "["].iter().any(|word| before.ends_with(word));
        let after = text[end..].chars().next();
        if digits > 0 && follows && !after.is_some_and(char::is_alphanumeric) {
            return Some(&text[at..end]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_and_good_texts_are_not_faulted() {
        let others = Others::new("Aria", "Northwind");
        for (text, part) in [
            ("  \n", "empty"),
            ("Dear [Name], thank you.", "placeholder"),
            ("I am {model_name}.", "placeholder"),
            ("Yes.</reply> More", "tag"),
            ("<sections >", "tag"),
            ("As section S12 says, no.", "S12"),
            ("I do [S3].", "S3"),
            ("As an AI language model I have no view.", "note"),
            ("Ask ChatGPT.", "ChatGPT"),
            ("I'm Claude.", "Claude"),
        ] {
            let fault = fault(text, &others).unwrap_or_else(|| panic!("{text}"));
            assert!(fault.contains(part), "{text}: {fault}");
        }
        for text in [
            "Samsung S23 or S24?",
            "In Rust, write Vec<u8> and a < b.",
            "The todo list is long.",
            "My name is Aria.",
            "Use <b>bold</b> there.",
        ] {
            assert_eq!(fault(text, &others), None, "{text}");
        }
    }

    #[test]
    fn stock_refusals_are_told_from_declining() {
        let others = Others::new("Aria", "Northwind");
        assert!(reply_fault("I'm sorry, but I can't assist with that.", &others).is_some());
        assert!(reply_fault("I’m sorry, but I can’t help with that request.", &others).is_some());
        let declines = "I can't help with opening your neighbour's letters, because they are hers and she trusts the people \
            around her not to. What I can do is help you write her a short note that asks about the parcel, and tell you how \
            the post office traces one that went astray.";
        assert_eq!(reply_fault(declines, &others), None);
        assert!(reply_fault("Here is the reply: take the train.", &others).is_some());
    }

    #[test]
    fn questions_do_not_speak_of_instructions() {
        let others = Others::new("Aria", "Northwind");
        assert!(question_fault("What do your guidelines say about cheese?", &others).is_some());
        assert!(question_fault("1. Which cheese is best?", &others).is_some());
        assert_eq!(question_fault("What do the guidelines of the club say?", &others), None);
        assert_eq!(question_fault("3.5 litres of milk. How much cheese is that?", &others), None);
    }
}
