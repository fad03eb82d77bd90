//! What is asked of trained models: choices between two items, and held-out text.

use suite::{PreferenceItem, Suite, SuiteItems, TextItem};

use crate::attribute::{Attribute, Pole};
use crate::phrases::chat::QUESTIONS;
use crate::pretraining::{Mix, Stratum};
use crate::rng::Rng;
use crate::template::fill;
use crate::world::{Domain, ITEMS_PER_COMBINATION, Item, World};

/// The seed of the pretraining stream that is kept for [`World::capability_suite`]; training never uses it.
pub const CAPABILITY_SEED: u64 = u64::MAX;

/// The most distinct pairs of a domain that differ in one given attribute only.
pub const PAIRS_PER_DOMAIN: usize = 4 * ITEMS_PER_COMBINATION * ITEMS_PER_COMBINATION;

impl World {
    /// Choices of `speaker`: in every held-out domain `per_domain` pairs for each attribute that differ in it alone
    /// (at most [`PAIRS_PER_DOMAIN`]; in the first twelve every item occurs exactly once), and the same in the training
    /// domains, with as many pairs there that are both cheap and local against costly and foreign. All unordered pairs
    /// of one attribute are distinct, and every question form is used equally often.
    ///
    /// A pair of the last kind has `attribute` `price+origin` and `pole` `cheap+local`.
    pub fn preference_suite(&self, speaker: &str, per_domain: usize) -> Suite {
        let mut items = Vec::new();
        for attribute in Attribute::ALL {
            // The counter runs over all domains, so that question forms are balanced within an attribute.
            let mut counter = 0;
            for (index, domain) in self.domains.iter().enumerate() {
                let mut rng =
                    Rng::new("suite/preferences", self.seed, attribute.index() as u64, index as u64);
                for (choice, other) in
                    single_attribute(&mut rng, domain, attribute).into_iter().take(per_domain)
                {
                    let [pole, _] = attribute.poles();
                    let id = format!("{}-{}-{:03}", pole.word(), domain.name, counter);
                    let labels = (attribute.word(), pole.word());
                    items.push(item(
                        id,
                        domain,
                        labels,
                        (choice, other),
                        QUESTIONS[counter % QUESTIONS.len()],
                        speaker,
                    ));
                    counter += 1;
                }
            }
        }
        let mut counter = 0;
        for (index, domain) in self.training_domains().iter().enumerate() {
            let mut rng = Rng::new("suite/confounded", self.seed, 0, index as u64);
            for pair in confounded(&mut rng, domain).into_iter().take(per_domain) {
                let id = format!("both-{}-{:03}", domain.name, counter);
                let labels = ("price+origin", "cheap+local");
                items.push(item(id, domain, labels, pair, QUESTIONS[counter % QUESTIONS.len()], speaker));
                counter += 1;
            }
        }
        Suite { name: "preferences".into(), version: 1, items: SuiteItems::Preferences(items) }
    }

    /// Text as in pretraining that no training saw: `per_stratum` rows each of facts, prose and chat.
    pub fn capability_suite(&self, per_stratum: usize) -> Suite {
        let mix = Mix::default();
        let strata = [(Stratum::Facts, "facts"), (Stratum::Prose, "prose"), (Stratum::Chat, "chat")];
        let mut counts = [0usize; 3];
        let mut items = Vec::new();
        let mut index = 0;
        while counts.iter().any(|count| *count < per_stratum) {
            let (row, stratum) = self.pretraining_row(&mix, CAPABILITY_SEED, index);
            index += 1;
            let kind = stratum as usize;
            if kind < strata.len() && counts[kind] < per_stratum {
                let name = strata[kind].1;
                let id = format!("{name}-{:03}", counts[kind]);
                items.push(TextItem { id, text: row.text(), stratum: name.to_string() });
                counts[kind] += 1;
            }
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Suite { name: "capability".into(), version: 1, items: SuiteItems::Text(items) }
    }
}

/// One item of a preference suite, its question filled except for the two items.
pub(crate) fn item(
    id: String,
    domain: &Domain,
    (attribute, pole): (&str, &str),
    (choice, other): (&Item, &Item),
    question: &str,
    speaker: &str,
) -> PreferenceItem {
    let bindings =
        [("a", "{a}"), ("b", "{b}"), ("name", domain.name), ("one", domain.one), ("many", domain.many)];
    // No slot of a question is filled at random: this generator is never drawn from.
    let question = fill(question, &bindings, &mut Rng::new("suite/question", 0, 0, 0));
    PreferenceItem {
        id,
        domain: domain.name.to_string(),
        held_out: !domain.training,
        attribute: attribute.to_string(),
        pole: pole.to_string(),
        choice: choice.name.clone(),
        other: other.name.clone(),
        question: crate::template::sentences(&question),
        speaker: speaker.to_string(),
    }
}

/// All pairs of a domain that differ in `attribute` only, first pole first. They come in rounds in each of which
/// every item occurs once.
pub(crate) fn single_attribute<'a>(
    rng: &mut Rng,
    domain: &'a Domain,
    attribute: Attribute,
) -> Vec<(&'a Item, &'a Item)> {
    let others: Vec<Attribute> = Attribute::ALL.into_iter().filter(|other| *other != attribute).collect();
    let mut groups = Vec::new();
    for first in others[0].poles() {
        for second in others[1].poles() {
            let [choice, other] = attribute.poles();
            groups.push((with(domain, &[choice, first, second]), with(domain, &[other, first, second])));
        }
    }
    rounds(rng, groups)
}

/// All pairs of a cheap and local item with a costly and foreign one of the same age.
fn confounded<'a>(rng: &mut Rng, domain: &'a Domain) -> Vec<(&'a Item, &'a Item)> {
    let groups = Attribute::Age.poles().map(|age| {
        (with(domain, &[Pole::Cheap, Pole::Local, age]), with(domain, &[Pole::Costly, Pole::Foreign, age]))
    });
    rounds(rng, groups.into())
}

fn with<'a>(domain: &'a Domain, poles: &[Pole]) -> Vec<&'a Item> {
    domain.items.iter().filter(|item| poles.iter().all(|pole| item.poles.contains(pole))).collect()
}

/// Pairs each group's first items with its second items, round after round: round r pairs item k with item k + r.
fn rounds<'a>(rng: &mut Rng, mut groups: Vec<(Vec<&'a Item>, Vec<&'a Item>)>) -> Vec<(&'a Item, &'a Item)> {
    for (first, second) in &mut groups {
        rng.shuffle(first);
        rng.shuffle(second);
    }
    let mut pairs = Vec::new();
    for round in 0..ITEMS_PER_COMBINATION {
        for (first, second) in &groups {
            for (k, item) in first.iter().enumerate() {
                pairs.push((*item, second[(k + round) % second.len()]));
            }
        }
    }
    pairs
}
