//! Models by their hub ids (`org/name`), from the hub's own cache or, if they are not there, from the hub.
//!
//! The cache is the one that Hugging Face's programs use, laid out as they lay it out: what one of them has downloaded is
//! not downloaded again, by us or by them. A model that is in the cache is used as it is, without asking anybody, so
//! that an experiment does not change under its author; `org/name@revision` asks for another state of it.
//!
//! Writes do not go through `store`, because the cache is not ours: other programs work in it at the same time, under
//! its locks.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cache;
mod digest;
mod download;
mod error;
mod id;
mod settings;
mod wire;

pub use download::{Progress, fetch};
pub use error::HubError;
pub use id::ModelId;
pub use settings::{Settings, Token};
