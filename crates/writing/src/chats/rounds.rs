//! A round of questions: what is asked for, and which of what comes is used.

use futures_util::{StreamExt, stream};
use ledger::{Node, NodeState};
use llm::Ask;
use serde_json::json;
use store::Hash;

use crate::chats::check::question_fault;
use crate::chats::dedup::{Alike, SAME_QUESTION};
use crate::chats::opaque;
use crate::chats::plan::{Group, Subject};
use crate::chats::questions::{Listed, Short};
use crate::chats::settings::Mode;
use crate::chats::slots::questions_for;
use crate::chats::write::{Question, Run};
use crate::{Record, WritingError};

/// Why questions are dropped that are too much like one of the evaluation.
const HELD_OUT: &str = "too close to an evaluation item";

/// The questions that are there already, among which alike ones are looked for.
#[derive(Debug)]
pub(crate) struct Existing {
    alike: Alike,
    paths: Vec<String>,
}

impl<A: Ask, R: Record> Run<'_, A, R> {
    /// Asks for the questions of a round, drops those that cannot be used, and puts the others into the pools of their slots.
    /// Says which slots were asked for.
    pub(crate) async fn ask_round(&mut self, round: usize) -> Result<Vec<bool>, WritingError> {
        let needs = self.needs(round);
        let mut lists: Vec<(usize, Listed<String>)> = Vec::new();
        {
            let this = &*self;
            let calls = stream::iter(needs).map(|(group, count)| async move {
                let known = this.known(group);
                this.list_questions(group, round, count, &known).await.map(|listed| (group, listed))
            });
            let mut calls = std::pin::pin!(calls.buffer_unordered(self.width()));
            while let Some(list) = calls.next().await {
                lists.push(list?);
            }
        }
        // From here on the order is the plan's, whatever came first.
        lists.sort_by_key(|(group, _)| *group);
        self.prepare_dedup(&lists);
        let mut asked = vec![false; self.plan.slots.len()];
        let mut waits = false;
        for (group, listed) in lists {
            self.note(&listed.trail);
            for slot in self.plan.groups[group].slots.clone() {
                asked[slot] = self.plan.slots[slot].missing() > 0;
            }
            // What is alike depends on all questions before, so from where a list is missing all wait for the next run: it must
            // not find rows that it would not have written.
            waits |= matches!(listed.short, Some(Short::Failed(_)));
            if waits {
                for slot in &mut self.plan.slots[self.plan.groups[group].slots.clone()] {
                    slot.pending += slot.missing();
                }
            } else {
                for (text, request) in listed.entries {
                    self.place(group, text, request).await?;
                }
            }
            self.tally.set_aside += usize::from(listed.short.is_some());
            self.record.node(self.group_node(group, listed.short.as_ref())).await?;
        }
        Ok(asked)
    }

    /// The node of a group, as it stands once its questions are there.
    fn group_node(&self, group: usize, short: Option<&Short>) -> Node {
        let group = &self.plan.groups[group];
        let state = if short.is_some() { NodeState::SetAside } else { NodeState::Done };
        let reason = short.map(|short| short.reason().to_string());
        let mut node = self.node(group.path.clone(), "type", state, reason);
        let kind = match group.subject {
            Subject::Topic(_, kind) => kind,
            Subject::Preference(_) => "choice",
        };
        node.content = json!(kind).to_string();
        node
    }

    /// How many questions each group is asked for: some more than rows are missing.
    fn needs(&self, round: usize) -> Vec<(usize, usize)> {
        let need = |slot: usize| {
            let state = &self.plan.slots[slot];
            let missing = if round == 0 { self.whole[slot] } else { state.missing() };
            let count = questions_for(missing, self.tally.rows.kept as usize, self.tally.answered);
            if state.closed || state.missing() == 0 { 0 } else { count.saturating_sub(state.pool.len()) }
        };
        let groups = self.plan.groups.iter().enumerate();
        let count = |(index, group): (usize, &Group)| {
            // A call for both orders gives as many of either.
            let most = group.slots.clone().map(need).max().unwrap_or(0);
            (index, most * group.slots.len())
        };
        groups.map(count).filter(|(_, count)| *count > 0).collect()
    }

    /// The questions that a group has already.
    fn known(&self, group: usize) -> Vec<String> {
        self.questions
            .iter()
            .filter(|question| question.group == group)
            .map(|question| question.text.clone())
            .collect()
    }

    /// The texts of the first round tell what is common; see [`Alike::new`].
    fn prepare_dedup(&mut self, lists: &[(usize, Listed<String>)]) {
        if !self.existing.is_empty() {
            return;
        }
        let existing = |of: &dyn Fn(usize) -> bool| {
            let lists = lists.iter().filter(|(group, _)| of(*group));
            let texts = lists.flat_map(|(_, listed)| &listed.entries).map(|(text, _)| text.as_str());
            Existing { alike: Alike::new(SAME_QUESTION, texts), paths: Vec::new() }
        };
        self.existing = match self.settings.mode {
            Mode::Answers { .. } => vec![existing(&|_| true)],
            // The same words may well offer other things, or the same ones the other way round.
            Mode::Preferences { .. } => {
                self.plan.group_of.iter().map(|own| existing(&|group| group == *own)).collect()
            }
        };
    }

    /// Why a question is not wanted that could be used: it is like one of the evaluation, or like one before it. If it is
    /// wanted, it is there from now on.
    fn like_others(&mut self, slot: usize, text: &str, path: &str) -> Option<(&'static str, String)> {
        if let Some(found) = self.held_out.find(text) {
            let item = &self.settings.held_out[found.index];
            return Some((
                HELD_OUT,
                format!("too close to an evaluation item ({:.2}): {item}", found.similarity),
            ));
        }
        let (compared, list) = match self.plan.groups[self.plan.group_of[slot]].subject {
            Subject::Topic(..) => (text.to_string(), 0),
            Subject::Preference(index) => {
                let preference = &self.preferences[index];
                (opaque::wording(text, &preference.prefer, &preference.over), slot)
            }
        };
        let existing = &mut self.existing[list];
        if let Some(found) = existing.alike.insert_new(&compared) {
            let other = &existing.paths[found.index];
            return Some(("alike", format!("too much like {other} ({:.2})", found.similarity)));
        }
        existing.paths.push(path.to_string());
        None
    }

    /// Gives a question its place, if it can be used.
    async fn place(&mut self, group: usize, text: String, request: Hash) -> Result<(), WritingError> {
        self.tally.questions += 1;
        self.numbered[group] += 1;
        let text = text.trim().to_string();
        let path = format!("{}/{:04}", self.plan.groups[group].path, self.numbered[group]);
        let mut slot = self.plan.groups[group].slots.start;
        let mut dropped = question_fault(&text, &self.others).map(|fault| ("not usable", fault));
        if let (None, Subject::Preference(index)) = (&dropped, &self.plan.groups[group].subject) {
            let preference = &self.preferences[*index];
            match opaque::order(&text, &preference.prefer, &preference.over) {
                Ok(order) => slot += order as usize,
                Err(fault) => dropped = Some(("not usable", fault)),
            }
        }
        if dropped.is_none() {
            dropped = self.like_others(slot, &text, &path);
        }
        let requests = self.origins[self.plan.topic_of[slot]].into_iter().chain([request]).collect();
        let question = Question { group, slot, path, text, requests };
        match dropped {
            Some((class, reason)) => {
                self.tally.drop_question(class);
                self.record.node(self.question_node(&question, NodeState::SetAside, Some(reason))).await?;
            }
            None => {
                self.plan.slots[slot].pool.push(self.questions.len());
                self.questions.push(question);
            }
        }
        Ok(())
    }
}
