//! List items.

/// The mark that begins a list item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker<'a> {
    /// The number of an ordered item, as written; `None` for a bullet.
    pub number: Option<&'a str>,
    /// The bytes up to the item's text, mark and spaces together.
    pub length: usize,
}

/// The list mark at the beginning of a line that has no indentation (any more).
pub(crate) fn marker(text: &str) -> Option<Marker<'_>> {
    let (number, mark) = if text.starts_with(['-', '*', '+']) {
        (None, 1)
    } else {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&digits) || !text[digits..].starts_with(['.', ')']) {
            return None;
        }
        (Some(&text[..digits]), digits + 1)
    };
    let rest = &text[mark..];
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    (spaces > 0 && spaces < rest.len()).then_some(Marker { number, length: mark + spaces })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        let read = |text| marker(text).map(|marker| (marker.number, marker.length));
        assert_eq!(read("- a"), Some((None, 2)));
        assert_eq!(read("12.  a"), Some((Some("12"), 5)));
        assert_eq!(read("1) a"), Some((Some("1"), 3)));
        for text in ["-a", "- ", "1.a", "1.", "a. b", "1234567890. a", "**bold**", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
