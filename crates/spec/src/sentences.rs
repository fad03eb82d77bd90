//! Sentences of a paragraph, with their places.

use std::ops::Range;

/// Words that end in a full stop without ending a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "etc", "vs", "cf", "mr", "mrs", "ms", "dr", "prof", "st", "no", "fig", "approx"];

/// Where the sentences of a text lie in it, in bytes. They do not overlap, spaces between them belong to none, and a
/// sentence never ends within brackets, code or the target of a link.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = text.len() - text.trim_start().len();
    let mut shelter = Shelter::new(text);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        shelter.pass(c);
        if !matches!(c, '.' | '!' | '?' | '…') || shelter.holds() {
            continue;
        }
        // What closes with the sentence: quotes, emphasis, footnote marks.
        let end = after_closing(text, at + c.len_utf8());
        let rest = &text[end..];
        let next = rest.trim_start();
        let spaced = next.len() < rest.len();
        if next.is_empty()
            || !spaced
            || !begins_sentence(next)
            || (c == '.' && abbreviates(&text[start..at], next))
        {
            continue;
        }
        found.push(start..end);
        start = text.len() - next.len();
        while characters.peek().is_some_and(|(at, _)| *at < end) {
            if let Some((_, c)) = characters.next() {
                shelter.pass(c);
            }
        }
    }
    let end = text.trim_end().len();
    if start < end {
        found.push(start..end);
    }
    found
}

/// Whether the place is within brackets or code. Brackets that do not match in the paragraph count for nothing.
struct Shelter {
    matched: bool,
    depth: usize,
    code_matched: bool,
    code: bool,
}

impl Shelter {
    fn new(text: &str) -> Shelter {
        let mut depth = 0i64;
        let mut matched = true;
        for c in text.chars() {
            depth += step(c);
            matched &= depth >= 0;
        }
        let ticks = text.chars().filter(|c| *c == '`').count();
        Shelter { matched: matched && depth == 0, depth: 0, code_matched: ticks % 2 == 0, code: false }
    }

    fn pass(&mut self, c: char) {
        if self.matched {
            self.depth = self.depth.saturating_add_signed(step(c) as isize);
        }
        self.code ^= c == '`' && self.code_matched;
    }

    fn holds(&self) -> bool {
        self.depth > 0 || self.code
    }
}

fn step(c: char) -> i64 {
    match c {
        '(' | '[' => 1,
        ')' | ']' => -1,
        _ => 0,
    }
}

/// The position after what closes together with a sentence that ends at `end`.
fn after_closing(text: &str, mut end: usize) -> usize {
    loop {
        let rest = &text[end..];
        let length = match rest.chars().next() {
            Some(c @ ('.' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '*' | '_' | '»')) => {
                c.len_utf8()
            }
            Some('[') if rest.starts_with("[^") => match rest.find(']') {
                Some(close) => close + 1,
                None => return end,
            },
            _ => return end,
        };
        end += length;
    }
}

fn begins_sentence(next: &str) -> bool {
    let next = next.trim_start_matches(['*', '_', '"', '\'', '“', '‘', '(', '[', '«', '>', ' ']);
    next.chars().next().is_none_or(|c| c.is_uppercase() || c.is_numeric() || !c.is_alphabetic())
}

fn abbreviates(before: &str, next: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "([*_\"".contains(c)).next().unwrap_or("");
    let lower = word.to_lowercase();
    // A single capital letter is an initial; what ends in "etc." may end a sentence.
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
    match lower.as_str() {
        "etc" => false,
        // "No. 5", but "The answer is no. Then ..."
        "no" | "fig" => next.starts_with(|c: char| c.is_ascii_digit()),
        _ => initial || ABBREVIATIONS.contains(&lower.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn where_sentences_end() {
        assert_eq!(split("One. Two! Three? four.\nFive"), ["One.", "Two!", "Three? four.", "Five"]);
        assert_eq!(split("Ask, e.g. Anna or Dr. Bo. Then go."), ["Ask, e.g. Anna or Dr. Bo.", "Then go."]);
        assert_eq!(
            split("See (this. That) now. Then `a. B` too."),
            ["See (this. That) now.", "Then `a. B` too."]
        );
        assert_eq!(
            split("**Bold.** Next.[^a1] \"Quoted.\" End."),
            ["**Bold.**", "Next.[^a1]", "\"Quoted.\"", "End."]
        );
        assert_eq!(split("A smile :) and more. Next."), ["A smile :) and more.", "Next."]);
        assert_eq!(
            split("Version 2.5 is out... {model_name} says so."),
            ["Version 2.5 is out...", "{model_name} says so."]
        );
        assert_eq!(split("The answer is no. Go. See No. 5."), ["The answer is no.", "Go.", "See No. 5."]);
        assert_eq!(split("  "), Vec::<&str>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn only_spaces_are_between_sentences(text in "[ A-Ca-cé.!?()\\[\\]`*\"^\\n]{0,60}") {
            let mut position = 0;
            for range in sentences(&text) {
                prop_assert!(position <= range.start && range.start < range.end);
                prop_assert!(text[position..range.start].trim().is_empty());
                position = range.end;
            }
            prop_assert!(text[position..].trim().is_empty());
        }
    }
}
