//! `run`: do it, or go on.

use experiment::{Ended, Options, Paths, Ran};
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
    let mut experiment = match experiment::open(folder, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    if args.rehearse {
        experiment.rehearse();
    }
    interrupt::listen();
    let watch = Watch::new();
    let options = Options {
        threads: threads(args.threads),
        interrupt: interrupt::requested(),
        progress: &watch,
        max_cost: args.max_cost,
        created: clock::now(),
    };
    let ran = experiment::run(&experiment, &options);
    watch.close();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return output::error(&error),
    };
    let again =
        format!("whyfirst run {}{}", output::typed(folder), if args.rehearse { " --rehearse" } else { "" });
    let paths = experiment.paths();
    match &ran.ended {
        Ended::Interrupted => {
            eprintln!("interrupted; what was done is kept. To go on: {again}");
            Exit::Interrupted
        }
        Ended::Stopped(reason) => {
            eprintln!("stopped: {reason}");
            if args.folder.json {
                written(&paths);
            }
            Exit::Stopped
        }
        Ended::Written => {
            match args.folder.json {
                true => written(&paths),
                false => show_written(&paths),
            }
            Exit::Done
        }
        Ended::Failed => match show(&ran, &paths, args.folder.json) {
            Exit::Done => Exit::Failed,
            other => other,
        },
        Ended::Complete => show(&ran, &paths, args.folder.json),
    }
}

/// Prints what writing came to, as JSON.
fn written(paths: &Paths) {
    match store::read_json::<serde_json::Value>(paths.writing()) {
        Ok(report) => output::json(&report),
        Err(error) => eprintln!("error: {error}"),
    }
}

/// Prints what writing came to, for people.
fn show_written(paths: &Paths) {
    let report: serde_json::Value = store::read_json(paths.writing()).unwrap_or_default();
    for corpus in report["corpora"].as_array().into_iter().flatten() {
        let folder = corpus["folder"]
            .as_str()
            .map_or_else(String::new, |folder| paths.corpora().join(folder).display().to_string());
        output::line(&format!(
            "{}: {} of {} rows kept, ${:.4}: {folder}",
            corpus["name"].as_str().unwrap_or_default(),
            corpus["kept"],
            corpus["asked"],
            corpus["dollars"].as_f64().unwrap_or_default(),
        ));
    }
    let calls = &report["calls"];
    output::line(&format!(
        "{} answers, ${:.4} billed, up to ${:.4} more possibly billed for calls without an answer; every call is in {}",
        calls["answers"],
        calls["billed"].as_f64().unwrap_or_default(),
        calls["possibly_billed"].as_f64().unwrap_or_default(),
        paths.store().display(),
    ));
    output::line(&format!("audits: {}", paths.audit().display()));
}

/// Prints what the run did and found.
fn show(ran: &Ran, paths: &Paths, json: bool) -> Exit {
    let Some(record) = &ran.record else { return Exit::Done };
    let failures: Vec<&str> = record.cells.iter().filter_map(|cell| cell.failure.as_deref()).collect();
    let results = match report::write(paths, record) {
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
