//! `plan`: what a run would do.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, TableStyle};
use experiment::{Experiment, ExperimentError, RunPlan, WritingPlan};
use indicatif::{HumanCount, HumanDuration};
use serde_json::json;

use crate::args::Folder;
use crate::commands::threads;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output::{self, counted};

/// Shows the arms, the corpora and the stages. Writes nothing.
pub fn run(args: &Folder) -> Exit {
    let experiment = match experiment::open(&args.folder, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    let (writing, missing) = match writing(&experiment) {
        Ok(writing) => writing,
        Err(error) => return output::error(&error),
    };
    if missing {
        // Stages are known when the corpora are.
        match args.json {
            true => output::json(&json!({ "name": experiment.name, "writing": writing })),
            false => output::line(&writing.as_ref().map(written_text).unwrap_or_default()),
        }
        return Exit::Done;
    }
    let plan = match experiment::prepare(&experiment) {
        Ok(prepared) => RunPlan::new(&prepared, threads(None)),
        Err(error) => return output::error(&error),
    };
    if args.json {
        let mut value = serde_json::to_value(&plan).unwrap_or_default();
        if let Some(writing) = writing {
            value["writing"] = json!(writing);
        }
        output::json(&value);
        return Exit::Done;
    }
    if let Some(writing) = &writing {
        output::line(&written_text(writing));
    }
    for warning in &plan.warnings {
        eprintln!("warning: {warning}");
    }
    output::line(&text(&plan));
    Exit::Done
}

/// The plan of what a model is to write, and whether any of it is missing.
///
/// # Errors
/// When prompts or specs cannot be used.
pub fn writing(experiment: &Experiment) -> Result<(Option<WritingPlan>, bool), ExperimentError> {
    let plan = experiment::writing_plan(experiment)?;
    // An experiment that trains nothing is planned when its writing is.
    let missing = experiment::corpora_missing(experiment)? || (plan.is_some() && !experiment.trains);
    Ok((plan, missing))
}

/// The writing plan as tables.
pub fn written_text(plan: &WritingPlan) -> String {
    let mut corpora = table(&["corpus", "", "from", "rows", "tokens", "calls", "dollars", ""], &[3, 4, 5, 6]);
    for corpus in &plan.corpora {
        corpora.add_row([
            corpus.name.as_str(),
            corpus.kind,
            &corpus.specs.join(" and "),
            &number(corpus.rows),
            &number(corpus.tokens),
            &number(corpus.calls),
            &format!("{:.2}", corpus.dollars),
            if corpus.done { "done" } else { "" },
        ]);
    }
    if plan.corpora.iter().all(|corpus| corpus.done) {
        return format!("{corpora}\n\nall corpora are written\n");
    }
    let mut roles =
        table(&["role", "model", "calls", "tokens read", "tokens written", "dollars"], &[2, 3, 4, 5]);
    for role in &plan.roles {
        roles.add_row([
            role.role,
            &role.model,
            &number(role.calls),
            &number(role.input_tokens),
            &number(role.output_tokens),
            &format!("{:.2}", role.dollars),
        ]);
    }
    format!(
        "{corpora}\n\n{roles}\n\nwriting would cost about ${:.2} and take about {}. Estimated: {}\n",
        plan.dollars,
        HumanDuration(plan.time()),
        plan.basis,
    )
}

fn text(plan: &RunPlan) -> String {
    let mut arms = table(&["arm", "", "stages", "models"], &[3]);
    for arm in &plan.arms {
        let control = if arm.control { "control" } else { "" };
        arms.add_row([arm.name.as_str(), control, &arm.stages, &arm.models.to_string()]);
    }
    let mut corpora = table(&["corpus", "seed", "rows", "", "tokens"], &[1, 2, 4]);
    for corpus in &plan.corpora {
        let seed = corpus.seed.map_or("all".to_owned(), |seed| seed.to_string());
        corpora.add_row([
            corpus.name.as_str(),
            &seed,
            &number(corpus.rows),
            if corpus.kind == "documents" { "documents" } else { "chats" },
            &number(corpus.tokens),
        ]);
    }
    let mut stages = table(
        &["stage", "models", "steps", "rows", "tokens", "trained", "masked", "peak lr", ""],
        &[1, 2, 3, 4, 5, 6, 7],
    );
    for stage in &plan.stages {
        stages.add_row([
            stage.label.as_str(),
            &stage.models.to_string(),
            &number(stage.steps),
            &number(stage.rows),
            &number(stage.tokens),
            &number(stage.tokens_trained),
            &number(stage.tokens_masked),
            &format!("{:.2e}", stage.learning_rate),
            if stage.done { "done" } else { "" },
        ]);
    }
    let done = match plan.total.stages - plan.left.stages {
        0 => String::new(),
        done => format!("; {done} of them done, {} steps left", number(plan.left.steps)),
    };
    format!(
        "{}\n\n{arms}\n\n{corpora}\n\n{stages}\n\n{}: {} optimizer steps, {} tokens{done}\n{} of models, {} done\n{}{}",
        plan.name,
        counted(plan.total.stages, "stage"),
        number(plan.total.steps),
        number(plan.total.tokens),
        counted(plan.evals, "evaluation"),
        plan.evals_done,
        engine(plan),
        time(plan),
    )
}

/// What trains, and what it takes.
fn engine(plan: &RunPlan) -> String {
    let engine = &plan.engine;
    let mut text = format!(
        "{} of {} parameters are trained by the {} engine",
        number(engine.trainable_parameters),
        number(engine.parameters),
        engine.name
    );
    let memory = indicatif::BinaryBytes(engine.peak_memory);
    text += &match (engine.processes, engine.side_by_side) {
        (Some(processes), _) => format!(
            " in {}, each with about {memory} of memory at its peak",
            counted_as(processes, "process", "processes")
        ),
        (None, side_by_side) => format!(
            ", up to {} at a time, with about {memory} of memory at the peak",
            counted(side_by_side.unwrap_or(1), "stage")
        ),
    };
    if let Some(advice) = &engine.advice {
        text += &format!("\nnote: {advice}");
    }
    text + "\n"
}

fn counted_as(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn time(plan: &RunPlan) -> String {
    if plan.engine.name == "torch" && plan.estimate.basis.starts_with("a stored figure") {
        return "nothing was trained here yet by the torch engine, so nobody knows how long it will take"
            .to_owned();
    }
    let estimate = &plan.estimate;
    format!(
        "training would take about {} on {}, at {} tokens a second and thread ({})",
        HumanDuration(Duration::from_secs_f64(estimate.seconds)),
        counted(estimate.threads, "thread"),
        number(estimate.tokens_per_second_and_thread as u64),
        estimate.basis,
    )
}

fn number(n: u64) -> String {
    HumanCount(n).to_string()
}

/// A table without lines, with these columns set to the right.
fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(header);
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
