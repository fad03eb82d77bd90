//! The bullets of a section.

use crate::scan::{Place, Scanner};
use crate::{Line, Section, Spec};

/// The bullets of a section's body, outside fenced blocks and comments. A bullet goes on over the lines below it until an empty
/// line, another bullet or a fence; its text is on one line, without emphasis and code marks.
pub(crate) fn bullets(spec: &Spec, section: &Section) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut open = false;
    let mut position = section.span.start;
    let mut scanner = Scanner::body(&section.body);
    for raw in section.body.split_inclusive('\n') {
        let start = position;
        position += raw.len();
        let line = raw.trim_end();
        let place = scanner.place(line, start - section.span.start);
        let text = line.trim_start();
        let begin = start + (line.len() - text.len());
        let end = start + line.len();
        if place != Place::Text || text.is_empty() {
            open = false;
        } else if let Some(item) = item(text) {
            let begin = begin + (text.len() - item.len());
            found.push(Line { text: plain(item), line: spec.line_at(start), span: begin..end });
            open = true;
        } else if let Some(last) = found.last_mut().filter(|_| open) {
            last.text.push(' ');
            last.text.push_str(&plain(text));
            last.span.end = end;
        }
    }
    found
}

/// What follows a bullet mark.
fn item(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['-', '*', '+'])?;
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

/// The text without the marks of emphasis and code.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '*' | '`')).collect::<String>().trim().to_string()
}
