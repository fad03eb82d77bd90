//! Chats from a spec, written by a model in memory.
#![allow(clippy::unwrap_used)]

mod faults;
mod preferences;
mod prompts;
mod replay;
mod rows;
#[path = "../scripted/mod.rs"]
mod scripted;

use ledger::Item;
use scripted::{Says, Scripted, Seen, brief, source};
use serde_json::Value;
use whyfirst_writing::chats::{ChatSettings, ChatTally, Desk, Mode, Style, write_chats};
use whyfirst_writing::{Brief, Memory, Prompts, Scope, WritingError};

pub(crate) fn answers(topics: usize, rows: usize) -> ChatSettings {
    ChatSettings::new(Mode::Answers { topics, style: Style::Value, reasoning: false }, rows)
}

pub(crate) async fn try_run<F: Fn(&Seen) -> Says + Send + Sync>(
    ask: &Scripted<F>,
    settings: &ChatSettings,
    scope: Scope,
) -> Result<(ChatTally, Memory), WritingError> {
    let (prompts, brief, memory): (_, Brief, _) = (Prompts::built_in(), brief(), Memory::default());
    let desk = Desk { ask, prompts: &prompts, brief: &brief };
    write_chats(desk, &source(), &[], settings, scope, &memory).await.map(|tally| (tally, memory))
}

pub(crate) async fn run(
    settings: &ChatSettings,
    script: impl Fn(&Seen) -> Says + Send + Sync,
) -> (ChatTally, Memory) {
    try_run(&Scripted::new(1, script), settings, Scope::Full).await.unwrap()
}

pub(crate) fn kept(memory: &Memory) -> Vec<Item> {
    memory.items().into_iter().filter(|item| item.kept).collect()
}

pub(crate) fn about(item: &Item) -> Value {
    serde_json::from_str(&item.provenance).unwrap()
}
