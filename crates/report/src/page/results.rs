//! The sections with results.

use experiment::findings::{Answer, Calibration, Findings, Measure};
use maud::{Markup, html};

use super::{dots, folded, lines, prose};
use crate::number::plural;
use crate::tables;

/// Chart, numbers and notes of an answer.
pub fn evidence(findings: &Findings, answer: &Answer) -> Markup {
    let parts = tables::parts(answer);
    html! {
        @if let Some(chart) = dots::effects(answer, &format!("effects-{}", answer.analysis.name())) {
            figure {
                figcaption class="plain" { (answer.comparison) }
                (chart)
            }
            p class="note" { (caption(answer)) }
        }
        (folded("Estimates", &tables::estimates(findings, answer), false))
        @if !parts.rows.is_empty() { (folded("What they are made of", &parts, false)) }
        @for note in &answer.notes { p class="note" { (prose(note)) } }
    }
}

/// How to read the chart of an answer.
fn caption(answer: &Answer) -> String {
    let effects = || answer.estimates.iter().filter_map(|found| found.effect.as_ref());
    let percent = answer.estimates.iter().any(|found| found.measure == Measure::Perplexity);
    let unit = if percent { "percent" } else { "percentage points" };
    match effects().any(|effect| effect.interval.is_some()) {
        true => format!(
            "In {unit}. Mark and bar: mean and 95% t-interval over seeds. Thin strokes: single seeds."
        ),
        false => format!(
            "In {unit}. Mark: mean over seeds. Thin strokes: single seeds. There are no intervals to draw."
        ),
    }
}

/// Arms by values, one chart per spec, and all the tables under it.
pub fn arms(findings: &Findings) -> Markup {
    let charts: Vec<(String, Markup)> = findings
        .specs
        .iter()
        .enumerate()
        .filter_map(|(at, spec)| {
            Some((spec.title.clone(), dots::arms(findings, spec, &format!("arms-{at}"))?))
        })
        .collect();
    html! {
        p { "How often the option with each value is the likelier one, on pairs of held-out domains that differ in \
             nothing else. Arms without documents about a spec are the same model in every chart. Bars are 95% \
             t-intervals over seeds; a mark without a bar does not vary between seeds, or is a single model." }
        div class="panels" {
            @for (title, chart) in &charts { figure { figcaption { (title) } (chart) } }
        }
        (folded("Rates, training-domain check and perplexity", &tables::arms(findings), false))
        (folded("Mean probabilities", &tables::probabilities(findings), false))
        (folded("Rates by domain", &tables::domains(findings), true))
        (folded("Every single model", &tables::models(findings), true))
    }
}

/// The answers that were not declared primary.
pub fn exploratory(findings: &Findings) -> Option<Markup> {
    let answers: Vec<&Answer> = findings.answers.iter().filter(|answer| !answer.primary).collect();
    (!answers.is_empty()).then(|| {
        html! {
            p { "Not declared primary before the run. The p-values of these "
                (plural(findings.exploratory, "comparison")) " are adjusted together (Holm); an effect is called \
                there only if it holds after that." }
            @for answer in answers {
                article {
                    h3 { (answer.question) }
                    p class="headline" { (prose(&answer.headline)) }
                    (evidence(findings, answer))
                }
            }
        }
    })
}

/// Steering in each held-out domain.
pub fn domains(findings: &Findings) -> Option<Markup> {
    let chart = dots::domains(findings, "domains")?;
    Some(html! {
        p { "The primary comparison within each held-out domain. These are few items each, and no tests: look for \
             whether the effect is there in general or comes from a few domains." }
        figure {
            figcaption class="plain" { "Steering in percentage points; bars are 95% t-intervals over seeds" }
            (chart)
        }
        (folded("Numbers", &tables::domain_effects(findings), false))
    })
}

/// First, after, mixed.
pub fn order(findings: &Findings) -> Option<Markup> {
    let charts: Vec<(String, Markup)> = findings
        .specs
        .iter()
        .enumerate()
        .filter_map(|(at, spec)| {
            Some((spec.title.clone(), dots::order(findings, spec, &format!("order-{at}"))?))
        })
        .collect();
    (!charts.is_empty()).then(|| {
        html! {
            p { "The same documents and the same chats in different orders. Neutral documents say nothing about the \
                 value: what order does to them, it does by itself." }
            div class="panels" {
                @for (title, chart) in &charts { figure { figcaption { (title) } (chart) } }
            }
            (folded("Numbers", &tables::order(findings), false))
        }
    })
}

/// Dose curves.
pub fn dose(findings: &Findings) -> Option<Markup> {
    (!findings.dose.is_empty()).then(|| {
        html! {
            p { "Arms that differ only in how long one stage is. Bars are 95% t-intervals over seeds." }
            div class="panels" {
                @for (at, curve) in findings.dose.iter().enumerate() {
                    figure {
                        figcaption {
                            @if curve.series.iter().any(|series| series.difference) { "Steering, in percentage points" }
                            @else if let Some(spec) = &curve.spec { "Rates, in percent, for " (spec) }
                            @else { "Rates, in percent" }
                        }
                        (lines::dose(findings, curve, &format!("dose-{at}")))
                    }
                }
            }
            (folded("Numbers", &tables::dose(findings), false))
        }
    })
}

/// The response matrix of the base.
pub fn calibration(findings: &Findings) -> Option<Markup> {
    let found = findings.calibration.as_ref()?;
    Some(html! {
        p { (found.words) }
        (matrix(found))
        @if let Some(names) = found.names { p class="note" { "Means over " (plural(names as usize, "name")) "." } }
    })
}

fn matrix(found: &Calibration) -> Markup {
    let caption = "Probability of each value (columns) after prose that states one value (rows)";
    html! {
        div class="scroll" role="region" aria-label=(caption) tabindex="0" {
            table class="matrix" {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "stated" }
                    @for measured in &found.measured { th scope="col" { (measured) } }
                } }
                tbody {
                    @for (stated, row) in found.stated.iter().zip(&found.matrix) { tr {
                        th scope="row" { (stated) }
                        @for (measured, response) in found.measured.iter().zip(row) {
                            td class=[(measured == stated).then_some("own")] style={ "--p:" (format!("{:.0}", 100.0 * response)) } {
                                (format!("{response:.2}"))
                            }
                        }
                    } }
                    tr {
                        th scope="row" { "nothing" }
                        @for untouched in &found.untouched {
                            td style={ "--p:" (format!("{:.0}", 100.0 * untouched)) } { (format!("{untouched:.2}")) }
                        }
                    }
                }
            }
        }
    }
}
