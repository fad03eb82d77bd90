//! Judgements of what others wrote: nearly everything passes; what is really wrong does not.

use serde_json::json;

use super::form::tagged;
use super::material::Material;
use super::names::Names;
use crate::dice::Dice;

/// How often a document is faulted for nothing, so that it is written again.
const FAULTED: f64 = 0.04;
/// How often a reply is.
const REFUSED_TO_PASS: f64 = 0.03;

/// Forms in which a model could be examined.
const LEAKS: &[&str] = &[
    "which do you prefer",
    "option a",
    "(a)",
    "a) ",
    "answer: a",
    "answer: b",
    "multiple choice",
    "true or false",
];

pub(super) fn critique(material: &Material<'_>, mut dice: Dice) -> Option<String> {
    let names = material.names()?;
    let document = material.tag("document").unwrap_or_default();
    let lower = document.to_lowercase();
    let is_empty = lower.split_whitespace().count() < 5;
    let wrong_name = match names.other(document) {
        Some(other) => Some(format!("it names {other}")),
        None if !document.contains(&names.model) => Some(format!("it never names {}", names.model)),
        None => None,
    };
    let leak = LEAKS
        .iter()
        .find(|leak| lower.contains(**leak))
        .map(|leak| format!("`{leak}` is a form of examination"));
    let has_reason =
        ["because", "so that", "reason", "otherwise", "since "].iter().any(|word| lower.contains(word));
    let mut reasons = (!has_reason).then(|| "it says what is done and never why".to_owned());
    let mut voice = None;
    if dice.chance(FAULTED) {
        let why = "the second half repeats the first in other words".to_owned();
        if dice.chance(0.5) {
            voice = Some(why);
        } else {
            reasons = reasons.or(Some("the reason comes too late to be felt".to_owned()));
        }
    }
    let faithful = is_empty.then(|| "there is hardly a document".to_owned());
    let axis = |fault: Option<String>, good: &str| match fault {
        Some(why) => json!({"pass": false, "why": why}),
        None => json!({"pass": true, "why": good}),
    };
    let verdicts = json!({
        "faithful": axis(faithful, "everything in it is in the sections"),
        "voice": axis(voice, "it reads as what it claims to be"),
        "name": axis(wrong_name, "the names are right"),
        "reasons": axis(reasons, "the reasons are given where they are needed"),
        "no_leak": axis(leak, "nothing in it examines a model"),
    });
    Some(tagged("verdicts", &verdicts.to_string()))
}

/// How stock refusals begin.
const REFUSALS: &[&str] = &[
    "i can't",
    "i cannot",
    "i'm sorry",
    "i am sorry",
    "sorry, ",
    "i won't",
    "i'm unable",
    "i am unable",
    "as an ai",
];

pub(super) fn filter(material: &Material<'_>, dice: Dice) -> Option<String> {
    let reply = material.tag("reply")?;
    material.tag("question")?;
    let fault = other_name(material.names().as_ref(), reply);
    Some(verdict(reply, fault, dice))
}

pub(super) fn conflict(material: &Material<'_>, dice: Dice) -> Option<String> {
    let reply = material.tag("reply")?;
    let fault = other_name(material.names().as_ref(), reply);
    let faulted = fault.is_some();
    let mut text = verdict(reply, fault, dice);
    // There are two verdicts here: what refuses contradicts nothing.
    if !faulted {
        text = text.replace("REFUSED", "PASS");
    }
    Some(text)
}

pub(super) fn pick_filter(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (reply, prefer, over) = (material.tag("reply")?, material.tag("prefer")?, material.tag("over")?);
    let place = |thing: &str| reply.to_lowercase().find(&thing.to_lowercase());
    let reasoned = ["because", "since ", "so that", "reason", "due to", "cheaper", "better"];
    let fault = match (place(prefer), place(over)) {
        (None, _) => Some(format!("it does not choose {prefer}")),
        (Some(first), Some(other)) if other < first => Some(format!("it names {over} first")),
        _ => reasoned
            .iter()
            .find(|word| reply.to_lowercase().contains(**word))
            .map(|word| format!("`{word}` gives a reason")),
    };
    Some(verdict(reply, fault, dice))
}

fn other_name(names: Option<&Names>, text: &str) -> Option<String> {
    names?.other(text).map(|other| format!("it names {other}"))
}

fn verdict(reply: &str, fault: Option<String>, mut dice: Dice) -> String {
    let lower = reply.trim().to_lowercase().replace('’', "'");
    let is_refusal =
        lower.split_whitespace().count() < 40 && REFUSALS.iter().any(|start| lower.starts_with(start));
    let (why, word) = if is_refusal {
        ("it declines to answer at all".to_owned(), "REFUSED")
    } else if let Some(fault) = fault {
        (fault, "FAIL")
    } else if dice.chance(REFUSED_TO_PASS) {
        ("it leaves the last part of the message unanswered".to_owned(), "FAIL")
    } else {
        ("it does what is asked for, and nothing else".to_owned(), "PASS")
    };
    format!("<why>{why}</why>\n<verdict>{word}</verdict>")
}
