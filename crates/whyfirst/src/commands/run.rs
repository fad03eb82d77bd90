//! `run`: do it, or go on.

use std::path::Path;

use experiment::{Ended, Options, Ran};
use serde_json::json;

use crate::args::Run;
use crate::commands::{report, threads};
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output::{self, counted};
use crate::progress::Watch;
use crate::{clock, interrupt};

/// Runs what is missing, then shows the results.
pub fn run(args: &Run) -> Exit {
    let folder = &args.folder.folder;
    let experiment = match experiment::open(folder, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    interrupt::listen();
    let watch = Watch::new();
    let options = Options {
        threads: threads(args.threads),
        interrupt: interrupt::requested(),
        progress: &watch,
        created: clock::now(),
    };
    let ran = experiment::run(&experiment, &options);
    watch.close();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return output::error(&error),
    };
    if ran.ended == Ended::Interrupted {
        eprintln!("interrupted; what was done is kept. To go on: whyfirst run {}", output::typed(folder));
        return Exit::Interrupted;
    }
    let shown = show(&ran, folder, args.folder.json);
    match (ran.ended, shown) {
        (Ended::Failed, Exit::Done) => Exit::Failed,
        (_, shown) => shown,
    }
}

/// Prints what the run did and found.
fn show(ran: &Ran, folder: &Path, json: bool) -> Exit {
    let Some(record) = &ran.record else { return Exit::Done };
    let failures: Vec<&str> = record.cells.iter().filter_map(|cell| cell.failure.as_deref()).collect();
    let results = match report::write(folder, record) {
        Ok(results) => results,
        Err(exit) => return exit,
    };
    if json {
        output::json(&json!({
            "stages_trained": ran.stages,
            "evaluations_made": ran.evals,
            "failures": failures,
            "report": results.page,
            "findings": results.findings,
        }));
        return Exit::Done;
    }
    output::line(&results.text);
    match ran.changed() {
        true => output::line(&format!(
            "trained {} and made {}",
            counted(ran.stages, "stage"),
            counted(ran.evals, "evaluation")
        )),
        false => output::line("nothing to do: all stages and evaluations are there already"),
    }
    if !failures.is_empty() {
        output::line(&format!(
            "{} without a result; the reasons are in the report",
            counted(failures.len(), "model")
        ));
    }
    output::line(&format!("report: {}", results.page.display()));
    Exit::Done
}
