//! Attempts: written before they are sent, settled before anyone sees what came of them.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::Hash;

use crate::attempt::{Answered, Attempt, CallId, Failed, Kept, Outcome, StoredAnswer, Tokens};
use crate::error::Result;
use crate::handle::Ledger;
use crate::money::Dollars;

impl Ledger {
    /// Writes down an attempt that is about to be sent; on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written. Then it must not be sent.
    pub async fn begin(&self, attempt: Attempt) -> Result<CallId> {
        self.write(move |connection| insert(connection, &attempt, None)).await
    }

    /// Writes down what came of an attempt; on the disk when this returns. A second answer to a request never replaces
    /// the first.
    ///
    /// # Errors
    /// When it cannot be written. Then nobody may see the answer.
    pub async fn finish(&self, call: CallId, outcome: Outcome) -> Result<Kept> {
        self.write(move |connection| settle(connection, call, &outcome)).await
    }

    /// The answer to a request, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn answer_of(&self, request: Hash) -> Result<Option<StoredAnswer>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT text, stop, input, output, reasoning, cache_read, cache_write, cost, model
                     FROM calls WHERE request = ? AND status = 'answered'",
                )?
                .query_row([request.to_string()], |row| {
                    Ok(StoredAnswer {
                        request,
                        text: row.get(0)?,
                        stop: row.get(1)?,
                        tokens: tokens(row, 2)?,
                        cost: money(row, 7)?,
                        model: row.get(8)?,
                    })
                })
                .optional()
        })
    }

    /// Marks what a process that died had sent without hearing the end of it: possibly billed, to be sent again. Only
    /// the holder of the lock of the runs folder may call this, before it sends anything. Batches stay as they are: the
    /// client asks the provider for them. Says how many there were.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn recover(&self) -> Result<u64> {
        self.write(|connection| {
            let changed = connection.execute(
                "UPDATE calls SET status = 'lost', possibly = reserved WHERE status = 'pending' AND batch IS NULL",
                [],
            )?;
            Ok(changed as u64)
        })
        .await
    }
}

pub(crate) fn insert(
    connection: &Connection,
    attempt: &Attempt,
    batch: Option<i64>,
) -> rusqlite::Result<CallId> {
    connection
        .prepare_cached(
            "INSERT INTO calls (request, corpus, path, role, api, model, template, sample, attempt, batch, status,
                                reserved, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
        )?
        .insert(params![
            attempt.request.to_string(),
            attempt.corpus,
            attempt.path,
            attempt.role,
            attempt.api,
            attempt.model,
            attempt.template.to_string(),
            number(attempt.sample),
            attempt.number,
            batch,
            number(attempt.reserved.pico()),
            attempt.body.to_string(),
        ])
        .map(CallId)
}

fn settle(connection: &Connection, call: CallId, outcome: &Outcome) -> rusqlite::Result<Kept> {
    match outcome {
        Outcome::Answered(answered) => answer(connection, call, answered),
        Outcome::Failed(failed) => fail(connection, call, failed).map(|()| Kept::First),
    }
}

pub(crate) fn answer(connection: &Connection, call: CallId, answered: &Answered) -> rusqlite::Result<Kept> {
    let taken: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM calls WHERE status = 'answered'
                            AND request = (SELECT request FROM calls WHERE id = ?))",
        )?
        .query_row([call.0], |row| row.get(0))?;
    let (status, kept) = if taken { ("extra", Kept::Extra) } else { ("answered", Kept::First) };
    connection
        .prepare_cached(
            "UPDATE calls SET status = ?, http = ?, stop = ?, input = ?, output = ?, reasoning = ?, cache_read = ?,
                              cache_write = ?, cost = ?, possibly = ?, latency_ms = ?, text = ?, raw = ?
             WHERE id = ?",
        )?
        .execute(params![
            status,
            answered.http,
            answered.stop,
            number(answered.tokens.input),
            number(answered.tokens.output),
            number(answered.tokens.reasoning),
            number(answered.tokens.cache_read),
            number(answered.tokens.cache_write),
            number(answered.cost.pico()),
            number(answered.possibly.pico()),
            number(answered.latency_ms),
            answered.text,
            answered.raw,
            call.0,
        ])?;
    Ok(kept)
}

pub(crate) fn fail(connection: &Connection, call: CallId, failed: &Failed) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE calls SET status = 'failed', http = ?, error = ?, message = ?, possibly = ?, latency_ms = ?, raw = ?
             WHERE id = ?",
        )?
        .execute(params![
            failed.http,
            failed.kind,
            failed.message,
            number(failed.possibly.pico()),
            number(failed.latency_ms),
            failed.raw,
            call.0,
        ])?;
    Ok(())
}

/// As SQLite has it: 63 bits. Nothing that is counted here comes near.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that is never negative.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

pub(crate) fn money(row: &Row<'_>, column: usize) -> rusqlite::Result<Dollars> {
    count(row, column).map(Dollars::from_pico)
}

/// Five columns of tokens, from this one on.
pub(crate) fn tokens(row: &Row<'_>, first: usize) -> rusqlite::Result<Tokens> {
    Ok(Tokens {
        input: count(row, first)?,
        output: count(row, first + 1)?,
        reasoning: count(row, first + 2)?,
        cache_read: count(row, first + 3)?,
        cache_write: count(row, first + 4)?,
    })
}

/// A hash; an error if the column holds something else.
pub(crate) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<Hash> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
