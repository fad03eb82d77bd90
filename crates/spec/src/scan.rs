//! Which lines of a text are text, and which belong to a fenced block, a comment or the front matter.
//!
//! Everything that reads lines (headings, bullets, pieces) goes through this one scanner, so that all of them agree
//! on what is no text: a `#` in a code block is no heading to any of them.

use std::ops::Range;

use crate::provenance;

/// An opening fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    sign: char,
    length: usize,
    /// What follows the signs, for example `xml`.
    pub info: String,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Ordinary Markdown.
    Text,
    /// The opening line of a fenced block.
    Opens(Fence),
    /// A line in a fenced block.
    Fenced,
    /// The closing line of a fenced block.
    Closes,
    /// A line of an HTML comment that began at the beginning of a line.
    Comment,
    /// A line of the YAML between two `---` at the very beginning of the file.
    FrontMatter,
}

/// Tells for one line after the other what it is.
pub(crate) struct Scanner {
    fence: Option<Fence>,
    comment: bool,
    front_matter: Range<usize>,
    last_comment_end: Option<usize>,
}

impl Scanner {
    /// For a whole file.
    pub fn file(text: &str) -> Scanner {
        Scanner { front_matter: front_matter(text), ..Scanner::body(text) }
    }

    /// For a piece of a file that begins outside of blocks and comments, as every section's body does.
    pub fn body(text: &str) -> Scanner {
        Scanner { fence: None, comment: false, front_matter: 0..0, last_comment_end: text.rfind("-->") }
    }

    /// What the next line is. `start` is where it begins in the text; `line` is without its line break.
    pub fn place(&mut self, line: &str, start: usize) -> Place {
        if self.front_matter.contains(&start) {
            return Place::FrontMatter;
        }
        if let Some(fence) = &self.fence {
            if !closes(fence, line) {
                return Place::Fenced;
            }
            self.fence = None;
            return Place::Closes;
        }
        if self.comment {
            self.comment = !line.contains("-->");
            return Place::Comment;
        }
        let bare = line.trim_start_matches('\u{feff}');
        let text = bare.trim_start_matches(' ');
        if bare.len() - text.len() <= 3 && text.starts_with("<!--") {
            let begin = start + (line.len() - text.len());
            // A comment that is never closed is text: nothing should vanish because of a missing `-->`.
            if self.last_comment_end.is_some_and(|end| end >= begin + 2) {
                self.comment = !text[2..].contains("-->");
                return Place::Comment;
            }
        }
        match opens(line) {
            Some(fence) => {
                self.fence = Some(fence.clone());
                Place::Opens(fence)
            }
            None => Place::Text,
        }
    }
}

/// Where the front matter is: at the beginning, or behind the comment of a transform.
fn front_matter(text: &str) -> Range<usize> {
    let begin = provenance::length(text);
    let mut position = begin;
    for (index, raw) in text[begin..].split_inclusive('\n').enumerate() {
        position += raw.len();
        let line = raw.trim_end().trim_start_matches('\u{feff}');
        match index {
            0 if line != "---" => break,
            0 => {}
            // `---` and an empty line is a rule, and not the beginning of YAML.
            1 if line.is_empty() => break,
            _ if line == "---" || line == "..." => return begin..position,
            _ => {}
        }
    }
    0..0
}

/// The fence that a line opens. Fences may be indented, as they are inside lists.
pub(crate) fn opens(line: &str) -> Option<Fence> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == sign).count();
    let info = line[length..].trim();
    // Inline code such as ```x``` on one line opens nothing.
    (length >= 3 && !(sign == '`' && info.contains('`'))).then(|| Fence {
        sign,
        length,
        info: info.to_string(),
    })
}

fn closes(fence: &Fence, line: &str) -> bool {
    let line = line.trim();
    line.chars().all(|c| c == fence.sign) && line.chars().count() >= fence.length
}

impl Fence {
    /// Whether a line within this block looks as if it opened another block of the same kind: then the closing
    /// fence before it is probably missing.
    pub fn opened_again(&self, line: &str) -> bool {
        opens(line).is_some_and(|other| {
            other.sign == self.sign && other.length >= self.length && !other.info.is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> String {
        let mut scanner = Scanner::file(text);
        let mut position = 0;
        let mut found = String::new();
        for raw in text.split_inclusive('\n') {
            found.push(match scanner.place(raw.trim_end(), position) {
                Place::Text => 't',
                Place::Opens(_) => '(',
                Place::Fenced => 'f',
                Place::Closes => ')',
                Place::Comment => 'c',
                Place::FrontMatter => 'y',
            });
            position += raw.len();
        }
        found
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        assert_eq!(places("a\n```\n# x\n~~~\n```\nb\n"), "t(ff)t");
        assert_eq!(places("<!-- one -->\n# a\n<!-- two\n# b\n--> rest\n# c\n"), "ctccct");
        assert_eq!(places("# a\n<!-- never closed\n# b\n"), "ttt");
        assert_eq!(places("<!-->\n# a\n"), "ct");
        assert_eq!(places("---\ntitle: x\n# no\n---\n# a\n"), "yyyyt");
        assert_eq!(places("---\n\ntitle\n---\n"), "tttt");
        assert_eq!(places("---\ntitle: x\n"), "tt");
        assert_eq!(places("<!-- whyfirst: transform=a parent=b -->\n---\n# x\n---\n# a\n"), "cyyyt");
        assert_eq!(places("\u{feff}<!-- a -->\n"), "c");
        assert_eq!(places("    <!-- code -->\n"), "t");
    }
}
