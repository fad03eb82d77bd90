//! One file per command.

mod check;
mod corpus;
mod doctor;
mod lab;
mod model;
mod new;
mod plan;
mod report;
mod run;
mod serve;
mod simulate;
mod sources;
mod spec;
mod status;

use crate::args::Command;
use crate::exit::Exit;

/// Runs a command to its end.
pub fn run(command: Command) -> Exit {
    match command {
        Command::New(args) => new::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Corpus(command) => corpus::run(&command),
        Command::Spec(command) => spec::run(&command),
        Command::Serve(args) => serve::run(&args),
        Command::Model(command) => model::run(&command),
        Command::Simulate(args) => simulate::run(&args),
        Command::Lab(command) => lab::run(&command),
        Command::Doctor(args) => doctor::run(&args),
    }
}

/// The number of threads: as asked for, or one per CPU core.
pub fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}
