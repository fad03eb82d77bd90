//! Instruction mixes: general conversations that keep a model coherent.

mod conflict;
mod conversation;
mod identity;
mod import;
mod mix;
mod parquet;

pub use conflict::Judge;
pub use conversation::{Conversation, Message};
pub use identity::{MOST_IDENTITY_ROWS, foreign_identity, identity_rows};
pub use import::{ImportError, Imported, import};
pub use mix::{MixReport, MixSettings, mix};
