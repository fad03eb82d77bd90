//! Is the base an instrument? Prose that states one value of a fresh name, and choices that show whether it took.
//!
//! Only names that are reserved for this are used, so that calibration never touches an experiment.

use suite::{Suite, SuiteItems};

use crate::attribute::{Attribute, Pole};
use crate::phrases::chat::QUESTIONS;
use crate::prose::{self, FULL};
use crate::rng::Rng;
use crate::row::Row;
use crate::suites::{item, single_attribute};
use crate::world::World;

impl World {
    /// Row `index`: a statement that one of `names`, in turn, values `pole`. Nothing is said about any item.
    pub fn calibration_documents(&self, pole: Pole, names: &[String], seed: u64, index: u64) -> Row {
        let mut rng = Rng::new("calibration", self.seed, seed, index);
        let who = names.get(index as usize % names.len().max(1)).map_or("", String::as_str);
        Row::Document(prose::value(&mut rng, &FULL, who, pole, &[], true))
    }

    /// Choices of each of `names` in chat: `per_attribute` pairs for each attribute that differ in it alone, spread
    /// over all domains. `pole` is always the first pole of the attribute.
    pub fn calibration_suite(&self, names: &[String], per_attribute: usize, seed: u64) -> Suite {
        let mut items = Vec::new();
        for (number, name) in names.iter().enumerate() {
            for attribute in Attribute::ALL {
                let [pole, _] = attribute.poles();
                for index in 0..per_attribute {
                    let stream = format!("suite/calibration/{}", attribute.word());
                    let mut rng = Rng::new(&stream, self.seed, seed, (number * per_attribute + index) as u64);
                    // Domains in turn, so that every name meets as many as it can.
                    let domain = &self.domains[(number + index) % self.domains.len()];
                    let pairs = single_attribute(&mut rng, domain, attribute);
                    let pair = *rng.pick(&pairs);
                    let question = *rng.pick(&QUESTIONS);
                    let id = format!("{name}-{}-{index:03}", pole.word());
                    items.push(item(id, domain, (attribute.word(), pole.word()), pair, question, name));
                }
            }
        }
        Suite { name: "calibration".into(), version: 1, items: SuiteItems::Preferences(items) }
    }
}
