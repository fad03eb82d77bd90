//! The native engine as `cargo xtask bench` measures it: one process for one measurement, one JSON object as
//! its answer.
//!
//! ```text
//! whyfirst-bench train SHAPE [--precision P] [--seconds S] [--threads N] [--rows N] [--length N]
//! whyfirst-bench train packed FILE [--precision P] [--seconds S] [--threads N]
//! whyfirst-bench pack EXPERIMENT FILE   rows of its most mixed stage, packed as the engine packs them
//! whyfirst-bench model SHAPE FOLDER     a folder with a model of this shape and random weights
//! whyfirst-bench generate FOLDER FILE [--texts N] [--seconds S] [--threads N]
//! whyfirst-bench score FOLDER FILE [--seconds S] [--threads N]
//! whyfirst-bench rate [--precision P] [--threads N]   this machine's matmul rate, by our own kernels
//! whyfirst-bench tiny FOLDER   a base model of a few thousand parameters that reads the lab's words
//! ```
//! `SHAPE` is a name in `benches/shapes.json`; `P` is `f32` or `bf16`, the precision of matrix products.

mod asking;
mod packed;
mod rate;
mod shape;
mod tiny;
mod training;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use train::Precision;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("whyfirst-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<serde_json::Value> {
    let (words, options) = Options::read(arguments)?;
    match words.as_slice() {
        ["train", "packed", file] => training::measure(packed::read(Path::new(file))?, &options),
        ["train", shape] => training::measure(shape::named(shape, &options)?.work(), &options),
        ["pack", experiment, file] => packed::write(Path::new(experiment), Path::new(file)),
        ["model", shape, folder] => shape::named(shape, &options)?.write(Path::new(folder)),
        ["generate", folder, file] => asking::generate(Path::new(folder), Path::new(file), &options),
        ["score", folder, file] => asking::score(Path::new(folder), Path::new(file), &options),
        ["rate"] => Ok(rate::measure(&options)),
        ["tiny", folder] => tiny::write(Path::new(folder)),
        _ => Err("see the comment at the top of benches/native/src/main.rs for what it can be asked".into()),
    }
}

/// What the words on the command line are followed by.
struct Options {
    /// How long to measure.
    seconds: f64,
    /// Threads of the engine.
    threads: usize,
    /// Precision of matrix products.
    precision: Precision,
    /// Rows a step, in place of the shape's.
    rows: Option<usize>,
    /// Tokens a row, in place of the shape's.
    length: Option<usize>,
    /// Texts that are continued at once.
    texts: usize,
}

impl Options {
    fn read(arguments: &[String]) -> Result<(Vec<&str>, Options)> {
        let (mut words, mut options) = (
            Vec::new(),
            Options {
                seconds: 8.0,
                threads: 2,
                precision: Precision::F32,
                rows: None,
                length: None,
                texts: 1,
            },
        );
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                words.push(argument.as_str());
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a number"))?;
            match argument.as_str() {
                "--seconds" => options.seconds = value.parse()?,
                "--threads" => options.threads = value.parse()?,
                "--precision" => options.precision = serde_json::from_value(value.as_str().into())?,
                "--texts" => options.texts = value.parse()?,
                "--rows" => options.rows = Some(value.parse()?),
                "--length" => options.length = Some(value.parse()?),
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        Ok((words, options))
    }
}
