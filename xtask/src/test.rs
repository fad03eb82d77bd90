//! Every check and every test, in the order in which a failure is cheapest to learn of.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::shell::{Result, cargo, root, run};
use crate::{browser, fuzz, layers, licences, peers};

/// Where proptest looks for its seed.
const SEED: &str = "PROPTEST_RNG_SEED";

/// Runs everything. Stops at the first step that fails, and says how long each step took.
pub fn run_all() -> Result<()> {
    let mut steps = Steps::default();
    let result = all(&mut steps);
    steps.print();
    result
}

fn all(steps: &mut Steps) -> Result<()> {
    // What a machine may lack is asked for before the long part begins.
    let browser = has_target("browser").then(browser::find).transpose();
    let lacking = [peers::check_prerequisites().err(), browser.as_ref().err().cloned()];
    if lacking.iter().any(Option::is_some) {
        return Err(lacking.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    }

    steps.take("format", || run(cargo("fmt --all --check")))?;
    steps.take("layers", layers::check)?;
    steps.take("licences", licences::check)?;
    if licences::deny_is_installed() {
        steps.take("cargo-deny", licences::deny)?;
    } else {
        println!("cargo-deny is not installed: its checks of bans and sources are left out.");
    }
    steps.take("clippy", || run(cargo("clippy --workspace --all-targets -- --deny warnings")))?;
    steps.take("fuzz targets", fuzz::check)?;
    steps.take("documentation", || {
        let mut doc = cargo("doc --workspace --no-deps --document-private-items");
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        run(doc)
    })?;
    steps.take("cargo test", || run(tests("test --workspace --no-fail-fast")))?;

    let python = steps.take("peers: environment", peers::environment)?;
    steps.take("peers: fixtures", || peers::fixtures(true))?;
    steps.take("peers: tests", || optional_tests("peers", "WHYFIRST_PEERS_PYTHON", &python))?;
    if let Ok(Some(browser)) = browser {
        steps.take("browser: tests", || optional_tests("browser", "WHYFIRST_BROWSER", &browser))?;
    }
    Ok(())
}

/// Lints and runs the test targets called `target`. They have `test = false`, so that an ordinary
/// `cargo test` leaves them out; `variable` tells them where to find `program`.
fn optional_tests(target: &str, variable: &str, program: &Path) -> Result<()> {
    if !has_target(target) {
        println!("no test target is called `{target}`");
        return Ok(());
    }
    let commands = [
        cargo(&format!("clippy --workspace --test {target} -- --deny warnings")),
        tests(&format!("test --workspace --no-fail-fast --test {target}")),
    ];
    commands.into_iter().try_for_each(|mut command| {
        command.env(variable, program);
        run(command)
    })
}

/// `cargo` with these arguments. Property tests draw the same cases every time, so that a change is accepted or refused
/// for what it is; whoever looks for more cases sets the seed, or runs `cargo test`, which draws new ones.
fn tests(arguments: &str) -> Command {
    let mut command = cargo(arguments);
    if std::env::var_os(SEED).is_none() {
        command.env(SEED, "1");
    }
    command
}

/// Whether any crate has the test target `name`.
fn has_target(name: &str) -> bool {
    let crates = std::fs::read_dir(root().join("crates"));
    crates.into_iter().flatten().flatten().any(|entry| {
        let tests = entry.path().join("tests");
        tests.join(format!("{name}.rs")).exists() || tests.join(name).join("main.rs").exists()
    })
}

/// The steps taken so far, with their times.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn take<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let result = step();
        let time = start.elapsed();
        println!("-- {name}: {:.1} s", time.as_secs_f64());
        self.0.push((name, time));
        result.map_err(|message| format!("{name}: {message}"))
    }

    fn print(&self) {
        println!();
        for (name, time) in &self.0 {
            println!("{:>8.1} s  {name}", time.as_secs_f64());
        }
    }
}
