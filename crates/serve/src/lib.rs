//! An OpenAI-compatible server for the models of an experiment.
//!
//! Requests meet in one [`Engine`] on a thread of its own, which continues the texts of all of them together
//! ([`model::Generator`]). A [`Catalogue`] knows the models by name and loads one when it is first asked for; adapters of one base
//! share its weights. [`Server`] is the HTTP side: it checks who asks and what, and writes answers as they come.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod api;
mod body;
mod catalogue;
mod engine;
mod guard;
mod journal;
mod server;
mod settings;

pub use catalogue::{Catalogue, CatalogueError, Ready, Source};
pub use engine::Engine;
pub use journal::{Line, Status};
pub use server::{Running, ServeError, Server};
pub use settings::Settings;
