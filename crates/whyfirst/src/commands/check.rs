//! `check`: is the experiment right?

use experiment::RunPlan;
use serde_json::json;

use crate::args::Folder;
use crate::commands::threads;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output::{self, counted};

/// Validates everything that can be validated without training. Writes nothing.
pub fn run(args: &Folder) -> Exit {
    let experiment = match experiment::open(&args.folder, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    let plan = match experiment::prepare(&experiment) {
        Ok(prepared) => RunPlan::new(&prepared, threads(None)),
        Err(error) => return output::error(&error),
    };
    let (specs, seeds) = (experiment.specs.len(), experiment.seeds.len());
    let controls = plan.arms.iter().filter(|arm| arm.control).count();
    let models: usize = plan.arms.iter().map(|arm| arm.models).sum();
    if args.json {
        output::json(&json!({
            "valid": true,
            "name": plan.name,
            "specs": specs,
            "seeds": seeds,
            "arms": plan.arms.len() - controls,
            "controls": controls,
            "models": models,
            "stages": plan.total.stages,
            "steps": plan.total.steps,
            "warnings": plan.warnings,
        }));
        return Exit::Done;
    }
    for warning in &plan.warnings {
        eprintln!("warning: {warning}");
    }
    output::line(&format!(
        "{} is valid: {}, {}, {} and {}: {}, trained in {}",
        plan.name,
        counted(specs, "spec"),
        counted(seeds, "seed"),
        counted(plan.arms.len() - controls, "arm"),
        counted(controls, "control"),
        counted(models, "model"),
        counted(plan.total.stages, "stage"),
    ));
    Exit::Done
}
