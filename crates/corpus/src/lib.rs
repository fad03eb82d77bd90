//! Corpora: documents, chats, mixes; sources lab and files.
//!
//! A corpus is rows with a name and a known origin. Its content hash is the hash of its rows as JSON Lines, and nothing
//! else: that is how corpora enter the ids of what is trained on them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod card;
mod corpus;
mod error;
mod folder;
mod generate;
mod import;
mod row;
mod streamed;
mod tokenise;

pub use corpus::{Corpus, Kind, Source, Written};
pub use error::{CorpusError, Result};
pub use folder::{MANIFEST, Manifest};
pub use generate::{Budget, Request, generate};
pub use import::{import, rows};
pub use row::{Row, lab_tokens};
pub use streamed::{PROVENANCE, Streamed};
pub use tokenise::{count, tokenise, tokenise_row};
