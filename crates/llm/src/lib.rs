//! Writers: two protocols, limits, retries, batches, prices.
//!
//! A [`Client`] answers [`Call`]s. It looks into the ledger first; what is not there is sent, as a row that is on the disk
//! before the request leaves, and seen by nobody before the answer is on the disk too. Everything between is here: which
//! bytes a prompt becomes (`protocol`), who may send when (`gate`), what it may cost (`purse`), what may be tried again
//! (`verdict`), and what is handed in as a batch (`batch`).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
mod call;
mod client;
mod counters;
mod date;
mod drive;
mod ending;
mod flights;
mod gate;
mod key;
mod lane;
mod lines;
mod price;
mod protocol;
mod purse;
mod request;
mod secret;
mod settings;
mod transport;
mod verdict;

pub use call::{Answer, Ask, Budget, Call, CallError, Prompt, Role, Speaker, Stop, Turn, Usage};
pub use client::Client;
pub use counters::Counters;
pub use ending::Cause;
pub use key::{KeyError, find_key, require_key};
pub use ledger::Dollars;
pub use price::{Prices, tokens_in};
pub use secret::Secret;
pub use settings::{
    Batching, Concurrency, Limits, MaxTokensField, Mode, Model, Protocol, Reasoning, Retry, Settings,
    SettingsError, Timeouts,
};
