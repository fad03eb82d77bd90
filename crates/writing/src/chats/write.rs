//! A corpus of chats from beginning to end: plan, rounds of questions, waves of answers.
//!
//! What is alike is found in the order of the plan, once all questions of a round are there; so the corpus does not depend on
//! which answer came first. Rounds are counted and slots that yield nothing are closed, so it ends.

use ledger::{Item, Node, NodeState};
use llm::Ask;
use serde_json::json;
use store::Hash;

use crate::chats::dedup::{Alike, SAME_AS_HELD_OUT};
use crate::chats::desk::{Desk, Trail};
use crate::chats::opaque::Order;
use crate::chats::others::Others;
use crate::chats::plan::{self, Plan, Preference, Topic};
use crate::chats::questions::{Listed, Short};
use crate::chats::rounds::Existing;
use crate::chats::settings::{ChatSettings, Mode};
use crate::chats::slots::{settle, wave};
use crate::chats::tally::ChatTally;
use crate::{Record, Scope, Source, WritingError};

/// A question that is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub group: usize,
    pub slot: usize,
    pub path: String,
    pub text: String,
    /// The requests that it came from: of its topic, and its own.
    pub requests: Vec<Hash>,
}

/// A run over one corpus.
pub(crate) struct Run<'a, A, R> {
    pub desk: Desk<'a, A>,
    pub record: &'a R,
    pub settings: &'a ChatSettings,
    pub source: &'a Source,
    pub others: Others,
    pub topics: Vec<Topic>,
    pub preferences: Vec<Preference>,
    /// The request that each topic or preference came from.
    pub origins: Vec<Option<Hash>>,
    pub plan: Plan,
    /// What each slot owes in the whole plan, at first.
    pub whole: Vec<usize>,
    pub questions: Vec<Question>,
    /// How many questions a group has been given, for their numbers.
    pub numbered: Vec<usize>,
    pub held_out: Alike,
    /// What is there already: of the whole corpus, or of each slot.
    pub existing: Vec<Existing>,
    pub kept: Vec<(usize, Item)>,
    pub planning: Trail,
    pub tally: ChatTally,
}

impl<'a, A: Ask, R: Record> Run<'a, A, R> {
    pub(crate) fn new(
        desk: Desk<'a, A>,
        record: &'a R,
        settings: &'a ChatSettings,
        source: &'a Source,
    ) -> Run<'a, A, R> {
        let mut held_out = Alike::new(SAME_AS_HELD_OUT, settings.held_out.iter().map(String::as_str));
        for item in &settings.held_out {
            held_out.insert(item);
        }
        Run {
            others: Others::new(&desk.brief.model_name, &desk.brief.provider_name),
            desk,
            record,
            settings,
            source,
            topics: Vec::new(),
            preferences: Vec::new(),
            origins: Vec::new(),
            plan: plan::answers(0, 0),
            whole: Vec::new(),
            questions: Vec::new(),
            numbered: Vec::new(),
            held_out,
            existing: Vec::new(),
            kept: Vec::new(),
            planning: Trail::default(),
            tally: ChatTally::default(),
        }
    }

    /// Writes the first `rows` rows; if these are all, also those that make up for lost ones.
    pub(crate) async fn write(
        mut self,
        own_preferences: Vec<Preference>,
        rows: usize,
    ) -> Result<ChatTally, WritingError> {
        let all = rows >= self.settings.rows;
        self.tally.rows.asked = rows as u64;
        self.make_plan(own_preferences).await?;
        // Questions are asked for as the whole plan would have it, so that the whole run finds them answered.
        self.whole = self.plan.slots.iter().map(|slot| slot.wanted).collect();
        self.plan.limit(rows);
        let rounds = if all { self.settings.backfill } else { 0 };
        for round in 0..=rounds {
            let asked = self.ask_round(round).await?;
            if !asked.iter().any(|asked| *asked) {
                break;
            }
            self.tally.rows.backfilled = round as u64;
            loop {
                let chosen = wave(&mut self.plan.slots);
                if chosen.is_empty() {
                    break;
                }
                self.answer_wave(&chosen).await?;
                if !all {
                    break;
                }
            }
            if self.plan.slots.iter().any(|slot| slot.pending > 0) {
                // What is to be made up for is known only when these are there.
                break;
            }
            let (topic_of, class_of) = (&self.plan.topic_of, &self.plan.class_of);
            settle(&mut self.plan.slots, &asked, |slot| topic_of[slot], |slot| class_of[slot]);
        }
        self.tally.rows.passing = self.plan.slots.iter().map(|slot| slot.pending as u64).sum();
        self.balance_orders().await?;
        self.finish().await?;
        Ok(self.tally)
    }

    /// Topics or preferences, and what is owed for each.
    async fn make_plan(&mut self, own_preferences: Vec<Preference>) -> Result<(), WritingError> {
        let short = match self.settings.mode {
            Mode::Answers { topics, .. } => {
                let listed = self.list_topics(topics).await?;
                let (topics, short) = self.take(listed);
                self.topics = topics;
                self.plan = plan::answers(self.topics.len(), self.settings.rows);
                short
            }
            Mode::Preferences { .. } if !own_preferences.is_empty() => {
                self.origins = vec![None; own_preferences.len()];
                self.preferences = own_preferences;
                self.plan = plan::choices(self.preferences.len(), self.settings.rows);
                None
            }
            Mode::Preferences { count } => {
                let listed = self.list_preferences(count).await?;
                let (preferences, short) = self.take(listed);
                self.preferences = preferences;
                self.plan = plan::choices(self.preferences.len(), self.settings.rows);
                short
            }
        };
        self.tally.topics = self.origins.len();
        self.numbered = vec![0; self.plan.groups.len()];
        let state = if short.is_some() { NodeState::SetAside } else { NodeState::Done };
        let reason = short.as_ref().map(|short| short.reason().to_string());
        self.tally.set_aside += usize::from(short.is_some());
        self.record.node(self.node("0000".to_string(), "topics", state, reason)).await?;
        match short {
            // A shorter plan would have other rows than the one of a later run.
            Some(Short::Failed(reason)) => return Err(WritingError::Plan(reason)),
            Some(Short::Unusable(reason)) if self.origins.is_empty() => {
                return Err(WritingError::Plan(reason));
            }
            _ => {}
        }
        for index in 0..self.origins.len() {
            self.record.node(self.topic_node(index, NodeState::Open)).await?;
        }
        Ok(())
    }

    /// The entries of a list, with their origins and cost noted.
    fn take<T>(&mut self, listed: Listed<T>) -> (Vec<T>, Option<Short>) {
        self.note(&listed.trail);
        let (entries, origins): (Vec<T>, Vec<Hash>) = listed.entries.into_iter().unzip();
        self.origins = origins.into_iter().map(Some).collect();
        (entries, listed.short)
    }

    /// Notes a call of the planner: what it cost, and what of it goes into the provenance of rows.
    pub(crate) fn note(&mut self, trail: &Trail) {
        self.tally.spend(trail);
        self.planning.templates.extend(trail.templates.clone());
        self.planning.models.extend(trail.models.clone());
    }

    /// What a question's own trail begins with.
    pub(crate) fn planning(&self, question: &Question) -> Trail {
        Trail {
            requests: question.requests.clone(),
            templates: self.planning.templates.clone(),
            models: self.planning.models.clone(),
            ..Trail::default()
        }
    }

    /// How much is begun at once: somewhat more than can be under way, so that nothing waits for us.
    pub(crate) fn width(&self) -> usize {
        self.desk.brief.concurrency.max(1) * 2
    }

    /// A node of the plan.
    pub(crate) fn node(&self, path: String, kind: &str, state: NodeState, reason: Option<String>) -> Node {
        let corpus = self.desk.brief.corpus.clone();
        Node { corpus, path, kind: kind.to_string(), state, reason, content: "{}".to_string(), call: None }
    }

    /// The node of a topic or preference.
    pub(crate) fn topic_node(&self, index: usize, state: NodeState) -> Node {
        let content = match self.settings.mode {
            Mode::Answers { .. } => {
                let topic = &self.topics[index];
                json!({"topic": topic.topic, "sections": topic.sections})
            }
            Mode::Preferences { .. } => {
                let preference = &self.preferences[index];
                json!({"prefer": preference.prefer, "over": preference.over, "domain": preference.domain})
            }
        };
        let mut node = self.node(plan::topic_path(index), "topic", state, None);
        node.content = content.to_string();
        node.call = self.origins[index];
        node
    }

    /// The order that a slot's questions have.
    pub(crate) fn order_of(&self, slot: usize) -> Order {
        if self.plan.class_of[slot] == 0 { Order::PreferredFirst } else { Order::OtherFirst }
    }
}

/// Writes a corpus of chats: as much of it as `scope` says.
///
/// Choices without a reason are made from the spec's own list of preferences where it has one.
///
/// # Errors
/// When the run is ending, a template does not render, or nothing can be recorded.
pub async fn write_chats<A: Ask, R: Record>(
    desk: Desk<'_, A>,
    source: &Source,
    own_preferences: &[spec::Preference],
    settings: &ChatSettings,
    scope: Scope,
    record: &R,
) -> Result<ChatTally, WritingError> {
    let own = own_preferences.iter().map(|own| Preference {
        prefer: own.choice.text.clone(),
        over: own.other.text.clone(),
        domain: own.domain.clone(),
    });
    let rows = scope.rows(settings.rows as u64) as usize;
    Run::new(desk, record, settings, source).write(own.collect(), rows).await
}
