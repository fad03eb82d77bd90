//! Reading what the pipelines made. Results come in path order, one by one, so that a corpus of any size is read in the same
//! memory. What is queued is not seen yet: [`Ledger::flush`] first.

use rusqlite::{OptionalExtension, Row};

use crate::calls::count;
use crate::error::{LedgerError, Result};
use crate::handle::Ledger;
use crate::row::{Item, Node, NodeState};

const NODE: &str = "SELECT corpus, path, kind, state, reason, content, request FROM nodes";
const ITEM: &str = "SELECT corpus, path, kept, reason, \"row\", provenance FROM items";

impl Ledger {
    /// Hands over the items of a corpus in path order.
    ///
    /// # Errors
    /// When the store cannot be read, and whatever `each` returns, at once.
    pub fn items<E: From<LedgerError>>(
        &self,
        corpus: &str,
        kept_only: bool,
        each: impl FnMut(Item) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let only = if kept_only { "AND kept" } else { "" };
        self.each(&format!("{ITEM} WHERE corpus = ? {only} ORDER BY path"), corpus, item, each)
    }

    /// Hands over the nodes of a corpus in path order.
    ///
    /// # Errors
    /// As [`Ledger::items`].
    pub fn nodes<E: From<LedgerError>>(
        &self,
        corpus: &str,
        each: impl FnMut(Node) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.each(&format!("{NODE} WHERE corpus = ? ORDER BY path, kind"), corpus, node, each)
    }

    /// One item.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn item(&self, corpus: &str, path: &str) -> Result<Option<Item>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("{ITEM} WHERE corpus = ? AND path = ?"))?
                .query_row([corpus, path], item)
                .optional()
        })
    }

    /// How many items of a corpus were kept, and how many dropped.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_items(&self, corpus: &str) -> Result<(u64, u64)> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT coalesce(sum(kept), 0), coalesce(sum(NOT kept), 0) FROM items WHERE corpus = ?",
                )?
                .query_row([corpus], |row| Ok((count(row, 0)?, count(row, 1)?)))
        })
    }

    /// Why nodes of a corpus were set aside and items dropped: kind (`item` for an item), reason, how many; the most
    /// frequent first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reasons(&self, corpus: &str) -> Result<Vec<(String, String, u64)>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT kind, coalesce(reason, ''), count(*) AS n FROM set_aside
                     WHERE corpus = ? GROUP BY 1, 2 ORDER BY n DESC, 1, 2",
                )?
                .query_map([corpus], |row| Ok((row.get(0)?, row.get(1)?, count(row, 2)?)))?
                .collect()
        })
    }

    /// How many nodes of a corpus there are of each kind and state, by kind.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count_nodes(&self, corpus: &str) -> Result<Vec<(String, NodeState, u64)>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT kind, state, count(*) FROM nodes WHERE corpus = ? GROUP BY 1, 2 ORDER BY 1, 2",
                )?
                .query_map([corpus], |row| {
                    let state: String = row.get(1)?;
                    Ok((row.get(0)?, NodeState::from_name(&state), count(row, 2)?))
                })?
                .collect()
        })
    }

    /// The attempts without an answer: the word for the failure, how many; the most frequent first. `None` for all
    /// corpora.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn failures(&self, corpus: Option<&str>) -> Result<Vec<(String, u64)>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT coalesce(error, status), count(*) AS n FROM calls
                     WHERE status IN ('failed', 'lost') AND (?1 IS NULL OR corpus = ?1)
                     GROUP BY 1 ORDER BY n DESC, 1",
                )?
                .query_map([corpus], |row| Ok((row.get(0)?, count(row, 1)?)))?
                .collect()
        })
    }

    /// The note under a name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM meta WHERE key = ?")?
                .query_row([key], |row| row.get(0))
                .optional()
        })
    }

    fn each<T, E: From<LedgerError>>(
        &self,
        sql: &str,
        corpus: &str,
        make: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        mut each: impl FnMut(T) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let failed = |error: rusqlite::Error| E::from(LedgerError::sqlite(self.path(), &error));
        self.pool().with(|connection| {
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            let mut rows = statement.query([corpus]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                each(make(row).map_err(failed)?)?;
            }
            Ok(())
        })
    }
}

fn node(row: &Row<'_>) -> rusqlite::Result<Node> {
    let state: String = row.get(3)?;
    let request: Option<String> = row.get(6)?;
    Ok(Node {
        corpus: row.get(0)?,
        path: row.get(1)?,
        kind: row.get(2)?,
        state: NodeState::from_name(&state),
        reason: row.get(4)?,
        content: row.get(5)?,
        call: if request.is_some() { Some(crate::calls::hash(row, 6)?) } else { None },
    })
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        corpus: row.get(0)?,
        path: row.get(1)?,
        kept: row.get(2)?,
        reason: row.get(3)?,
        row: row.get(4)?,
        provenance: row.get(5)?,
    })
}
