//! Tables of comparisons: estimates and their parts, domains, orders, doses.

use experiment::findings::{
    Answer, DomainRow, Estimate, Findings, Level, Measure, OrderRow, Placement, Value,
};

use super::{failures, or_none, spec, verdict_word};
use crate::number::{count, effect, p, plain, share, share_difference, signed_range};
use crate::table::Table;

/// The estimates of an answer.
pub fn estimates(findings: &Findings, answer: &Answer) -> Table {
    let titles = [
        "comparison",
        "#estimate",
        "#over items",
        "#probability",
        "#p",
        "#adjusted p",
        "#seeds",
        "#items",
        "verdict",
        "arms",
    ];
    let mut table = Table::new(answer.comparison.clone(), &titles);
    for found in &answer.estimates {
        let optional = |text: Option<String>| text.unwrap_or_default();
        table.row(vec![
            found.label.clone(),
            or_none(found.effect.as_ref(), effect),
            optional(found.over_items.map(signed_range)),
            optional(found.probability.as_ref().map(effect)),
            optional(found.p.map(p)),
            optional(found.p_adjusted.map(p)),
            found.effect.as_ref().map_or(0, |effect| effect.by_seed.len()).to_string(),
            if found.items > 0 { found.items.to_string() } else { String::new() },
            verdict_word(found.verdict).to_owned(),
            found.arms.clone(),
        ]);
    }
    let percent = answer.estimates.iter().any(|found| found.measure == Measure::Perplexity);
    let unit = if percent { "Percent of the perplexity compared with" } else { "Percentage points" };
    table.notes.push(format!("{unit}; in brackets 95% intervals."));
    table.notes.extend(failures(findings));
    table.trimmed()
}

/// What the estimates of an answer are made of.
pub fn parts(answer: &Answer) -> Table {
    let mut table = Table::new("What is compared, by spec", &["comparison", "part", "#level", "#seeds"]);
    for found in &answer.estimates {
        for part in &found.parts {
            let level = part_level(found, &part.level);
            table.row(vec![
                found.label.clone(),
                part.label.clone(),
                level,
                part.level.by_seed.len().to_string(),
            ]);
        }
    }
    table
}

fn part_level(estimate: &Estimate, level: &Level) -> String {
    match estimate.measure {
        Measure::Perplexity => plain(level),
        _ => effect(level).replace('+', ""),
    }
}

/// A placement, as words.
pub fn placement_words(row: &OrderRow) -> String {
    let what = if row.neutral { "neutral documents" } else { "explaining documents" };
    match row.placement {
        Placement::First => format!("{what} first"),
        Placement::After => format!("{what} after"),
        Placement::Mixed => format!("{what} mixed in"),
    }
}

/// First, after, mixed.
pub fn order(findings: &Findings) -> Table {
    let titles = ["spec", "order", "arm", "#target", "#rival", "#target − rival", "#seeds"];
    let mut table = Table::new("Rates by order, in percent; the last column in percentage points", &titles);
    for row in &findings.order {
        table.row(vec![
            row.spec.clone(),
            placement_words(row),
            row.arm.clone(),
            or_none(row.target.as_ref(), share),
            or_none(row.rival.as_ref(), share),
            or_none(row.selectivity.as_ref(), share_difference),
            row.target.as_ref().map_or(0, |level| level.by_seed.len()).to_string(),
        ]);
    }
    table.notes.extend(failures(findings));
    table
}

/// Steering in each held-out domain.
pub fn domain_effects(findings: &Findings) -> Table {
    let titles = ["domain", "value", "#steering", "#seeds", "#items"];
    let mut table = Table::new("Steering by held-out domain, in percentage points", &titles);
    for row in &findings.domain_effects {
        table.row(vec![
            row.domain.clone(),
            row.value.to_string(),
            effect(&row.effect),
            row.effect.by_seed.len().to_string(),
            row.items.to_string(),
        ]);
    }
    table.notes.extend(failures(findings));
    table
}

/// Rates in each held-out domain.
pub fn domains(findings: &Findings) -> Table {
    let mut titles = vec!["arm".to_owned(), "spec".to_owned(), "domain".to_owned()];
    titles.extend(findings.values.iter().map(|value| format!("#{value}")));
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = Table::new("Rate of each value by held-out domain, in percent", &titles);
    let mut keys: Vec<(&str, &Option<String>, &str)> = Vec::new();
    for row in &findings.domains {
        let key = (row.arm.as_str(), &row.spec, row.domain.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for (arm, of, domain) in keys {
        let cell = |value: &Value| {
            let same = |row: &&DomainRow| {
                row.arm == arm && row.spec == *of && row.domain == domain && row.value == *value
            };
            or_none(findings.domains.iter().find(same).map(|row| &row.rate), share)
        };
        let mut cells = vec![arm.to_owned(), spec(of), domain.to_owned()];
        cells.extend(findings.values.iter().map(cell));
        table.row(cells);
    }
    table.notes.extend(failures(findings));
    table.trimmed()
}

/// The doses and what was measured there.
pub fn dose(findings: &Findings) -> Table {
    let titles = [
        "stage",
        "spec",
        "measure",
        "arm",
        "#steps",
        "#tokens with loss",
        "#distinct tokens",
        "#level",
        "#seeds",
    ];
    let mut table = Table::new("Doses; rates in percent, steering in percentage points", &titles);
    for curve in &findings.dose {
        for series in &curve.series {
            for point in &series.points {
                table.row(vec![
                    curve.corpus.clone(),
                    spec(&curve.spec),
                    series.label.clone(),
                    point.arm.clone(),
                    count(point.steps),
                    count(point.tokens),
                    count(point.distinct),
                    if series.difference { effect(&point.level) } else { share(&point.level) },
                    point.level.by_seed.len().to_string(),
                ]);
            }
        }
    }
    table.notes.extend(failures(findings));
    table.trimmed()
}
