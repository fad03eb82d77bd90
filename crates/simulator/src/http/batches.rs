//! `/v1/messages/batches` and `/v1/batches`.

mod anthropic;
mod openai;

use super::Reply;
use super::front::Incoming;
use crate::batch::Batch;
use crate::wire::{Problem, Protocol};

pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    match incoming.protocol {
        Protocol::Anthropic => anthropic::serve(incoming),
        Protocol::OpenAi => openai::serve(incoming),
    }
}

/// The value of a parameter of the query.
fn parameter<'a>(incoming: &'a Incoming<'_>, name: &str) -> Option<&'a str> {
    incoming.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A page of a list: the first `limit` after (or, backwards, before) the batch with an id, and whether there are more.
fn page<'a>(
    all: &'a [Batch],
    limit: Option<&str>,
    after: Option<&str>,
    before: Option<&str>,
) -> Result<(&'a [Batch], bool), Problem> {
    let limit: usize = limit.unwrap_or("20").parse().unwrap_or(0);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::Invalid("limit", "must be from 1 to 1000".to_owned()));
    }
    let place = |id: &str| all.iter().position(|batch| batch.id == id);
    let nowhere = |id: &str| Problem::NotFound(format!("no batch has the id {id}"));
    if let Some(before) = before {
        let end = place(before).ok_or_else(|| nowhere(before))?;
        let start = end.saturating_sub(limit);
        return Ok((&all[start..end], start > 0));
    }
    let start = after.map(|after| place(after).ok_or_else(|| nowhere(after))).transpose()?;
    let start = start.map_or(0, |at| at + 1);
    let end = all.len().min(start + limit);
    Ok((&all[start..end], end < all.len()))
}
