//! Answers: each comparison estimated, adjusted where it is exploratory, judged by its interval.

use stats::Interval;

use super::contrast::{Contrast, Outcome, compute, in_probability, over_items};
use super::questions::{Asked, asked, directed, wording};
use super::scores::Data;
use super::types::{Analysis, Answer, Estimate, Level, Measure, Part, Verdict};
use super::words;
use crate::record::Role;

/// The level of a test.
const ALPHA: f64 = 0.05;

/// One answer per analysis, primary ones first, and the number of exploratory comparisons.
pub(super) fn answers(data: &Data) -> (Vec<Answer>, usize) {
    let mut answers: Vec<Answer> =
        Analysis::ALL.into_iter().map(|analysis| estimated(data, analysis)).collect();
    let exploratory = adjust(&mut answers);
    for answer in &mut answers {
        for estimate in &mut answer.estimates {
            estimate.verdict = verdict(answer.analysis, answer.primary, estimate);
            estimate.words = words::sentence(answer.analysis, estimate, exploratory);
        }
        answer.headline = words::headline(answer.analysis, &answer.estimates, exploratory);
    }
    answers.sort_by_key(|answer| !answer.primary);
    (answers, exploratory)
}

fn estimated(data: &Data, analysis: Analysis) -> Answer {
    let (question, comparison) = wording(analysis);
    let estimates = asked(data, analysis).into_iter().map(|asked| estimate(data, asked)).collect();
    Answer {
        analysis,
        primary: data.record.primary.iter().any(|name| name == analysis.name()),
        question: question.to_owned(),
        comparison: comparison.to_owned(),
        headline: String::new(),
        estimates,
        notes: notes(data, analysis),
    }
}

fn estimate(data: &Data, asked: Asked) -> Estimate {
    let mut estimate = Estimate {
        label: asked.label,
        spec: asked.spec.name.clone(),
        measure: asked.measure,
        arms: asked.arms,
        effect: None,
        probability: None,
        over_items: None,
        p: None,
        p_adjusted: None,
        items: 0,
        parts: Vec::new(),
        verdict: Verdict::Missing,
        words: String::new(),
        missing: Vec::new(),
    };
    match asked.contrast {
        Err(reason) => estimate.missing.push(reason),
        Ok(contrast) => fill(&mut estimate, data, &contrast),
    }
    estimate
}

fn fill(estimate: &mut Estimate, data: &Data, contrast: &Contrast) {
    // It can be asked: from here on it counts as a comparison, even if models are missing.
    estimate.verdict = Verdict::NoInterval;
    let Outcome { effect, p, parts, missing } = compute(data, contrast);
    let difference = match estimate.measure {
        Measure::Perplexity => |number: f64| 100.0 * number.exp_m1(),
        _ => |number: f64| 100.0 * number,
    };
    let part = match estimate.measure {
        Measure::Perplexity => f64::exp,
        _ => |number: f64| 100.0 * number,
    };
    estimate.effect = effect.map(|level| scaled(&level, difference));
    estimate.parts =
        parts.into_iter().map(|Part { label, level }| Part { label, level: scaled(&level, part) }).collect();
    estimate.p = p;
    estimate.missing = missing;
    if estimate.measure != Measure::Perplexity {
        let likelier = Contrast { terms: in_probability(&contrast.terms), parts: Vec::new() };
        estimate.probability = compute(data, &likelier).effect.map(|level| scaled(&level, difference));
        let (items, interval) = over_items(data, &contrast.terms);
        estimate.items = items;
        estimate.over_items = interval.map(|interval| Interval {
            low: 100.0 * interval.low,
            high: 100.0 * interval.high,
            ..interval
        });
    }
}

/// A level in another unit; `unit` must rise with its argument.
fn scaled(level: &Level, unit: impl Fn(f64) -> f64) -> Level {
    Level {
        mean: unit(level.mean),
        interval: level.interval.map(|found| Interval {
            low: unit(found.low),
            high: unit(found.high),
            ..found
        }),
        by_seed: level.by_seed.iter().map(|&(seed, number)| (seed, unit(number))).collect(),
    }
}

/// Adjusts the p-values of all exploratory comparisons as one family, and counts them.
fn adjust(answers: &mut [Answer]) -> usize {
    let family: Vec<&mut Estimate> = answers
        .iter_mut()
        .filter(|answer| !answer.primary)
        .flat_map(|answer| &mut answer.estimates)
        .filter(|estimate| estimate.verdict != Verdict::Missing)
        .collect();
    let p: Vec<Option<f64>> = family.iter().map(|estimate| estimate.p).collect();
    let count = family.len();
    for (estimate, adjusted) in family.into_iter().zip(stats::holm(&p)) {
        estimate.p_adjusted = adjusted;
    }
    count
}

fn verdict(analysis: Analysis, primary: bool, estimate: &Estimate) -> Verdict {
    let Some(effect) = &estimate.effect else { return Verdict::Missing };
    let Some(interval) = effect.interval else { return Verdict::NoInterval };
    if interval.contains(0.0) {
        return Verdict::NotShown;
    }
    let holds = primary || estimate.p_adjusted.is_some_and(|p| p < ALPHA);
    let opposite = directed(analysis) && effect.mean < 0.0;
    match (holds, opposite) {
        (true, false) => Verdict::Shown,
        (true, true) => Verdict::Opposite,
        (false, false) => Verdict::Suggested,
        (false, true) => Verdict::OppositeSuggested,
    }
}

fn notes(data: &Data, analysis: Analysis) -> Vec<String> {
    let mut notes = Vec::new();
    match analysis {
        Analysis::Steering => notes.extend(same_chats(data)),
        Analysis::Stacking => notes.push(
            "The untouched base is one model for all seeds: how it would differ if trained again is not in the \
             interval. Rates near 100% leave no room to stack; compare the mean probabilities."
                .to_owned(),
        ),
        Analysis::Order => {
            let lacking = [
                (Role::WhatThenWhy, Role::WhatThenNeutral, "first − after"),
                (Role::Mixed, Role::NeutralMixed, "first − mixed"),
            ];
            for (other, neutral, difference) in lacking {
                let twins = data.arm(Role::NeutralThenWhat).and(data.arm(neutral));
                if data.arm(other).is_some() && twins.is_none() {
                    notes.push(format!(
                        "{difference} has no neutral twin here: it is the raw difference, which also holds what \
                         order does whatever the documents say."
                    ));
                }
            }
        }
        Analysis::Cost => notes.push(
            "An interval that includes zero does not show that there is no cost; its upper end says how large the \
             cost may be."
                .to_owned(),
        ),
        Analysis::Explaining => {}
    }
    notes
}

/// Whether the models compared for steering were fine-tuned on the same bytes, by the hashes of their corpora.
fn same_chats(data: &Data) -> Option<String> {
    let arm = data.arm(Role::WhyThenWhat)?;
    let mut same = true;
    for &seed in &data.record.seeds {
        let cells = data.record.cells.iter().filter(|cell| cell.arm == arm.name && cell.seed == seed);
        let mut chats = cells.filter_map(|cell| {
            let stage = data.record.stages.get(cell.stages.last()?)?;
            Some(stage.corpora.iter().map(|used| (&used.id, used.share.to_bits())).collect::<Vec<_>>())
        });
        let first = chats.next()?;
        same &= chats.all(|other| other == first);
    }
    Some(if same {
        "The models compared were fine-tuned on the same bytes, by the hashes of their corpora.".to_owned()
    } else {
        "Careful: the models compared were NOT fine-tuned on the same bytes; the difference may come from that."
            .to_owned()
    })
}
