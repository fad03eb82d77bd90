//! Chats from a spec: topics, questions, answers, verdicts, and questions that make up for what was lost.

mod answers;
pub mod check;
pub mod dedup;
pub(crate) mod desk;
mod estimate;
mod grams;
pub mod opaque;
pub mod others;
mod plan;
pub(crate) mod questions;
mod rounds;
mod row;
mod settings;
mod slots;
mod tally;
pub(crate) mod verdict;
mod waves;
mod write;

pub use desk::Desk;
pub use estimate::estimate;
pub use grams::cosine;
pub use row::{chat_row, without_reasoning};
pub use settings::{ChatSettings, Mode, QUESTION_TYPES, Style};
pub use tally::ChatTally;
pub use verdict::{Judgement, Verdict};
pub use write::write_chats;
