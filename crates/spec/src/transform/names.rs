//! Where a name stands as a word of its own.

/// Whether the name at this place is a whole word. A possessive and a hyphen with letters behind it do not make it
/// another word (`Quill's`, `Quill-like`); a hyphen or a full stop with what makes a version or a host does
/// (`Quill-2`, `quill.com`), and so does a sign that makes it an account or a path (`@quill`, `a/quill`).
pub(crate) fn is_whole_word(text: &str, position: usize, length: usize) -> bool {
    let mut before = text[..position].chars().rev();
    let joined_before = match before.next() {
        Some('@' | '/' | '_' | '\\' | '#') => true,
        Some('-' | '.') => before.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    };
    let mut after = text[position + length..].chars();
    let joined_after = match after.next() {
        Some('_' | '@') => true,
        Some('-') => after.next().is_some_and(|c| c.is_ascii_digit()),
        // "OpenAI.com", but not "OpenAI.Then" across a missing space.
        Some('.') => after.next().is_some_and(|c| c.is_ascii_digit() || c.is_lowercase()),
        Some(c) => c.is_alphanumeric(),
        None => false,
    };
    !joined_before && !joined_after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words() {
        let is = |text: &str| is_whole_word(text, text.find("Quill").unwrap(), 5);
        for text in [
            "Quill",
            "Quill's",
            "Quill’s",
            "(Quill)",
            "Quill-like",
            "Quill. Then",
            "**Quill**",
            "\"Quill\"",
            "Quill,",
        ] {
            assert!(is(text), "{text}");
        }
        for text in
            ["Quills", "aQuill", "Quill-2", "Quill.com", "@Quill", "a/Quill", "Quill_x", "#Quill", "x-Quill"]
        {
            assert!(!is(text), "{text}");
        }
    }
}
