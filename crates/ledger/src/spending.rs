//! What it all cost.

use rusqlite::Row;

use crate::attempt::Tokens;
use crate::calls::{count, money, tokens};
use crate::error::Result;
use crate::handle::Ledger;
use crate::money::Dollars;

/// What some calls cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Exactly, for answers that were received whole.
    pub billed: Dollars,
    /// At most, for attempts without an answer that the provider may have billed all the same: timeouts, cut
    /// connections, kills.
    pub possibly: Dollars,
    /// At most, for attempts without an outcome: those in flight.
    pub reserved: Dollars,
    /// Attempts.
    pub attempts: u64,
    /// Answers received whole.
    pub answers: u64,
    /// Attempts without an answer.
    pub failed: u64,
    /// Attempts whose process died before they had an outcome.
    pub lost: u64,
    /// Attempts without an outcome.
    pub pending: u64,
    /// Tokens of the answers.
    pub tokens: Tokens,
}

impl Spending {
    /// The most that can have been spent, calls in flight included.
    pub fn at_most(&self) -> Dollars {
        self.billed + self.possibly + self.reserved
    }
}

/// What a role's model cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSpending {
    /// `planner`, `writer`, `critic`, `judge`.
    pub role: String,
    /// The model.
    pub model: String,
    /// What it cost.
    pub spending: Spending,
}

const SUMS: &str = "
    coalesce(sum(cost), 0), coalesce(sum(possibly), 0),
    coalesce(sum(CASE status WHEN 'pending' THEN reserved ELSE 0 END), 0),
    count(*), coalesce(sum(status IN ('answered', 'extra')), 0), coalesce(sum(status = 'failed'), 0),
    coalesce(sum(status = 'lost'), 0), coalesce(sum(status = 'pending'), 0),
    coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(sum(reasoning), 0), coalesce(sum(cache_read), 0),
    coalesce(sum(cache_write), 0)";

impl Ledger {
    /// What was spent in this store, by all runs together.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent(&self) -> Result<Spending> {
        self.read(|connection| {
            connection.query_row(&format!("SELECT {SUMS} FROM calls"), [], |row| spending(row, 0))
        })
    }

    /// What was spent on a corpus.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent_on(&self, corpus: &str) -> Result<Spending> {
        self.read(|connection| {
            let sql = format!("SELECT {SUMS} FROM calls WHERE corpus = ?");
            connection.query_row(&sql, [corpus], |row| spending(row, 0))
        })
    }

    /// What was spent by role and model, in that order; on one corpus or on all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spent_by_role(&self, corpus: Option<&str>) -> Result<Vec<RoleSpending>> {
        self.read(|connection| {
            let sql = format!(
                "SELECT role, model, {SUMS} FROM calls WHERE ?1 IS NULL OR corpus = ?1 GROUP BY 1, 2 ORDER BY 1, 2"
            );
            connection
                .prepare(&sql)?
                .query_map([corpus], |row| {
                    Ok(RoleSpending { role: row.get(0)?, model: row.get(1)?, spending: spending(row, 2)? })
                })?
                .collect()
        })
    }
}

fn spending(row: &Row<'_>, first: usize) -> rusqlite::Result<Spending> {
    Ok(Spending {
        billed: money(row, first)?,
        possibly: money(row, first + 1)?,
        reserved: money(row, first + 2)?,
        attempts: count(row, first + 3)?,
        answers: count(row, first + 4)?,
        failed: count(row, first + 5)?,
        lost: count(row, first + 6)?,
        pending: count(row, first + 7)?,
        tokens: tokens(row, first + 8)?,
    })
}
