//! Batches: written down before they are handed in, known by the provider's id from then on, so that no crash loses
//! what was paid for.

use rusqlite::{Connection, params};
use store::Hash;

use crate::attempt::{Attempt, CallId};
use crate::calls::{hash, insert, money};
use crate::error::Result;
use crate::handle::Ledger;
use crate::money::Dollars;

/// The row of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(i64);

impl BatchId {
    /// `batches.id`.
    pub fn number(self) -> i64 {
        self.0
    }
}

/// A batch that is about to be handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBatch {
    /// `anthropic` or `openai`.
    pub api: &'static str,
    /// The base URL, as it enters the hash of a request.
    pub base: String,
    /// The model.
    pub model: String,
    /// Its calls, each with the id it goes by in the batch.
    pub items: Vec<(String, Attempt)>,
}

/// A batch that was written down and may be handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct BegunBatch {
    /// Its row.
    pub id: BatchId,
    /// What the provider is to know it by, if it takes such a thing: no other batch has it.
    pub token: String,
    /// The rows of its calls, in the order of the items.
    pub calls: Vec<CallId>,
}

/// A call of an open batch that has no outcome yet.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchItem {
    /// The id it goes by in the batch.
    pub custom_id: String,
    /// Its row.
    pub call: CallId,
    /// Its request.
    pub request: Hash,
    /// The most it can cost.
    pub reserved: Dollars,
    /// The role it was sent for.
    pub role: String,
}

/// A batch whose end has not been seen.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenBatch {
    /// Its row.
    pub id: BatchId,
    /// `anthropic` or `openai`.
    pub api: String,
    /// The base URL, as it enters the hash of a request.
    pub base: String,
    /// The model.
    pub model: String,
    /// What the provider was given to know it by.
    pub token: String,
    /// The provider's id; `None` if it is not known whether it arrived.
    pub provider_id: Option<String>,
    /// How many calls it was handed in with.
    pub size: u64,
    /// Those without an outcome, by custom id.
    pub items: Vec<BatchItem>,
}

impl Ledger {
    /// Writes down a batch that is about to be handed in, and its calls as attempts; on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written. Then it must not be sent.
    pub async fn begin_batch(&self, batch: NewBatch) -> Result<BegunBatch> {
        self.write(move |connection| insert_batch(connection, &batch)).await
    }

    /// Writes down the provider's id of a batch; on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn batch_submitted(&self, batch: BatchId, provider_id: String) -> Result<()> {
        self.write(move |connection| {
            connection.execute(
                "UPDATE batches SET status = 'submitted', provider_id = ? WHERE id = ?",
                params![provider_id, batch.0],
            )?;
            Ok(())
        })
        .await
    }

    /// Writes down that all results of a batch are stored. A call of it that still has none is marked lost: it may have
    /// been billed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn batch_ended(&self, batch: BatchId) -> Result<()> {
        self.write(move |connection| close_batch(connection, batch, "ended", true)).await
    }

    /// Writes down that a batch is not with the provider. `possibly_billed` says whether that is known for certain: if not,
    /// its calls count as possibly billed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn batch_lost(&self, batch: BatchId, possibly_billed: bool) -> Result<()> {
        self.write(move |connection| close_batch(connection, batch, "lost", possibly_billed)).await
    }

    /// The batches whose end has not been seen, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open_batches(&self) -> Result<Vec<OpenBatch>> {
        self.read(|connection| {
            let mut batches = connection
                .prepare(
                    "SELECT id, api, base, model, token, provider_id,
                            (SELECT count(*) FROM batch_items WHERE batch = batches.id)
                     FROM batches WHERE status IN ('submitting', 'submitted') ORDER BY id",
                )?
                .query_map([], |row| {
                    Ok(OpenBatch {
                        id: BatchId(row.get(0)?),
                        api: row.get(1)?,
                        base: row.get(2)?,
                        model: row.get(3)?,
                        token: row.get(4)?,
                        provider_id: row.get(5)?,
                        size: crate::calls::count(row, 6)?,
                        items: Vec::new(),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            for batch in &mut batches {
                batch.items = open_items(connection, batch.id)?;
            }
            Ok(batches)
        })
    }

    /// All the ids that the provider of a base URL gave to batches of this store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn known_batches(&self, api: &str, base: &str) -> Result<Vec<String>> {
        self.read(|connection| {
            connection
                .prepare(
                    "SELECT provider_id FROM batches
                     WHERE api = ? AND base = ? AND provider_id IS NOT NULL ORDER BY id",
                )?
                .query_map([api, base], |row| row.get(0))?
                .collect()
        })
    }
}

fn insert_batch(connection: &Connection, batch: &NewBatch) -> rusqlite::Result<BegunBatch> {
    let id = connection
        .prepare_cached(
            "INSERT INTO batches (api, base, model, token, status) VALUES (?, ?, ?, '', 'submitting')",
        )?
        .insert(params![batch.api, batch.base, batch.model])?;
    // The row number tells it from other batches of this store, the requests from those of others.
    let names: Vec<&str> = batch.items.iter().map(|(custom_id, _)| custom_id.as_str()).collect();
    let token = format!("{}-{id}", &store::hash_bytes(names.join("\n").as_bytes()).to_string()[..32]);
    connection.prepare_cached("UPDATE batches SET token = ? WHERE id = ?")?.execute(params![token, id])?;
    let mut items =
        connection.prepare_cached("INSERT INTO batch_items (batch, custom_id, call) VALUES (?, ?, ?)")?;
    let mut calls = Vec::with_capacity(batch.items.len());
    for (custom_id, attempt) in &batch.items {
        let call = insert(connection, attempt, Some(id))?;
        items.execute(params![id, custom_id, call.0])?;
        calls.push(call);
    }
    Ok(BegunBatch { id: BatchId(id), token, calls })
}

fn close_batch(
    connection: &Connection,
    batch: BatchId,
    status: &str,
    possibly_billed: bool,
) -> rusqlite::Result<()> {
    connection.execute("UPDATE batches SET status = ? WHERE id = ?", params![status, batch.0])?;
    let sql = if possibly_billed {
        "UPDATE calls SET status = 'lost', possibly = reserved WHERE status = 'pending' AND batch = ?"
    } else {
        "UPDATE calls SET status = 'failed', error = 'not submitted' WHERE status = 'pending' AND batch = ?"
    };
    connection.execute(sql, [batch.0])?;
    Ok(())
}

fn open_items(connection: &Connection, batch: BatchId) -> rusqlite::Result<Vec<BatchItem>> {
    connection
        .prepare_cached(
            "SELECT custom_id, calls.id, request, reserved, role
             FROM batch_items JOIN calls ON calls.id = batch_items.call
             WHERE batch_items.batch = ? AND calls.status = 'pending' ORDER BY custom_id",
        )?
        .query_map([batch.0], |row| {
            Ok(BatchItem {
                custom_id: row.get(0)?,
                call: CallId(row.get(1)?),
                request: hash(row, 2)?,
                reserved: money(row, 3)?,
                role: row.get(4)?,
            })
        })?
        .collect()
}
