//! Example dialogues: fenced blocks with `<user>`, `<assistant>` and `<comparison>`.

use std::ops::Range;

use crate::{Block, Spec};

/// What a spec says about an answer in an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `<!-- GOOD -->`
    Good,
    /// `<!-- BAD -->`
    Bad,
}

/// One message of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The name of the tag, for example `user`.
    pub role: String,
    /// What follows the role in the tag, for example `recipient="python"`.
    pub attributes: String,
    /// The text between the tags, without the comment that judges it and without line breaks around it.
    pub text: String,
    /// Whether the example calls it good or bad.
    pub verdict: Option<Verdict>,
    /// Why, if the example says so: `<!-- BAD: too long -->`.
    pub why: String,
    /// Whether it is one of several answers that are compared.
    pub compared: bool,
    /// The line of the opening tag, counted from 1.
    pub line: usize,
}

/// A fenced dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// The index in [`Spec::blocks`].
    pub block: usize,
    /// The number of the section that it stands in; 0 is the preamble.
    pub section: usize,
    /// The messages in order.
    pub turns: Vec<Turn>,
    /// The first line with a tag that is not closed, or closes nothing.
    pub broken: Option<usize>,
}

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "platform"];

impl Spec {
    /// The dialogues in order: the blocks that are fenced as `xml`, or as nothing, and have messages in them.
    pub fn dialogues(&self) -> Vec<Dialogue> {
        let mut found = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            let language = block.info.split_whitespace().next().unwrap_or("");
            if language.is_empty() || language.eq_ignore_ascii_case("xml") {
                let (turns, broken) = turns(block);
                if !turns.is_empty() {
                    let section = self.part_at(block.span.start);
                    found.push(Dialogue { block: index, section, turns, broken });
                }
            }
        }
        found
    }

    /// The number of the part that a byte position lies in.
    pub(crate) fn part_at(&self, position: usize) -> usize {
        self.sections.partition_point(|section| section.span.start - section.heading.len() <= position)
    }
}

/// A message whose closing tag has not come yet.
struct Open {
    role: &'static str,
    attributes: String,
    line: usize,
    text: Range<usize>,
    verdict: Option<Verdict>,
    why: String,
}

fn turns(block: &Block) -> (Vec<Turn>, Option<usize>) {
    let mut turns = Vec::new();
    let mut broken = None;
    let mut open: Option<Open> = None;
    let mut comparison: Option<usize> = None;
    let mut position = 0;
    for (index, raw) in block.body.split_inclusive('\n').enumerate() {
        let start = position;
        position += raw.len();
        let line = block.line + 1 + index;
        let text = raw.trim();
        if let Some(message) = &mut open {
            if text == format!("</{}>", message.role) {
                message.text.end = start;
                turns.extend(open.take().map(|message| turn(message, &block.body, comparison.is_some())));
            }
            continue;
        }
        match text {
            "<comparison>" => comparison = Some(line),
            "</comparison>" if comparison.take().is_none() => broken = broken.or(Some(line)),
            _ => match opening(text) {
                Some((role, rest)) => {
                    let (tag, judged) = rest.split_once('>').unwrap_or((rest, ""));
                    let (verdict, why) = verdict(judged);
                    let attributes = tag.trim().to_string();
                    open = Some(Open { role, attributes, line, text: position..position, verdict, why });
                }
                None if ROLES.iter().any(|role| text == format!("</{role}>")) => {
                    broken = broken.or(Some(line))
                }
                None => {}
            },
        }
    }
    let unclosed = open.map(|message| message.line).or(comparison);
    (turns, broken.into_iter().chain(unclosed).min())
}

/// The role and the rest of a line that opens a message.
fn opening(text: &str) -> Option<(&'static str, &str)> {
    let rest = text.strip_prefix('<')?;
    ROLES.into_iter().find_map(|role| {
        let rest = rest.strip_prefix(role)?;
        rest.starts_with(['>', ' ']).then_some((role, rest))
    })
}

/// The judgement in a comment such as `<!-- BAD: too long -->`.
fn verdict(text: &str) -> (Option<Verdict>, String) {
    let Some(comment) = text.trim().strip_prefix("<!--").and_then(|text| text.strip_suffix("-->")) else {
        return (None, String::new());
    };
    let comment = comment.trim();
    let (word, why) = comment.split_once(':').unwrap_or((comment, ""));
    let verdict = match word.trim() {
        "GOOD" => Some(Verdict::Good),
        "BAD" => Some(Verdict::Bad),
        _ => return (None, String::new()),
    };
    (verdict, why.trim().to_string())
}

fn turn(message: Open, body: &str, compared: bool) -> Turn {
    Turn {
        role: message.role.to_string(),
        attributes: message.attributes,
        text: body[message.text].trim_matches(['\n', '\r']).to_string(),
        verdict: message.verdict,
        why: message.why,
        compared,
        line: message.line,
    }
}
