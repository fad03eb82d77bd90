//! An audit for people: a page without script or request, and lines for a terminal.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::auditor::Audit;
use crate::balance::Balance;
use crate::finding::{Finding, percent};

const STYLE: &str = include_str!("page.css");

/// Audits as one page.
pub fn html(title: &str, audits: &[Audit], balances: &[Balance]) -> String {
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
                            1 => { strong { "One gate is not passed." } }
                            n => { strong { (n) " gates are not passed." } }
                        }
                    }
                }
                main {
                    @for balance in balances { (comparison(balance)) }
                    @for audit in audits { (corpus(audit)) }
                }
            }
        }
    };
    page.into_string()
}

fn corpus(audit: &Audit) -> Markup {
    html! {
        section {
            h2 { (audit.corpus) }
            p class="quiet" {
                (audit.rows) " rows of " (audit.lengths.quantiles[0]) " to " (audit.lengths.quantiles[2]) " words, median "
                (audit.lengths.quantiles[1])
            }
            div class="wide" { table {
                thead { tr { th { "finding" } th class="n" { "rows" } th class="n" { "share" } th { "gate" } } }
                tbody { @for finding in &audit.findings { (row(finding)) } }
            } }
            @for finding in audit.findings.iter().filter(|finding| !finding.examples.is_empty()) {
                details open[!finding.passed] {
                    summary { (finding.what) }
                    p class="quiet" { (finding.help) }
                    ul { @for example in &finding.examples { li { code { (example.row) } " " (example.excerpt) } } }
                }
            }
            div class="panels" {
                figure {
                    figcaption { "Words of a row" }
                    (bars(&audit.lengths.bins.iter().enumerate().map(|(bin, rows)| {
                        let from = bin as u32 * audit.lengths.width;
                        (format!("{from} to {}", from + audit.lengths.width - 1), *rows)
                    }).collect::<Vec<_>>()))
                }
                @if !audit.groups.is_empty() {
                    figure {
                        figcaption { "Rows by domain or topic" }
                        (bars(&audit.groups.iter().map(|(name, rows)| (name.clone(), *rows)).collect::<Vec<_>>()))
                    }
                }
            }
            @if !audit.coverage.is_empty() {
                details {
                    summary { "Rows by section of the spec" }
                    (bars(&audit.coverage.iter().map(|(id, title, rows)| (format!("{id} {title}"), *rows)).collect::<Vec<_>>()))
                }
            }
        }
    }
}

fn row(finding: &Finding) -> Markup {
    let gate = finding.limit.map_or_else(String::new, |limit| limit.shown());
    html! {
        tr class=[(!finding.passed).then_some("bad")] {
            td { (finding.what) }
            td class="n" { (finding.count) }
            td class="n" { (percent(finding.share())) }
            td { (gate) @if !finding.passed { strong { " not passed" } } }
        }
    }
}

fn comparison(balance: &Balance) -> Markup {
    html! {
        section {
            h2 { (balance.names[0]) " and " (balance.names[1]) ", mirrored" }
            div class="wide" { table {
                thead { tr { th { "" } th class="n" { (balance.names[0]) } th class="n" { (balance.names[1]) } } }
                tbody {
                    tr { td { "rows" } td class="n" { (balance.rows[0]) } td class="n" { (balance.rows[1]) } }
                    tr { td { "tokens" } td class="n" { (balance.tokens[0]) } td class="n" { (balance.tokens[1]) } }
                }
            } }
            p {
                "Tokens differ by " (percent(balance.imbalance)) ". " (balance.unmatched_count)
                " places of the plan are in one corpus only. Outside of what the specs differ in, the vocabularies are "
                (format!("{:.3}", balance.vocabulary_distance)) " apart (0 the same, 1 disjoint)."
            }
            @for breach in &balance.breaches { pre class="bad" { (breach.message) } }
            details {
                summary { "Words that differ most" }
                div class="wide" { table {
                    thead { tr { th { "word" } th class="n" { "of a thousand" } th class="n" { "of a thousand" } } }
                    tbody { @for (word, one, two) in &balance.words {
                        tr { td { (word) } td class="n" { (format!("{one:.2}")) } td class="n" { (format!("{two:.2}")) } }
                    } }
                } }
            }
        }
    }
}

/// Bars with their names and figures: widths are shares of the longest.
fn bars(entries: &[(String, u64)]) -> Markup {
    let most = entries.iter().map(|(_, rows)| *rows).max().unwrap_or(0).max(1);
    html! {
        dl class="bars" { @for (name, rows) in entries {
            dt { (name) }
            dd { span class="bar" style={ "width:" (format!("{:.1}", 100.0 * *rows as f64 / most as f64)) "%" } {} span { (rows) } }
        } }
    }
}

/// Audits as lines.
pub fn text(audits: &[Audit], balances: &[Balance]) -> String {
    let mut lines = Vec::new();
    for balance in balances {
        lines.push(format!(
            "{} and {}: {} and {} rows, {} and {} tokens ({} apart), vocabularies {:.3} apart",
            balance.names[0],
            balance.names[1],
            balance.rows[0],
            balance.rows[1],
            balance.tokens[0],
            balance.tokens[1],
            percent(balance.imbalance),
            balance.vocabulary_distance,
        ));
    }
    for audit in audits {
        let [shortest, median, longest] = audit.lengths.quantiles;
        lines.push(format!(
            "{}: {} rows of {shortest} to {longest} words, median {median}",
            audit.corpus, audit.rows
        ));
        for finding in &audit.findings {
            let gate = match (finding.limit, finding.passed) {
                (Some(limit), false) => format!("  NOT PASSED: {}", limit.shown()),
                (Some(limit), true) => format!("  ({})", limit.shown()),
                (None, _) => String::new(),
            };
            lines.push(format!(
                "  {:>7} of {:<7} {:>6}  {}{gate}",
                finding.count,
                finding.of,
                percent(finding.share()),
                finding.what
            ));
        }
    }
    let breaches =
        audits.iter().flat_map(Audit::breaches).chain(balances.iter().flat_map(|b| b.breaches.clone()));
    for breach in breaches {
        lines.push(format!("gate `{}`: {}", breach.rule, breach.message));
    }
    lines.join("\n")
}
