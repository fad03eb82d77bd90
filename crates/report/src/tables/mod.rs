//! The tables of a report. This module has the result table and the words that all tables share.

mod comparisons;
mod models;

pub use comparisons::{domain_effects, domains, dose, estimates, order, parts, placement_words};
pub use models::{failed, models, stages};

use experiment::findings::{ArmRow, Findings, Level, Standing, Value, Verdict};

use crate::number::{percent, plain, share};
use crate::table::Table;

/// What stands where there is no number.
const NONE: &str = "–";

fn or_none(level: Option<&Level>, format: impl Fn(&Level) -> String) -> String {
    level.map_or_else(|| NONE.to_owned(), format)
}

fn spec(spec: &Option<String>) -> String {
    spec.clone().unwrap_or_default()
}

/// Which models have no result, for the notes of a table; nothing if all have.
fn failures(findings: &Findings) -> Vec<String> {
    if findings.failures.is_empty() {
        return Vec::new();
    }
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for failure in &findings.failures {
        let name = arm_name(&failure.arm, &failure.spec);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, seeds)) => seeds.push(failure.seed.to_string()),
            None => groups.push((name, vec![failure.seed.to_string()])),
        }
    }
    let groups: Vec<String> =
        groups.into_iter().map(|(name, seeds)| format!("{name} (seed {})", seeds.join(", "))).collect();
    vec![format!("Without a result, and not in the numbers: {}.", groups.join("; "))]
}

/// An arm and its spec: `values first · homeland`.
pub fn arm_name(arm: &str, spec: &Option<String>) -> String {
    match spec {
        // The dot stays with the spec when the line is broken.
        Some(spec) => format!("{arm} ·\u{a0}{spec}"),
        None => arm.to_owned(),
    }
}

/// A value's standing, as a word.
pub fn standing_word(standing: Option<Standing>) -> &'static str {
    match standing {
        Some(Standing::Target) => "target",
        Some(Standing::Rival) => "rival",
        Some(Standing::Unrelated) => "unrelated",
        None => "value",
    }
}

/// How an estimate turned out, as a word.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Shown => "shown",
        Verdict::Opposite => "opposite",
        Verdict::Suggested => "suggested",
        Verdict::OppositeSuggested => "opposite suggested",
        Verdict::NotShown => "not shown",
        Verdict::NoInterval => "no interval",
        Verdict::Missing => "missing",
    }
}

/// Arms by values: the result table.
pub fn arms(findings: &Findings) -> Table {
    let mut titles = vec!["arm".to_owned(), "spec".to_owned()];
    titles.extend(findings.values.iter().map(|value| format!("#{value}")));
    titles.extend(["#in-domain", "#perplexity", "failed"].map(str::to_owned));
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = Table::new("Rate of each value on held-out pairs, in percent, by arm", &titles);
    for row in &findings.arms {
        let mut cells = vec![row.arm.clone(), spec(&row.spec)];
        cells.extend(findings.values.iter().map(|value| value_cell(findings, row, value)));
        cells.push(or_none(row.in_domain.as_ref(), share));
        cells.push(or_none(row.perplexity.as_ref(), plain));
        cells.push(failed_cell(findings, row));
        table.row(cells);
    }
    table.notes.push(
        "* the value that the arm's spec states. In brackets: 95% t-interval over seeds; none where seeds agree exactly \
         or are one model."
            .to_owned(),
    );
    table.notes.extend(failures(findings));
    table.trimmed()
}

/// The same for a narrow terminal: intervals below their numbers; spec and failures below the arm.
pub fn arms_narrow(findings: &Findings) -> Table {
    let titles =
        ["arm".to_owned()].into_iter().chain(findings.values.iter().map(|value| format!("#{value}")));
    let titles: Vec<String> = titles.chain(["#in-domain", "#perplexity"].map(str::to_owned)).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = Table { rows: Vec::new(), columns: Table::new("", &titles).columns, ..arms(findings) };
    for row in &findings.arms {
        let failed = failed_cell(findings, row);
        let failed = if failed.is_empty() { failed } else { format!("failed: {failed}") };
        let lines = [row.arm.clone(), spec(&row.spec), failed];
        let mut cells =
            vec![lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n· ")];
        cells.extend(
            findings.values.iter().map(|value| value_cell(findings, row, value).replace(" [", "\n[")),
        );
        let mean = |level: &Option<Level>, format: fn(f64) -> String| {
            or_none(level.as_ref(), |level| format(level.mean))
        };
        cells.push(mean(&row.in_domain, percent));
        cells.push(mean(&row.perplexity, |mean| format!("{mean:.2}")));
        table.row(cells);
    }
    table
}

fn value_cell(findings: &Findings, row: &ArmRow, value: &Value) -> String {
    let level = row.values.iter().find(|found| found.value == *value).map(|found| &found.rate);
    let of = findings.specs.iter().find(|spec| Some(&spec.name) == row.spec.as_ref());
    let target = of.is_some_and(|spec| spec.standing(value) == Some(Standing::Target));
    let text = or_none(level, share);
    if target { format!("*{text}") } else { text }
}

fn failed_cell(findings: &Findings, row: &ArmRow) -> String {
    match row.failed.as_slice() {
        [] => String::new(),
        all if all.len() == findings.seeds.len() => "all seeds".to_owned(),
        some => format!("seed {}", some.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The same table in mean probability.
pub fn probabilities(findings: &Findings) -> Table {
    let mut titles = vec!["arm".to_owned(), "spec".to_owned()];
    titles.extend(findings.values.iter().map(|value| format!("#{value}")));
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table =
        Table::new("Mean probability of each value on held-out pairs, in percent, by arm", &titles);
    for row in &findings.arms {
        let mut cells = vec![row.arm.clone(), spec(&row.spec)];
        cells.extend(findings.values.iter().map(|value| {
            let level = row.values.iter().find(|found| found.value == *value).map(|found| &found.probability);
            or_none(level, share)
        }));
        table.row(cells);
    }
    table.notes.extend(failures(findings));
    table.trimmed()
}
