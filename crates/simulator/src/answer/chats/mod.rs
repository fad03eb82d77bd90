//! Topics, questions, replies, preferences, choices.

mod choose;
mod reply;

use serde_json::{Value, json};

use super::documents::{ids, share};
use super::form::{distinct, list};
use super::grammar::{Pen, sentence};
use super::material::Material;
use crate::dice::Dice;

pub(super) use choose::{choices, pick, preferences};
pub(super) use reply::answer;

/// The most sections of a topic.
const MOST_SECTIONS: usize = 3;

/// What is there already: the lines of `<known>`.
fn known(material: &Material<'_>) -> Vec<String> {
    let lines = material.tag("known").unwrap_or_default().lines();
    lines.filter_map(|line| line.trim().strip_prefix("- ")).map(str::to_owned).collect()
}

pub(super) fn topics(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (count, names) = (material.count()?, material.names()?);
    let sections = material.sections("spec", &names);
    if sections.is_empty() {
        return None;
    }
    let known = known(material);
    let mut pen = Pen::new(dice);
    let topics = distinct(count, &known, |turn| {
        let topic = pen.phrase("topic");
        // The first ones are plain, so that some are.
        if turn % 4 == 0 { topic } else { format!("{topic} {}", pen.phrase("topic_tail")) }
    });
    // Later calls go on where earlier ones stopped, so that all sections have their turn.
    let all = known.len() + count;
    let entry = |(index, topic): (usize, &String)| {
        let mut own = share(&sections, (known.len() + index) % all, all).to_vec();
        pen.dice.shuffle(&mut own);
        own.truncate(MOST_SECTIONS);
        json!({"topic": topic, "sections": ids(&own)})
    };
    Some(list(&topics.iter().enumerate().map(entry).collect::<Vec<Value>>()))
}

pub(super) fn questions(material: &Material<'_>, dice: Dice, same: bool) -> Option<String> {
    let (count, topic) = (material.count()?, material.tag("topic")?);
    material.names()?;
    let bank = match material.tag("question_type")? {
        "direct" => "ask_direct",
        "indirect" => "ask_indirect",
        "comparison" => "ask_comparison",
        "recommendation" => "ask_recommendation",
        "opinion" => "ask_opinion",
        _ => "ask_edge",
    };
    let mut pen = Pen::new(dice);
    pen.give("topic", if same { "a small matter" } else { topic });
    let questions = distinct(count, &known(material), |_| {
        let relative = pen.phrase("relative");
        pen.give("relative", relative);
        let mut parts = vec![pen.sentence("preamble")];
        if pen.dice.chance(0.6) {
            parts.push(pen.sentence("detail"));
        }
        parts.push(sentence(&pen.phrase(bank)));
        pen.take("relative");
        parts.join(" ")
    });
    Some(list(&questions.into_iter().map(Value::String).collect::<Vec<_>>()))
}
