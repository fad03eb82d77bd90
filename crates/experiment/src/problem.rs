//! Problems in an experiment file: what is wrong, where it stands, what to do.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// Something in an experiment file that cannot be run as written.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct FileProblem {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    #[help]
    pub help: String,
    /// A few words at the place.
    label: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("{label}")]
    span: SourceSpan,
}

impl FileProblem {
    /// The line of the file that it is about, counted from 1.
    pub fn line(&self) -> usize {
        let text = self.source_code.inner();
        let start = self.span.offset().min(text.len());
        text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// The text of an experiment file under the name the user gave it.
#[derive(Debug, Clone)]
pub struct Source(Arc<NamedSource<String>>);

impl Source {
    /// A file at `path` with this text.
    pub fn new(path: &Path, text: &str) -> Source {
        Source(Arc::new(NamedSource::new(path.display().to_string(), text.to_owned()).with_language("TOML")))
    }

    /// A problem at a place of the file.
    pub fn problem(
        &self,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> FileProblem {
        // A label outside the text would hide the message: an empty file has its problems at its end.
        let end = span.end.min(self.0.inner().len());
        let start = span.start.min(end);
        FileProblem {
            message: message.into(),
            help: help.into(),
            label: label.into(),
            source_code: self.0.clone(),
            span: (start..end).into(),
        }
    }

    /// A name that is not one of those that would be valid here; `what` says what it should have been.
    pub fn unknown(&self, name: &str, span: Range<usize>, what: &str, valid: &[&str]) -> FileProblem {
        let help = match closest(name, valid) {
            Some(close) => format!("did you mean `{close}`? Valid here: {}", list(valid)),
            None if valid.is_empty() => format!("nothing is valid here: there is no {what}"),
            None => format!("valid here: {}", list(valid)),
        };
        self.problem(format!("unknown {what} `{name}`"), span, "unknown", help)
    }

    /// An error of the TOML reader.
    pub fn syntax(&self, error: &toml::de::Error) -> FileProblem {
        let message = error.message();
        if message.starts_with("unknown field") {
            return self.unknown_key(error, &[]);
        }
        let span = error.span().unwrap_or(0..0);
        if let Some(key) = message.strip_prefix("missing field ") {
            let key = key.trim_matches('`');
            return FileProblem { span: first_line(self.0.inner(), span).into(), ..self.missing_key(key) };
        }
        let first = message.lines().next().unwrap_or(message);
        let (first, help) = match first.starts_with("invalid") {
            true => (
                in_words(first),
                "`whyfirst new FOLDER` writes a file in which every key has a value of its type",
            ),
            false => {
                (first.to_owned(), "the file must be TOML, with the keys that `whyfirst new FOLDER` explains")
            }
        };
        self.problem(first, span, "here", help)
    }

    /// A key at the top of the file that is not there.
    pub fn missing_key(&self, key: &str) -> FileProblem {
        self.problem(
            format!("missing key `{key}`"),
            first_line(self.0.inner(), 0..self.0.inner().len()),
            format!("`{key}` belongs here"),
            format!("add a line `{key} = ...`; `whyfirst new FOLDER` writes a file with every key explained"),
        )
    }

    /// The TOML reader's "unknown field": its message lists the keys that would be valid, to which `more`
    /// are added.
    pub fn unknown_key(&self, error: &toml::de::Error, more: &[&str]) -> FileProblem {
        let mut words = error.message().split('`').skip(1).step_by(2);
        let key = words.next().unwrap_or_default();
        let valid: Vec<&str> = words.chain(more.iter().copied()).collect();
        self.unknown(key, error.span().unwrap_or(0..0), "key", &valid)
    }
}

/// Says in words what the TOML reader says in types.
fn in_words(message: &str) -> String {
    let types = [
        ("expected u64", "expected a whole number, at least 0"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
    ];
    types.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// `` `a`, `b`, `c` ``.
pub fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The name that was probably meant: the nearest by edit distance, if it is near.
pub fn closest<'a>(name: &str, valid: &[&'a str]) -> Option<&'a str> {
    valid
        .iter()
        .map(|candidate| (edit_distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + candidate.chars().count().min(name.chars().count()) / 3
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: the fewest insertions, deletions and replacements that turn one into the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The part of a span that lies on its first line: a label over a whole table hides more than it shows.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let length = text[start..end].find('\n').unwrap_or(end - start);
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
        assert_eq!(edit_distance("größe", "grosse"), 3);
    }

    #[test]
    fn suggestions_are_near_or_absent() {
        let valid = ["steps", "rows", "learning_rate", "warmup"];
        assert_eq!(closest("stpes", &valid), Some("steps"));
        assert_eq!(closest("learning-rate", &valid), Some("learning_rate"));
        assert_eq!(closest("temperature", &valid), None);
    }

    #[test]
    fn a_span_outside_the_text_is_pulled_inside() {
        let source = Source::new(Path::new("x.toml"), "a\nb");
        let problem = source.problem("m", 90..99, "l", "h");
        assert_eq!(problem.line(), 2);
    }
}
