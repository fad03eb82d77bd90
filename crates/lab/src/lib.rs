//! The small world: items, personas, templates.
//!
//! A world small enough that a model of under a million parameters, trained from nothing in minutes, really knows
//! it, and rich enough that explaining values first can succeed or fail. Items of twelve domains have a price, an
//! origin and an age; people value some poles of these and do not care about the rest; prose says so, and chats show
//! it. Everything here is a pure function: a world of its seed, a row of (world, stream, seed, index).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod calibration;
mod domains;
mod lab_spec;
mod names;
mod pairs;
mod phrases;
mod pretraining;
mod prose;
mod rng;
mod row;
mod streams;
mod suites;
mod template;
mod tokenizer;
mod world;

pub use attribute::{Attribute, Pole, Values};
pub use lab_spec::{LabSpec, Preference};
pub use pretraining::Mix;
pub use rng::Rng;
pub use row::{ChatTurn, Row, Speaker};
pub use streams::{Stream, WhyMix};
pub use suites::{CAPABILITY_SEED, PAIRS_PER_DOMAIN};
pub use template::words;
pub use tokenizer::SPECIAL_TOKENS;
pub use world::{ASSISTANT, Domain, ITEMS_PER_COMBINATION, Item, PERSONAS, Persona, RESERVED, World};
