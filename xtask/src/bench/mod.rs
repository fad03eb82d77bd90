//! Measurements: how fast, how large, and against what. Results are printed as Markdown, to be pasted into
//! `docs/`, and kept as JSON under `target/bench/`.
//!
//! Everything that is compared is measured in one run on one machine, in turns, so that a machine that slows
//! down slows down both sides.

mod asking;
mod cheese;
mod minhash;
mod profile;
mod scaling;
mod start;
mod table;
mod train;
mod writers;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shell::{Result, cargo, command, output, root, run as run_command};

/// What `cargo xtask bench` can do.
pub const HELP: &str = "\
cargo xtask bench <what> [options]

  train      tokens a second and memory of a training step, against PyTorch
  cheese     the whole of examples/cheese, against the same trainings in PyTorch
  start      `--help`, `status` on 1,000 stages, size of the binary, with --clean-build time of a build
  scaling    time and memory by size, length, arms and seeds
  asking     tokens and items a second of continuing texts and scoring options, against transformers
  writers    calls a second to a simulated writer, end to end, against the official Python client; busy slots
  minhash    documents a second of the search for near-duplicates, against datatrove
  profile    where the time of a training step goes, by function (needs Linux `perf`)

  --seconds N   how long each training is measured [default: 8]
  --repeats N   how often, in turns; the median counts [default: 3]
  --shape NAME  only this one, for train and profile (0.8M, 17M, 17M-lora, example)
  --precision P only this precision of matrix products, for train and profile (f32, bf16)
  --documents N documents of writers [default: 50000] and minhash [default: 200000]
  --peer-documents N  only the first N of them for datatrove, which takes half an hour for 200000
  --stages N    only so many stages on PyTorch's side of cheese, to try it out
  --json        print the results as JSON; progress goes to the error stream in any case";

/// What the command line asks for.
pub struct Options {
    seconds: f64,
    repeats: usize,
    shape: Option<String>,
    precision: Option<String>,
    stages: Option<String>,
    documents: Option<u64>,
    peer_documents: Option<u64>,
    clean_build: bool,
    json: bool,
}

/// Threads on both sides of every comparison: what the requirements were written for.
const THREADS: &str = "2";

/// Runs the measurement that the words after `bench` name.
pub fn run(arguments: &[&str]) -> Result<()> {
    let Some((what, rest)) = arguments.split_first() else {
        println!("{HELP}");
        return Ok(());
    };
    let options = Options::read(rest)?;
    let results = match *what {
        "train" => train::run(&options)?,
        "cheese" => cheese::run(&options)?,
        "start" => start::run(&options)?,
        "scaling" => scaling::run(&options)?,
        "asking" => asking::run(&options)?,
        "writers" => writers::run(&options)?,
        "minhash" => minhash::run(&options)?,
        "profile" => return profile::run(&options),
        other => return Err(format!("unknown measurement `{other}`\n\n{HELP}")),
    };
    let path = folder()?.join(format!("{what}.json"));
    let text = serde_json::to_string_pretty(&results).map_err(|error| error.to_string())?;
    std::fs::write(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    if options.json {
        println!("{text}");
    }
    eprintln!("kept in {}", path.display());
    Ok(())
}

impl Options {
    fn read(arguments: &[&str]) -> Result<Options> {
        let mut options = Options {
            seconds: 8.0,
            repeats: 3,
            shape: None,
            precision: None,
            stages: None,
            documents: None,
            peer_documents: None,
            clean_build: false,
            json: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match *argument {
                "--json" => options.json = true,
                "--clean-build" => options.clean_build = true,
                "--seconds" | "--repeats" | "--shape" | "--precision" | "--stages" | "--documents"
                | "--peer-documents" => {
                    let value = *arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
                    let wrong = |_| format!("{argument}: `{value}` is no number");
                    match *argument {
                        "--seconds" => options.seconds = value.parse().map_err(|_| wrong(()))?,
                        "--repeats" => {
                            options.repeats = value.parse::<usize>().map_err(|_| wrong(()))?.max(1)
                        }
                        "--documents" => {
                            options.documents = Some(value.parse().map_err(|_| wrong(()))?);
                        }
                        "--peer-documents" => {
                            options.peer_documents = Some(value.parse().map_err(|_| wrong(()))?);
                        }
                        "--shape" => options.shape = Some(value.to_owned()),
                        "--precision" => options.precision = Some(value.to_owned()),
                        _ => options.stages = Some(value.to_owned()),
                    }
                }
                other => return Err(format!("unknown option `{other}`\n\n{HELP}")),
            }
        }
        Ok(options)
    }

    /// Shows a part of the results to people, unless a program reads.
    fn show(&self, text: &str) {
        if self.json { eprintln!("{text}") } else { println!("{text}") }
    }
}

/// `target/bench/`, made if it is not there.
fn folder() -> Result<PathBuf> {
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Where cargo builds.
fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Builds a package as it is released and returns its program.
fn released(package: &str, program: &str) -> Result<PathBuf> {
    run_command(cargo(&format!("build --release --package {package}")))?;
    Ok(target().join("release").join(program))
}

/// The program that trains with the native engine.
fn native() -> Result<PathBuf> {
    released("whyfirst-bench", "whyfirst-bench")
}

/// The program itself.
fn whyfirst() -> Result<PathBuf> {
    released("whyfirst", "whyfirst")
}

/// A Python script of `benches/peers/`. What `torch.compile` keeps is kept apart from other runs', so that
/// its first run compiles.
fn peer(python: &Path, script: &str, arguments: &[&str], heap: bool) -> Result<Command> {
    let mut peer = command(python);
    peer.arg(format!("benches/peers/{script}")).args(arguments).args(["--threads", THREADS]);
    peer.env("TORCHINDUCTOR_CACHE_DIR", compiled()?);
    peer.env("PYTHONDONTWRITEBYTECODE", "1");
    if heap {
        // glibc gives memory back to the system after every step and asks for it again in the next, unless
        // told to keep it: no separate mappings, no trimming.
        peer.env("MALLOC_MMAP_MAX_", "0");
        peer.env("MALLOC_TRIM_THRESHOLD_", "17179869184");
        peer.env("MALLOC_TOP_PAD_", "67108864");
    }
    Ok(peer)
}

/// The folder of what `torch.compile` keeps.
fn compiled() -> Result<PathBuf> {
    Ok(folder()?.join("compiled"))
}

/// Empties a folder, or sees to it that there is none.
fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Runs a program that answers with one JSON object.
fn answer(command: Command) -> Result<Value> {
    let text = output(command)?;
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("not JSON ({error}): {line}"))
}

/// How long a command took, and the most memory it held (`None` where there is no `/proc`). What it prints is
/// kept in `last.log`.
fn timed(mut command: Command) -> Result<(Duration, Option<u64>)> {
    let log = folder()?.join("last.log");
    let file = || {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&log);
        file.map_err(|error| format!("{}: {error}", log.display()))
    };
    std::fs::write(&log, "").map_err(|error| format!("{}: {error}", log.display()))?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file()?)
        .stderr(file()?)
        .spawn()
        .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        // The mark only rises, so all that can be missed is growth in the last moments.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = mark.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = mark.map(|kib| kib * 1024).or(peak);
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok((start.elapsed(), peak)),
            Ok(Some(status)) => {
                let program = command.get_program().to_string_lossy();
                return Err(format!("{program} failed ({status}); see {}", log.display()));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// A copy of an experiment, without what a run left in it.
fn copy_experiment(from: &Path, to: &Path) -> Result<()> {
    let wrong = |error: std::io::Error| format!("{}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(wrong)?;
    for entry in std::fs::read_dir(from).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if !path.is_dir() {
            std::fs::copy(&path, &copy).map_err(wrong)?;
        } else if entry.file_name() != "runs" {
            copy_experiment(&path, &copy)?;
        }
    }
    Ok(())
}

/// The median; of an even number of values the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, median};

    #[test]
    fn the_median_of_any_number() {
        assert!(median(vec![]).is_nan());
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn options_are_read_and_bad_ones_named() {
        let options = Options::read(&["--seconds", "1.5", "--json"]).map(|o| (o.seconds, o.json, o.repeats));
        assert_eq!(options, Ok((1.5, true, 3)));
        let error = |arguments: &[&str]| Options::read(arguments).err().unwrap_or_default();
        assert!(error(&["--seconds", "long"]).contains("`long`"));
        assert!(error(&["--repeats"]).contains("--repeats"));
        assert!(error(&["--fast"]).contains("--fast"));
    }
}
