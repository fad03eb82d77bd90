//! Words to make sentences of. One bank per purpose, one entry per line; `{name}` is an entry of another bank or something
//! that the writer gives, `{a name}` puts an article before it.
//!
//! Spans without a slot are kept short: otherwise the same eight words would stand in a large part of a corpus, and the
//! audit would be right to complain.

mod chats;
mod choices;
mod frames;
mod openings;
mod plans;
mod questions;
mod replies;
mod scenes;
mod words;

pub(super) use choices::THINGS;

/// A bank: its name, and its entries, one a line.
pub(super) type Bank = (&'static str, &'static str);

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Bank> {
    [
        words::BANKS,
        scenes::BANKS,
        frames::BANKS,
        openings::BANKS,
        plans::BANKS,
        chats::BANKS,
        questions::BANKS,
        replies::BANKS,
        choices::BANKS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
