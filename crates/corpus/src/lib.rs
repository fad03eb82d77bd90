//! Corpora: documents, chats, mixes; sources lab and files.
//!
//! A corpus is rows with a name and a known origin. Its content hash is the hash of its rows as JSON Lines, and nothing
//! else: that is how corpora enter the ids of what is trained on them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod card;
mod corpus;
mod error;
mod export;
mod folder;
mod generate;
mod import;
mod lines;
mod opened;
mod parquet;
mod row;
mod streamed;
mod subset;
mod tokenise;
mod transform;

pub use self::parquet::{ExportError, ParquetWriter, named, parquet};
pub use corpus::{Corpus, Kind, Source, Written};
pub use error::{CorpusError, Result};
pub use export::{Export, ExportManifest, Exported, Format, PartManifest, Size, export};
pub use folder::{MANIFEST, Manifest};
pub use generate::{Budget, Request, generate};
pub use import::{import, rows};
pub use lines::Lines;
pub use opened::Opened;
pub use row::{Row, lab_tokens};
pub use streamed::{PROVENANCE, Streamed};
pub use subset::{Part, nested_rows, nested_tokens, order};
pub use tokenise::{count, tokenise, tokenise_row};
pub use transform::{Steps, Transformed, transform};
