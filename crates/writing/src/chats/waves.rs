//! Waves of answers, and what is set right once all of them are there.

use futures_util::{StreamExt, stream};
use ledger::NodeState;
use llm::Ask;

use crate::chats::answers::{Fate, Outcome};
use crate::chats::opaque::Order;
use crate::chats::settings::Mode;
use crate::chats::write::Run;
use crate::{Record, WritingError};

impl<A: Ask, R: Record> Run<'_, A, R> {
    /// Answers the chosen questions, given by slot and number.
    pub(crate) async fn answer_wave(&mut self, chosen: &[(usize, usize)]) -> Result<(), WritingError> {
        let mut outcomes: Vec<(usize, usize, Outcome)> = Vec::with_capacity(chosen.len());
        {
            let this = &*self;
            let calls = stream::iter(chosen.iter().copied()).map(|(slot, question)| async move {
                this.answer(&this.questions[question]).await.map(|outcome| (slot, question, outcome))
            });
            let mut calls = std::pin::pin!(calls.buffer_unordered(self.width()));
            // Only of opaque choices a row may have to go later: all others are in the store, and need not be here.
            let may_go = matches!(this.settings.mode, Mode::Preferences { .. });
            while let Some(outcome) = calls.next().await {
                let (slot, question, mut outcome) = outcome?;
                outcome.item = outcome.item.filter(|_| may_go);
                outcomes.push((slot, question, outcome));
            }
        }
        // The order is the plan's, whatever came first.
        outcomes.sort_by_key(|(slot, question, _)| (*slot, *question));
        for (slot, _, outcome) in outcomes {
            self.tally.answered += 1;
            self.tally.rows.tried += 1;
            self.tally.rows.rewritten += outcome.regenerated as u64;
            self.tally.spend(&outcome.trail);
            for verdict in outcome.verdicts {
                *self.tally.verdicts.entry(verdict).or_insert(0) += 1;
            }
            match outcome.fate {
                Fate::Kept => {
                    self.plan.slots[slot].kept += 1;
                    self.tally.rows.kept += 1;
                    self.kept.extend(outcome.item.map(|item| (slot, item)));
                }
                Fate::Dropped(class, _) => self.tally.rows.drop(class, 1),
                Fate::Pending(_) => self.plan.slots[slot].pending += 1,
            }
        }
        Ok(())
    }

    /// Half of the kept choices name the preferred thing first. Where rows are missing for good, as many of the other order
    /// go too: the last ones of the preferences that have most too many.
    pub(crate) async fn balance_orders(&mut self) -> Result<(), WritingError> {
        if !matches!(self.settings.mode, Mode::Preferences { .. }) {
            return Ok(());
        }
        let mut groups = vec![[0i64; 2]; self.plan.groups.len()];
        let mut totals = [0i64; 2];
        for (slot, _) in &self.kept {
            let class = self.plan.class_of[*slot];
            groups[self.plan.group_of[*slot]][class] += 1;
            totals[class] += 1;
        }
        self.kept.sort_by(|(_, left), (_, right)| left.path.cmp(&right.path));
        // Rows that are still to come may make it even by themselves.
        while self.tally.rows.passing == 0 && (totals[0] - totals[1]).abs() > 1 {
            let class = usize::from(totals[1] > totals[0]);
            let surplus = |group: &[i64; 2]| group[class] - group[1 - class];
            let Some(group) = (0..groups.len()).rev().max_by_key(|group| surplus(&groups[*group])) else {
                break;
            };
            let of = |(slot, _): &(usize, ledger::Item)| {
                self.plan.group_of[*slot] == group && self.plan.class_of[*slot] == class
            };
            let Some(last) = self.kept.iter().rposition(of) else { break };
            let (slot, mut item) = self.kept.remove(last);
            item.kept = false;
            item.reason = Some("dropped to keep the two orders even".to_string());
            self.record.item(item).await?;
            self.plan.slots[slot].kept -= 1;
            self.tally.rows.kept -= 1;
            self.tally.rows.drop("orders kept even", 1);
            groups[group][class] -= 1;
            totals[class] -= 1;
        }
        for (order, total) in [(Order::PreferredFirst, totals[0]), (Order::OtherFirst, totals[1])] {
            self.tally.orders.insert(order, total.unsigned_abs() as usize);
        }
        Ok(())
    }

    /// What is left to be recorded at the end: questions that nobody needed, and how the topics stand.
    pub(crate) async fn finish(&mut self) -> Result<(), WritingError> {
        let mut open = vec![false; self.origins.len()];
        for (index, slot) in self.plan.slots.iter().enumerate() {
            open[self.plan.topic_of[index]] |=
                slot.pending > 0 || self.tally.rows.asked < self.settings.rows as u64;
            for question in &slot.pool {
                self.tally.spare += 1;
                let reason = "spare: there were enough rows without it".to_string();
                let node = self.question_node(&self.questions[*question], NodeState::Done, Some(reason));
                self.record.node(node).await?;
            }
        }
        for (index, open) in open.into_iter().enumerate() {
            let state = if open { NodeState::Open } else { NodeState::Done };
            self.record.node(self.topic_node(index, state)).await?;
        }
        Ok(self.record.flush().await?)
    }
}
