//! Where the time of a training step goes, by function.

use super::{Options, THREADS, answer, folder, target};
use crate::shell::{Result, cargo, command, output, run as run_command, succeeds};

/// Functions with less of the time than this are left out.
const FROM_PERCENT: &str = "0.5";

/// Trains under `perf` and prints the functions in which time was spent.
pub fn run(options: &Options) -> Result<()> {
    let mut perf = command("perf");
    perf.arg("--version");
    if !succeeds(perf) {
        return Err("`perf` cannot be run. Debian: apt-get install linux-perf".into());
    }
    run_command(cargo("build --profile profiling --package whyfirst-bench"))?;
    let program = target().join("profiling/whyfirst-bench");
    let (rows, data) = (folder()?.join("example-rows.json"), folder()?.join("perf.data"));
    let mut perf = command("perf");
    perf.args(["record", "--quiet", "--freq", "499", "--output"]).arg(&data).arg("--").arg(&program);
    perf.arg("train");
    match options.shape.as_deref().unwrap_or("0.8M") {
        "example" => {
            let mut pack = command(&program);
            pack.args(["pack", "examples/cheese"]).arg(&rows);
            answer(pack)?;
            perf.arg("packed").arg(&rows)
        }
        shape => perf.arg(shape),
    };
    perf.args(["--precision", options.precision.as_deref().unwrap_or("f32")]);
    perf.args(["--seconds", &options.seconds.to_string(), "--threads", THREADS]);
    eprintln!("{}", answer(perf)?);
    let mut report = command("perf");
    report.args(["report", "--stdio", "--no-children", "--percent-limit", FROM_PERCENT, "--sort", "symbol"]);
    report.arg("--input").arg(&data);
    let text = output(report)?;
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .for_each(|line| println!("{line}"));
    Ok(())
}
