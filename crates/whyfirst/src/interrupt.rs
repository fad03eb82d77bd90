//! Ctrl-C: the first one asks the run to save and stop, the second one stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Listens from now on, also for the polite termination signal.
///
/// Stopping at once loses nothing: whatever is on the disk is complete or will be recognised as not.
pub fn listen() {
    let listening = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted as i32);
        }
        eprintln!("\nstopping after this step; press Ctrl-C again to stop at once");
    });
    if let Err(error) = listening {
        eprintln!("warning: Ctrl-C will stop at once instead of saving first ({error})");
    }
}

/// What the first Ctrl-C sets.
pub fn requested() -> &'static AtomicBool {
    &REQUESTED
}
