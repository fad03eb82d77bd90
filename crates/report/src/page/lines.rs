//! Line charts: training losses and dose curves.

use experiment::findings::{DoseCurve, DosePoint, DoseSeries, Findings, LossPanel, SpecSummary, Standing};
use maud::{Markup, html};

use super::svg::{Look, Scale, WIDTH, at, chart, legend, mark, round_range, stroke, tick_label};
use crate::number::{count, effect, share};

/// Room for the numbers of the vertical axis.
const LEFT: f64 = 40.0;
const LOOKS: [Look; 3] = [Look::Target, Look::Rival, Look::Unrelated];

/// Height of the plot itself.
const PLOT: f64 = 190.0;

/// Width of the small charts, of which several stand side by side.
const SMALL: f64 = 300.0;

/// Where the plot ends.
#[derive(Clone, Copy)]
struct Frame {
    right: f64,
    top: f64,
    bottom: f64,
}

/// Both axes, each with about so many numbers, and what the horizontal one means below.
fn axes((x, columns): (Scale, usize), (y, lines): (Scale, usize), frame: Frame, meaning: &str) -> Markup {
    let Frame { right, top, bottom } = frame;
    html! {
        @for tick in y.ticks(lines) {
            @let position = y.at(tick);
            line class=(if tick == 0.0 { "zero" } else { "grid" }) x1=(at(LEFT)) x2=(at(right)) y1=(at(position))
                y2=(at(position)) {}
            text class="tick" x=(at(LEFT - 5.0)) y=(at(position + 4.0)) text-anchor="end" { (tick_label(tick)) }
        }
        @for tick in x.ticks(columns) {
            @let position = x.at(tick);
            line class="grid" x1=(at(position)) x2=(at(position)) y1=(at(top)) y2=(at(bottom)) {}
            text class="tick" x=(at(position)) y=(at(bottom + 15.0)) text-anchor="middle" { (short(tick)) }
        }
        text class="label" x=(at(right)) y=(at(bottom + 31.0)) text-anchor="end" { (meaning) }
    }
}

/// `20k` for 20,000.
fn short(number: f64) -> String {
    match number {
        large if large >= 1e6 => format!("{}M", tick_label(large / 1e6)),
        large if large >= 1e4 => format!("{}k", tick_label(large / 1e3)),
        small => tick_label(small),
    }
}

fn polyline(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", at(x), at(y))).collect::<Vec<_>>().join(" ")
}

/// The training losses of one kind of stage: one line per model, coloured by spec. `range` is that of all panels.
pub fn losses(findings: &Findings, panel: &LossPanel, range: (f64, f64), id: &str) -> Markup {
    let last = panel.lines.iter().flat_map(|line| &line.points).map(|(step, _)| *step).max().unwrap_or(1);
    let of =
        |spec: &Option<String>| findings.specs.iter().position(|known| Some(&known.name) == spec.as_ref());
    let look = |spec: &Option<String>| of(spec).map_or(Look::Unrelated, |at| LOOKS[at % 2]);
    let mut entries: Vec<(Look, String)> = Vec::new();
    for line in &panel.lines {
        let entry = (look(&line.spec), line.spec.clone().unwrap_or_else(|| "all specs".to_owned()));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let (legend, top) =
        if entries.len() > 1 { legend(&entries, stroke, 10.0, SMALL) } else { (html! {}, 8.0) };
    let bottom = top + 110.0;
    let x = Scale::new((0.0, last as f64), (LEFT, SMALL - 8.0));
    let y = Scale::new(range, (bottom, top));
    let words: Vec<String> = panel
        .lines
        .iter()
        .filter_map(|line| {
            let ((_, first), (_, last)) = line.points.first().zip(line.points.last())?;
            let spec = line.spec.as_ref().map_or(String::new(), |spec| format!("{spec}, "));
            Some(format!("{spec}seed {}: from {first:.2} to {last:.2}.", line.seed))
        })
        .collect();
    let content = html! {
        (legend)
        (axes((x, 3), (y, 3), Frame { right: SMALL, top, bottom }, "step; loss in nats per token"))
        @for line in &panel.lines {
            polyline class={ "line thin " (look(&line.spec).stroke()) }
                points=(polyline(line.points.iter().map(|(step, loss)| (x.at(*step as f64), y.at(*loss))))) {}
        }
    };
    chart(id, (SMALL, bottom + 36.0), &format!("Training loss: {}", panel.title), &words.join(" "), content)
}

/// A range for the losses of all panels.
pub fn loss_range(panels: &[LossPanel]) -> (f64, f64) {
    let losses =
        panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points).map(|(_, loss)| *loss);
    let (low, high) =
        losses.fold((f64::INFINITY, 0.0f64), |(low, high), loss| (low.min(loss), high.max(loss)));
    if low > high { (0.0, 1.0) } else { ((low * 2.0).floor() / 2.0, (high * 2.0).ceil() / 2.0) }
}

/// What the horizontal axis of a dose curve counts: tokens trained on if they vary, else tokens in the corpora.
fn dose_of(curve: &DoseCurve) -> (fn(&DosePoint) -> u64, String) {
    let points = || curve.series.iter().flat_map(|series| &series.points).filter(|point| point.tokens > 0);
    let first = points().next().map_or(0, |point| point.tokens);
    if points().any(|point| point.tokens != first) {
        (|point| point.tokens, format!("tokens of {} trained on", curve.corpus))
    } else {
        (|point| point.distinct, format!("distinct tokens of {}", curve.corpus))
    }
}

fn series_look(series: &DoseSeries, at: usize, spec: Option<&SpecSummary>) -> Look {
    match spec.and_then(|spec| spec.standing(&series.value)) {
        Some(Standing::Target) => Look::Target,
        Some(Standing::Rival) => Look::Rival,
        Some(Standing::Unrelated) => Look::Unrelated,
        None => LOOKS[at % LOOKS.len()],
    }
}

/// A dose curve: a line per series, with an interval at each dose.
pub fn dose(findings: &Findings, curve: &DoseCurve, id: &str) -> Markup {
    let spec = findings.specs.iter().find(|spec| Some(&spec.name) == curve.spec.as_ref());
    let difference = curve.series.iter().any(|series| series.difference);
    let unit = if difference { 1.0 } else { 100.0 };
    let (dose, meaning) = dose_of(curve);
    let points = || curve.series.iter().flat_map(|series| &series.points);
    let largest = points().map(dose).max().unwrap_or(1);
    let entries: Vec<(Look, String)> = curve
        .series
        .iter()
        .enumerate()
        .map(|(at, series)| (series_look(series, at, spec), series.label.clone()))
        .collect();
    let (legend, top) = legend(&entries, mark, 10.0, WIDTH);
    let (top, bottom) = (top + 6.0, top + PLOT);
    let ends = points().flat_map(|point| {
        let interval = point.level.interval.iter().flat_map(|found| [found.low, found.high]);
        interval.chain([point.level.mean])
    });
    let range = if difference { round_range(ends) } else { (0.0, 100.0) };
    let x = Scale::new((0.0, largest as f64), (LEFT + 8.0, WIDTH - 12.0));
    let y = Scale::new(range, (bottom, top));
    let words: Vec<String> = curve
        .series
        .iter()
        .map(|series| {
            let level =
                |point: &DosePoint| if difference { effect(&point.level) } else { share(&point.level) };
            let points: Vec<String> = series
                .points
                .iter()
                .map(|point| format!("{} at {}", level(point), count(dose(point))))
                .collect();
            format!("{}: {}.", series.label, points.join(", "))
        })
        .collect();
    let content = html! {
        (legend)
        (axes((x, 4), (y, 4), Frame { right: WIDTH, top, bottom }, &meaning))
        @for ((look, _), (index, series)) in entries.iter().zip(curve.series.iter().enumerate()) {
            // Side by side, so that the intervals of one dose do not hide each other.
            @let shift = 5.0 * (index as f64 - (curve.series.len() as f64 - 1.0) / 2.0);
            @let place = |point: &DosePoint| (x.at(dose(point) as f64) + shift, y.at(unit * point.level.mean));
            polyline class={ "line " (look.stroke()) } points=(polyline(series.points.iter().map(place))) {}
            @for point in &series.points {
                @let (px, py) = place(point);
                @if let Some(found) = point.level.interval {
                    path class={ "bar " (look.stroke()) } d=(format!(
                        "M{} {}h6m-3 0V{}m-3 0h6", at(px - 3.0), at(y.at(unit * found.low)), at(y.at(unit * found.high))
                    )) {}
                }
                (mark(*look, px, py))
            }
        }
    };
    let title = match (&curve.spec, difference) {
        (_, true) => format!("Steering by dose of {} (`{}` and its like)", curve.corpus, curve.example),
        (Some(spec), _) => format!("{spec}: rates by dose of {}", curve.corpus),
        (None, _) => format!("Rates by dose of {}", curve.corpus),
    };
    chart(id, (WIDTH, bottom + 36.0), &title, &words.join(" "), content)
}
