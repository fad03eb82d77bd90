//! An instruction mix: imported rows, filtered, with identity rows among them, to an exact budget of tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use ledger::{Dollars, Item};
use llm::Ask;
use serde_json::{Map, Value, json};
use store::IdBuilder;

use crate::chats::Verdict;
use crate::chats::others::Others;
use crate::instructions::conflict::{Judge, Judged};
use crate::instructions::conversation::Conversation;
use crate::instructions::identity::{foreign_identity, identity_rows};
use crate::instructions::import::Imported;
use crate::{Brief, Record, Tally, WritingError};

/// The settings of an instruction mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixSettings {
    /// How many tokens it has; all rows if `None`.
    pub tokens: Option<u64>,
    /// Shortest imported row, in tokens.
    pub min_row_tokens: u64,
    /// Longest imported row, in tokens.
    pub max_row_tokens: u64,
    /// Made-up rows about who the assistant is.
    pub identity_rows: usize,
    /// Decides the order, and with it which rows are taken.
    pub seed: u64,
}

impl Default for MixSettings {
    /// All rows of up to 4,096 tokens, and no identity rows.
    fn default() -> MixSettings {
        MixSettings { tokens: None, min_row_tokens: 1, max_row_tokens: 4_096, identity_rows: 0, seed: 0 }
    }
}

/// What became of all rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MixReport {
    /// Rows of the files.
    pub imported: usize,
    /// Rows that cannot be trained on, by file; see [`Imported::unusable`].
    pub unusable: BTreeMap<String, usize>,
    /// Rows that the tokenizer refuses.
    pub untokenised: usize,
    /// Rows that occur more than once, less the first of each.
    pub repeated: usize,
    /// Rows that are too short.
    pub too_short: usize,
    /// Rows that are too long.
    pub too_long: usize,
    /// Rows in which the assistant claims to be another, by the name that it claims.
    pub foreign: BTreeMap<String, usize>,
    /// What the critic said of the rows that it was shown.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Rows that got no verdict in this run because calls failed. While there are any, nothing is kept or recorded: the next
    /// run has all verdicts that are there already, and asks for these again.
    pub pending: usize,
    /// Identity rows in the mix.
    pub identity_rows: usize,
    /// Identity rows that were asked for.
    pub identity_wanted: usize,
    /// Rows in the mix, identity rows among them.
    pub kept: usize,
    /// Their tokens.
    pub tokens: u64,
    /// Rows that would have been good, for which there was no room.
    pub left_over: usize,
    /// Calls of the critic.
    pub calls: u64,
    /// Tokens that the critic read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// What it cost.
    pub cost: Dollars,
}

/// A row that may be taken.
struct Candidate {
    order: String,
    row: Conversation,
    tokens: u64,
    origin: Value,
}

/// Makes a mix out of imported files, and records its rows. `count` says how many tokens a row is. With a `judge`, a critic
/// sees every row before it is taken, and only those: a row that does not pass makes room for the next one.
///
/// # Errors
/// When the run is ending, a template does not render, or nothing can be recorded.
pub async fn mix<A: Ask, R: Record>(
    files: &[Imported],
    settings: &MixSettings,
    brief: &Brief,
    mut count: impl FnMut(&Conversation) -> Result<usize, String>,
    judge: Option<&Judge<'_, A>>,
    record: &R,
) -> Result<MixReport, WritingError> {
    let mut report = MixReport { identity_wanted: settings.identity_rows, ..MixReport::default() };
    let mut own = Vec::new();
    for (index, row) in
        identity_rows(&brief.model_name, &brief.provider_name, settings.identity_rows).into_iter().enumerate()
    {
        match count(&row) {
            Ok(tokens) => {
                own.push(candidate(settings.seed, row, tokens as u64, json!({"identity": index + 1})))
            }
            Err(_) => report.untokenised += 1,
        }
    }
    let rest = imported(
        files,
        settings,
        &Others::new(&brief.model_name, &brief.provider_name),
        &mut count,
        &mut report,
    );
    let budget = settings.tokens.unwrap_or(u64::MAX);
    let lengths: Vec<u64> = own.iter().map(|row| row.tokens).collect();
    let taken = fill(budget, &lengths);
    report.identity_rows = taken.len();
    let left = budget - taken.iter().map(|index| lengths[*index]).sum::<u64>();
    let mut rows: Vec<(Candidate, Option<Judged>)> =
        keep(own, &taken).into_iter().map(|row| (row, None)).collect();
    let (chosen, dropped) = choose(rest, left, judge, &mut report).await?;
    rows.extend(chosen);
    if report.pending > 0 {
        // The next run may take those rows, and others would go: rows are recorded once all verdicts are there.
        return Ok(report);
    }
    rows.sort_by(|(left, _), (right, _)| left.order.cmp(&right.order));
    for (index, (row, judged)) in rows.iter().enumerate() {
        report.kept += 1;
        report.tokens += row.tokens;
        record.item(item(brief, format!("{:07}", index + 1), row, judged.as_ref(), None)).await?;
    }
    // Dropped rows stand behind all others, in their own order.
    for (index, (row, judged, reason)) in dropped.iter().enumerate() {
        record.item(item(brief, format!("9{:07}", index + 1), row, judged.as_ref(), Some(reason))).await?;
    }
    record.flush().await?;
    Ok(report)
}

/// The rows of the files that pass the filters, in the order of their hashes.
fn imported(
    files: &[Imported],
    settings: &MixSettings,
    others: &Others,
    count: &mut impl FnMut(&Conversation) -> Result<usize, String>,
    report: &mut MixReport,
) -> Vec<Candidate> {
    let mut rows: Vec<Candidate> = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        report.imported += file.rows.len() + file.unusable.len();
        if !file.unusable.is_empty() {
            *report.unusable.entry(file.file_name.clone()).or_insert(0) += file.unusable.len();
        }
        for (number, row) in &file.rows {
            if let Some(name) = foreign_identity(row, others) {
                *report.foreign.entry(name.to_string()).or_insert(0) += 1;
                continue;
            }
            let tokens = match count(row) {
                Ok(tokens) => tokens as u64,
                Err(_) => {
                    report.untokenised += 1;
                    continue;
                }
            };
            let origin = json!({"file": file.file_name, "file_hash": file.hash, "row": number});
            let row = candidate(settings.seed, row.clone(), tokens, origin);
            if tokens < settings.min_row_tokens {
                report.too_short += 1;
            } else if tokens > settings.max_row_tokens {
                report.too_long += 1;
            } else if !seen.insert(row.order.clone()) {
                report.repeated += 1;
            } else {
                rows.push(row);
            }
        }
    }
    rows.sort_by(|left, right| left.order.cmp(&right.order));
    rows
}

fn candidate(seed: u64, row: Conversation, tokens: u64, origin: Value) -> Candidate {
    let order =
        IdBuilder::new("instruction").number("seed", seed).text("row", &row.json()).finish().to_string();
    Candidate { order, row, tokens, origin }
}

/// The candidates at these places, in order.
fn keep(rows: Vec<Candidate>, taken: &[usize]) -> Vec<Candidate> {
    let taken: BTreeSet<usize> = taken.iter().copied().collect();
    rows.into_iter().enumerate().filter(|(index, _)| taken.contains(index)).map(|(_, row)| row).collect()
}

type Chosen = Vec<(Candidate, Option<Judged>)>;
type Dropped = Vec<(Candidate, Option<Judged>, String)>;

/// Which of the rows with these lengths to take for the budget, in their order.
fn fill(budget: u64, lengths: &[u64]) -> Vec<usize> {
    let Ok(mut rows) = budget::fill(budget, |row| Ok::<_, Infallible>(lengths.get(row).copied()));
    rows.sort_unstable();
    rows
}

/// The rows that fill the budget, and those that the critic did not pass. Rows are chosen as if all were good; those chosen
/// are judged; while some of them fail, others are chosen in their place.
async fn choose<A: Ask>(
    rows: Vec<Candidate>,
    budget: u64,
    judge: Option<&Judge<'_, A>>,
    report: &mut MixReport,
) -> Result<(Chosen, Dropped), WritingError> {
    let mut judged: BTreeMap<usize, Judged> = BTreeMap::new();
    let good = |judged: &BTreeMap<usize, Judged>, index: usize| judged.get(&index).is_none_or(Judged::passes);
    let chosen = loop {
        let open: Vec<usize> = (0..rows.len()).filter(|index| good(&judged, *index)).collect();
        let lengths: Vec<u64> = open.iter().map(|index| rows[*index].tokens).collect();
        let chosen: Vec<usize> = fill(budget, &lengths).into_iter().map(|place| open[place]).collect();
        let Some(judge) = judge else { break chosen };
        let unseen: Vec<usize> = chosen.iter().copied().filter(|index| !judged.contains_key(index)).collect();
        if unseen.is_empty() {
            break chosen;
        }
        let conversations: Vec<(usize, &Conversation)> =
            unseen.iter().map(|index| (*index, &rows[*index].row)).collect();
        for (index, verdict) in judge.all(&conversations).await? {
            report.spend(&verdict);
            judged.insert(index, verdict);
        }
    };
    let taken: BTreeSet<usize> = chosen.into_iter().collect();
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    for (index, row) in rows.into_iter().enumerate() {
        let verdict = judged.remove(&index);
        if taken.contains(&index) {
            kept.push((row, verdict));
        } else if let Some(reason) = verdict.as_ref().and_then(Judged::reason) {
            dropped.push((row, verdict, reason));
        } else {
            report.left_over += 1;
        }
    }
    Ok((kept, dropped))
}

impl MixReport {
    fn spend(&mut self, judged: &Judged) {
        match judged.verdict() {
            Some(verdict) => *self.verdicts.entry(verdict).or_insert(0) += 1,
            None => self.pending += 1,
        }
        self.calls += judged.trail.calls;
        self.input_tokens += judged.trail.input;
        self.output_tokens += judged.trail.output;
        self.cost += judged.trail.cost;
    }

    /// The same in the figures that all pipelines share. Asked for is every row that was in question: those that had to go,
    /// and those that are kept; rows for which there was no room were never in question.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            kept: self.kept as u64,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost: self.cost,
            passing: self.pending as u64,
            ..Tally::default()
        };
        tally.drop("cannot be trained on", (self.unusable.values().sum::<usize>() + self.untokenised) as u64);
        tally.drop("occurs more than once", self.repeated as u64);
        tally.drop("too short", self.too_short as u64);
        tally.drop("too long", self.too_long as u64);
        tally.drop("claims to be another assistant", self.foreign.values().sum::<usize>() as u64);
        for (verdict, rows) in self.verdicts.iter().filter(|(verdict, _)| **verdict != Verdict::Pass) {
            tally.drop(verdict.name(), *rows as u64);
        }
        tally.asked = tally.kept + tally.passing + tally.dropped.values().sum::<u64>();
        tally
    }

    /// How far below the budget the mix ended.
    pub fn short_of(&self, budget: u64) -> u64 {
        budget.saturating_sub(self.tokens)
    }
}

fn item(
    brief: &Brief,
    path: String,
    row: &Candidate,
    judged: Option<&Judged>,
    reason: Option<&String>,
) -> Item {
    let mut about = Map::new();
    about.insert("corpus".to_string(), brief.name.clone().into());
    about.insert("path".to_string(), path.clone().into());
    about.insert("source".to_string(), row.origin.clone());
    about.insert("tokens".to_string(), row.tokens.into());
    if let Some(judged) = judged {
        judged.describe(&mut about);
    }
    Item {
        corpus: brief.corpus.clone(),
        path,
        kept: reason.is_none(),
        reason: reason.cloned(),
        row: row.row.json(),
        provenance: Value::Object(about).to_string(),
    }
}
