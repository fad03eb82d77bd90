//! Reads a corpus row by row, and says what is wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use writing::chats::others::Others;

use crate::document::{Document, Documents};
use crate::error::Result;
use crate::excerpt::{around, beginning, end};
use crate::finding::{Breach, Example, Finding};
use crate::findings::findings;
use crate::gates::Gates;
use crate::histogram::Histogram;
use crate::overlap::HeldOut;
use crate::phrases::{Phrases, find_run};
use crate::rules::{self, Kind};
use crate::similar::{THRESHOLD, near_duplicates};

/// Rows that a finding shows.
pub(crate) const EXAMPLES: usize = 5;

/// What an audit needs to know about a corpus.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is of documents: they name the assistant and give reasons.
    pub documents: bool,
    /// What the assistant is called, and who makes it; without these names are not looked at.
    pub names: Option<(&'a str, &'a str)>,
    /// The spec's sections, by id, with their titles; empty if it was not written from one.
    pub sections: Vec<(String, String)>,
    /// The spec's text; empty if there is none. A name that stands in it is no tic, and nobody else's.
    pub spec: &'a str,
    /// The items of evaluations.
    pub held_out: &'a HeldOut,
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

impl Audit {
    /// The gates that are not passed.
    pub fn breaches(&self) -> Vec<Breach> {
        self.findings.iter().filter_map(|finding| finding.breach(&self.corpus)).collect()
    }
}

/// Audits a corpus. Only counts and a few examples of it are in memory.
///
/// # Errors
/// When a row cannot be read.
pub fn audit(documents: &dyn Documents, about: &About, gates: &Gates) -> Result<Audit> {
    let mut seen = Seen { rows: documents.len() as u64, ..Seen::default() };
    let others = about.names.map(|(model, provider)| Others::new(model, provider));
    let mut phrases = Phrases::new(seen.rows);
    let mut lengths = Vec::new();
    for index in 0..documents.len() {
        let (document, origin) = (documents.document(index)?, documents.origin(index)?);
        let place = documents.id(index)?;
        let own = document.own();
        seen.faults(&place, &own, others.as_ref());
        seen.contents(&place, &document, about);
        phrases.see(index as u32, &own);
        lengths.push(document.text.split_whitespace().count() as u32);
        for id in &origin.section_ids {
            *seen.coverage.entry(id.clone()).or_default() += 1;
        }
        if let Some(group) = origin.subject() {
            *seen.groups.entry(group.to_owned()).or_default() += 1;
        }
    }
    seen.repeats(documents)?;
    seen.tics(documents, &phrases, about)?;
    let mut findings = findings(&mut seen, about, gates);
    findings.sort_by_key(|finding| finding.passed);
    let rows = |id: &str| seen.coverage.get(id).copied().unwrap_or(0);
    Ok(Audit {
        corpus: about.name.to_owned(),
        rows: seen.rows,
        findings,
        lengths: Histogram::of(lengths),
        coverage: about.sections.iter().map(|(id, title)| (id.clone(), title.clone(), rows(id))).collect(),
        groups: seen.groups,
    })
}

/// What was counted.
#[derive(Default)]
pub(crate) struct Seen {
    pub rows: u64,
    /// By rule: how many rows, and a few that show what is wrong. For what rows should have those are rows that lack it.
    pub counts: BTreeMap<&'static str, (u64, Vec<Example>)>,
    /// Rows by section of the spec.
    pub coverage: BTreeMap<String, u64>,
    groups: BTreeMap<String, u64>,
}

impl Seen {
    /// What is wrong with a row by itself.
    fn faults(&mut self, place: &str, own: &str, others: Option<&Others>) {
        if let Some(fault) = rules::fault(own, others) {
            let rule = match fault.kind {
                Kind::WrongName => "wrong-name",
                Kind::Placeholder => "placeholder",
                Kind::Refusal => "refusal",
                Kind::Residue => "residue",
            };
            let excerpt = fault.name.map_or_else(|| beginning(own), |name| around(own, name));
            self.found(rule, place, format!("{}: {excerpt}", fault.why));
        } else if rules::is_cut(own) {
            self.found("residue", place, format!("ends in the middle of a sentence: {}", end(own)));
        }
    }

    /// What a row should have, and what it should not share with evaluations.
    fn contents(&mut self, place: &str, document: &Document, about: &About) {
        let text = &document.text;
        if about.documents {
            let named = about.names.is_some_and(|(model, _)| text.contains(model));
            self.wanted("right-name", named, place, text);
            self.wanted("reason", rules::gives_reason(text), place, text);
        }
        if let Some((item, words)) = about.held_out.find(text) {
            let what = format!("`{words}` stands in the evaluation item `{}`", beginning(item));
            self.found("contamination", place, what);
        } else if about.documents
            && let Some(words) = rules::evaluation_format(text)
        {
            let what = format!("the form of an evaluation, `{words}`: ");
            self.found("contamination", place, what + &around(text, words));
        }
    }

    /// Rows that nearly repeat an earlier one.
    fn repeats(&mut self, documents: &dyn Documents) -> Result<()> {
        let similar = near_duplicates(&[documents], THRESHOLD)?;
        for repeat in &similar.repeats {
            // Texts are read again only for those that are shown.
            let shown = self.shown("near-duplicate") < EXAMPLES;
            let (place, excerpt) = match shown {
                true => {
                    let (row, of) = (repeat.row.row as usize, repeat.of.row as usize);
                    let text = documents.document(row)?.text;
                    let percent = 100.0 * repeat.similarity;
                    let excerpt = format!("{percent:.0}% of {}: {}", documents.id(of)?, beginning(&text));
                    (documents.id(row)?, excerpt)
                }
                false => Default::default(),
            };
            self.found("near-duplicate", &place, excerpt);
        }
        Ok(())
    }

    /// What comes back in row after row.
    fn tics(&mut self, documents: &dyn Documents, phrases: &Phrases, about: &About) -> Result<()> {
        if let Some((run, hash)) = phrases.run() {
            let document = documents.document(run.first as usize)?;
            let words = find_run(&document.own(), hash).unwrap_or_default();
            // Given as a share of the sample, in rows of the corpus.
            let rows = (run.rows * self.rows).div_ceil(phrases.sampled().max(1));
            let example = Example { row: documents.id(run.first as usize)?, excerpt: format!("\"{words}\"") };
            self.counts.insert("repeated-phrase", (rows, vec![example]));
        }
        if let Some((tic, words)) = phrases.opening() {
            let row = documents.id(tic.first as usize)?;
            let example = Example { row, excerpt: format!("\"{words}\"") };
            self.counts.insert("repeated-opening", (tic.rows, vec![example]));
        }
        // Neither a name of the spec nor the assistant's or its maker's is one that the writer came up with.
        let (model, provider) = about.names.unwrap_or_default();
        let known = format!("{}\n{model}\n{provider}", about.spec);
        if let Some((tic, name)) = phrases.name(&known) {
            let example = Example { row: documents.id(tic.first as usize)?, excerpt: name.to_owned() };
            self.counts.insert("repeated-name", (tic.rows, vec![example]));
        }
        Ok(())
    }

    fn shown(&self, rule: &str) -> usize {
        self.counts.get(rule).map_or(0, |(_, examples)| examples.len())
    }

    fn found(&mut self, rule: &'static str, place: &str, excerpt: String) {
        let (count, examples) = self.counts.entry(rule).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(Example { row: place.to_owned(), excerpt });
        }
    }

    fn wanted(&mut self, rule: &'static str, there: bool, place: &str, text: &str) {
        let (count, examples) = self.counts.entry(rule).or_default();
        *count += u64::from(there);
        if !there && examples.len() < EXAMPLES {
            examples.push(Example { row: place.to_owned(), excerpt: format!("not in: {}", beginning(text)) });
        }
    }
}
