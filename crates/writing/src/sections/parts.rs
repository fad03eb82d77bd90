//! Sections too long for a prompt, in parts.

/// The longest part, in estimated tokens.
const LONGEST: usize = 6_000;
/// As many bytes, at the least, as a part may have: an estimated token is at most so many.
const BYTES: usize = LONGEST * 3;

/// A text in parts of at most [`LONGEST`]: cut between paragraphs where that is possible, never within a fence that fits,
/// else between lines, else between words. The parts are the text again.
pub(super) fn parts(text: &str) -> Vec<String> {
    if spec::estimate_tokens(text) <= LONGEST {
        return vec![text.to_owned()];
    }
    let mut parts: Vec<String> = vec![String::new()];
    for piece in paragraphs(text).into_iter().flat_map(small) {
        match parts.last_mut() {
            Some(last)
                if last.is_empty()
                    || spec::estimate_tokens(last) + spec::estimate_tokens(piece) <= LONGEST =>
            {
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Paragraphs with the empty lines after them; a fence is one, whatever stands in it.
fn paragraphs(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    let mut fence: Option<&str> = None;
    let mut was_blank = false;
    for line in text.split_inclusive('\n') {
        let plain = line.trim();
        let is_blank = plain.is_empty();
        if was_blank && !is_blank && fence.is_none() && at > start {
            found.push(&text[start..at]);
            start = at;
        }
        was_blank = is_blank;
        fence = match fence {
            Some(mark) if plain.starts_with(mark) => None,
            Some(mark) => Some(mark),
            None => ["```", "~~~"].into_iter().find(|mark| plain.starts_with(mark)),
        };
        at += line.len();
    }
    found.push(&text[start..]);
    found
}

/// A paragraph in pieces none of which is too long.
fn small(paragraph: &str) -> Vec<&str> {
    if spec::estimate_tokens(paragraph) <= LONGEST {
        return vec![paragraph];
    }
    let mut pieces = Vec::new();
    for line in paragraph.split_inclusive('\n') {
        let mut rest = line;
        while spec::estimate_tokens(rest) > LONGEST {
            let mut end = BYTES.min(rest.len());
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            // After a space, if there is one.
            let end = rest[..end].rfind(' ').map_or(end, |space| space + 1);
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fences_stay_whole_where_they_fit() {
        let prose = "A sentence about honesty that is long enough.\n\n".repeat(420);
        let fence = format!("```\n{}```\n\n", "line of code\n\n".repeat(300));
        let parts = parts(&format!("{prose}{fence}{prose}"));
        assert!(parts.iter().any(|part| part.contains(&fence)));
    }

    #[test]
    fn a_line_without_end_is_cut_between_words() {
        let line = "word ".repeat(30_000);
        let parts = parts(&line);
        assert!(parts.len() > 5 && parts.iter().all(|part| part.ends_with(' ')));
        assert_eq!(parts.concat(), line);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(
            pieces in prop::collection::vec(("[a-zé ]{0,30}|```|~~~|\n|\n\n", 1usize..2_000), 1..12),
        ) {
            let text: String = pieces.into_iter().map(|(piece, times)| piece.repeat(times)).collect();
            let parts = parts(&text);
            prop_assert_eq!(parts.concat(), text);
            prop_assert!(parts.iter().all(|part| spec::estimate_tokens(part) <= LONGEST));
        }
    }
}
