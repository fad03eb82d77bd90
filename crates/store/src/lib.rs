//! Atomic files, hashes, manifests, locks.
//!
//! Every durable write of the product goes through this crate, and within it through one module,
//! `disk`. A file is either the old one or the new one, never a part of either ([`write_atomic`]);
//! a folder is complete when it holds a `DONE` file that lists its contents ([`StagedDir`],
//! [`verify_done`]); whatever determines a result is hashed into its name ([`IdBuilder`]); one process
//! at a time works in a folder ([`RunLock`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod atomic;
mod disk;
mod done;
mod error;
#[cfg(any(test, feature = "faults"))]
mod fault;
mod hash;
mod id;
mod json;
mod lock;
mod staged;

pub use atomic::{read, read_text, update, write_atomic};
pub use done::{DONE, Done, FileEntry, read_done, verify_done};
pub use error::{Operation, Result, StoreError};
pub use hash::{Hash, HashParseError, hash_bytes, hash_dir, hash_file};
pub use id::IdBuilder;
pub use json::{read_json, update_json, write_json};
pub use lock::RunLock;
pub use staged::{StagedDir, StagedFile, remove, remove_leftovers};
