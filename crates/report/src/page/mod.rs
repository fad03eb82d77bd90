//! The report as one HTML page: no script, no request, light and dark, phone and paper.

mod dots;
mod lines;
mod results;
mod sources;
mod svg;

use experiment::findings::{Answer, Findings};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::table::Table;
use crate::tables;

const STYLE: &str = include_str!("style.css");

/// The findings as a page.
pub fn html(findings: &Findings) -> String {
    let sections = sections(findings);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (findings.name) " · Whyfirst report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p class="kicker" { "Whyfirst · experiment report" }
                    h1 { (findings.name) }
                    p class="question" { (findings.question) }
                }
                main {
                    (answer(findings))
                    nav aria-label="Contents" {
                        ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                    @for section in &sections {
                        section id=(section.id) aria-labelledby={ (section.id) "-h" } {
                            h2 id={ (section.id) "-h" } { (section.title) }
                            (section.content)
                        }
                    }
                }
                footer {
                    p { "Every table as CSV: the folder " code { "tables" } ". All of it for programs: " code { "findings.json" } "." }
                }
            }
        }
    };
    page.into_string()
}

/// A part of the page with an entry in its contents.
struct Section {
    id: &'static str,
    title: &'static str,
    content: Markup,
}

fn sections(findings: &Findings) -> Vec<Section> {
    let parts = [
        ("arms", "What every arm prefers", Some(results::arms(findings))),
        ("exploratory", "Exploratory answers", results::exploratory(findings)),
        ("domains", "Steering by domain", results::domains(findings)),
        ("order", "Order", results::order(findings)),
        ("dose", "Dose", results::dose(findings)),
        ("calibration", "Calibration of the base", results::calibration(findings)),
        ("transcripts", "Transcripts", sources::transcripts(findings)),
        ("corpora", "Corpora", Some(sources::corpora(findings))),
        ("training", "Training", Some(sources::training(findings))),
        ("method", "Method", Some(sources::method(findings))),
        ("provenance", "Provenance", Some(sources::provenance(findings))),
    ];
    parts
        .into_iter()
        .filter_map(|(id, title, content)| Some(Section { id, title, content: content? }))
        .collect()
}

/// The primary answers, what limits them, and what went wrong: what a reader sees first.
fn answer(findings: &Findings) -> Markup {
    let primary: Vec<&Answer> = findings.answers.iter().filter(|answer| answer.primary).collect();
    html! {
        section id="answer" class="primary" aria-labelledby="answer-h" {
            h2 id="answer-h" { "Answer" }
            @if primary.is_empty() {
                p class="headline" { "No analysis was declared primary: all answers below are exploratory." }
            }
            @for answer in &primary {
                article {
                    p class="headline" { (prose(&answer.headline)) }
                    (results::evidence(findings, answer))
                }
            }
            div class="scope" role="note" { p { (findings.scope) } }
            @if !findings.failures.is_empty() {
                div class="alert" role="note" {
                    (table(&tables::failed(findings)))
                    p { "They are left out of every number, and named wherever they would count." }
                }
            }
            @for (title, lines) in [("Deviations", &findings.deviations), ("Warnings", &findings.warnings)] {
                @if !lines.is_empty() {
                    h3 { (title) }
                    ul { @for line in lines { li { (prose(line)) } } }
                }
            }
        }
    }
}

/// A table in a box of its own that scrolls sideways.
fn table(table: &Table) -> Markup {
    html! {
        div class="scroll" role="region" aria-label=(table.caption) tabindex="0" {
            table {
                caption { (table.caption) }
                thead { tr {
                    @for column in &table.columns {
                        th scope="col" class=[column.numeric.then_some("n")] { (column.title) }
                    }
                } }
                tbody {
                    @for row in &table.rows { tr {
                        @for (at, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                            @if at == 0 { th scope="row" { (prose(cell)) } }
                            @else { td class=[class(column.numeric, cell)] { (prose(cell)) } }
                        }
                    } }
                }
            }
        }
        @for note in &table.notes { p class="note" { (prose(note)) } }
    }
}

/// Text with what stands between backticks as code.
fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Long texts get room: they would otherwise be broken into many short lines.
fn class(numeric: bool, cell: &str) -> Option<&'static str> {
    match numeric {
        true => Some("n"),
        false => (cell.chars().count() > 30).then_some("wide"),
    }
}

/// A table that opens on demand. `long` ones stay closed on paper.
fn folded(summary: &str, content: &Table, long: bool) -> Markup {
    html! {
        details class=[long.then_some("long")] {
            summary { (summary) }
            (table(content))
        }
    }
}
