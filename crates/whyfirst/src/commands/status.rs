//! `status`: how far is it?

use experiment::{Experiment, RunPlan};
use serde_json::json;

use crate::args::Folder;
use crate::commands::threads;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output;

/// Compares what the experiment needs with what is there. Writes nothing.
pub fn run(args: &Folder) -> Exit {
    let experiment = match experiment::open(&args.folder, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    match super::plan::writing(&experiment) {
        Ok((Some(_), true)) => return writing(args, &experiment),
        Ok(_) => {}
        Err(error) => return output::error(&error),
    }
    let plan = match experiment::prepare(&experiment) {
        Ok(prepared) => RunPlan::new(&prepared, threads(None)),
        Err(error) => return output::error(&error),
    };
    let record = match experiment::read_record(&experiment.paths()) {
        Ok(record) => record,
        Err(error) => return output::error(&error),
    };
    let failures: Vec<String> = record
        .iter()
        .flat_map(|record| &record.cells)
        .filter_map(|cell| {
            let spec = cell.spec.as_deref().map(|spec| format!(", {spec}")).unwrap_or_default();
            Some(format!("{}{spec}, seed {}: {}", cell.arm, cell.seed, cell.failure.as_ref()?))
        })
        .collect();
    let stages_done = plan.total.stages - plan.left.stages;
    let complete = plan.left.stages == 0 && plan.evals == plan.evals_done;
    if args.json {
        output::json(&json!({
            "name": plan.name,
            "complete": complete,
            "stages": plan.total.stages,
            "stages_done": stages_done,
            "steps": plan.total.steps,
            "steps_left": plan.left.steps,
            "evals": plan.evals,
            "evals_done": plan.evals_done,
            "failures": failures,
        }));
        return Exit::Done;
    }
    output::line(&format!(
        "{}: {stages_done} of {} stages and {} of {} evaluations done",
        plan.name, plan.total.stages, plan.evals_done, plan.evals
    ));
    for failure in failures {
        output::line(&format!("failed in the last run: {failure}"));
    }
    if !complete {
        output::line(&format!("go on: whyfirst run {}", output::typed(&args.folder)));
    }
    Exit::Done
}

/// How far the writing of corpora is.
fn writing(args: &Folder, experiment: &Experiment) -> Exit {
    let status = match experiment::writing_status(experiment) {
        Ok(status) => status,
        Err(error) => return output::error(&error),
    };
    let complete = status.corpora.iter().all(|corpus| corpus.done);
    if args.json {
        output::json(&json!({ "name": experiment.name, "complete": complete, "writing": status }));
        return Exit::Done;
    }
    for corpus in &status.corpora {
        let state = if corpus.done { "written" } else { "so far" };
        output::line(&format!(
            "{}: {state}: {} rows kept, {} dropped, of {} wanted",
            corpus.name, corpus.kept, corpus.dropped, corpus.wanted
        ));
    }
    output::line(&format!(
        "{} answers, ${:.4} billed, up to ${:.4} more possibly billed",
        status.answers, status.billed, status.possibly_billed
    ));
    if !complete {
        output::line(&format!("go on: whyfirst run {}", output::typed(&args.folder)));
    }
    Exit::Done
}
