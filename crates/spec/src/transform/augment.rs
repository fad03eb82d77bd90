//! Drafts that a model writes: the same spec with its reasons made explicit, or with more rules instead.
//!
//! The two are only comparable if they are equally long. So both get the same target for each section, and
//! [`Augmentation::balance`] says what to ask for again until they are.

use super::Transformed;
use crate::pieces::{Piece, PieceKind};
use crate::scan::{Place, Scanner};
use crate::{Spec, count_words, heading, pieces, preferences};

/// What is added to a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Augment {
    /// The reasons, made explicit.
    Value,
    /// More detailed rules, and no reasons.
    Rule,
}

impl Augment {
    /// `value-augmented` or `rule-augmented`.
    pub fn name(self) -> &'static str {
        match self {
            Augment::Value => "value-augmented",
            Augment::Rule => "rule-augmented",
        }
    }

    /// The other one.
    pub fn other(self) -> Augment {
        match self {
            Augment::Value => Augment::Rule,
            Augment::Rule => Augment::Value,
        }
    }
}

/// A section that is to be written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The section's number.
    pub number: usize,
    /// Its id, for example `S12`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its prose as written, without heading, examples and code; those are put back as they are.
    pub text: String,
    /// The words of that.
    pub words: usize,
    /// The words that the new prose should have.
    pub target_words: usize,
}

/// A spec that is to be written anew, section by section.
#[derive(Clone, Debug)]
pub struct Augmentation<'a> {
    spec: &'a Spec,
    /// The sections with prose, in order. All others stay as they are: the preamble, lists of preferences, the
    /// lab's block, sections of examples only.
    pub jobs: Vec<Job>,
}

/// The answers to the jobs, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What was added.
    pub augment: Augment,
    /// The new prose of each job's section.
    pub answers: Vec<String>,
}

/// One section to be asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redo {
    /// In which of the two drafts.
    pub augment: Augment,
    /// The index of the job.
    pub job: usize,
    /// The words to ask for.
    pub target_words: usize,
}

/// How two drafts compare in length.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// Words of the whole spec with the value-augmented draft.
    pub value_words: usize,
    /// Words of the whole spec with the rule-augmented draft.
    pub rule_words: usize,
    /// The difference as a share of the longer one.
    pub difference: f64,
    /// What to ask for again; empty if the drafts are within the tolerance.
    pub redo: Vec<Redo>,
}

/// The shortest target: below it there is no room for a reason.
const SHORTEST: usize = 30;

impl<'a> Augmentation<'a> {
    /// The jobs for a spec. Each section's target is `growth` times its words, for example 1.5.
    pub fn new(spec: &'a Spec, growth: f64) -> Augmentation<'a> {
        let mut jobs = Vec::new();
        for number in 1..=spec.sections.len() {
            if preferences::lists_preferences(spec, number) {
                continue;
            }
            let text = prose(spec, number);
            let words = count_words(&text);
            if words > 0 {
                let target_words = ((words as f64 * growth).round() as usize).max(SHORTEST);
                let (id, title) = (format!("S{number}"), spec.title_of(number).to_string());
                jobs.push(Job { number, id, title, text, words, target_words });
            }
        }
        Augmentation { spec, jobs }
    }

    /// Whether an answer can be a section's prose.
    ///
    /// # Errors
    /// If it is empty, has headings of its own, or a fenced block or comment in it is not closed: the message says which, for the one who asks
    /// again.
    pub fn check(&self, answer: &str) -> Result<(), String> {
        let answer = self.without_heading(answer);
        if count_words(answer) == 0 {
            return Err("the section is empty".to_string());
        }
        let mut scanner = Scanner::body(answer);
        let mut position = 0;
        let mut fenced = false;
        for raw in answer.split_inclusive('\n') {
            let line = raw.trim_end();
            match scanner.place(line, position) {
                Place::Opens(_) => fenced = true,
                Place::Closes => fenced = false,
                Place::Text if heading::atx(line).is_some() => {
                    return Err(format!("the section has a heading of its own: {}", line.trim()));
                }
                _ => {}
            }
            position += raw.len();
        }
        if fenced { Err("a fenced block in the section is not closed".to_string()) } else { Ok(()) }
    }

    /// The words of the whole spec with these answers.
    pub fn words(&self, draft: &Draft) -> usize {
        let before: usize = self.jobs.iter().map(|job| job.words).sum();
        let after: usize = draft.answers.iter().map(|answer| count_words(self.without_heading(answer))).sum();
        count_words(self.spec.content()) - before.min(count_words(self.spec.content())) + after
    }

    /// Compares two drafts, and says which sections to ask for again so that their lengths differ by at most `tolerance`,
    /// a share such as 0.05.
    ///
    /// The sections that are farthest from their targets in the harmful direction come first. Each is asked for with its
    /// target, or with less of a change if that is enough to make the drafts equal; no more are named than are needed if the
    /// writer does as it is asked.
    pub fn balance(&self, value: &Draft, rule: &Draft, tolerance: f64) -> Balance {
        let (value_words, rule_words) = (self.words(value), self.words(rule));
        let difference = share(value_words, rule_words);
        let (long, short) = if value_words > rule_words { (value, rule) } else { (rule, value) };
        let (mut longer, mut shorter) = (value_words.max(rule_words), value_words.min(rule_words));
        let mut candidates = self.excesses(long, true);
        candidates.extend(self.excesses(short, false));
        // The largest first; ties in the order of the file, the longer draft before the shorter.
        candidates.sort_by_key(|(excess, ..)| std::cmp::Reverse(*excess));
        let mut redo = Vec::new();
        for (excess, is_long, job, words) in candidates {
            let gap = longer - shorter;
            if share(longer, shorter) <= tolerance {
                break;
            }
            let change = excess.min(gap);
            let (augment, target_words) = if is_long {
                longer -= change;
                (long.augment, words - change)
            } else {
                shorter += change;
                (short.augment, words + change)
            };
            redo.push(Redo { augment, job, target_words });
        }
        Balance { value_words, rule_words, difference, redo }
    }

    /// By how many words each answer is too long, or too short, where it is; with that, the job, and its words.
    fn excesses(&self, draft: &Draft, is_long: bool) -> Vec<(usize, bool, usize, usize)> {
        let pairs = self.jobs.iter().zip(&draft.answers).enumerate();
        let all = pairs.map(|(job, (target, answer))| {
            let words = count_words(self.without_heading(answer));
            let (more, less) =
                if is_long { (words, target.target_words) } else { (target.target_words, words) };
            (more.saturating_sub(less), is_long, job, words)
        });
        all.filter(|(excess, ..)| *excess > 0).collect()
    }

    /// The spec with these answers: headings as they were, then the new prose, then the examples and code as they were.
    ///
    /// # Errors
    /// If there is not one answer for each job, or [`Augmentation::check`] refuses one.
    pub fn assemble(&self, draft: &Draft, parent_hash: &str) -> Result<Transformed, String> {
        if draft.answers.len() != self.jobs.len() {
            return Err(format!("{} answers for {} sections", draft.answers.len(), self.jobs.len()));
        }
        let mut content = self.spec.preamble.clone();
        let mut answers = self.jobs.iter().zip(&draft.answers).peekable();
        for number in 1..=self.spec.sections.len() {
            match answers.next_if(|(job, _)| job.number == number) {
                None => content.push_str(self.spec.own_text(number)),
                Some((job, answer)) => {
                    self.check(answer).map_err(|problem| format!("{} ({}): {problem}", job.id, job.title))?;
                    content.push_str(self.spec.sections[number - 1].heading.trim_end());
                    content.push_str("\n\n");
                    content.push_str(self.without_heading(answer).trim());
                    content.push_str("\n\n");
                    content.push_str(&rest(self.spec, number));
                }
            }
        }
        let content = format!("{}\n", content[self.spec.provenance_length()..].trim_end());
        Ok(Transformed::new(draft.augment.name(), parent_hash, &content, Vec::new()))
    }

    /// An answer without the section's heading, which writers often repeat.
    fn without_heading<'b>(&self, answer: &'b str) -> &'b str {
        let answer = answer.trim();
        let (first, rest) = answer.split_once('\n').unwrap_or((answer, ""));
        if heading::atx(first).is_some() { rest.trim_start() } else { answer }
    }
}

fn share(a: usize, b: usize) -> f64 {
    match a.max(b) {
        0 => 0.0,
        longer => a.abs_diff(b) as f64 / longer as f64,
    }
}

/// Whether each piece is one that stays: examples with the line that announces them, code, tables, comments.
fn stays(spec: &Spec, pieces: &[Piece]) -> Vec<bool> {
    pieces
        .iter()
        .map(|piece| match piece.kind {
            PieceKind::Fence
            | PieceKind::Code
            | PieceKind::Table
            | PieceKind::Comment
            | PieceKind::FrontMatter => true,
            PieceKind::Footnote => true,
            _ => piece.announces_example(spec),
        })
        .collect()
}

/// The prose of a section.
fn prose(spec: &Spec, number: usize) -> String {
    part(spec, number, false)
}

/// What stays of a section.
fn rest(spec: &Spec, number: usize) -> String {
    part(spec, number, true)
}

fn part(spec: &Spec, number: usize, wanted: bool) -> String {
    let pieces = pieces::of_part(spec, number);
    let stays = stays(spec, &pieces);
    let mut text = String::new();
    for (piece, stays) in pieces.iter().zip(stays) {
        if piece.kind == PieceKind::Blank {
            if !text.is_empty() && !text.ends_with("\n\n") {
                text.push('\n');
            }
        } else if stays == wanted {
            text.push_str(&spec.text[piece.span.clone()]);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    match text.trim_end() {
        "" => String::new(),
        trimmed if wanted => format!("{trimmed}\n\n"),
        trimmed => trimmed.to_string(),
    }
}
