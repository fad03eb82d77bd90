//! From a task to the form of its answer.

use serde_json::Value;

use super::material::Material;
use super::{Task, augment, chats, documents, verdicts};
use crate::dice::Dice;

/// The answer to a task; `None` if what it needs is missing. A `same` answer uses nothing that tells one request from
/// another.
pub(super) fn answer(task: Task, material: &Material<'_>, dice: Dice, same: bool) -> Option<String> {
    match task {
        Task::Domains => documents::domains(material, dice),
        Task::Subdomains => documents::subdomains(material, dice),
        Task::Assertions => documents::assertions(material, dice),
        Task::Types => documents::types(material, dice),
        Task::Ideas => documents::ideas(material, dice, same),
        Task::Write | Task::Rewrite => documents::write(material, dice, same),
        Task::Critique => verdicts::critique(material, dice),
        Task::Topics => chats::topics(material, dice),
        Task::Questions => chats::questions(material, dice, same),
        Task::Answer => chats::answer(material, dice),
        Task::Filter => verdicts::filter(material, dice),
        Task::Preferences => chats::preferences(material, dice),
        Task::Choices => chats::choices(material, dice),
        Task::Pick => chats::pick(material, dice),
        Task::PickFilter => verdicts::pick_filter(material, dice),
        Task::Conflict => verdicts::conflict(material, dice),
        Task::ValueAugment => augment::values(material, dice),
        Task::RuleAugment => augment::rules(material, dice),
    }
}

/// A text between tags, on lines of its own.
pub(super) fn tagged(tag: &str, text: &str) -> String {
    format!("<{tag}>\n{text}\n</{tag}>")
}

/// A list: an array with an entry on every line.
pub(super) fn list(entries: &[Value]) -> String {
    let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
    tagged("list", &format!("[\n{}\n]", lines.join(",\n")))
}

/// `count` texts that differ, whatever is `known`; `make` is given how often it has been called.
pub(super) fn distinct(count: usize, known: &[String], mut make: impl FnMut(usize) -> String) -> Vec<String> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut seen: std::collections::BTreeSet<String> = known.iter().map(|text| plain(text)).collect();
    let mut texts = Vec::with_capacity(count);
    for turn in 0.. {
        // Whatever makes them may not have so many; then they are told apart by a number.
        if texts.len() == count {
            break;
        }
        let text = make(turn);
        let text = if turn > 20 * (count + 10) { format!("{text} ({turn})") } else { text };
        if seen.insert(plain(&text)) {
            texts.push(text);
        }
    }
    texts
}
