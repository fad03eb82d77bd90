//! The sections on what stands behind the results.

use experiment::findings::{CorpusRow, Findings, Reading, Transcript};
use maud::{Markup, html};

use super::{folded, lines};
use crate::number::{count, percent, plural};
use crate::table::Table;
use crate::tables;

/// A few items and what the models chose.
pub fn transcripts(findings: &Findings) -> Option<Markup> {
    let first = findings.transcripts.first()?;
    Some(html! {
        p { "The first item of the first held-out domains, for each value; not picked by outcome. Models of seed "
            (first.seed) "; each is asked twice, with the option listed first and second." }
        div class="panels" { @for item in &findings.transcripts { (transcript(item)) } }
    })
}

fn transcript(item: &Transcript) -> Markup {
    let caption = format!("Probability of “{}” over “{}”, in percent", item.choice, item.other);
    html! {
        article class="transcript" {
            h3 { (item.domain) ": " (item.value) " or not" }
            blockquote { "user: " (item.question) }
            div class="scroll" role="region" aria-label={ (caption) ", item " (item.item) } tabindex="0" {
                table {
                    caption { (caption) }
                    thead { tr {
                        th scope="col" { "model" }
                        th scope="col" { "mean" }
                        th scope="col" class="n" { "listed first" }
                        th scope="col" class="n" { "second" }
                    } }
                    tbody { @for reading in &item.readings { (answer(reading)) } }
                }
            }
        }
    }
}

fn answer(reading: &Reading) -> Markup {
    let mean = percent((reading.first + reading.second) / 2.0);
    html! {
        tr {
            th scope="row" { (tables::arm_name(&reading.arm, &reading.spec)) }
            td class="share" style={ "--p:" (mean) } { (mean) }
            td class="n" { (percent(reading.first)) }
            td class="n" { (percent(reading.second)) }
        }
    }
}

/// What the models read.
pub fn corpora(findings: &Findings) -> Markup {
    html! {
        p { "What the stages trained on, with the first rows of each. A corpus that is generated anew for every seed \
             is shown for the first." }
        @for corpus in &findings.corpora { (samples(corpus)) }
    }
}

fn samples(corpus: &CorpusRow) -> Markup {
    let name = tables::arm_name(&corpus.name, &corpus.spec);
    html! {
        details {
            summary { strong { (name) } " · " (corpus.kind) ", " (count(corpus.rows)) " rows, " (count(corpus.tokens)) " tokens" }
            @if corpus.samples.is_empty() { p class="note" { "No samples were kept." } }
            @for sample in &corpus.samples { pre class="sample" { (sample) } }
            p class="note" {
                "Hashes of the bytes: "
                @for (at, hash) in corpus.hashes.iter().enumerate() {
                    @if at > 0 { ", " }
                    code { (hash) }
                    @if let Some(seed) = corpus.seeds.get(at) { " (seed " (seed) ")" }
                }
                "."
            }
        }
    }
}

/// Losses, and what was planned and done.
pub fn training(findings: &Findings) -> Markup {
    let range = lines::loss_range(&findings.losses);
    let stages = findings.stages.len();
    let as_planned = findings
        .stages
        .iter()
        .filter(|row| {
            row.actual.as_ref().is_some_and(|actual| actual.steps == row.steps && actual.tokens == row.tokens)
        })
        .count();
    html! {
        p {
            (plural(stages, "stage")) ": "
            @if as_planned == stages { "all as planned." }
            @else { (as_planned) " as planned, " strong { (stages - as_planned) " not" } "." }
            " One line per model; the same scale in every chart."
        }
        (folded("Plan and outcome of every stage", &tables::stages(findings), true))
        div class="panels small" {
            @for (at, panel) in findings.losses.iter().enumerate() {
                figure {
                    figcaption { (panel.title) }
                    (lines::losses(findings, panel, range, &format!("loss-{at}")))
                }
            }
        }
    }
}

/// How the numbers were computed.
pub fn method(findings: &Findings) -> Markup {
    html! {
        ul { @for line in &findings.methods { li { (super::prose(line)) } } }
        h3 { "Arms" }
        (super::table(&arms(findings)))
    }
}

fn arms(findings: &Findings) -> Table {
    let mut table = Table::new("Arms and their stages", &["arm", "stages", "kind"]);
    for row in &findings.arms {
        if table.rows.iter().all(|known| known[0] != row.arm) {
            let kind = if row.control { "control" } else { "arm" };
            table.row(vec![row.arm.clone(), row.stages.clone(), kind.to_owned()]);
        }
    }
    table
}

/// Where everything came from.
pub fn provenance(findings: &Findings) -> Markup {
    let from = &findings.provenance;
    let seeds = findings.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    html! {
        dl class="facts" {
            dt { "Experiment" } dd { code { (from.experiment) } }
            dt { "Engine" } dd { (from.engine) }
            dt { "Base" } dd { (from.base) ", " (count(from.parameters)) " parameters" br; code { (from.base_hash) } }
            dt { "Model name" } dd { (from.model_name) }
            dt { "Seeds" } dd { (seeds) }
            @for (name, path, hash) in &from.specs {
                dt { "Spec " (name) } dd { (path) br; code { (hash) } }
            }
            @for suite in &from.suites {
                dt { "Suite " (suite.name) }
                dd { (plural(suite.items, "item")) @if !suite.scorer.is_empty() { br; (suite.scorer) } }
            }
        }
        h3 { "Recipes" }
        @for used in &from.recipes {
            details {
                summary { (used.corpora.join("; ")) }
                dl class="facts" { @for (name, value) in &used.settings { dt { (name) } dd { (value) } } }
            }
        }
        h3 { "Evaluation logs" }
        (folded(&plural(from.logs.len(), "log"), &logs(findings), true))
    }
}

fn logs(findings: &Findings) -> Table {
    let mut table = Table::new("Logs that the numbers rest on", &["log", "hash of what determines it"]);
    for (path, hash) in &findings.provenance.logs {
        table.row(vec![path.clone(), hash.clone()]);
    }
    table
}
