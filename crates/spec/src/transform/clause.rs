//! The words of a sentence with their places, and how it begins and ends.

/// Words that no sentence ends with.
pub(crate) const DANGLING: &str = "\
    of, to, in, for, with, by, on, at, from, than, as, that, which, who, is, are, be, was, were, has, \
    have, do, does, the, a, an, and, or, but, if, when, so, necessary, needed, case";

/// Verbs that other verbs follow.
pub(crate) const MODALS: &str = "\
    must, mustn't, should, shouldn't, shall, cannot, can't, may, can, will, won't, doesn't";

/// Words that deny.
pub(crate) const NEGATIONS: &str = "\
    not, never, no, cannot, without, nor, neither, nobody";

/// Words that clauses begin with.
pub(crate) const SUBJECTS: &str = "\
    the, it, they, we, this, these, those, that, an, a, models, assistants, users, developers, you, \
    there, he, she, any, all, every, no, each, our, its, their, people, some, such, nobody, someone";

/// A word with its place, outside of brackets, quotes and code.
pub(crate) struct Word {
    pub start: usize,
    pub end: usize,
    pub lower: String,
}

/// The words outside of brackets, quotes and code; `None` if brackets or quotes do not match.
pub(crate) fn words(sentence: &str) -> Option<Vec<Word>> {
    let mut found: Vec<Word> = Vec::new();
    let mut depth = 0i32;
    let (mut quoted, mut code) = (false, false);
    let mut start: Option<usize> = None;
    for (at, c) in sentence.char_indices().chain([(sentence.len(), ' ')]) {
        let inside = c.is_alphanumeric() || matches!(c, '\'' | '’' | '_') || (c == '-' && start.is_some());
        match c {
            '(' | '[' | '“' => depth += 1,
            ')' | ']' | '”' => depth -= 1,
            '"' if !code => quoted = !quoted,
            '`' => code = !code,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        let open = depth == 0 && !quoted && !code;
        match start {
            None if inside && open && c.is_alphanumeric() => start = Some(at),
            Some(begin) if !inside => {
                let end = begin + sentence[begin..at].trim_end_matches(['-', '_', '\'', '’']).len();
                let lower = sentence[begin..end].to_lowercase().replace('’', "'");
                found.push(Word { start: begin, end, lower });
                start = None;
            }
            _ => {}
        }
    }
    (depth == 0 && !quoted && !code).then_some(found)
}

/// The sign that a sentence ends with; nothing if it has none.
pub(crate) fn terminal(sentence: &str) -> &str {
    let mut bare = sentence.trim_end();
    // A footnote mark stands behind the sign.
    while let Some(open) = bare.rfind("[^").filter(|_| bare.ends_with(']')) {
        bare = &bare[..open];
    }
    let bare = bare.trim_end_matches(['"', '”', '’', '\'', ')']);
    ["...", "…", ".", "!", "?"].into_iter().find(|sign| bare.ends_with(sign)).unwrap_or("")
}

pub(crate) fn bare_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_whitespace() || ".!?…".contains(c))
}

/// The text with a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// Whether a word is one of a list such as `just, only, simply`.
pub(crate) fn is_one_of(list: &str, word: &str) -> bool {
    list.split(", ").any(|other| other == word)
}
