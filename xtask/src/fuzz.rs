//! The fuzz targets in `fuzz/`: distorted input, until something panics, hangs or fills the memory.

use std::process::Command;

use crate::shell::{Result, cargo, root, run, succeeds};

/// Minutes a target runs for unless said otherwise.
const MINUTES: u64 = 10;

/// What libFuzzer is told beside the time: an input may take a minute (of a busy machine) and 2 GB.
const LIMITS: &str = "-timeout=60 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1";

/// Runs the target that `arguments` name, or all, one after the other; `--minutes N` says how long each runs.
pub fn run_targets(arguments: &[&str]) -> Result<()> {
    let all = targets()?;
    let (minutes, chosen) = match *arguments {
        [] => (MINUTES, None),
        [target] if !target.starts_with('-') => (MINUTES, Some(target)),
        ["--minutes", n] => (number(n)?, None),
        [target, "--minutes", n] | ["--minutes", n, target] => (number(n)?, Some(target)),
        _ => return Err("usage: cargo xtask fuzz [target] [--minutes N]".to_owned()),
    };
    if let Some(target) = chosen.filter(|target| !all.iter().any(|known| known == target)) {
        return Err(format!("no fuzz target is called `{target}`; there are {}", all.join(", ")));
    }
    if !succeeds(cargo("fuzz --version")) {
        return Err("cargo-fuzz is not installed: `cargo install cargo-fuzz --locked`".to_owned());
    }
    for target in all.iter().filter(|target| chosen.is_none_or(|chosen| chosen == *target)) {
        println!("\n== {target}: {minutes} minutes");
        run(fuzz(target, minutes)?).map_err(|message| {
            format!("{message}\n{target}: the input that was found lies in fuzz/artifacts/{target}/")
        })?;
    }
    Ok(())
}

/// Runs one target from the inputs found before and the committed seeds.
fn fuzz(target: &str, minutes: u64) -> Result<Command> {
    let found = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    // Without a sanitizer the ordinary toolchain is enough; what is looked for is panics, hangs and memory.
    Ok(cargo(&format!(
        "fuzz run --sanitizer none {target} fuzz/corpus/{target} fuzz/seeds/{target} -- \
         -max_total_time={} -dict=fuzz/dictionaries/{target}.dict {LIMITS}",
        minutes * 60
    )))
}

/// Checks the code of the targets without building the fuzzer, which would need a C++ compiler.
pub fn check() -> Result<()> {
    run(cargo("fmt --manifest-path fuzz/Cargo.toml --check"))?;
    run(cargo("clippy --manifest-path fuzz/Cargo.toml --no-default-features -- --deny warnings"))
}

/// The names of the targets, in alphabetical order.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = |path: std::path::PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| name(entry.path())).collect();
    names.sort();
    Ok(names)
}

fn number(text: &str) -> Result<u64> {
    // To libFuzzer 0 means for ever.
    let minutes = text.parse().ok().filter(|minutes| *minutes > 0);
    minutes.ok_or_else(|| format!("`{text}` is not a number of minutes"))
}
