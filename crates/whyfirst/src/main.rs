//! The `whyfirst` command: reads the command line, calls `experiment`, prints. Everything else lives in the
//! crates below.

mod args;
mod clock;
mod commands;
mod exit;
mod interrupt;
mod lab_base;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        // Prints usage errors to stderr with code 2, help and version to stdout with code 0.
        Err(error) => error.exit(),
    };
    if let Err(message) = kernels::simd::check_variable() {
        eprintln!("error: {message}");
        return exit::Exit::Invalid.into();
    }
    commands::run(cli.command).into()
}
