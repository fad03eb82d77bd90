//! Writing what the pipelines make: nodes, items, notes.

use rusqlite::params;

use crate::error::Result;
use crate::handle::Ledger;
use crate::row::{Item, Node, NodeState};

impl NodeState {
    /// As the store writes it.
    pub fn name(self) -> &'static str {
        match self {
            NodeState::Done => "done",
            NodeState::Open => "open",
            NodeState::SetAside => "set_aside",
        }
    }

    pub(crate) fn from_name(name: &str) -> NodeState {
        match name {
            "done" => NodeState::Done,
            "set_aside" => NodeState::SetAside,
            _ => NodeState::Open,
        }
    }
}

impl Ledger {
    /// Puts a node in the place of the one at the same (corpus, path, kind). Returns when it is queued: it is written in
    /// order, before anything that is written later, and a failure shows at the next write or [`Ledger::flush`].
    /// Writing the same again costs nothing on the disk.
    ///
    /// # Errors
    /// When an earlier write failed.
    pub async fn put_node(&self, node: Node) -> Result<()> {
        self.queue(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO nodes (corpus, path, kind, state, reason, content, request)
                     VALUES (?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (corpus, path, kind) DO UPDATE SET
                         state = excluded.state, reason = excluded.reason, content = excluded.content,
                         request = excluded.request
                     WHERE state IS NOT excluded.state OR reason IS NOT excluded.reason
                         OR content IS NOT excluded.content OR request IS NOT excluded.request",
                )?
                .execute(params![
                    node.corpus,
                    node.path,
                    node.kind,
                    node.state.name(),
                    node.reason,
                    node.content,
                    node.call.map(|request| request.to_string()),
                ])?;
            Ok(())
        })
        .await
    }

    /// Puts an item in the place of the one at the same (corpus, path); otherwise as [`Ledger::put_node`].
    ///
    /// # Errors
    /// When an earlier write failed.
    pub async fn put_item(&self, item: Item) -> Result<()> {
        self.queue(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO items (corpus, path, kept, reason, \"row\", provenance)
                     VALUES (?, ?, ?, ?, ?, ?)
                     ON CONFLICT (corpus, path) DO UPDATE SET
                         kept = excluded.kept, reason = excluded.reason, \"row\" = excluded.\"row\",
                         provenance = excluded.provenance
                     WHERE kept IS NOT excluded.kept OR reason IS NOT excluded.reason
                         OR \"row\" IS NOT excluded.\"row\" OR provenance IS NOT excluded.provenance",
                )?
                .execute(params![
                    item.corpus,
                    item.path,
                    item.kept,
                    item.reason,
                    item.row,
                    item.provenance
                ])?;
            Ok(())
        })
        .await
    }

    /// Forgets the nodes and items of a corpus, but none of its calls: a run that makes them anew from stored answers
    /// leaves none behind that the plan no longer has. Queued, as [`Ledger::put_node`].
    ///
    /// # Errors
    /// When an earlier write failed.
    pub async fn clear(&self, corpus: &str) -> Result<()> {
        let corpus = corpus.to_owned();
        self.queue(move |connection| {
            connection.execute("DELETE FROM nodes WHERE corpus = ?", [&corpus])?;
            connection.execute("DELETE FROM items WHERE corpus = ?", [&corpus])?;
            Ok(())
        })
        .await
    }

    /// Writes a note under a name, in the place of the one before; on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn put_meta(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [key, value],
            )?;
            Ok(())
        })
        .await
    }
}
