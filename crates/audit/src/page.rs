//! An audit as a page for people, without script or request.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::across::Across;
use crate::auditor::Audit;
use crate::balance::Balance;
use crate::finding::{Finding, percent};

const STYLE: &str = include_str!("page.css");

/// Audits as one page.
pub fn html(title: &str, audits: &[Audit], balances: &[Balance], shared: &[Across]) -> String {
    let breaches = audits.iter().map(|audit| audit.breaches().len()).sum::<usize>()
        + balances.iter().map(|balance| balance.breaches.len()).sum::<usize>();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Whyfirst audit" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p class="kicker" { "Whyfirst · corpus audit" }
                    h1 { (title) }
                    p class="lead" {
                        @match breaches {
                            0 => { "Every gate is passed." }
                            1 => { strong class="bad" { "One gate is not passed." } }
                            n => { strong class="bad" { (n) " gates are not passed." } }
                        }
                    }
                }
                main {
                    @if audits.len() > 1 { (overview(audits)) }
                    @for (number, audit) in audits.iter().enumerate() { (corpus(number, audit)) }
                    @for balance in balances { (comparison(balance)) }
                    @if !shared.is_empty() { (across(shared)) }
                }
            }
        }
    };
    page.into_string()
}

/// All corpora at a glance.
fn overview(audits: &[Audit]) -> Markup {
    html! {
        div class="wide" { table {
            thead { tr {
                th { "corpus" } th class="n" { "rows" } th class="n" { "median words" } th { "gates that are not passed" }
            } }
            tbody { @for (number, audit) in audits.iter().enumerate() {
                @let bad: Vec<&Finding> = audit.findings.iter().filter(|finding| !finding.passed).collect();
                tr {
                    td { a href=(format!("#corpus-{number}")) { (audit.corpus) } }
                    td class="n" { (grouped(audit.rows)) }
                    td class="n" { (audit.lengths.quantiles[1]) }
                    td class=[(!bad.is_empty()).then_some("bad")] {
                        @if bad.is_empty() { "none" }
                        @for (at, finding) in bad.iter().enumerate() {
                            @if at > 0 { ", " }
                            a href=(anchor(number, finding)) { (finding.rule) }
                        }
                    }
                }
            } }
        } }
    }
}

fn anchor(number: usize, finding: &Finding) -> String {
    format!("#corpus-{number}-{}", finding.rule)
}

fn corpus(number: usize, audit: &Audit) -> Markup {
    let [shortest, median, longest] = audit.lengths.quantiles;
    let lengths = audit.lengths.bins.iter().enumerate().map(|(bin, rows)| {
        let from = audit.lengths.start + bin as u32 * audit.lengths.width;
        let to = from + audit.lengths.width - 1;
        (if from == to { from.to_string() } else { format!("{from} to {to}") }, *rows)
    });
    let mut groups: Vec<(String, u64)> =
        audit.groups.iter().map(|(name, rows)| (name.clone(), *rows)).collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let sections = audit
        .coverage
        .iter()
        .map(|(id, title, rows)| (format!("{id} {}", title.rsplit(" > ").next().unwrap_or(title)), *rows));
    let sections: Vec<(String, u64)> = sections.collect();
    html! {
        section id=(format!("corpus-{number}")) {
            h2 { (audit.corpus) }
            p class="quiet" {
                (grouped(audit.rows)) " rows of " (shortest) " to " (longest) " words, median " (median)
            }
            div class="wide" { table {
                thead { tr { th {} th { "finding" } th class="n" { "rows" } th class="n" { "share" } th { "gate" } } }
                tbody { @for finding in &audit.findings { (row(number, finding)) } }
            } }
            div class="panels" {
                figure { figcaption { "Words of a row" } (bars(&lengths.collect::<Vec<_>>(), "short")) }
                @if !groups.is_empty() {
                    figure {
                        figcaption { (groups.len()) " domains or topics, and their rows" }
                        (folded(&groups))
                    }
                }
                @if !sections.is_empty() {
                    figure {
                        figcaption { (sections.len()) " sections of the spec, and rows that rest on them" }
                        (folded(&sections))
                    }
                }
            }
        }
    }
}

/// Bars, of which only the first are shown at once.
fn folded(entries: &[(String, u64)]) -> Markup {
    const SHOWN: usize = 12;
    let most = entries.iter().map(|(_, rows)| *rows).max().unwrap_or(0);
    let (first, rest) = entries.split_at(entries.len().min(SHOWN));
    html! {
        (scaled(first, most, ""))
        @if !rest.is_empty() {
            details { summary { (rest.len()) " more" } (scaled(rest, most, "")) }
        }
    }
}

fn row(number: usize, finding: &Finding) -> Markup {
    let gate = finding.limit.map_or_else(|| "–".to_owned(), |limit| limit.alone());
    let mark = match (finding.passed, finding.limit) {
        (false, _) => "✗",
        (true, Some(_)) => "✓",
        (true, None) => "",
    };
    html! {
        tr id=(&anchor(number, finding)[1..]) class=[(!finding.passed).then_some("bad")] {
            td class="mark" { (mark) }
            td {
                @if finding.examples.is_empty() { (finding.what) } @else {
                    details open[!finding.passed] {
                        summary { (finding.what) }
                        ul { @for example in &finding.examples { li { code { (example.row) } " " (example.excerpt) } } }
                        @if !finding.passed { p class="help" { "To do: " (finding.help) "." } }
                    }
                }
            }
            td class="n" { (grouped(finding.count)) @if finding.rule == "coverage" { " of " (finding.of) } }
            td class="n" { (percent(finding.share())) }
            td class=(if finding.limit.is_some() { "gate" } else { "gate quiet" }) { (gate) @if !finding.passed { strong { ", not passed" } } }
        }
    }
}

fn across(shared: &[Across]) -> Markup {
    html! {
        section {
            h2 { "Rows that two corpora share" }
            p class="quiet" {
                "Near-duplicates across corpora. Mirrored corpora share them by design, in which only the manipulated clause \
                 differs; others should not."
            }
            @for pair in shared {
                details {
                    summary {
                        (grouped(pair.rows)) " of " (grouped(pair.of)) " rows of " b { (pair.second) } " nearly repeat a row of "
                        b { (pair.first) }
                    }
                    ul { @for example in &pair.examples { li { code { (example.row) } " " (example.excerpt) } } }
                }
            }
        }
    }
}

fn comparison(balance: &Balance) -> Markup {
    let [one, other] = &balance.names;
    html! {
        section {
            h2 { (one) " and " (other) ", mirrored" }
            div class="wide" { table {
                thead { tr { th { "" } th class="n" { (one) } th class="n" { (other) } th class="n" { "apart" } } }
                tbody {
                    tr {
                        td { "rows" } td class="n" { (grouped(balance.rows[0])) } td class="n" { (grouped(balance.rows[1])) }
                        td class="n" { (balance.unmatched_count) " places of the plan in one only" }
                    }
                    tr {
                        td { "tokens" } td class="n" { (grouped(balance.tokens[0])) } td class="n" { (grouped(balance.tokens[1])) }
                        td class="n" { (percent(balance.imbalance)) }
                    }
                    tr {
                        td { "vocabulary, outside of what the specs differ in" } td {} td {}
                        td class="n" { (format!("{:.3}", balance.vocabulary_distance)) " (0 the same, 1 disjoint)" }
                    }
                }
            } }
            @for breach in &balance.breaches { pre class="bad" { (breach.message) } }
            details {
                summary { "Words that differ most, of a thousand" }
                div class="wide" { table {
                    thead { tr { th { "word" } th class="n" { (one) } th class="n" { (other) } } }
                    tbody { @for (word, one, two) in &balance.words {
                        tr { td { (word) } td class="n" { (format!("{one:.2}")) } td class="n" { (format!("{two:.2}")) } }
                    } }
                } }
            }
        }
    }
}

/// Bars with their names and figures: widths are shares of the longest.
fn bars(entries: &[(String, u64)], class: &str) -> Markup {
    scaled(entries, entries.iter().map(|(_, rows)| *rows).max().unwrap_or(0), class)
}

fn scaled(entries: &[(String, u64)], most: u64, class: &str) -> Markup {
    html! {
        dl class=(format!("bars {class}")) { @for (name, rows) in entries {
            dt class=[(*rows == 0 && class.is_empty()).then_some("bad")] { (name) }
            dd { span class="bar" style={ "width:" (format!("{:.1}", 100.0 * *rows as f64 / most.max(1) as f64)) "%" } {} }
            dd class="n" { (grouped(*rows)) }
        } }
    }
}

/// `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
