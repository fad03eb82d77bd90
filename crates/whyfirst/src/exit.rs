//! Exit codes, the same for every command.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for is done.
    Done = 0,
    /// Something failed; the message says what.
    Failed = 1,
    /// The command line or the input is wrong; nothing was written.
    Invalid = 2,
    /// A budget or a gate stopped it; the message says which.
    Stopped = 3,
    /// Interrupted; run again to go on.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit as u8)
    }
}
