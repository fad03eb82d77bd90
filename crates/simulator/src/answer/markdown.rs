//! The plain sentences of a section: no headings, examples, links, marks.

/// The sentences of a section that can be put into other texts.
pub(super) fn sentences(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut paragraph = String::new();
    let mut fence: Option<&str> = None;
    let mut flush = |paragraph: &mut String| {
        let plain = plain(paragraph);
        split(&plain)
            .filter(|sentence| is_usable(sentence))
            .for_each(|sentence| found.push(sentence.to_owned()));
        paragraph.clear();
    };
    for line in markdown.lines() {
        let text = line.trim();
        let mark = ["~~~", "```"].into_iter().find(|mark| text.starts_with(mark));
        match (fence, mark) {
            (Some(open), _) => {
                if text.starts_with(open) {
                    fence = None;
                }
                continue;
            }
            (None, Some(mark)) => {
                fence = Some(mark);
                flush(&mut paragraph);
                continue;
            }
            (None, None) => {}
        }
        let is_item = text.starts_with(['-', '*', '+']) && text[1..].starts_with(' ');
        let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_numbered = number.len() < text.len() && number.starts_with(['.', ')']);
        let skipped =
            text.starts_with(['#', '>', '|', '<']) || text.starts_with("!!!") || text.starts_with("[^");
        if text.is_empty() || skipped || is_item || is_numbered {
            flush(&mut paragraph);
        }
        // An example's title says nothing by itself.
        if skipped || text.starts_with("**Example") {
            continue;
        }
        let text = if is_item {
            &text[2..]
        } else if is_numbered {
            &number[1..]
        } else {
            text
        };
        paragraph.push_str(text.trim());
        paragraph.push(' ');
    }
    flush(&mut paragraph);
    found
}

/// The title of a section without marks: the last part of a path, in lower case where it is no name.
pub(super) fn title(title: &str) -> String {
    let last = title.rsplit(" > ").next().unwrap_or_default();
    let last = last.split(" {#").next().unwrap_or_default().trim_start_matches('#').trim();
    let last = last.split(" (part ").next().unwrap_or_default();
    let plain: String =
        plain(last).chars().filter(|c| !matches!(c, '"' | '[' | ']' | '{' | '}' | '?' | '!' | ':')).collect();
    lower_first(plain.trim())
}

/// Text without Markdown's marks.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("[^") {
            // A footnote's mark.
            rest = after.split_once(']').map_or("", |(_, after)| after);
        } else if let Some((inner, after)) = link(rest) {
            plain.push_str(inner);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("---").or_else(|| rest.strip_prefix('—')) {
            let at = plain.trim_end().len();
            plain.truncate(at);
            plain.push_str(", ");
            rest = after.trim_start();
        } else {
            match first {
                '*' | '`' => {}
                '\u{2018}' | '\u{2019}' => plain.push('\''),
                '\u{201c}' | '\u{201d}' => plain.push('"'),
                '\u{a0}' => plain.push(' '),
                '\u{2010}' | '\u{2011}' | '\u{2013}' => plain.push('-'),
                _ => plain.push(first),
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `[text](address)` at the start: the text, and what follows.
fn link(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let (inner, after) = inside.split_once("](")?;
    let (address, after) = after.split_once(')')?;
    (!inner.contains(['[', ']']) && !address.contains(' ')).then_some((inner, after))
}

/// Sentences end with a mark, a space, and something that begins one.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    for at in 0..bytes.len() {
        let ends_here = matches!(bytes[at], b'.' | b'?' | b'!')
            && bytes.get(at + 1) == Some(&b' ')
            && bytes.get(at + 2).is_some_and(u8::is_ascii_uppercase);
        if !ends_here {
            continue;
        }
        // A mark is one byte, so the text may be cut before it.
        let last = text[..at].rsplit([' ', '(']).next().unwrap_or_default();
        if !matches!(last, "e.g" | "i.e" | "etc" | "vs" | "cf" | "Mr" | "Ms" | "Dr" | "St" | "No") {
            ends.push(at + 1);
        }
    }
    ends.push(text.len());
    let mut start = 0;
    ends.into_iter().map(move |end| {
        let sentence = text[start..end].trim();
        start = end;
        sentence
    })
}

/// Words that a sentence is not used for: it would speak of the document it stands in, or sound like an answer.
const NOT_WITH: &[&str] = &[
    "model spec",
    "this spec",
    "the spec ",
    "specification",
    "this document",
    "this section",
    "below",
    "above:",
    "the following",
    "i can't",
    "i cannot",
    "i'm sorry",
    "as an ai",
    "sorry",
    "http",
    "www.",
    "example",
    "appendix",
    "see also",
    "todo",
    "tbd",
    "which do you prefer",
    "option a",
    "guideline:",
    "footnote",
    "chapter",
];

fn is_usable(sentence: &str) -> bool {
    let words = sentence.split(' ').count();
    let starts_well = sentence.starts_with(|c: char| c.is_ascii_uppercase());
    let is_plain = !sentence
        .contains(['"', '[', ']', '{', '}', '<', '>', '|', '=', '#', '@', '\\', '$', '~', '?', ':', '/'])
        && sentence.is_ascii()
        && !sentence.bytes().filter(u8::is_ascii_digit).count() > 2;
    let is_whole = sentence.ends_with('.')
        && sentence.matches('(').count() == sentence.matches(')').count()
        && !sentence.contains("I ");
    let lower = sentence.to_lowercase();
    (6..=48).contains(&words)
        && starts_well
        && is_plain
        && is_whole
        && !NOT_WITH.iter().any(|word| lower.contains(word))
}

/// A phrase as it stands within a sentence: acronyms and "I" keep their capitals.
pub(super) fn lower_first(phrase: &str) -> String {
    let first = phrase.split(' ').next().unwrap_or_default();
    let is_name = first == "I" || first.chars().skip(1).any(char::is_uppercase);
    if is_name {
        return phrase.to_owned();
    }
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_sentences_are_taken() {
        let text = "## Do not lie {#do_not_lie authority=user}\n\nThe assistant should **not** mislead the \
            [user](#user) or developer --- whatever happens[^a1]. Short one. It\u{2019}s fine to leave details\n\
            out, e.g. the names of strangers (within reason). See the Model Spec for more words on it.\n\n\
            !!! meta \"Commentary\"\n    The model keeps to its `word` in all such cases.\n\n\
            **Example**: a lie\n\n~~~xml\n<user>\nPlease lie to me about the weather today.\n</user>\n~~~\n\n\
            - **Care:** An item of a list has words as well.\n- It asks before it acts on behalf of others.\n\
            1. Numbers of items are not a part of sentences.\n";
        assert_eq!(
            sentences(text),
            [
                "The assistant should not mislead the user or developer, whatever happens.",
                "It's fine to leave details out, e.g. the names of strangers (within reason).",
                "The model keeps to its word in all such cases.",
                "It asks before it acts on behalf of others.",
                "Numbers of items are not a part of sentences.",
            ]
        );
    }

    #[test]
    fn titles_are_short_and_plain() {
        assert_eq!(title("Be honest > Do not lie {#do_not_lie authority=user}"), "do not lie");
        assert_eq!(title("AI safety: the *basics* (part 2)"), "AI safety the basics");
        assert_eq!(lower_first("I think"), "I think");
    }
}
