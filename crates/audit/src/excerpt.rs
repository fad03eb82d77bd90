//! Parts of texts, on one line.

/// Characters of a beginning.
const BEGINNING: usize = 120;
/// Characters of an end.
const END: usize = 80;

/// The beginning of a text.
pub(crate) fn beginning(text: &str) -> String {
    // No more of a long text is looked at than can be shown.
    let near = text.char_indices().nth(8 * BEGINNING).map_or(text, |(cut, _)| &text[..cut]);
    let line = one_line(near);
    match line.char_indices().nth(BEGINNING) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None if near.len() < text.len() => format!("{line}..."),
        None => line,
    }
}

/// The end of a text.
pub(crate) fn end(text: &str) -> String {
    let text = text.trim_end();
    match text.char_indices().rev().nth(END - 1) {
        Some((cut, _)) if cut > 0 => format!("...{}", one_line(&text[cut..])),
        _ => one_line(text),
    }
}

/// The text around its first `word`, whatever the case; its beginning if the word is not in it.
pub(crate) fn around(text: &str, word: &str) -> String {
    const BEFORE: usize = BEGINNING / 3;
    // Lower case may be longer, so that places in it are not those of the text; of what we look for it is not.
    let at = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| text.get(*at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)));
    let start = at.and_then(|at| text[..at].char_indices().rev().nth(BEFORE)).map_or(0, |(start, _)| start);
    // Not in the middle of a word.
    let start = start + if start == 0 { 0 } else { text[start..].find(char::is_whitespace).unwrap_or(0) };
    format!("{}{}", if start == 0 { "" } else { "..." }, beginning(&text[start..]))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_whole_and_long_ones_cut() {
        assert_eq!((beginning(" a\n b "), end(" a\n b ")), ("a b".into(), "a b".into()));
        let long = "é ".repeat(2_000);
        assert_eq!(beginning(&long).chars().count(), BEGINNING + 3);
        assert!(end(&long).starts_with("...") && end(&long).chars().count() <= END + 3);
        let named = format!("{} said chatgpt, {long}", "one two ".repeat(40));
        assert!(around(&named, "ChatGPT").starts_with("...one two one two"), "{}", around(&named, "ChatGPT"));
        assert!(around(&named, "ChatGPT").contains("said chatgpt, é é") && around("a b", "c") == "a b");
        assert!(beginning(&format!("x{}", " ".repeat(2_000))).ends_with("x..."));
    }
}
