//! Dot plots: rows of marks with interval bars on one scale.

use experiment::findings::{
    Answer, ArmRow, Estimate, Findings, Level, Measure, OrderRow, SpecSummary, Standing, Value, ValueLevel,
};
use maud::{Markup, html};

use super::svg::{Look, Scale, WIDTH, at, bar, chart, grid, legend, mark, round_range};
use crate::number::{effect, percent, plural, share};
use crate::tables::{placement_words, standing_word};

/// One row: its name above its marks. Without marks and figure it is a heading of the rows below it.
struct Row {
    label: String,
    /// On the right, above the marks.
    figure: String,
    marks: Vec<(Look, Level)>,
    /// Whether single seeds are shown.
    seeds: bool,
}

/// Distance between the marks of a row.
const PITCH: f64 = 10.0;

impl Row {
    fn heading(label: &str) -> Row {
        Row { label: label.to_owned(), figure: String::new(), marks: Vec::new(), seeds: false }
    }
}

/// The look of a value, by what it is to the spec of the panel.
fn look(standing: Option<Standing>) -> Look {
    match standing {
        Some(Standing::Target) => Look::Target,
        Some(Standing::Rival) => Look::Rival,
        Some(Standing::Unrelated) | None => Look::Unrelated,
    }
}

/// Draws rows on a scale. Returns the drawing and its width and height.
fn rows(rows: &[Row], range: (f64, f64), unit: &str, entries: &[(Look, String)]) -> (Markup, (f64, f64)) {
    let scale = Scale::new(range, (8.0, WIDTH - 8.0));
    let (legend, top) = if entries.is_empty() { (html! {}, 0.0) } else { legend(entries, mark, 10.0, WIDTH) };
    let heading = |row: &Row| row.marks.is_empty() && row.figure.is_empty();
    let height = |row: &Row| if heading(row) { 24.0 } else { 28.0 + PITCH * row.marks.len().max(1) as f64 };
    let bottom = top + rows.iter().map(height).sum::<f64>() + 4.0;
    let mut y = top;
    let drawn: Vec<Markup> = rows
        .iter()
        .map(|row| {
            let start = y;
            y += height(row);
            html! {
                @if heading(row) { text class="label head" x="0" y=(at(start + 17.0)) { (row.label) } }
                @else { text class="label strong" x="0" y=(at(start + 16.0)) { (row.label) } }
                text class="label" x=(at(WIDTH)) y=(at(start + 16.0)) text-anchor="end" { (row.figure) }
                @for (index, (look, level)) in row.marks.iter().enumerate() {
                    @let y = start + 27.0 + PITCH * index as f64;
                    (bar(*look, level.interval, scale, y))
                    @if row.seeds {
                        @for (_, number) in &level.by_seed {
                            @let x = at(scale.at(*number));
                            line class="seed" x1=(x) x2=(x) y1=(at(y - 7.0)) y2=(at(y + 7.0)) {}
                        }
                    }
                    (mark(*look, scale.at(level.mean), y))
                }
            }
        })
        .collect();
    let content = html! {
        (legend)
        (grid(scale, &scale.ticks(4), top, bottom, unit))
        @for row in &drawn { (row) }
    };
    (content, (WIDTH, bottom + 20.0))
}

fn in_percent(level: &Level) -> Level {
    let interval = level.interval.map(|found| stats::Interval {
        low: 100.0 * found.low,
        high: 100.0 * found.high,
        ..found
    });
    Level {
        mean: 100.0 * level.mean,
        interval,
        by_seed: level.by_seed.iter().map(|&(seed, number)| (seed, 100.0 * number)).collect(),
    }
}

/// Every arm's values, as target, rival and unrelated of one spec. `None` if the spec names no value.
pub fn arms(findings: &Findings, spec: &SpecSummary, id: &str) -> Option<Markup> {
    spec.target.as_ref()?;
    let mut entries: Vec<(Look, String)> = Vec::new();
    for value in &findings.values {
        let standing = spec.standing(value);
        entries.push((look(standing), format!("{value} ({})", standing_word(standing))));
    }
    entries
        .sort_by_key(|(look, _)| [Look::Target, Look::Rival, Look::Unrelated].iter().position(|l| l == look));
    let of = |row: &&ArmRow| row.spec.is_none() || row.spec.as_ref() == Some(&spec.name);
    let mut plotted: Vec<Row> = Vec::new();
    let (controls, written): (Vec<&ArmRow>, Vec<&ArmRow>) =
        findings.arms.iter().filter(of).partition(|row| row.control);
    for (heading, group) in [("Arms of the experiment", written), ("Controls", controls)] {
        if !group.is_empty() {
            plotted.push(Row::heading(heading));
            plotted.extend(group.into_iter().map(|row| arm_row(findings, spec, row)));
        }
    }
    let description: Vec<String> =
        findings.arms.iter().filter(of).map(|row| arm_words(findings, row)).collect();
    let title = format!("{}: rate of each value on held-out pairs, by arm", spec.title);
    let (content, size) = rows(&plotted, (0.0, 100.0), "%", &entries);
    Some(chart(id, size, &title, &description.join(" "), content))
}

fn missing(findings: &Findings, row: &ArmRow) -> String {
    match row.failed.len() {
        0 => String::new(),
        all if all == findings.seeds.len() => "no result: all seeds failed".to_owned(),
        some => format!("{some} of {} failed", plural(findings.seeds.len(), "seed")),
    }
}

fn arm_row(findings: &Findings, spec: &SpecSummary, row: &ArmRow) -> Row {
    let mut marks: Vec<(Standing, &ValueLevel)> = Vec::new();
    for value in &row.values {
        marks.push((spec.standing(&value.value).unwrap_or(Standing::Unrelated), value));
    }
    marks.sort_by_key(|(standing, _)| *standing);
    Row {
        label: row.arm.clone(),
        figure: missing(findings, row),
        marks: marks
            .iter()
            .map(|(standing, value)| (look(Some(*standing)), in_percent(&value.rate)))
            .collect(),
        seeds: false,
    }
}

fn arm_words(findings: &Findings, row: &ArmRow) -> String {
    let values: Vec<String> =
        row.values.iter().map(|found| format!("{} {}%", found.value, percent(found.rate.mean))).collect();
    let missing = missing(findings, row);
    let missing = if missing.is_empty() { String::new() } else { format!(" ({missing})") };
    format!(
        "{}: {}{missing}.",
        row.arm,
        if values.is_empty() { "nothing measured".into() } else { values.join(", ") }
    )
}

/// The estimates of an answer with a line at zero and a tick for every seed.
pub fn effects(answer: &Answer, id: &str) -> Option<Markup> {
    let shown: Vec<(&Estimate, &Level)> =
        answer.estimates.iter().filter_map(|found| Some((found, found.effect.as_ref()?))).collect();
    let ends = shown.iter().flat_map(|(_, effect)| {
        let interval = effect.interval.iter().flat_map(|found| [found.low, found.high]);
        interval.chain(effect.by_seed.iter().map(|(_, number)| *number))
    });
    let range = round_range(ends);
    let unit = |estimate: &Estimate| if estimate.measure == Measure::Perplexity { "%" } else { "" };
    let tick_unit = shown.first().map(|(found, _)| unit(found))?;
    let look = |measure| match measure {
        Measure::Target => Look::Target,
        Measure::Rival => Look::Rival,
        Measure::Selectivity | Measure::Perplexity => Look::Unrelated,
    };
    let mut plotted: Vec<Row> = Vec::new();
    let mut group = "";
    for (found, level) in &shown {
        // Where an answer has several comparisons per spec, the spec stands once above them.
        let (spec, label) = found.label.split_once(" · ").unwrap_or(("", &found.label));
        if spec != group {
            group = spec;
            plotted.push(Row::heading(spec));
        }
        plotted.push(Row {
            label: label.to_owned(),
            figure: format!("{}{}", effect(level), unit(found)),
            marks: vec![(look(found.measure), (*level).clone())],
            seeds: true,
        });
    }
    let words: Vec<&str> = shown.iter().map(|(found, _)| found.words.as_str()).collect();
    let (content, size) = rows(&plotted, range, tick_unit, &[]);
    Some(chart(id, size, &answer.comparison, &words.join(" "), content))
}

/// First, after and mixed for one spec, with explaining and with neutral documents.
pub fn order(findings: &Findings, spec: &SpecSummary, id: &str) -> Option<Markup> {
    let of: Vec<&OrderRow> = findings.order.iter().filter(|row| row.spec == spec.name).collect();
    let (target, rival) = (spec.target.as_ref()?, spec.rival.as_ref());
    if of.len() < 2 {
        return None;
    }
    let mut entries = vec![(Look::Target, format!("{target} (target)"))];
    entries.extend(rival.map(|rival| (Look::Rival, format!("{rival} (rival)"))));
    if of.iter().any(|row| row.neutral) {
        entries.push((Look::TargetHollow, "hollow: neutral documents".to_owned()));
    }
    let mut ordered = of.clone();
    ordered.sort_by_key(|row| (row.placement, row.neutral));
    let plotted: Vec<Row> = ordered
        .iter()
        .map(|row| {
            let (target, rival) = match row.neutral {
                true => (Look::TargetHollow, Look::RivalHollow),
                false => (Look::Target, Look::Rival),
            };
            let marks = [(target, &row.target), (rival, &row.rival)];
            let marks =
                marks.into_iter().filter_map(|(look, level)| Some((look, in_percent(level.as_ref()?))));
            let marks: Vec<(Look, Level)> = marks.collect();
            let figure = if marks.is_empty() { "no result".to_owned() } else { String::new() };
            Row { label: placement_words(row), figure, marks, seeds: false }
        })
        .collect();
    let words: Vec<String> = ordered
        .iter()
        .map(|row| {
            let level = |level: &Option<Level>| level.as_ref().map_or("no result".to_owned(), share);
            format!("{}: target {}, rival {}.", placement_words(row), level(&row.target), level(&row.rival))
        })
        .collect();
    let (content, size) = rows(&plotted, (0.0, 100.0), "%", &entries);
    let title = format!("{}: rates of target and rival by order", spec.title);
    Some(chart(id, size, &title, &words.join(" "), content))
}

/// Steering in each domain: one row per domain, one mark per value.
pub fn domains(findings: &Findings, id: &str) -> Option<Markup> {
    const LOOKS: [Look; 3] = [Look::Target, Look::Rival, Look::Unrelated];
    let mut values: Vec<&Value> = Vec::new();
    let mut plotted: Vec<Row> = Vec::new();
    for found in &findings.domain_effects {
        let at = values.iter().position(|value| **value == found.value).unwrap_or(values.len());
        if at == values.len() {
            values.push(&found.value);
        }
        let mark = (LOOKS[at % LOOKS.len()], found.effect.clone());
        match plotted.iter_mut().find(|row| row.label == found.domain) {
            Some(row) => row.marks.push(mark),
            None => plotted.push(Row {
                label: found.domain.clone(),
                figure: format!("{} items", found.items),
                marks: vec![mark],
                seeds: false,
            }),
        }
    }
    if plotted.is_empty() {
        return None;
    }
    let ends = plotted.iter().flat_map(|row| &row.marks).flat_map(|(_, level)| {
        let interval = level.interval.iter().flat_map(|found| [found.low.max(-100.0), found.high.min(100.0)]);
        interval.chain([level.mean])
    });
    let range = round_range(ends);
    let entries: Vec<(Look, String)> = values
        .iter()
        .zip(LOOKS.iter().cycle())
        .map(|(value, look)| (*look, format!("towards {value}")))
        .collect();
    let words: Vec<String> = findings
        .domain_effects
        .iter()
        .map(|found| format!("{}, towards {}: {}.", found.domain, found.value, effect(&found.effect)))
        .collect();
    let (content, size) = rows(&plotted, range, "", &entries);
    Some(chart(id, size, "Steering by held-out domain, in percentage points", &words.join(" "), content))
}
