//! Corpora from the lab's streams.

use lab::{LabSpec, Stream, WhyMix, World};
use serde::{Deserialize, Serialize};
use store::Hash;

use crate::corpus::{Corpus, Kind, Source};
use crate::error::{CorpusError, Result};
use crate::row::Row;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Budget {
    /// Exactly so many tokens, if the rows' lengths allow it, and never more.
    Tokens(u64),
    /// So many rows.
    Rows(u64),
}

/// A corpus to be generated.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the experiment calls it.
    pub name: &'a str,
    /// The world.
    pub world: &'a World,
    /// The stream.
    pub stream: Stream,
    /// The spec, and the hash of its text. A stream that shows only preferences may be given any of the specs that
    /// share them.
    pub spec: Option<(&'a LabSpec, Hash)>,
    /// The shares of the kinds of documents.
    pub mix: &'a WhyMix,
    /// The seed.
    pub seed: u64,
    /// How much.
    pub budget: Budget,
}

/// Generates a corpus; `count` says how many tokens a row is. The result depends on the request and on the counts only.
///
/// Rows are those of the stream from index 0 on, in order. Under a token budget the last few are chosen from the rows
/// that come next so that the budget is met exactly, so two streams whose rows are token-matched stay so row by row.
///
/// # Errors
/// If the stream needs a spec and none is given; and what `count` returns.
pub fn generate(request: &Request, mut count: impl FnMut(&Row) -> Result<usize>) -> Result<Corpus> {
    let Request { name, world, stream, spec, mix, seed, budget } = *request;
    let row = |index: u64| -> Result<Row> {
        let row = world.row(stream, spec.map(|(spec, _)| spec), mix, seed, index);
        row.map(Row::from)
            .ok_or_else(|| CorpusError::NoSpec { name: name.to_string(), stream: stream.name() })
    };
    let (rows, tokens) = match budget {
        Budget::Tokens(tokens) => fill(tokens, row, count)?,
        Budget::Rows(rows) => {
            let rows: Vec<Row> = (0..rows).map(row).collect::<Result<_>>()?;
            let mut tokens = 0;
            for row in &rows {
                tokens += count(row)? as u64;
            }
            (rows, tokens)
        }
    };
    let kind = match stream {
        Stream::Chats => Kind::Chats,
        Stream::Instructions => Kind::Instructions,
        Stream::Why | Stream::Ablated | Stream::WhatDocuments | Stream::Neutral => Kind::Documents,
    };
    // Only what the rows depend on is recorded: rows that are the same for all specs name none of them.
    let explains = spec.filter(|_| stream.explains());
    let source = Source::Lab {
        stream,
        world_seed: world.seed,
        seed,
        spec: explains.map(|(spec, _)| spec.name.clone()),
        spec_hash: explains.map(|(_, hash)| hash),
        mix: (stream.explains() || stream == Stream::Neutral).then(|| mix.clone()),
        budget,
    };
    Ok(Corpus { name: name.to_string(), kind, source, rows, tokens })
}

/// Rows for a budget, and their tokens.
fn fill(
    budget: u64,
    row: impl Fn(u64) -> Result<Row>,
    mut count: impl FnMut(&Row) -> Result<usize>,
) -> Result<(Vec<Row>, u64)> {
    let mut made: Vec<(Option<Row>, u64)> = Vec::new();
    let chosen = budget::fill::<CorpusError>(budget, |index| {
        let row = row(index as u64)?;
        let tokens = count(&row)? as u64;
        made.push((Some(row), tokens));
        Ok(Some(tokens))
    })?;
    let tokens = chosen.iter().map(|index| made[*index].1).sum();
    Ok((chosen.into_iter().filter_map(|index| made[index].0.take()).collect(), tokens))
}
