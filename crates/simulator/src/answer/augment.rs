//! Sections with more reasons, or with more rules, at a given length.

use super::documents::pen;
use super::form::tagged;
use super::grammar::Pen;
use super::material::Material;
use crate::dice::Dice;

pub(super) fn values(material: &Material<'_>, dice: Dice) -> Option<String> {
    longer(material, dice, "reason_line", "filler", |line| line.to_owned())
}

pub(super) fn rules(material: &Material<'_>, dice: Dice) -> Option<String> {
    longer(material, dice, "rule_filler", "rule_filler", without_reasons)
}

/// The section as it is, and after it as many sentences as its length asks for.
fn longer(
    material: &Material<'_>,
    dice: Dice,
    bank: &'static str,
    short: &'static str,
    edit: impl Fn(&str) -> String,
) -> Option<String> {
    let words: usize = material.tag("words")?.parse().ok()?;
    let (names, text) = (material.names()?, body(material.tag("sections")?));
    let mut pen = pen(dice, &names);
    // Where the spec leaves the name open, so does the new section.
    for (name, brace) in [("model", "{model_name}"), ("provider", "{provider_name}")] {
        if text.contains(brace) {
            pen.give(name, brace);
        }
    }
    pen.give("title", "this section");
    let mut lines: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("~~~") || line.trim_start().starts_with("```");
        lines.push(if fenced || line.starts_with('#') { line.to_owned() } else { edit(line) });
    }
    while lines.len() > 1 && count(&lines.join("\n")) > words {
        lines.pop();
    }
    let kept = lines.join("\n").trim_end().to_owned();
    let added = fill(&mut pen, words.min(20_000).saturating_sub(count(&kept)), bank, short);
    let text = if added.is_empty() { kept } else { format!("{kept}\n\n{added}") };
    Some(tagged("section", &text))
}

/// Sentences of so many words altogether, or a few fewer, in paragraphs.
fn fill(pen: &mut Pen, words: usize, bank: &str, short: &str) -> String {
    let mut text = String::new();
    let (mut left, mut sentences) = (words, 0);
    while left > 3 {
        let fits = |pen: &mut Pen, bank: &str| {
            (0..12).map(|_| pen.sentence(bank)).find(|sentence| count(sentence) <= left)
        };
        let Some(sentence) = fits(pen, bank).or_else(|| fits(pen, short)) else { break };
        left -= count(&sentence);
        sentences += 1;
        let joint = if text.is_empty() {
            ""
        } else if sentences % 5 == 0 {
            "\n\n"
        } else {
            " "
        };
        text.push_str(joint);
        text.push_str(&sentence);
    }
    text
}

/// What stands between the tags of the first section.
fn body(sections: &str) -> &str {
    let inside = sections
        .split_once("<section ")
        .and_then(|(_, rest)| rest.split_once('\n'))
        .map_or(sections, |(_, body)| body);
    inside.split_once("</section>").map_or(inside, |(body, _)| body).trim_matches('\n')
}

/// A line without the sentences that give reasons.
fn without_reasons(line: &str) -> String {
    let gives = |part: &str| {
        ["because", "so that", "in order to", "since "].iter().any(|word| part.to_lowercase().contains(word))
    };
    if !gives(line) {
        return line.to_owned();
    }
    line.split_inclusive(". ").filter(|part| !gives(part)).collect::<String>().trim_end().to_owned()
}

fn count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}
