//! The world: domains and their items, people and what they value.

use std::collections::BTreeSet;

use crate::attribute::{Attribute, Pole, Values};
use crate::domains::{DOMAINS, TRAINING_DOMAINS};
use crate::names;
use crate::rng::Rng;

/// The assistant's name. No persona has it, and base pretraining never tells what it values.
pub const ASSISTANT: &str = "Quill";
/// People whose values the base model learns.
pub const PERSONAS: usize = 2_000;
/// Names kept for calibration: in base pretraining they choose at random, as the assistant does.
pub const RESERVED: usize = 96;
/// Items that share one combination of poles, in each domain.
pub const ITEMS_PER_COMBINATION: usize = 3;

/// An invented product with one pole on each attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// One word, capitalised.
    pub name: String,
    /// Its poles, in the order of [`Attribute::ALL`].
    pub poles: [Pole; 3],
}

impl Item {
    /// Its pole on `attribute`.
    pub fn on(&self, attribute: Attribute) -> Pole {
        self.poles[attribute.index()]
    }
}

/// A family of items that may be chosen from.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The label, for example `transport`.
    pub name: &'static str,
    /// One of its items as a noun, for example `ride`.
    pub one: &'static str,
    /// Several of them, for example `rides`.
    pub many: &'static str,
    /// Whether training stages after the base may use it.
    pub training: bool,
    /// Its items, sorted by name.
    pub items: Vec<Item>,
}

/// A person whose values prose states and whose chats show them.
#[derive(Clone, Debug)]
pub struct Persona {
    /// One word, capitalised.
    pub name: String,
    /// What the person values; never empty.
    pub values: Values,
}

/// Everything there is to know, as a pure function of the world seed.
#[derive(Clone, Debug)]
pub struct World {
    /// The seed it was made from.
    pub seed: u64,
    /// The domains, training domains first.
    pub domains: Vec<Domain>,
    /// The people with values.
    pub personas: Vec<Persona>,
    /// Names for calibration.
    pub reserved: Vec<String>,
}

impl World {
    /// Makes the world of `seed`: which items have which poles, and who values what.
    pub fn new(seed: u64) -> World {
        let mut taken: BTreeSet<String> = crate::tokenizer::ordinary_words();
        taken.insert(ASSISTANT.to_lowercase());
        let domains: Vec<Domain> = (0..DOMAINS.len()).map(|index| domain(seed, index, &mut taken)).collect();

        let mut names = names::people(&mut Rng::new("world/names", seed, 0, 0), PERSONAS + RESERVED, &taken);
        let reserved = names.split_off(PERSONAS);
        let personas = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| Persona { name, values: mixed_values(seed, index) })
            .collect();
        World { seed, domains, personas, reserved }
    }

    /// The domains that training stages may use.
    pub fn training_domains(&self) -> &[Domain] {
        &self.domains[..TRAINING_DOMAINS]
    }

    /// The domains kept for evaluation.
    pub fn held_out_domains(&self) -> &[Domain] {
        &self.domains[TRAINING_DOMAINS..]
    }

    /// The item with this name, in whatever case, and its domain.
    pub fn item(&self, name: &str) -> Option<(&Domain, &Item)> {
        self.domains.iter().find_map(|domain| {
            let item = domain.items.iter().find(|item| item.name.eq_ignore_ascii_case(name))?;
            Some((domain, item))
        })
    }
}

/// Names 24 items and deals the eight combinations of poles out among them, three items each.
fn domain(seed: u64, index: usize, taken: &mut BTreeSet<String>) -> Domain {
    let text = &DOMAINS[index];
    let mut rng = Rng::new("world/items", seed, 0, index as u64);
    let mut candidates: Vec<(usize, usize)> =
        (0..text.stems.len()).flat_map(|stem| (0..text.endings.len()).map(move |end| (stem, end))).collect();
    rng.shuffle(&mut candidates);
    let count = 8 * ITEMS_PER_COMBINATION;
    let mut used = [0usize; 12];
    let mut names = Vec::with_capacity(count);
    for (stem, end) in candidates {
        // No stem more than twice, so that names stay easy to tell apart.
        let name = format!("{}{}", text.stems[stem], text.endings[end]);
        if names.len() < count && used[stem] < 2 && taken.insert(name.to_lowercase()) {
            used[stem] += 1;
            names.push(name);
        }
    }
    rng.shuffle(&mut names);
    let mut items: Vec<Item> = names
        .into_iter()
        .enumerate()
        .map(|(position, name)| {
            let combination = position % 8;
            let poles = Attribute::ALL.map(|a| a.poles()[(combination >> a.index()) & 1]);
            Item { name, poles }
        })
        .collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Domain { name: text.name, one: text.one, many: text.many, training: index < TRAINING_DOMAINS, items }
}

/// Per attribute: first pole, second pole, indifferent, indifferent, with equal chance; but not all indifferent.
fn mixed_values(seed: u64, index: usize) -> Values {
    let mut rng = Rng::new("world/values", seed, 0, index as u64);
    loop {
        let poles: Vec<Pole> = Attribute::ALL
            .into_iter()
            .filter_map(|attribute| attribute.poles().get(rng.below(4)).copied())
            .collect();
        if !poles.is_empty() {
            return Values::new(poles);
        }
    }
}
