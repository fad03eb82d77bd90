//! How commands print: results to stdout, problems to stderr, JSON on request.

use std::io::{IsTerminal, Write};
use std::path::Path;

use experiment::ExperimentError;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use serde::Serialize;

use crate::exit::Exit;

/// Width of error messages; wide enough for a line of an experiment file with its number.
const WIDTH: usize = 110;

/// The width of tables: that of the terminal, or of a page where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0))
}

/// Prints a result as indented JSON.
pub fn json<T: Serialize>(value: &T) {
    let text = serde_json::to_string_pretty(value).expect("results are plain data");
    line(&text);
}

/// Prints a line to stdout. A reader that went away (`| head`) is no failure.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an error and says how the command ends.
pub fn error(error: &ExperimentError) -> Exit {
    eprint!("{}", render(error));
    if error.is_invalid_input() { Exit::Invalid } else { Exit::Failed }
}

/// Prints an error that has no place in a file.
pub fn failure(message: impl std::fmt::Display) -> Exit {
    eprintln!("error: {message}");
    Exit::Failed
}

fn render(error: &dyn Diagnostic) -> String {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    match handler.render_report(&mut text, error) {
        Ok(()) => text,
        Err(_) => format!("error: {error}\n"),
    }
}

/// A path as it can be typed after a command.
pub fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-~+:\\".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// `1 stage`, `12 stages`.
pub fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
