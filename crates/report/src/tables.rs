//! The tables of a report.

use experiment::findings::{
    Answer, ArmRow, Estimate, Findings, Level, Measure, OrderRow, Placement, Standing, Value, Verdict,
};

use crate::number::{count, effect, p, percent, plain, plural, share, share_difference, signed_range};
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
            let same = |row: &&experiment::findings::DomainRow| {
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
