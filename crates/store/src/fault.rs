//! Failures on demand, for tests of what a failure leaves behind.
//!
//! Compiled for this crate's own tests, and with the feature `faults`, which only tests of other crates ask
//! for: no released program has it. With that feature two environment variables are read:
//!
//! - `WHYFIRST_FAULT="KIND NUMBER"` makes the NUMBER-th operation of this process (counted from 1) fail;
//!   the kinds are those of [`from_environment`].
//! - `WHYFIRST_FAULT_LOG=FILE` appends a line with the name and the path of every operation to FILE.

use std::io;
use std::path::Path;

use crate::error::Operation;

/// What happens in place of an operation.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The operating system refuses.
    Refused(io::Error),
    /// As [`Refused`](Fault::Refused); a write has taken half of the bytes before.
    Half(io::Error),
    /// The process ends as if killed; a write has taken half of the bytes before.
    Killed,
}

/// The failure that this operation is to meet, if any.
pub(crate) fn meets(operation: Operation, path: &Path) -> Option<Fault> {
    #[cfg(test)]
    if let Some(fault) = by_thread::meets(operation) {
        return Some(fault);
    }
    #[cfg(feature = "faults")]
    if let Some(fault) = from_environment::meets(operation, path) {
        return Some(fault);
    }
    let _ = (operation, path);
    None
}

/// Faults that a test of this crate sets for its own thread.
#[cfg(test)]
pub(crate) mod by_thread {
    use std::cell::Cell;

    use super::{Fault, Operation, io};

    thread_local! {
        static FAILING: Cell<Option<(Operation, usize)>> = const { Cell::new(None) };
    }

    /// Runs `action` while the first such operation on this thread fails as on a full disk.
    pub(crate) fn with<T>(operation: Operation, action: impl FnOnce() -> T) -> T {
        with_nth(operation, 0, action)
    }

    /// Runs `action` while such operations fail after `n` successes.
    pub(crate) fn with_nth<T>(operation: Operation, n: usize, action: impl FnOnce() -> T) -> T {
        FAILING.set(Some((operation, n)));
        let result = action();
        FAILING.set(None);
        result
    }

    pub(super) fn meets(operation: Operation) -> Option<Fault> {
        match FAILING.get() {
            Some((failing, 0)) if failing == operation => {
                Some(Fault::Half(io::ErrorKind::StorageFull.into()))
            }
            Some((failing, n)) if failing == operation => {
                FAILING.set(Some((failing, n - 1)));
                None
            }
            _ => None,
        }
    }
}

/// Faults that the tests of a whole program set for its process.
#[cfg(feature = "faults")]
mod from_environment {
    use std::fs::File;
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Mutex, OnceLock, PoisonError};

    use super::{Fault, Operation, Path, io};

    /// Operations so far.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    static LOG: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    static PLAN: OnceLock<Option<(String, usize)>> = OnceLock::new();

    pub(super) fn meets(operation: Operation, path: &Path) -> Option<Fault> {
        let number = COUNT.fetch_add(1, SeqCst) + 1;
        log(operation, path);
        let (kind, at) = PLAN.get_or_init(plan).as_ref()?;
        let grows = matches!(operation, Operation::Create | Operation::Write);
        match kind.as_str() {
            // A disk that is full stays full.
            "full" if number >= *at && grows => Some(Fault::Half(io::ErrorKind::StorageFull.into())),
            _ if number != *at => None,
            "full" => None,
            "no-space" => Some(Fault::Refused(io::ErrorKind::StorageFull.into())),
            "short" => Some(Fault::Half(io::ErrorKind::StorageFull.into())),
            "denied" => Some(Fault::Refused(io::ErrorKind::PermissionDenied.into())),
            "broken" => Some(Fault::Refused(io::Error::other("input/output error"))),
            "kill" => Some(Fault::Killed),
            other => panic!("WHYFIRST_FAULT: no fault is called `{other}`"),
        }
    }

    fn plan() -> Option<(String, usize)> {
        let text = std::env::var("WHYFIRST_FAULT").ok()?;
        let (kind, number) = text.split_once(' ').expect("WHYFIRST_FAULT is `KIND NUMBER`");
        Some((kind.to_owned(), number.parse().expect("WHYFIRST_FAULT is `KIND NUMBER`")))
    }

    fn log(operation: Operation, path: &Path) {
        let open = || {
            let path = std::env::var_os("WHYFIRST_FAULT_LOG")?;
            let file = File::options().create(true).append(true).open(path);
            Some(Mutex::new(file.expect("WHYFIRST_FAULT_LOG can be written")))
        };
        if let Some(file) = LOG.get_or_init(open) {
            let line = format!("{operation} {}\n", path.display());
            let written = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
            written.expect("WHYFIRST_FAULT_LOG can be written");
        }
    }
}
