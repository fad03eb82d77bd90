//! `check`: is the experiment right?

use experiment::{Experiment, RunPlan, WritingPlan};
use serde_json::json;
use spec::{LintOptions, Severity};

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
    let (writing, missing) = match super::plan::writing(&experiment) {
        Ok(writing) => writing,
        Err(error) => return output::error(&error),
    };
    if let Some(writing) = &writing
        && missing
    {
        return show_writing(args, &experiment, writing);
    }
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

/// What is to be written first: the specs' findings, the plan of writing, its price.
fn show_writing(args: &Folder, experiment: &Experiment, writing: &WritingPlan) -> Exit {
    let options = LintOptions {
        model_name: Some(experiment.model_name.clone()),
        provider_name: Some(experiment.provider_name.clone()),
        ..LintOptions::default()
    };
    let specs = experiment.specs.iter().map(|entry| (entry.path.clone(), &entry.spec));
    let own = experiment.own_specs.values().map(|spec| (spec.path.display().to_string(), spec));
    let findings: Vec<(String, Vec<spec::Finding>)> =
        specs.chain(own).map(|(path, spec)| (path, spec::lint(spec, &options))).collect();
    let count = |severity: Severity| {
        findings.iter().flat_map(|(_, found)| found).filter(|finding| finding.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if args.json {
        output::json(&json!({
            "valid": errors == 0,
            "name": experiment.name,
            "specs": experiment.specs.len(),
            "spec_errors": errors,
            "spec_warnings": warnings,
            "writing": writing,
        }));
        return if errors == 0 { Exit::Done } else { Exit::Invalid };
    }
    for (path, found) in &findings {
        for finding in found.iter().filter(|finding| finding.severity == Severity::Error) {
            eprintln!("{path}:{}: error: {}\n  help: {}", finding.line, finding.message, finding.help);
        }
        let warnings = found.iter().filter(|finding| finding.severity == Severity::Warning).count();
        if warnings > 0 {
            eprintln!("{path}: {}; whyfirst spec lint shows them", counted(warnings, "warning"));
        }
    }
    output::line(&super::plan::written_text(writing));
    if errors > 0 {
        return Exit::Invalid;
    }
    output::line(&format!(
        "{} is valid. Next: whyfirst run {} --rehearse",
        experiment.name,
        output::typed(&args.folder)
    ));
    Exit::Done
}
