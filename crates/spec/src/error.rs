//! Errors that point at a place in a spec.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// Something wrong in a spec: what, where, and what to do about it.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct SpecError {
    message: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label]
    span: SourceSpan,
    #[help]
    help: String,
    line: usize,
}

impl SpecError {
    pub(crate) fn new(
        path: &Path,
        text: &str,
        span: Range<usize>,
        message: String,
        help: String,
    ) -> SpecError {
        let start = span.start.min(text.len());
        let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
        let length = span.end.saturating_sub(start);
        let source_code = Arc::new(NamedSource::new(path.display().to_string(), text.to_string()));
        SpecError { message, source_code, span: (start, length).into(), help, line }
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &str {
        self.source_code.name()
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        &self.help
    }
}
