//! What within a line is not prose: code, the targets of links, addresses, comments, attributes.

use std::ops::Range;

/// The places in a text, in order and apart from each other, that are no prose: `` `code` ``, `(target)` behind `]`,
/// `<https://...>`, bare addresses, `<!-- comments -->`, and `{#id ...}`.
pub(crate) fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut position = 0;
    // Signs whose partner was looked for and is not there: not looked for again, so that time stays linear.
    let mut missing: Vec<&str> = Vec::new();
    while let Some(at) = text[position..].find(['`', '(', '<', '{', 'h', 'w']) {
        let start = position + at;
        let rest = &text[start..];
        let mut step = 1;
        let length = match rest.as_bytes()[0] {
            b'`' => {
                // Of ticks without a partner, none opens anything.
                step = rest.bytes().take_while(|byte| *byte == b'`').count();
                code(rest, step, &mut missing)
            }
            b'(' if text[..start].ends_with(']') => target(rest),
            b'<' => comment(rest, &mut missing).or_else(|| address(&rest[1..]).map(|n| n + 1)),
            b'{' => attributes(rest),
            b'h' | b'w' if !text[..start].ends_with(char::is_alphanumeric) => address(rest),
            _ => None,
        };
        position = start + length.unwrap_or(step);
        if length.is_some() {
            found.push(start..position);
        }
    }
    found
}

/// A copy of the text with spaces for every byte that is no prose; places in it are places in the text.
pub(crate) fn prose_only(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut position = 0;
    for range in hidden(text) {
        kept.push_str(&text[position..range.start]);
        kept.extend(text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        position = range.end;
    }
    kept + &text[position..]
}

/// The length of a code span: it ends with as many ticks as it begins with.
fn code(rest: &str, ticks: usize, missing: &mut Vec<&str>) -> Option<usize> {
    const TICKS: [&str; 3] = ["`", "``", "```"];
    let run = TICKS.get(ticks - 1)?;
    if missing.contains(run) {
        return None;
    }
    let mut position = ticks;
    while let Some(at) = rest[position..].find('`') {
        let begin = position + at;
        let length = rest[begin..].bytes().take_while(|byte| *byte == b'`').count();
        position = begin + length;
        if length == ticks {
            return Some(position);
        }
    }
    missing.push(run);
    None
}

/// The length of a comment.
fn comment(rest: &str, missing: &mut Vec<&str>) -> Option<usize> {
    if !rest.starts_with("<!--") || missing.contains(&"-->") {
        return None;
    }
    let end = rest.find("-->");
    if end.is_none() {
        missing.push("-->");
    }
    Some(end? + 3)
}

/// The length of the attributes of a heading.
fn attributes(rest: &str) -> Option<usize> {
    let end = rest.char_indices().take(500).find(|(_, c)| matches!(c, '}' | '\n'));
    end.filter(|(_, c)| *c == '}' && rest.starts_with("{#")).map(|(at, _)| at + 1)
}

/// The length of the target of a link, brackets included; brackets may be nested once.
fn target(rest: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in rest.char_indices().take(500) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The length of an address that begins here.
fn address(rest: &str) -> Option<usize> {
    let known = ["http://", "https://", "www."].into_iter().find(|scheme| rest.starts_with(scheme))?;
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"`)]".contains(c)).unwrap_or(rest.len());
    let end = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']).len();
    (end > known.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_prose() {
        let text =
            "A `b` [c](#d (e)) <https://f.g> see https://h.i/j. ``k ` l`` {#m n=o} {p} <!-- q --> (r) ` s";
        let found: Vec<&str> = hidden(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(
            found,
            ["`b`", "(#d (e))", "<https://f.g", "https://h.i/j", "``k ` l``", "{#m n=o}", "<!-- q -->"]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_stay_places(text in "([`(){}<>\\[\\]#é \\n]|<!--|-->|http://|www\\.|[a-c]){0,40}") {
            let prose = prose_only(&text);
            prop_assert_eq!(prose.len(), text.len());
            let mut position = 0;
            for range in hidden(&text) {
                prop_assert!(position <= range.start && range.start < range.end);
                prop_assert!(prose[range.clone()].trim().is_empty());
                prop_assert_eq!(&prose[position..range.start], &text[position..range.start]);
                position = range.end;
            }
        }
    }
}
