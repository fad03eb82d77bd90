//! Every call to a writer, what came of it, and what was made of it: one SQLite file.
//!
//! A [`Ledger`] is a cheap handle. One thread owns the connection that writes and commits in groups, so that hundreds of
//! durable writes a second need only a few syncs; reads have connections of their own. What the tables hold is said in
//! `schema.rs`; any SQLite tool opens the file.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attempt;
mod batch;
mod calls;
mod error;
mod handle;
mod money;
mod open;
mod pool;
mod read;
mod row;
mod rows;
mod schema;
mod spending;
mod writer;

pub use attempt::{Answered, Attempt, CallId, Failed, Kept, Outcome, StoredAnswer, Tokens};
pub use batch::{BatchId, BatchItem, BegunBatch, NewBatch, OpenBatch};
pub use error::{LedgerError, Result};
pub use handle::Ledger;
pub use money::Dollars;
pub use row::{Item, Node, NodeState};
pub use spending::{RoleSpending, Spending};
