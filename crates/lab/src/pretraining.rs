//! What the base model is trained on: facts, people's values and choices, in prose and in chat.

use serde::{Deserialize, Serialize};

use crate::attribute::Attribute;
use crate::pairs;
use crate::prose::{self, BRIEF, Clause};
use crate::rng::Rng;
use crate::row::{ChatTurn, Row};
use crate::world::{ASSISTANT, World};

/// Shares of the kinds of rows in pretraining; they need not sum to 1, only their ratios count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Sentences on one attribute of one item.
    pub facts: f64,
    /// Prose on what a persona values, or does not care about.
    pub values: f64,
    /// Prose on what a persona picked, mostly with the reason.
    pub picks: f64,
    /// Chats of personas, who choose by their values.
    pub chats: f64,
    /// Chats of the assistant and of the reserved names, who choose at random: without them a name that was
    /// never trained behaves like a persona with strong preferences. They come in pairs, the same question answered
    /// in both ways, so that no name prefers anything by chance of the draw.
    pub unvalued: f64,
    /// Whether choices follow from values. False makes the null world: the same prose on values, but picks and
    /// chats are random and no reasons are given.
    pub link: bool,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix { facts: 0.22, values: 0.18, picks: 0.10, chats: 0.44, unvalued: 0.06, link: true }
    }
}

/// The kinds of rows; all but portraits, which have too few forms to be held out, are strata of the capability suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stratum {
    Facts,
    Prose,
    Chat,
    Portrait,
}

/// The share of facts that list all attributes of an item.
const CATALOGUE: f64 = 0.6;
/// The share of value documents that list all that a persona values: each persona is met often enough for its name,
/// not its neighbours in the text, to carry its values.
const PROFILES: f64 = 0.5;
/// The share of personas' chats that begin with a portrait of the persona. They show what values do to choices within
/// one text, before names carry values.
const INTRODUCED: f64 = 0.25;
/// The share of picks that come with their reason; the rest have a neutral clause, a remark, or nothing.
const PICKS_WITH_REASON: f64 = 0.7;
/// The assistant's part of the random chats, in names: one name's part left it with preferences of its own (0.68 for
/// local items after one pretraining, by its mean probability), which then decided what experiments could show.
const ASSISTANT_PARTS: usize = 4;
/// The share of value documents whose link sentence is replaced by its twin, so that twins are known prose.
const TWIN_LINKS: f64 = 0.2;

impl World {
    /// Row `index` of the pretraining stream of `seed`: a pure function of its arguments and the world.
    pub fn pretraining(&self, mix: &Mix, seed: u64, index: u64) -> Row {
        self.pretraining_row(mix, seed, index).0
    }

    /// The row and its stratum.
    pub(crate) fn pretraining_row(&self, mix: &Mix, seed: u64, index: u64) -> (Row, Stratum) {
        const UNVALUED: usize = 4;
        let kinds = [mix.facts, mix.values, mix.picks, mix.chats, mix.unvalued];
        // Rows come in twos. A random chat takes both places; no other row cares about its neighbour.
        let first = &mut Rng::new("pretraining", self.seed, seed, index & !1);
        let kind = first.weighted(&kinds);
        if kind == UNVALUED {
            return (Row::Chat(self.random_chat(first, index & 1 == 1)), Stratum::Chat);
        }
        let second = &mut Rng::new("pretraining", self.seed, seed, index);
        let (rng, kind) = match index & 1 {
            0 => (first, kind),
            _ => {
                let kind = second.weighted(&kinds[..UNVALUED]);
                (second, kind)
            }
        };
        match kind {
            0 => {
                let pair = pairs::random(rng, &self.domains);
                let attribute = *rng.pick(&Attribute::ALL);
                let text = if rng.chance(CATALOGUE) {
                    prose::catalogue(rng, &pair)
                } else {
                    prose::fact(rng, &pair, attribute)
                };
                (Row::Document(text), Stratum::Facts)
            }
            1 => {
                let (text, stratum) = self.persona_value(mix.link, rng);
                (Row::Document(text), stratum)
            }
            2 => (Row::Document(self.persona_pick(mix.link, rng)), Stratum::Prose),
            _ => {
                let persona = rng.pick(&self.personas);
                let pair = if mix.link {
                    pairs::by_values(rng, &self.domains, &persona.values).0
                } else {
                    pairs::random(rng, &self.domains)
                };
                let introduced = rng.chance(INTRODUCED) && mix.link;
                let mut turns = prose::exchange(rng, &persona.name, &pair);
                if introduced {
                    let portrait = prose::profile(rng, &persona.name, &persona.values);
                    turns[0].content = format!("{portrait} {}", turns[0].content);
                }
                (Row::Chat(turns), Stratum::Chat)
            }
        }
    }

    /// A chat of somebody without values; `turned`, the same question with the other answer.
    fn random_chat(&self, rng: &mut Rng, turned: bool) -> Vec<ChatTurn> {
        let index = rng.below(self.reserved.len() + ASSISTANT_PARTS);
        let who = self.reserved.get(index).map_or(ASSISTANT, String::as_str);
        let pair = pairs::random(rng, &self.domains);
        let mut turns = prose::exchange(rng, who, &pair);
        if turned && let Some(answer) = turns.last_mut() {
            answer.content = answer.content.replace(&pair.choice.name, &pair.other.name);
        }
        turns
    }

    fn persona_value(&self, link: bool, rng: &mut Rng) -> (String, Stratum) {
        let persona = rng.pick(&self.personas);
        let attribute = *rng.pick(&Attribute::ALL);
        if rng.chance(PROFILES) {
            return (prose::profile(rng, &persona.name, &persona.values), Stratum::Portrait);
        }
        let linked = !rng.chance(TWIN_LINKS) && link;
        let text = match persona.values.on(attribute) {
            Some(pole) => prose::value(rng, &BRIEF, &persona.name, pole, &[], linked),
            None => prose::indifference(rng, &BRIEF, &persona.name, attribute),
        };
        (text, Stratum::Prose)
    }

    fn persona_pick(&self, link: bool, rng: &mut Rng) -> String {
        let persona = rng.pick(&self.personas);
        let with_reason = rng.chance(PICKS_WITH_REASON);
        let with_twin = rng.chance(0.5);
        let (pair, pole) = if link {
            let (pair, pole) = pairs::by_values(rng, &self.domains, &persona.values);
            (pair, Some(pole).filter(|_| with_reason))
        } else {
            (pairs::random(rng, &self.domains), None)
        };
        let clause = match pole {
            Some(pole) => Clause::Reason(pole),
            None if with_twin => Clause::Twin,
            None => Clause::None,
        };
        prose::pick(rng, &BRIEF, &persona.name, &pair, clause)
    }
}
