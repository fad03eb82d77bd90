//! What an experiment file may leave out. [`crate::scaffold`] prints the same values as comments, so that a
//! new file shows every dial.

/// What the assistant of the lab is called, and any other unless the file says so.
pub const MODEL_NAME: &str = lab::ASSISTANT;
/// The part of a stage's rows that the instruction mix makes up.
pub const INSTRUCTION_SHARE: f64 = 0.3;
/// The analyses that a file declares primary by saying nothing.
pub const PRIMARY: [&str; 1] = ["steering"];
/// The suites that every model is evaluated on.
pub const SUITES: [&str; 2] = ["preferences", "capability"];
/// Pairs per attribute and domain in the preferences suite: every item of a domain occurs once.
pub const PAIRS: u64 = 12;
/// Texts of each kind (facts, prose, chat) in the capability suite.
pub const TEXTS: u64 = 60;
/// Steps between checkpoints.
pub const CHECKPOINT_EVERY: u64 = 100;
