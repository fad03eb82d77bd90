//! What became of what was asked for.

use std::collections::BTreeMap;

use crate::Tally;
use crate::chats::desk::Trail;
use crate::chats::opaque::Order;
use crate::chats::verdict::Verdict;

/// The figures of a run over chats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatTally {
    /// Of rows: asked for, kept, dropped by reason, written again, and what all calls cost, planning included.
    pub rows: Tally,
    /// Topics, or preferences, of the plan.
    pub topics: usize,
    /// Parts of the plan that were set aside: no usable questions came.
    pub set_aside: usize,
    /// Questions that were received.
    pub questions: usize,
    /// Questions that were dropped before anybody answered them, by reason.
    pub questions_dropped: BTreeMap<&'static str, usize>,
    /// Questions that nobody needed to answer.
    pub spare: usize,
    /// Questions that were answered, whatever came of it.
    pub answered: usize,
    /// Verdicts of the critic; a reply that was written again has a verdict of its own.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Kept rows by the order of the two things, for preferences.
    pub orders: BTreeMap<Order, usize>,
    /// Calls whose answers were used or tried.
    pub calls: u64,
}

impl ChatTally {
    /// Rows that are missing.
    pub fn missing(&self) -> u64 {
        self.rows.asked.saturating_sub(self.rows.kept)
    }

    /// Whether the two orders are as even as whole rows allow.
    pub fn balanced(&self) -> bool {
        let count = |order| self.orders.get(&order).copied().unwrap_or(0);
        count(Order::PreferredFirst).abs_diff(count(Order::OtherFirst)) <= 1
    }

    pub(crate) fn spend(&mut self, trail: &Trail) {
        self.calls += trail.calls;
        self.rows.input_tokens += trail.input;
        self.rows.output_tokens += trail.output;
        self.rows.cost += trail.cost;
    }

    pub(crate) fn drop_question(&mut self, class: &'static str) {
        *self.questions_dropped.entry(class).or_insert(0) += 1;
    }
}
