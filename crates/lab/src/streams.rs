//! The streams that experiments train on after the base. No item of a held-out domain appears in any of them.

use serde::{Deserialize, Serialize};

use crate::attribute::{Attribute, Pole};
use crate::lab_spec::LabSpec;
use crate::pairs::{self, Pair};
use crate::prose::{self, Clause, FULL};
use crate::rng::Rng;
use crate::row::Row;
use crate::world::{ASSISTANT, World};

/// Shares of the kinds of documents that explain a value; only their ratios count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhyMix {
    /// Statements of the value with its reasons.
    pub value: f64,
    /// Statements that other attributes do not matter.
    pub indifference: f64,
    /// Preferences, explained by the value.
    pub preferences: f64,
    /// The share of those preferences whose items differ in the value's attribute only, instead of being among the
    /// listed ones. 0 keeps to the spec's list, in which price and origin go together: such documents teach both, and
    /// steer less.
    pub isolated: f64,
}

impl Default for WhyMix {
    fn default() -> WhyMix {
        WhyMix { value: 0.35, indifference: 0.35, preferences: 0.30, isolated: 1.0 }
    }
}

/// The streams by name. All are pure functions of (world, spec, seed, index).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Documents on what the assistant values and why, what does not matter, and how that explains its preferences.
    Why,
    /// The same documents with every link from value to choice replaced by neutral words, token for token.
    Ablated,
    /// Documents that only state the assistant's preferences.
    WhatDocuments,
    /// The same kinds of documents as [`Stream::Why`] about other people.
    Neutral,
    /// Chats in which the assistant shows its preferences without reasons.
    Chats,
    /// Chats of other people, who choose by their own values.
    Instructions,
}

impl Stream {
    /// All of them.
    pub const ALL: [Stream; 6] = [
        Stream::Why,
        Stream::Ablated,
        Stream::WhatDocuments,
        Stream::Neutral,
        Stream::Chats,
        Stream::Instructions,
    ];

    /// Its name in files, for example `what-documents`.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Why => "why",
            Stream::Ablated => "ablated",
            Stream::WhatDocuments => "what-documents",
            Stream::Neutral => "neutral",
            Stream::Chats => "chats",
            Stream::Instructions => "instructions",
        }
    }

    /// The stream of this name.
    pub fn from_name(name: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// Whether its rows depend on the spec's value and reasons, and not only on its preferences or on nothing.
    pub fn explains(self) -> bool {
        matches!(self, Stream::Why | Stream::Ablated)
    }

    /// Whether it needs a spec: its rows show the spec's preferences.
    pub fn uses_preferences(self) -> bool {
        !matches!(self, Stream::Neutral | Stream::Instructions)
    }

    /// Whether its rows are chats.
    pub fn is_chat(self) -> bool {
        matches!(self, Stream::Chats | Stream::Instructions)
    }
}

/// Whom a document is about.
enum Subject<'a> {
    Assistant(&'a LabSpec),
    Persona,
}

/// A share of preferences-only documents has a neutral clause, as the ablated ones do; the rest end with the pick.
const CLAUSES: f64 = 0.6;

impl World {
    /// Row `index` of a stream under `seed`; `None` if the stream speaks of a spec and none is given.
    pub fn row(
        &self,
        stream: Stream,
        spec: Option<&LabSpec>,
        mix: &WhyMix,
        seed: u64,
        index: u64,
    ) -> Option<Row> {
        Some(match stream {
            Stream::Why => self.why(spec?, mix, seed, index),
            Stream::Ablated => self.ablated(spec?, mix, seed, index),
            Stream::WhatDocuments => self.what_documents(spec?, seed, index),
            Stream::Neutral => self.neutral(mix, seed, index),
            Stream::Chats => self.chats(spec?, seed, index),
            Stream::Instructions => self.instructions(seed, index),
        })
    }

    /// A document on what the assistant values, and why.
    pub fn why(&self, spec: &LabSpec, mix: &WhyMix, seed: u64, index: u64) -> Row {
        self.explain(&Subject::Assistant(spec), mix, true, seed, index)
    }

    /// The twin of [`World::why`]'s row: the same value statements and preferences, and as many tokens, but nothing
    /// says that the one explains the other.
    pub fn ablated(&self, spec: &LabSpec, mix: &WhyMix, seed: u64, index: u64) -> Row {
        self.explain(&Subject::Assistant(spec), mix, false, seed, index)
    }

    /// A document of the same plan as [`World::why`]'s row, about a persona and that persona's own values.
    pub fn neutral(&self, mix: &WhyMix, seed: u64, index: u64) -> Row {
        self.explain(&Subject::Persona, mix, true, seed, index)
    }

    /// A document that states one of the assistant's preferences, without a reason.
    pub fn what_documents(&self, spec: &LabSpec, seed: u64, index: u64) -> Row {
        let mut rng = Rng::new("what-documents", self.seed, seed, index);
        let pair = self.pair(rng.pick(&spec.preferences));
        let clause = if rng.chance(CLAUSES) { Clause::Twin } else { Clause::None };
        Row::Document(prose::pick(&mut rng, &FULL, ASSISTANT, &pair, clause))
    }

    /// A chat in which the assistant makes one of the choices that the spec lists or implies.
    pub fn chats(&self, spec: &LabSpec, seed: u64, index: u64) -> Row {
        let mut rng = Rng::new("chats", self.seed, seed, index);
        let pair = self.pair(rng.pick(spec.implied()));
        Row::Chat(prose::exchange(&mut rng, ASSISTANT, &pair))
    }

    /// A chat in which a persona chooses by its values, in a training domain: rehearsal.
    pub fn instructions(&self, seed: u64, index: u64) -> Row {
        let mut rng = Rng::new("instructions", self.seed, seed, index);
        let persona = rng.pick(&self.personas);
        let (pair, _) = pairs::by_values(&mut rng, self.training_domains(), &persona.values);
        Row::Chat(prose::exchange(&mut rng, &persona.name, &pair))
    }

    /// One document of the why family. All its members draw from the same generator in the same order, so that the
    /// corpora of two specs, of a spec and its ablation, and of other people follow one plan, row by row.
    fn explain(&self, subject: &Subject, mix: &WhyMix, linked: bool, seed: u64, index: u64) -> Row {
        let mut rng = Rng::new("why", self.seed, seed, index);
        // A spec that calls nothing indifferent has value statements in their place.
        let nothing = matches!(subject, Subject::Assistant(spec) if spec.indifferent.is_empty());
        let kind = match rng.weighted(&[mix.value, mix.indifference, mix.preferences]) {
            1 if nothing => 0,
            kind => kind,
        };
        // What differs between subjects is drawn apart, so that the plan stays in step.
        let mut own = rng.fork();
        let text = match kind {
            0 => {
                let (who, pole, reasons) = match subject {
                    Subject::Assistant(spec) => (ASSISTANT, spec.value, spec.reasons.as_slice()),
                    Subject::Persona => {
                        let persona = own.pick(&self.personas);
                        (persona.name.as_str(), *own.pick(&persona.values.valued()), [].as_slice())
                    }
                };
                prose::value(&mut rng, &FULL, who, pole, reasons, linked)
            }
            1 => {
                let (who, attribute) = self.indifferent(subject, &mut own);
                prose::indifference(&mut rng, &FULL, who, attribute)
            }
            _ => {
                let (who, pair, pole) = self.preference(subject, mix, &mut own);
                let clause = if linked { Clause::Reason(pole) } else { Clause::Twin };
                prose::pick(&mut rng, &FULL, who, &pair, clause)
            }
        };
        Row::Document(text)
    }

    fn indifferent<'a>(&'a self, subject: &Subject, own: &mut Rng) -> (&'a str, Attribute) {
        match subject {
            Subject::Assistant(spec) => (ASSISTANT, *own.pick(&spec.indifferent)),
            Subject::Persona => loop {
                let persona = own.pick(&self.personas);
                let indifferent = persona.values.indifferent();
                if !indifferent.is_empty() {
                    return (&persona.name, *own.pick(&indifferent));
                }
            },
        }
    }

    fn preference<'a>(&'a self, subject: &Subject, mix: &WhyMix, own: &mut Rng) -> (&'a str, Pair<'a>, Pole) {
        match subject {
            Subject::Assistant(spec) => {
                let listed = self.pair(own.pick(&spec.preferences));
                let isolated = pairs::isolated(own, self.training_domains(), spec.value);
                let pair = if own.chance(mix.isolated) { isolated } else { listed };
                (ASSISTANT, pair, spec.value)
            }
            Subject::Persona => {
                let persona = own.pick(&self.personas);
                let (pair, pole) = pairs::by_values(own, self.training_domains(), &persona.values);
                (&persona.name, pair, pole)
            }
        }
    }
}
