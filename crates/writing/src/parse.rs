//! Answers, read strictly: the last complete pair of tags, JSON as it is written, nothing repaired.

use serde::de::DeserializeOwned;

/// What stands in the last complete pair of a tag.
///
/// # Errors
/// When there is none, or nothing stands in it.
pub fn last_tag<'a>(text: &'a str, tag: &str) -> Result<&'a str, String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let end = text.rfind(&close).ok_or_else(|| format!("no {close} in the answer"))?;
    let start = text[..end].rfind(&open).ok_or_else(|| format!("no {open} before the last {close}"))?;
    let inside = text[start + open.len()..end].trim();
    if inside.is_empty() { Err(format!("nothing stands in {open}")) } else { Ok(inside) }
}

/// As [`last_tag`], read as JSON. A Markdown fence around it is allowed, because models put one there.
///
/// # Errors
/// As [`last_tag`], and when it is not JSON of this form.
pub fn json<T: DeserializeOwned>(text: &str, tag: &str) -> Result<T, String> {
    let inside = last_tag(text, tag)?;
    serde_json::from_str(unfenced(inside))
        .map_err(|error| format!("what stands in <{tag}> is not as asked: {error}"))
}

/// The entries of a `<list>`: the first `count` of them.
///
/// # Errors
/// As [`json`], and when there are fewer.
pub fn list<T: DeserializeOwned>(text: &str, count: usize) -> Result<Vec<T>, String> {
    let mut entries: Vec<T> = json(text, "list")?;
    if entries.len() < count {
        return Err(format!("too few entries: {} instead of {count}", entries.len()));
    }
    entries.truncate(count);
    Ok(entries)
}

/// Texts of a list that must be there and differ, compared without case and spaces.
///
/// # Errors
/// Names the first that is blank or there twice.
pub fn distinct<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for text in texts {
        let plain = normal(text);
        if plain.is_empty() {
            return Err("an entry is blank".to_owned());
        }
        if !seen.insert(plain) {
            return Err(format!("an entry is there twice: {}", text.trim()));
        }
    }
    Ok(())
}

/// A text in lower case with single spaces: texts that differ in nothing else are the same.
pub fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text within a Markdown fence, if one is around all of it.
fn unfenced(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let Some((language, inner)) = inner.and_then(|inner| inner.split_once('\n')) else { return text };
    if language.trim().chars().all(|c| c.is_ascii_alphanumeric()) { inner.trim() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_complete_pair_counts() {
        assert_eq!(last_tag("<a>plan</a> no: <a> final </a> <a>", "a"), Ok("final"));
        assert_eq!(last_tag("<a>x <a>y</a>", "a"), Ok("y"));
        assert!(last_tag("<a>cut off", "a").unwrap_err().contains("</a>"));
        assert!(last_tag("</a>", "a").unwrap_err().contains("<a>"));
        assert!(last_tag("<a> </a>", "a").unwrap_err().contains("nothing"));
    }

    #[test]
    fn json_is_never_repaired() {
        let read = |text: &str| list::<String>(&format!("<list>{text}</list>"), 2);
        assert_eq!(read("[\"a\", \"b\", \"c\"]").unwrap(), ["a", "b"]);
        assert_eq!(read("```json\n[\"a\", \"b\"]\n```").unwrap(), ["a", "b"]);
        for broken in
            ["[\"a\", \"b\"", "[\"a\", \"b\",]", "['a', 'b']", "[\"a\" \"b\"]", "a, b", "[\"a\"]", "[1, 2]"]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn entries_that_repeat_or_are_blank_are_refused() {
        assert!(distinct(["a b", "a c"]).is_ok());
        assert!(distinct(["A  b", "a B "]).unwrap_err().contains("twice"));
        assert!(distinct(["a", " "]).unwrap_err().contains("blank"));
    }

    proptest! {
        #[test]
        fn a_cut_list_is_never_accepted(entries in prop::collection::vec("[a-z\\]\\[\", ]{1,12}", 1..5), cut in 0usize..200) {
            let whole = format!("<list>{}</list>", serde_json::to_string(&entries).unwrap());
            prop_assert_eq!(list::<String>(&whole, entries.len()).unwrap(), entries.clone());
            let cut = (0..=cut.min(whole.len() - 1)).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
            prop_assert!(list::<String>(&whole[..cut], 1).is_err());
        }

        #[test]
        fn nothing_brings_it_down(text in "\\PC{0,80}") {
            let _ = (last_tag(&text, "list"), list::<String>(&text, 1), json::<Vec<u8>>(&text, "a"));
        }
    }
}
