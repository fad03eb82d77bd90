//! Reads a corpus row by row, and says what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writing::chats::others::Others;

use crate::finding::{Breach, Example, Finding, Limit};
use crate::gates::Gates;
use crate::minhash::{Signature, near_duplicates};
use crate::overlap::HeldOut;
use crate::phrases::{Phrases, find_run};
use crate::rules::{self, Kind};

/// Jaccard similarity from which a row nearly repeats another.
const NEAR: f64 = 0.7;
/// Rows that a finding shows.
const EXAMPLES: usize = 5;

/// A row as the audit sees it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its place in the plan, or its number.
    pub place: &'a str,
    /// All of it: a document, or the messages of a chat, one below the other.
    pub text: &'a str,
    /// What the assistant says in it; all of it for a document.
    pub own: &'a str,
    /// Where it came from, if that is known.
    pub provenance: Option<&'a Value>,
}

/// What an audit needs to know about a corpus.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is of documents: they name the assistant and give reasons.
    pub documents: bool,
    /// What the assistant is called.
    pub model_name: &'a str,
    /// Who makes it.
    pub provider_name: &'a str,
    /// How many rows it has.
    pub rows: u64,
    /// The spec's sections, by id, with their titles; empty if it was not written from one.
    pub sections: Vec<(String, String)>,
    /// The spec's text; empty if there is none. A name that stands in it is no tic.
    pub spec: &'a str,
    /// The items of evaluations.
    pub held_out: &'a HeldOut,
}

/// An audit under way.
pub struct Auditor<'a> {
    about: About<'a>,
    others: Others,
    counts: BTreeMap<&'static str, (u64, Vec<Example>)>,
    signatures: Vec<Signature>,
    places: Vec<String>,
    phrases: Phrases,
    coverage: BTreeMap<String, u64>,
    groups: BTreeMap<String, u64>,
    lengths: Vec<u32>,
    scratch: Vec<u64>,
    rows: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// The corpus.
    pub corpus: String,
    /// Its rows.
    pub rows: u64,
    /// All findings, those whose gate is not passed first.
    pub findings: Vec<Finding>,
    /// Words of a row.
    pub lengths: Histogram,
    /// Rows by domain or topic.
    pub groups: BTreeMap<String, u64>,
    /// Rows by section of the spec: id, title, rows.
    pub coverage: Vec<(String, String, u64)>,
}

/// How long rows are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The width of a bin, in words.
    pub width: u32,
    /// Rows of each bin, from 0 words on.
    pub bins: Vec<u64>,
    /// The shortest, the median, the longest row, in words.
    pub quantiles: [u32; 3],
}

impl<'a> Auditor<'a> {
    /// Of a corpus.
    pub fn new(about: About<'a>) -> Auditor<'a> {
        Auditor {
            others: Others::new(about.model_name, about.provider_name),
            counts: BTreeMap::new(),
            signatures: Vec::new(),
            places: Vec::new(),
            phrases: Phrases::new(about.rows),
            coverage: BTreeMap::new(),
            groups: BTreeMap::new(),
            lengths: Vec::new(),
            scratch: Vec::new(),
            rows: 0,
            about,
        }
    }

    /// Reads the next row.
    pub fn see(&mut self, row: Row) {
        let (place, text) = (row.place, row.text);
        if let Some((kind, why)) = rules::fault(row.own, &self.others) {
            let rule = match kind {
                Kind::WrongName => "wrong-name",
                Kind::Placeholder => "placeholder",
                Kind::Refusal => "refusal",
                Kind::Residue => "residue",
            };
            self.count(rule, place, &format!("{why}: {}", excerpt(row.own)));
        } else if rules::is_cut(row.own) {
            let tail: String =
                row.own.trim_end().chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
            self.count(
                "residue",
                place,
                &format!("ends in the middle of a sentence: ...{}", one_line(&tail)),
            );
        }
        if self.about.documents {
            if row.own.contains(self.about.model_name) {
                self.count("right-name", place, "");
            }
            if rules::gives_reason(row.own) {
                self.count("reason", place, "");
            }
            if let Some(words) = rules::evaluation_format(text) {
                self.count(
                    "contamination",
                    place,
                    &format!("the form of an evaluation, `{words}`: {}", excerpt(text)),
                );
            }
        }
        if let Some(item) = self.about.held_out.find(text) {
            let item = excerpt(item);
            self.count(
                "contamination",
                place,
                &format!("shares words with the evaluation item `{item}`: {}", excerpt(text)),
            );
        }
        self.signatures.push(Signature::of(text, &mut self.scratch));
        self.places.push(place.to_owned());
        self.phrases.see(self.rows, place, row.own);
        self.lengths.push(text.split_whitespace().count() as u32);
        if let Some(provenance) = row.provenance {
            for id in provenance["section_ids"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                *self.coverage.entry(id.to_owned()).or_default() += 1;
            }
            let group = provenance["domain"].as_str().or(provenance["topic"].as_str());
            if let Some(group) = group {
                *self.groups.entry(group.to_owned()).or_default() += 1;
            }
        }
        self.rows += 1;
    }

    /// Ends the audit. `text` gives a row's text again, by its number, for the few that are compared.
    pub fn finish(mut self, gates: &Gates, text: impl Fn(usize) -> String + Sync) -> Audit {
        let near = near_duplicates(&self.signatures, NEAR, &text);
        for near in &near {
            let (place, earlier) = (self.places[near.text].clone(), &self.places[near.earlier]);
            let excerpt = format!("{:.0}% of {earlier}", 100.0 * near.similarity);
            self.count("near-duplicate", &place, &excerpt);
        }
        self.phrase(&text);
        let mut findings = self.findings(gates);
        findings.sort_by_key(|finding| finding.passed);
        let titles = std::mem::take(&mut self.about.sections);
        let rows = |id: &str| self.coverage.get(id).copied().unwrap_or(0);
        Audit {
            corpus: self.about.name.to_owned(),
            rows: self.rows,
            findings,
            lengths: histogram(self.lengths),
            groups: self.groups,
            coverage: titles.into_iter().map(|(id, title)| (id.clone(), title, rows(&id))).collect(),
        }
    }

    fn count(&mut self, rule: &'static str, place: &str, excerpt: &str) {
        let (count, examples) = self.counts.entry(rule).or_default();
        *count += 1;
        if examples.len() < EXAMPLES && !excerpt.is_empty() {
            examples.push(Example { row: place.to_owned(), excerpt: excerpt.to_owned() });
        }
    }

    /// The words of the most frequent run.
    fn phrase(&mut self, text: &(impl Fn(usize) -> String + Sync)) {
        let Some((count, of, hash, place)) = self.phrases.most() else { return };
        let place = place.to_owned();
        let words =
            self.places.iter().position(|other| *other == place).and_then(|row| find_run(&text(row), hash));
        // Given as a share of the sample, in rows of the corpus.
        let rows = if of == 0 { 0 } else { (count * self.rows).div_ceil(of) };
        let words = words.unwrap_or_default();
        self.counts
            .insert("repeated-phrase", (rows, vec![Example { row: place, excerpt: format!("\"{words}\"") }]));
    }

    fn findings(&mut self, gates: &Gates) -> Vec<Finding> {
        let (rows, documents) = (self.rows, self.about.documents);
        let most = |limit: f64| Some(Limit::Most(limit));
        let mut found = Vec::new();
        let mut add = |rule: &'static str, what: &str, limit: Option<Limit>, help: &str| {
            let (count, examples) = self.counts.remove(rule).unwrap_or_default();
            found.push(finding(rule, what, (count, rows), limit, examples, help));
        };
        add(
            "wrong-name",
            "rows that name another assistant or its maker",
            most(gates.max_wrong_names),
            "a corpus must call its model by one name: rename them with `whyfirst spec transform rename`, or drop the rows",
        );
        add(
            "near-duplicate",
            "rows that nearly repeat an earlier one",
            most(gates.max_near_duplicates),
            "ask for more types and fewer ideas of each, or drop the repeats",
        );
        add("refusal", "refusals", most(gates.max_refusals), "drop the rows, and see why the writer refused");
        add(
            "residue",
            "rows with notes of a writer, tags of prompts, or an end that is cut off",
            most(gates.max_residue),
            "drop the rows; if there are many, the text budget of the writer is too small or its prompt is unclear",
        );
        add(
            "placeholder",
            "rows with a blank to be filled in",
            most(gates.max_placeholders),
            "drop the rows, or fill the blanks in the spec",
        );
        add(
            "contamination",
            "rows that share text with an evaluation, or have its form",
            most(gates.max_contamination),
            "drop the rows: a model that has read them can no longer be asked these items",
        );
        add(
            "repeated-phrase",
            "rows that share the most frequent run of eight words",
            // Short replies share turns of phrase that documents do not: there it is shown, and stops nothing.
            documents.then_some(Limit::Most(gates.max_repeated_phrase)),
            "a phrase of the writer's, or of the prompt's: forbid it in the prompt",
        );
        if let Some((count, name, place)) = self.phrases.most_named(self.about.spec) {
            let examples = vec![Example { row: place.to_owned(), excerpt: name.to_owned() }];
            found.push(finding(
                "repeated-name",
                "rows in which the most frequent person's name occurs",
                (count, rows),
                most(gates.max_repeated_name),
                examples,
                "people in documents have roles, not names: say so in the prompt",
            ));
        }
        if self.about.documents {
            let mut least = |rule: &'static str, what: &str, limit: f64, help: &str| {
                let (count, _) = self.counts.remove(rule).unwrap_or_default();
                found.push(finding(rule, what, (count, rows), Some(Limit::Least(limit)), Vec::new(), help));
            };
            least(
                "right-name",
                "documents that name the assistant",
                gates.min_right_names,
                "a document that does not name the assistant teaches nothing about it",
            );
            least(
                "reason",
                "documents that give a reason",
                gates.min_reasons,
                "explaining is what these documents are for",
            );
        }
        if !self.about.sections.is_empty() {
            let ids: BTreeSet<&String> = self.about.sections.iter().map(|(id, _)| id).collect();
            let covered = ids.iter().filter(|id| self.coverage.contains_key(**id)).count() as u64;
            let missing = self.about.sections.iter().filter(|(id, _)| !self.coverage.contains_key(id));
            let examples = missing
                .take(EXAMPLES)
                .map(|(id, title)| Example { row: id.clone(), excerpt: title.clone() })
                .collect();
            found.push(finding(
                "coverage",
                "sections of the spec that some row rests on",
                (covered, ids.len() as u64),
                // Chats are about situations, of which there are fewer than sections.
                documents.then_some(Limit::Least(gates.min_coverage)),
                examples,
                "ask for more domains, subdomains or topics",
            ));
        }
        found
    }
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

impl Audit {
    /// The gates that are not passed.
    pub fn breaches(&self) -> Vec<Breach> {
        self.findings.iter().filter_map(|finding| finding.breach(&self.corpus)).collect()
    }
}

/// Bins of a histogram, about.
const BINS: u32 = 24;

fn histogram(mut lengths: Vec<u32>) -> Histogram {
    lengths.sort_unstable();
    let Some(&longest) = lengths.last() else { return Histogram::default() };
    let width = longest.div_ceil(BINS).max(1);
    let mut bins = vec![0; (longest / width) as usize + 1];
    for length in &lengths {
        bins[(length / width) as usize] += 1;
    }
    Histogram { width, bins, quantiles: [lengths[0], lengths[lengths.len() / 2], longest] }
}

/// The beginning of a text on one line.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    let line = one_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None => line,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
