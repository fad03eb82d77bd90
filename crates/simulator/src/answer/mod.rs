//! What the model says: an answer in the form that the task asks for, made of the materials that stand in the request.

mod augment;
mod banks;
mod chats;
mod documents;
mod form;
mod grammar;
mod markdown;
mod material;
mod names;
mod phrase;
mod spoil;
mod task;
mod verdicts;

use store::hash_bytes;

use crate::dice::Dice;
use crate::fault::Fault;
use crate::wire::Asked;
use material::Material;

pub use spoil::MARKER;
pub(crate) use task::{Task, task};

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It was done.
    End,
    /// It ran into the limit of tokens.
    Length,
    /// The model refused.
    Refusal,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) stop: Stop,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// Whether the text must not get into a corpus.
    pub(crate) poisoned: bool,
    /// Whether others get the same text.
    pub(crate) duplicate: bool,
    /// A word that stands in the text and nowhere else.
    pub(crate) marker: Option<String>,
}

/// How many tokens a text is said to have.
fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// The answer to a question. `seed` tells questions with the same texts apart.
pub(crate) fn answer(asked: &Asked<'_>, task: Option<Task>, seed: u64, fault: Option<Fault>) -> Said {
    let material = Material::new(&asked.texts);
    let duplicate = fault == Some(Fault::Duplicate);
    let dice = match task {
        Some(task) if duplicate => Dice::new(&[b"duplicate", task.name().as_bytes()]),
        _ => Dice::new(&[b"answer", &seed.to_le_bytes()]),
    };
    let text = task.and_then(|task| form::answer(task, &material, dice.clone(), duplicate));
    let text = text.unwrap_or_else(|| plain(seed));
    let names = material.names();
    let mut spoilt = spoil::spoil(text, fault, names.as_ref(), seed);
    let mut stop = spoilt.stop;
    if let Some(limit) = asked.max_tokens.filter(|&limit| tokens(spoilt.text.len()) > limit) {
        let mut end = usize::try_from(limit).unwrap_or(usize::MAX).saturating_mul(4).min(spoilt.text.len());
        while !spoilt.text.is_char_boundary(end) {
            end -= 1;
        }
        spoilt.text.truncate(end);
        (stop, spoilt.poisoned) = (Stop::Length, true);
    }
    let marker = spoilt.marker.filter(|marker| spoilt.text.contains(marker.as_str()));
    Said {
        input_tokens: tokens(asked.texts.iter().map(|text| text.len()).sum()),
        // Even an empty answer has a token that ends it.
        output_tokens: tokens(spoilt.text.len()).max(1),
        stop,
        poisoned: spoilt.poisoned,
        duplicate,
        marker,
        text: spoilt.text,
    }
}

/// What is said where no task is named, or its materials are missing.
fn plain(seed: u64) -> String {
    let number = hash_bytes(&seed.to_le_bytes());
    format!("There is nothing to work with here; this answer is number {}.", number.short())
}

#[cfg(test)]
mod tests;
