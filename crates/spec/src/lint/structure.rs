//! Findings about the shape of a spec: what is empty, twice there, too long, or never closed.

use std::collections::BTreeMap;

use super::{Finding, LintOptions, Severity, at, counted, in_section};
use crate::scan::opens;
use crate::{Block, Spec, estimate_tokens, heading, pieces};

/// Bodies shorter than this, in characters, may be the same by chance.
const SAME_TEXT: usize = 40;

/// Above this many tokens a spec is more than planners can be shown.
const VERY_LARGE: usize = 200_000;

/// Above this many no planner can be shown even the outline: what people call a spec is a tenth of it.
const TOO_LARGE: usize = 1_000_000;

/// What makes a spec one that nothing can be made from: no text, no headings, or too much of both. `None` for all others.
pub fn unusable(spec: &Spec) -> Option<Finding> {
    let readable = (0..=spec.sections.len())
        .any(|number| pieces::of_part(spec, number).iter().any(|piece| piece.kind.is_readable()));
    let (rule, message, help) = if !readable && spec.sections.is_empty() {
        ("empty-spec", "the spec is empty", "write what {model_name} is to do, and why, below headings")
    } else if spec.sections.is_empty() {
        let help =
            "give each principle a heading such as `## Honesty`: documents are planned section by section";
        ("no-headings", "the spec has no headings", help)
    } else if !readable {
        ("empty-spec", "the spec has headings and no text", "write below each heading what is meant, and why")
    } else if let tokens = estimate_tokens(spec.content())
        && tokens > TOO_LARGE
    {
        let message =
            format!("the spec has about {tokens} tokens, and no more than {TOO_LARGE} can be planned from");
        let help = "divide it into several specs, or leave out what no document should speak of";
        return Some(at(spec, 0, "too-large", Severity::Error, message, help));
    } else {
        return None;
    };
    Some(at(spec, 0, rule, Severity::Error, message.to_string(), help))
}

/// All findings about the shape.
pub fn find(spec: &Spec, options: &LintOptions, findings: &mut Vec<Finding>) {
    sizes(spec, options, findings);
    duplicates(spec, findings);
    let mut hides_headings = false;
    for block in &spec.blocks {
        hides_headings |= fence(spec, block, findings);
    }
    if !hides_headings {
        dialogues(spec, findings);
    }
}

fn sizes(spec: &Spec, options: &LintOptions, findings: &mut Vec<Finding>) {
    for number in 1..=spec.sections.len() {
        let empty = !pieces::of_part(spec, number).iter().any(|piece| piece.kind.is_readable());
        if empty && spec.nested(number).is_empty() {
            let message = format!("\"{}\" is empty", spec.title_of(number));
            let help = "write its text, or remove the heading";
            findings.push(in_section(spec, number, "empty-section", Severity::Warning, message, help));
        }
        let tokens = estimate_tokens(spec.own_text(number));
        if tokens > options.prompt_tokens {
            let message = format!(
                "\"{}\" has about {tokens} tokens without its subsections, and {} fit into one prompt",
                spec.title_of(number),
                options.prompt_tokens
            );
            let help = "divide it by subheadings, or raise the limit if your models can read more";
            findings.push(in_section(spec, number, "section-too-long", Severity::Warning, message, help));
        }
    }
    let tokens = estimate_tokens(spec.content());
    if tokens > VERY_LARGE {
        let message =
            format!("the spec has about {tokens} tokens; above {VERY_LARGE} planning is slow and costly");
        let help = "divide it into several specs, or leave out what no document should speak of";
        findings.push(at(spec, 0, "very-large", Severity::Warning, message, help));
    }
}

fn duplicates(spec: &Spec, findings: &mut Vec<Finding>) {
    let mut titles: BTreeMap<(Option<usize>, String), usize> = BTreeMap::new();
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for (index, section) in spec.sections.iter().enumerate() {
        let line_of = |first: usize| spec.sections[first].line;
        let title = section.title.to_lowercase();
        if let Some(first) =
            twice(&mut titles, (section.parent, title.clone()), index).filter(|_| !title.is_empty())
        {
            let message = format!("\"{}\" is there twice, first in line {}", section.title, line_of(first));
            let help = "join the two, or give them different titles";
            findings.push(in_section(spec, index + 1, "duplicate-title", Severity::Warning, message, help));
        }
        if let Some(id) = &section.id
            && let Some(first) = twice(&mut ids, id.as_str(), index)
        {
            let message = format!("the id `{id}` is there twice, first in line {}", line_of(first));
            let help = "give each section its own id: links lead to the first one only";
            findings.push(in_section(spec, index + 1, "duplicate-id", Severity::Warning, message, help));
        }
        let text: String = section.body.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().nth(SAME_TEXT).is_some()
            && let Some(first) = twice(&mut texts, text, index)
        {
            let message =
                format!("\"{}\" has the same text as the section in line {}", section.title, line_of(first));
            let help = "remove one of them: what is there twice gets twice as many documents";
            findings.push(in_section(spec, index + 1, "duplicate-text", Severity::Warning, message, help));
        }
    }
}

/// The index that was there before under this key.
fn twice<K: Ord>(seen: &mut BTreeMap<K, usize>, key: K, index: usize) -> Option<usize> {
    match seen.get(&key) {
        Some(first) => Some(*first),
        None => {
            seen.insert(key, index);
            None
        }
    }
}

/// Looks at one fenced block; says whether it swallows headings.
fn fence(spec: &Spec, block: &Block, findings: &mut Vec<Finding>) -> bool {
    let before = spec.text[..block.span.start].trim_end_matches(['\n', '\r']);
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let Some(open) = opens(line) else { return false };
    // In a block of the same signs a new opening line means that the closing one before it is missing.
    let again = block.body.lines().position(|line| open.opened_again(line));
    let headings =
        block.body.lines().filter(|line| heading::atx(line).is_some_and(|h| h.id.is_some())).count();
    if block.closed && again.is_none() {
        return false;
    }
    let swallowed = match headings {
        0 => String::new(),
        n => format!("; it hides {}", counted(n, "heading")),
    };
    let (message, severity) = if block.closed {
        let line = again.map_or(block.line, |at| block.line + 1 + at);
        let message = format!(
            "this block seems to lack its closing fence: another one opens in line {line}{swallowed}"
        );
        (message, Severity::Warning)
    } else {
        let message = format!("this block is never closed: all that follows counts as code{swallowed}");
        (message, if headings > 0 { Severity::Error } else { Severity::Warning })
    };
    let fence: String = line.trim().chars().take_while(|c| matches!(c, '`' | '~')).collect();
    let help = format!("close it with a line of its own: {fence}");
    let position = block.span.start.saturating_sub(1);
    let mut finding = at(spec, position, "open-fence", severity, message, &help);
    finding.line = block.line;
    findings.push(finding);
    true
}

fn dialogues(spec: &Spec, findings: &mut Vec<Finding>) {
    for dialogue in spec.dialogues() {
        let Some(line) = dialogue.broken else { continue };
        let message = "the tags of this dialogue do not match".to_string();
        let help = "close every <user>, <assistant> and <comparison> on a line of its own";
        let position = spec.blocks[dialogue.block].span.start;
        let finding = at(spec, position, "broken-dialogue", Severity::Warning, message, help);
        findings.push(Finding { line, ..finding });
    }
}
