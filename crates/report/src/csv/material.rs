//! CSV of what stands behind the results.

use experiment::findings::Findings;

use super::{Csv, Writer, number, text};

pub(super) fn calibration(findings: &Findings) -> Csv {
    let mut table = Writer::new("calibration", &["stated", "measured", "probability", "untouched"]);
    if let Some(found) = &findings.calibration {
        for (stated, row) in found.stated.iter().zip(&found.matrix) {
            for ((measured, probability), untouched) in found.measured.iter().zip(row).zip(&found.untouched) {
                table.row(vec![stated.clone(), measured.clone(), number(*probability), number(*untouched)]);
            }
        }
    }
    table.done()
}

pub(super) fn failures(findings: &Findings) -> Csv {
    let mut table = Writer::new("failures", &["arm", "spec", "seed", "reason"]);
    for failure in &findings.failures {
        let seed = failure.seed.to_string();
        table.row(vec![failure.arm.clone(), text(&failure.spec), seed, failure.reason.clone()]);
    }
    table.done()
}

pub(super) fn stages(findings: &Findings) -> Csv {
    let columns = [
        "stage",
        "label",
        "arms",
        "planned_steps",
        "planned_tokens",
        "planned_tokens_trained",
        "planned_tokens_masked",
        "truncated_rows",
        "steps",
        "tokens",
        "tokens_trained",
        "final_loss",
    ];
    let mut table = Writer::new("stages", &columns);
    for row in &findings.stages {
        let actual = |number: fn(&experiment::findings::StageOutcome) -> String| {
            row.actual.as_ref().map(number).unwrap_or_default()
        };
        table.row(vec![
            row.id.clone(),
            row.label.clone(),
            row.arms.join("; "),
            row.steps.to_string(),
            row.tokens.to_string(),
            row.tokens_trained.to_string(),
            row.tokens_masked.to_string(),
            row.truncated_rows.to_string(),
            actual(|found| found.steps.to_string()),
            actual(|found| found.tokens.to_string()),
            actual(|found| found.tokens_trained.to_string()),
            actual(|found| number(found.final_loss)),
        ]);
    }
    table.done()
}

pub(super) fn losses(findings: &Findings) -> Csv {
    let mut table = Writer::new("losses", &["stage", "kind", "spec", "seed", "step", "loss"]);
    for panel in &findings.losses {
        for line in &panel.lines {
            for (step, loss) in &line.points {
                table.row(vec![
                    line.stage.clone(),
                    panel.title.clone(),
                    text(&line.spec),
                    line.seed.to_string(),
                    step.to_string(),
                    number(*loss),
                ]);
            }
        }
    }
    table.done()
}

pub(super) fn corpora(findings: &Findings) -> Csv {
    let mut table = Writer::new("corpora", &["name", "spec", "kind", "seeds", "rows", "tokens", "hashes"]);
    for row in &findings.corpora {
        table.row(vec![
            row.name.clone(),
            text(&row.spec),
            row.kind.clone(),
            row.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
            row.rows.to_string(),
            row.tokens.to_string(),
            row.hashes.join(" "),
        ]);
    }
    table.done()
}

pub(super) fn transcripts(findings: &Findings) -> Csv {
    let columns = [
        "item",
        "domain",
        "attribute",
        "pole",
        "question",
        "choice",
        "other",
        "arm",
        "spec",
        "seed",
        "probability_first",
        "probability_second",
    ];
    let mut table = Writer::new("transcripts", &columns);
    for item in &findings.transcripts {
        for reading in &item.readings {
            table.row(vec![
                item.item.clone(),
                item.domain.clone(),
                item.value.attribute.clone(),
                item.value.pole.clone(),
                item.question.clone(),
                item.choice.clone(),
                item.other.clone(),
                reading.arm.clone(),
                text(&reading.spec),
                item.seed.to_string(),
                number(reading.first),
                number(reading.second),
            ]);
        }
    }
    table.done()
}

pub(super) fn logs(findings: &Findings) -> Csv {
    let mut table = Writer::new("logs", &["path", "hash"]);
    for (path, hash) in &findings.provenance.logs {
        table.row(vec![path.clone(), hash.clone()]);
    }
    table.done()
}
