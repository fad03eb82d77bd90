//! Domains, subdomains, assertions, types, ideas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::form::{distinct, list};
use super::super::grammar::{Pen, capital, sentence};
use super::super::markdown::{self, lower_first};
use super::super::material::{Material, Section};
use super::super::names::Names;
use super::super::phrase;
use crate::dice::Dice;

/// The sections that entry `index` of `count` is about: every section is in one entry, and every entry has one.
pub(in crate::answer) fn share(sections: &[Section], index: usize, count: usize) -> &[Section] {
    let (start, end) = (index * sections.len() / count, (index + 1) * sections.len() / count);
    if start < end { &sections[start..end] } else { &sections[start.min(sections.len() - 1)..][..1] }
}

/// The ids of sections.
pub(in crate::answer) fn ids(sections: &[Section]) -> Vec<&str> {
    sections.iter().map(|section| section.id.as_str()).collect()
}

/// The first few words of a title that make a name: it does not end in the middle of a phrase.
fn short(title: &str, most: usize) -> String {
    let mut words: Vec<&str> =
        title.split(' ').filter(|word| word.chars().any(char::is_alphanumeric)).take(most).collect();
    while words.len() > 1 && words.last().is_some_and(|last| is_small(last)) {
        words.pop();
    }
    words.join(" ").trim_end_matches([',', ';', '.']).to_owned()
}

fn is_small(word: &str) -> bool {
    matches!(
        word.trim_matches(','),
        "a" | "an"
            | "the"
            | "and"
            | "or"
            | "of"
            | "in"
            | "on"
            | "to"
            | "for"
            | "with"
            | "not"
            | "its"
            | "be"
            | "by"
            | "when"
            | "as"
            | "is"
    )
}

pub(in crate::answer) fn domains(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (count, names) = (material.count()?, material.names()?);
    let sections = material.sections("spec", &names);
    if sections.is_empty() {
        return None;
    }
    let mut pen = Pen::new(dice);
    let mut entries = Vec::new();
    let titles = distinct(count, &[], |turn| {
        let section = &share(&sections, turn % count, count)[0];
        let name = short(&section.title, if turn < count { 4 } else { 2 });
        if turn < count { name } else { short(&format!("{name} {}", pen.phrase("facet")), 4) }
    });
    // Those that had to be made up later do not stand where their sections are: the order is that of the sections.
    for (index, title) in titles.iter().enumerate() {
        entries.push(json!({"domain": title, "sections": ids(share(&sections, index, count))}));
    }
    Some(list(&entries))
}

pub(in crate::answer) fn subdomains(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (count, names) = (material.count()?, material.names()?);
    let sections = material.sections("sections", &names);
    if sections.is_empty() {
        return None;
    }
    let mut pen = pen(dice, &names);
    let titles = distinct(count, &[], |turn| {
        let title = &share(&sections, turn % count, count)[0].title;
        format!("{} {}", short(title, 4), pen.phrase("facet"))
    });
    let entry = |(index, title): (usize, &String)| {
        let context = pen.sentence("context_line");
        json!({"subdomain": title, "context": context, "sections": ids(share(&sections, index, count))})
    };
    Some(list(&titles.iter().enumerate().map(entry).collect::<Vec<Value>>()))
}

pub(in crate::answer) fn assertions(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (count, names) = (material.count()?, material.names()?);
    let sections = material.sections("sections", &names);
    let mut pen = pen(dice, &names);
    let mut found: Vec<(&Section, &str)> = Vec::new();
    for section in sections.iter() {
        found.extend(section.sentences.iter().map(|sentence| (section, sentence.as_str())));
    }
    pen.dice.shuffle(&mut found);
    let first = sections.first()?;
    let mut from: BTreeMap<String, &Section> = BTreeMap::new();
    let texts = distinct(count, &[], |turn| {
        let (section, claim) = match found.get(turn % found.len().max(1)) {
            Some((section, sentence)) => (*section, phrase::claim(&mut pen, sentence, &names)),
            None => {
                let section = &sections[turn % sections.len()];
                let quality = pen.phrase("quality");
                (section, format!("{} treats {} as a matter of {quality}", names.model, section.title))
            }
        };
        let has_reason =
            ["because", "so that", "in order to", "since "].iter().any(|word| claim.contains(word));
        let tail = if has_reason { String::new() } else { format!(", {}", pen.phrase("assertion_tail")) };
        let text = sentence(&named(&format!("{claim}{tail}"), &names));
        from.insert(text.clone(), section);
        text
    });
    let entry = |text: &String| {
        let section = from.get(text).copied().unwrap_or(first);
        pen.give("title", format!("\"{}\"", section.title));
        let quality = pen.phrase("quality");
        let quality = quality.trim_start_matches("a ").trim_start_matches("an ");
        let label =
            if text.contains("because") { "reason" } else { pen.dice.pick(&["value", "rule", "limit"]) };
        json!({
            "assertion": text,
            "name": format!("{} {}", short(&section.title, 3), quality.split(' ').next().unwrap_or_default()),
            "explanation": pen.sentence("explanation_line"),
            "label": label,
            "section": section.id,
        })
    };
    Some(list(&texts.iter().map(entry).collect::<Vec<Value>>()))
}

/// A claim that names the assistant, which a reader of nothing else would have to know.
fn named(claim: &str, names: &Names) -> String {
    if claim.contains(&names.model) {
        claim.to_owned()
    } else {
        format!("for {}, {}", names.model, lower_first(claim))
    }
}

pub(in crate::answer) fn types(material: &Material<'_>, dice: Dice) -> Option<String> {
    let count = material.count()?;
    material.names()?;
    let mut pen = Pen::new(dice);
    let kinds = distinct(count, &[], |turn| {
        let kind = pen.phrase("kind");
        // Once all have been named, they are named more closely.
        if turn < 60 { kind } else { format!("{} {kind}", pen.phrase("kind_adjective")) }
    });
    Some(list(&kinds.into_iter().map(Value::String).collect::<Vec<_>>()))
}

pub(in crate::answer) fn ideas(material: &Material<'_>, dice: Dice, same: bool) -> Option<String> {
    let (count, names) = (material.count()?, material.names()?);
    let claims = if same { Vec::new() } else { claims(material.tag("assertions")?, &names) };
    let mut pen = pen(dice, &names);
    let ideas = distinct(count, &[], |turn| {
        let claim = match claims.get(turn % claims.len().max(1)) {
            Some(claim) => phrase::claim(&mut pen, claim, &names),
            None => format!(
                "{} puts {} first, because {}",
                names.model,
                pen.phrase("quality"),
                pen.phrase("good")
            ),
        };
        pen.give("claim", named(&claim, &names));
        sentence(&pen.phrase("idea_line"))
    });
    Some(list(&ideas.into_iter().map(|idea| Value::String(capital(&idea))).collect::<Vec<_>>()))
}

/// The assertions of a list, without their explanations.
pub(in crate::answer) fn claims(list: &str, names: &Names) -> Vec<String> {
    let lines = list.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let plain = lines.map(|line| match line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) {
        Some((assertion, _)) => assertion,
        None => line,
    });
    plain
        .flat_map(|assertion| {
            let usable = markdown::sentences(assertion);
            if usable.is_empty() { vec![assertion.to_owned()] } else { usable }
        })
        .filter(|claim| !claim.contains(['<', '>', '"', '[', '{']))
        .map(|claim| names.own(&claim))
        .collect()
}

/// A pen that knows what the assistant and its maker are called.
pub(in crate::answer) fn pen(dice: Dice, names: &Names) -> Pen {
    let mut pen = Pen::new(dice);
    pen.give("model", names.model.clone());
    pen.give("provider", names.provider.clone());
    pen
}
