//! `spec`: what is in a Model Spec, what is wrong with it, and what can be made of it.

mod lint;
mod show;
mod transform;

use std::path::Path;

use spec::Spec;

use crate::args::Spec as Command;
use crate::exit::Exit;
use crate::output;

/// Runs a command about specs.
pub fn run(command: &Command) -> Exit {
    match command {
        Command::Lint(args) => lint::run(args),
        Command::Show(args) => show::run(args),
        Command::Transform(args) => transform::run(args),
    }
}

/// A spec and the bytes that it was read from.
struct Opened {
    spec: Spec,
    bytes: Vec<u8>,
}

/// Reads a spec; a problem is printed.
fn open(file: &Path) -> Result<Opened, Exit> {
    let bytes =
        store::read(file).map_err(|error| invalid(&error.to_string(), "give the path of a Markdown file"))?;
    let text = spec::text_of(bytes.clone())
        .map_err(|error| invalid(&format!("{}: {error}", file.display()), error.help()))?;
    let name = file.file_stem().map_or_else(|| "spec".into(), |stem| stem.to_string_lossy());
    let spec = spec::parse(&name, file, text).map_err(|error| output::error(&error.into()))?;
    Ok(Opened { spec, bytes })
}

/// As [`open`], for what needs a spec with sections and text in them.
fn open_usable(file: &Path) -> Result<Opened, Exit> {
    let opened = open(file)?;
    match spec::unusable(&opened.spec) {
        Some(problem) => Err(invalid(&format!("{}: {}", file.display(), problem.message), &problem.help)),
        None => Ok(opened),
    }
}

/// Prints a problem with the input.
fn invalid(message: &str, help: &str) -> Exit {
    eprintln!("error: {message}\n  help: {help}");
    Exit::Invalid
}

/// `12,345`.
fn number(n: usize) -> String {
    indicatif::HumanCount(n as u64).to_string()
}
