//! Topics, preferences and questions: what the planner is asked for.

use llm::{Ask, Role};
use serde::Deserialize;
use serde_json::json;
use store::Hash;

use crate::chats::desk::{Order, Reply, Trail};
use crate::chats::plan::{Preference, Subject, Topic, preferences_fault};
use crate::chats::write::Run;
use crate::parse::{distinct, list};
use crate::{Record, WritingError};

/// Most topics, preferences and questions that one call is asked for.
pub(crate) const PER_CALL: usize = 20;

/// Most questions that are shown as being there already.
const MOST_KNOWN: usize = 40;

/// Tokens of an entry of a list, at most.
pub(crate) const ENTRY_TOKENS: u32 = 160;

/// Most tokens of the whole spec, and of the sections of one topic, in a prompt; what is longer is shown by its outline.
pub(crate) const SPEC_TOKENS: usize = 24_000;
pub(crate) const SECTION_TOKENS: usize = 8_000;

/// Tokens of the brackets around a list.
pub(crate) const LIST_TOKENS: u32 = 200;

/// The planner's entry for a topic.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicEntry {
    topic: String,
    sections: Vec<String>,
}

/// The planner's entry for a preference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferenceEntry {
    prefer: String,
    over: String,
    domain: String,
}

/// What came of asking for a list in several calls.
pub(crate) struct Listed<T> {
    /// The entries, each with the request that it came from.
    pub entries: Vec<(T, Hash)>,
    /// Why it is shorter than asked for, if it is.
    pub short: Option<Short>,
    /// What it cost.
    pub trail: Trail,
}

/// Why a list is shorter than asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// No answer could be used.
    Unusable(String),
    /// No answer came; a later run asks again.
    Failed(String),
}

impl Short {
    /// The reason.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Short::Unusable(reason) | Short::Failed(reason) => reason,
        }
    }
}

impl<A: Ask, R: Record> Run<'_, A, R> {
    /// `count` topics.
    pub(crate) async fn list_topics(&self, count: usize) -> Result<Listed<Topic>, WritingError> {
        let read = |text: &str, count: usize| {
            let entries: Vec<TopicEntry> = list(text, count)?;
            let topic = |entry: TopicEntry| {
                let unknown = entry.sections.iter().find(|id| self.source.unit(id).is_none());
                match unknown {
                    Some(id) => Err(format!(
                        "the topic `{}` names the section `{id}`, which does not exist",
                        entry.topic
                    )),
                    None if entry.sections.is_empty() => {
                        Err(format!("the topic `{}` names no section", entry.topic))
                    }
                    None => Ok(Topic { topic: entry.topic, sections: entry.sections }),
                }
            };
            distinct(entries.iter().map(|entry| entry.topic.as_str()))?;
            entries.into_iter().map(topic).collect()
        };
        let context = |count: usize, known: &[Topic]| {
            let known: Vec<&str> = known.iter().map(|topic| topic.topic.as_str()).collect();
            json!({"spec": self.source.shown(SPEC_TOKENS), "count": count, "known": known})
        };
        self.listed("chats/topics", &topic_path_of_plan(), 0, count, context, read).await
    }

    /// `count` preferences, from what the spec values.
    pub(crate) async fn list_preferences(&self, count: usize) -> Result<Listed<Preference>, WritingError> {
        let read = |text: &str, count: usize| {
            let entries: Vec<PreferenceEntry> = list(text, count)?;
            let preference = |entry: PreferenceEntry| Preference {
                prefer: entry.prefer,
                over: entry.over,
                domain: entry.domain,
            };
            let preferences: Vec<Preference> = entries.into_iter().map(preference).collect();
            preferences_fault(&preferences).map_or(Ok(preferences), Err)
        };
        let context = |count: usize, known: &[Preference]| {
            let known: Vec<String> =
                known.iter().map(|known| format!("{} over {}", known.prefer, known.over)).collect();
            let all: Vec<String> = self.source.units.iter().map(|unit| unit.id.clone()).collect();
            let sections = self.source.sections(&all, SECTION_TOKENS);
            json!({"spec": self.source.shown(SPEC_TOKENS), "sections": sections, "count": count, "known": known})
        };
        self.listed("chats/preferences", &topic_path_of_plan(), 0, count, context, read).await
    }

    /// `count` questions of a group, in round `round`; `known` are there already.
    pub(crate) async fn list_questions(
        &self,
        group: usize,
        round: usize,
        count: usize,
        known: &[String],
    ) -> Result<Listed<String>, WritingError> {
        let group = &self.plan.groups[group];
        let all = |new: &[String]| {
            let all: Vec<&String> = known.iter().chain(new).collect();
            all[all.len().saturating_sub(MOST_KNOWN)..]
                .iter()
                .map(|text| (*text).clone())
                .collect::<Vec<String>>()
        };
        let read = |text: &str, count: usize| {
            let questions: Vec<String> = list(text, count)?;
            distinct(questions.iter().map(String::as_str))?;
            Ok(questions)
        };
        let base = round as u64 * 1_000;
        match &group.subject {
            Subject::Topic(index, kind) => {
                let topic = &self.topics[*index];
                let context = |count: usize, new: &[String]| {
                    json!({
                        "topic": topic.topic,
                        "sections": self.source.sections(&topic.sections, SECTION_TOKENS),
                        "question_type": kind,
                        "count": count,
                        "known": all(new),
                    })
                };
                self.listed("chats/questions", &group.path, base, count, context, read).await
            }
            Subject::Preference(index) => {
                let preference = &self.preferences[*index];
                let context = |count: usize, new: &[String]| {
                    json!({
                        "prefer": preference.prefer,
                        "over": preference.over,
                        "domain": preference.domain,
                        "count": count,
                        "known": all(new),
                    })
                };
                self.listed("chats/choices", &group.path, base, count, context, read).await
            }
        }
    }

    /// Asks for a list in parts, one after the other: each part sees what is there already.
    async fn listed<T: Clone + Send>(
        &self,
        task: &'static str,
        path: &str,
        base: u64,
        count: usize,
        context: impl Fn(usize, &[T]) -> serde_json::Value,
        read: impl Fn(&str, usize) -> Result<Vec<T>, String> + Send + Sync,
    ) -> Result<Listed<T>, WritingError> {
        let mut listed = Listed { entries: Vec::new(), short: None, trail: Trail::default() };
        let mut texts: Vec<T> = Vec::new();
        let parts = count.div_ceil(PER_CALL);
        for (part, size) in crate::chats::slots::shares(count, parts).into_iter().enumerate() {
            let order = Order {
                role: Role::Planner,
                task,
                context: context(size, &texts),
                path: path.to_string(),
                sample: base + part as u64,
                text: LIST_TOKENS + ENTRY_TOKENS * size as u32,
            };
            let mut trail = Trail::default();
            let reply = self.desk.call(order, &mut trail, |text| read(text, size)).await?;
            let request = trail.requests.last().copied();
            listed.trail.follow(trail);
            match (reply, request) {
                (Reply::Got(entries), Some(request)) => {
                    texts.extend(entries.iter().cloned());
                    listed.entries.extend(entries.into_iter().map(|entry| (entry, request)));
                }
                (Reply::Unusable(reason, _), _) => {
                    listed.short = Some(Short::Unusable(reason));
                    break;
                }
                (Reply::Failed(reason), _) => {
                    listed.short = Some(Short::Failed(reason));
                    break;
                }
                (Reply::Got(_), None) => {}
            }
        }
        Ok(listed)
    }
}

/// The place of the calls that list topics or preferences: before all of them.
fn topic_path_of_plan() -> String {
    "0000".to_string()
}
