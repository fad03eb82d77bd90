//! What is said of every request once it has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With an answer, or an error, of this HTTP status.
    Answered(u16),
    /// The client went away.
    Left,
}

/// A request that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The model that was asked, if the request named one.
    pub model: String,
    /// Tokens of the prompt or prompts.
    pub prompt_tokens: usize,
    /// Tokens that were written.
    pub new_tokens: usize,
    /// From the request to its end.
    pub took: Duration,
    /// How it ended.
    pub status: Status,
}

/// Where lines go.
pub type Sink = Arc<dyn Fn(&Line) + Send + Sync>;

/// The line of a request under way. It is said when this is dropped: however a request ends, it has one.
pub struct Entry {
    line: Line,
    started: Instant,
    sink: Sink,
}

impl Entry {
    /// Of a request that has begun.
    pub fn new(sink: Sink) -> Entry {
        let line = Line {
            model: String::new(),
            prompt_tokens: 0,
            new_tokens: 0,
            took: Duration::ZERO,
            status: Status::Left,
        };
        Entry { line, started: Instant::now(), sink }
    }

    /// What it asks for.
    pub fn asks(&mut self, model: &str) {
        model.clone_into(&mut self.line.model);
    }

    /// How much there is to read.
    pub fn reads(&mut self, tokens: usize) {
        self.line.prompt_tokens = tokens;
    }

    /// A token was written.
    pub fn writes(&mut self) {
        self.line.new_tokens += 1;
    }

    /// How much was written so far.
    pub fn written(&self) -> usize {
        self.line.new_tokens
    }

    /// It ends with this HTTP status.
    pub fn ends(&mut self, status: u16) {
        self.line.status = Status::Answered(status);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.line.took = self.started.elapsed();
        (self.sink)(&self.line);
    }
}
