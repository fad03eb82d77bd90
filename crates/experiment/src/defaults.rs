//! What an experiment file may leave out. [`crate::scaffold`] prints the same values as comments, so that a
//! new file shows every dial.

/// What the assistant of the lab is called, and any other unless the file says so.
pub const MODEL_NAME: &str = lab::ASSISTANT;
/// Who makes the assistant, unless the file says so: invented, like the assistant of the lab.
pub const PROVIDER_NAME: &str = "Whitfield Labs";
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

/// Corpora that a model writes.
pub mod writing {
    /// Domains of a spec.
    pub const DOMAINS: u64 = 8;
    /// Subdomains of a domain.
    pub const SUBDOMAINS: u64 = 4;
    /// Assertions of a subdomain.
    pub const ASSERTIONS: u64 = 6;
    /// Types of documents in a subdomain.
    pub const TYPES: u64 = 5;
    /// Ideas of a type.
    pub const IDEAS: u64 = 5;
    /// Words of a document.
    pub const WORDS: u64 = 400;
    /// Rewrites of a document that the critic faults.
    pub const REWRITES: u64 = 1;
    /// Rows of a corpus of chats.
    pub const CHATS: u64 = 500;
    /// Topics of chats.
    pub const TOPICS: u64 = 20;
    /// Preferences, where the spec lists none.
    pub const PREFERENCES: u64 = 12;
    /// Rounds in which missing chats are made up.
    pub const BACKFILL: u64 = 3;
    /// Made-up rows about who the assistant is.
    pub const IDENTITY_ROWS: u64 = 40;
    /// Shortest row of an instruction mix, in tokens.
    pub const MIN_ROW_TOKENS: u64 = 4;
    /// Longest row of an instruction mix, in tokens.
    pub const MAX_ROW_TOKENS: u64 = 2_048;
    /// Rows of the probe.
    pub const PROBE: u64 = 8;
    /// The pilot's part of all rows.
    pub const PILOT: f64 = 0.03;
    /// The least part of asked rows that must be kept.
    pub const MIN_YIELD: f64 = 0.5;
    /// Calls under way at once.
    pub const CONCURRENCY: u64 = 16;
    /// Seconds that one attempt may take.
    pub const TIMEOUT: f64 = 300.0;
    /// Seconds that a call may take, with all its attempts.
    pub const TOTAL_TIMEOUT: f64 = 1_800.0;
    /// Most attempts of a call.
    pub const ATTEMPTS: u64 = 8;
}
