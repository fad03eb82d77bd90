//! Tables of single models and stages.

use experiment::findings::Findings;

use super::{NONE, failures, spec};
use crate::number::{count, percent, plural};
use crate::table::Table;

/// Plan and outcome of every stage.
pub fn stages(findings: &Findings) -> Table {
    let titles = [
        "stage",
        "#steps",
        "#tokens",
        "#with loss",
        "#masked",
        "#cut rows",
        "#done",
        "#final loss",
        "used by",
        "id",
    ];
    let mut table = Table::new("Stages: planned, and what was done", &titles);
    for row in &findings.stages {
        let done = match &row.actual {
            None => "did not finish".to_owned(),
            Some(actual) if actual.steps == row.steps && actual.tokens == row.tokens => {
                "as planned".to_owned()
            }
            Some(actual) => format!("{} steps, {} tokens", count(actual.steps), count(actual.tokens)),
        };
        table.row(vec![
            row.label.clone(),
            count(row.steps),
            count(row.tokens),
            count(row.tokens_trained),
            count(row.tokens_masked),
            count(row.truncated_rows),
            done,
            row.actual.as_ref().map_or_else(|| NONE.to_owned(), |actual| format!("{:.3}", actual.final_loss)),
            row.arms.join(", "),
            row.id.clone(),
        ]);
    }
    table.notes.push("Loss in nats per token, mean of the last tenth of the steps.".to_owned());
    table
}

/// Models without a result.
pub fn failed(findings: &Findings) -> Table {
    let caption = format!("{} without a result", plural(findings.failures.len(), "model"));
    let mut table = Table::new(caption, &["arm", "spec", "#seed", "why"]);
    for failure in &findings.failures {
        table.row(vec![
            failure.arm.clone(),
            spec(&failure.spec),
            failure.seed.to_string(),
            failure.reason.clone(),
        ]);
    }
    table.trimmed()
}

/// Rates of single models.
pub fn models(findings: &Findings) -> Table {
    let titles = ["arm", "spec", "#seed", "value", "#rate", "#95% over items", "#probability", "#items"];
    let mut table = Table::new("Every model: rates and mean probabilities in percent", &titles);
    for row in &findings.cells {
        let value = row.value.as_ref().map_or_else(|| "in-domain".to_owned(), |value| value.pole.clone());
        table.row(vec![
            row.arm.clone(),
            spec(&row.spec),
            row.seed.to_string(),
            value,
            percent(row.rate),
            row.interval.map_or_else(String::new, |i| format!("[{}, {}]", percent(i.low), percent(i.high))),
            percent(row.probability),
            row.items.to_string(),
        ]);
    }
    table.notes.extend(failures(findings));
    table.trimmed()
}
