//! Counts as findings: what each means, its gate, and what to do about it.

use crate::auditor::{About, EXAMPLES, Seen};
use crate::finding::{Example, Finding, Limit};
use crate::gates::Gates;

/// What fewer rows have in common is no tic, however small the corpus.
const FEW: u64 = 10;

/// All findings on a corpus.
pub(crate) fn findings(seen: &mut Seen, about: &About, gates: &Gates) -> Vec<Finding> {
    let documents = about.documents;
    let mut found = Vec::new();
    if about.names.is_some() {
        found.push(most(
            seen,
            "wrong-name",
            "rows that name another assistant or its maker",
            gates.max_wrong_names,
            "a corpus must call its model by one name: rename them with `whyfirst corpus transform --rename`, or drop the rows",
        ));
    }
    found.extend([
        most(
            seen,
            "near-duplicate",
            "rows that nearly repeat an earlier one",
            gates.max_near_duplicates,
            "ask for more types and fewer ideas of each, or drop the repeats: `whyfirst corpus transform --dedup`",
        ),
        most(
            seen,
            "refusal",
            "refusals",
            gates.max_refusals,
            "drop the rows, and see why the writer refused",
        ),
        most(
            seen,
            "residue",
            "rows with notes of a writer, tags of prompts, or an end that is cut off",
            gates.max_residue,
            "drop the rows; if there are many, the text budget of the writer is too small or its prompt is unclear",
        ),
        most(
            seen,
            "placeholder",
            "rows with a blank to be filled in",
            gates.max_placeholders,
            "drop the rows, or fill the blanks in the spec",
        ),
        most(
            seen,
            "contamination",
            "rows that share text with an evaluation, or have its form",
            gates.max_contamination,
            "drop the rows: a model that has read them can no longer be asked these items",
        ),
        tic(
            seen,
            "repeated-phrase",
            "rows that share the most frequent run of eight words",
            // Replies of one assistant share turns of phrase that documents of many voices do not.
            if documents { gates.max_repeated_phrase } else { gates.max_repeated_phrase_chats },
            "a phrase of the writer's, or of the prompt's: forbid it in the prompt",
        ),
        tic(
            seen,
            "repeated-opening",
            "rows that begin with the most frequent four words",
            gates.max_repeated_opening,
            "what all rows begin with is learned first: ask for other beginnings in the prompt",
        ),
    ]);
    if seen.counts.contains_key("repeated-name") {
        found.push(tic(
            seen,
            "repeated-name",
            "rows in which the most frequent person's name occurs",
            gates.max_repeated_name,
            "people in documents have roles, not names: say so in the prompt",
        ));
    }
    if documents && about.names.is_some() {
        found.push(least(
            seen,
            "right-name",
            "documents that name the assistant",
            gates.min_right_names,
            "a document that does not name the assistant teaches nothing about it",
        ));
    }
    if documents {
        found.push(least(
            seen,
            "reason",
            "documents that give a reason",
            gates.min_reasons,
            "explaining is what these documents are for",
        ));
    }
    if !about.sections.is_empty() {
        found.push(coverage(seen, about, gates));
    }
    found
}

fn most(seen: &mut Seen, rule: &'static str, what: &str, most: f64, help: &str) -> Finding {
    // A limit of all is none.
    let limit = (most < 1.0).then_some(Limit::Most(most));
    let (count, examples) = seen.counts.remove(rule).unwrap_or_default();
    finding(rule, what, (count, seen.rows), limit, examples, help)
}

/// As [`most`], for what only many rows make a tic.
fn tic(seen: &mut Seen, rule: &'static str, what: &str, limit: f64, help: &str) -> Finding {
    let mut finding = most(seen, rule, what, limit, help);
    finding.passed |= finding.count < FEW;
    finding
}

fn least(seen: &mut Seen, rule: &'static str, what: &str, least: f64, help: &str) -> Finding {
    let limit = (least > 0.0).then_some(Limit::Least(least));
    let (count, examples) = seen.counts.remove(rule).unwrap_or_default();
    finding(rule, what, (count, seen.rows), limit, examples, help)
}

fn coverage(seen: &Seen, about: &About, gates: &Gates) -> Finding {
    // Chats are about situations: what a section says may need none of its own.
    let least = if about.documents { gates.min_coverage } else { gates.min_coverage_chats };
    let missing: Vec<&(String, String)> =
        about.sections.iter().filter(|(id, _)| !seen.coverage.contains_key(id)).collect();
    let covered = (about.sections.len() - missing.len()) as u64;
    let example = |(id, title): &&(String, String)| Example { row: id.clone(), excerpt: title.clone() };
    finding(
        "coverage",
        "sections of the spec that some row rests on",
        (covered, about.sections.len() as u64),
        (least > 0.0).then_some(Limit::Least(least)),
        missing.iter().take(EXAMPLES).map(example).collect(),
        "ask for more domains, subdomains or topics",
    )
}

fn finding(
    rule: &str,
    what: &str,
    (count, of): (u64, u64),
    limit: Option<Limit>,
    examples: Vec<Example>,
    help: &str,
) -> Finding {
    let mut finding = Finding {
        rule: rule.to_owned(),
        what: what.to_owned(),
        count,
        of,
        limit,
        passed: true,
        examples,
        help: help.to_owned(),
    };
    finding.passed = of == 0 || limit.is_none_or(|limit| limit.allows(finding.share()));
    finding
}
