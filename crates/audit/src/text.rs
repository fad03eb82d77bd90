//! An audit as lines for a terminal.

use crate::across::Across;
use crate::auditor::Audit;
use crate::balance::Balance;
use crate::finding::percent;

/// Audits as lines.
pub fn text(audits: &[Audit], balances: &[Balance], shared: &[Across]) -> String {
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
                (Some(limit), false) => format!("  NOT PASSED, the gate allows {}", limit.shown()),
                (Some(limit), true) => format!("  (gate: {})", limit.alone()),
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
    for pair in shared {
        let Across { first, second, rows, of, .. } = pair;
        lines.push(format!("{rows} of {of} rows of {second} nearly repeat a row of {first}"));
    }
    let breaches =
        audits.iter().flat_map(Audit::breaches).chain(balances.iter().flat_map(|b| b.breaches.clone()));
    for breach in breaches {
        lines.push(format!("gate `{}`: {}", breach.rule, breach.message));
    }
    lines.join("\n")
}
