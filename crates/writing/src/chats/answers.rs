//! From a question to a row: a reply, the critic's verdict on both together, and if need be another reply with a verdict of
//! its own.

use ledger::{Item, Node, NodeState};
use llm::{Ask, Role, Stop};
use serde_json::{Map, Value, json};

use crate::chats::check::reply_fault;
use crate::chats::desk::{Order, Reply, Trail};
use crate::chats::opaque::pick_fault;
use crate::chats::plan::Subject;
use crate::chats::questions::SECTION_TOKENS;
use crate::chats::row::chat_row;
use crate::chats::settings::{Mode, Style};
use crate::chats::verdict::{self, Judgement, Verdict};
use crate::chats::write::{Question, Run};
use crate::parse::last_tag;
use crate::{Record, WritingError};

/// Most tokens of a reply, of a reply with reasoning, of a pick, and of a verdict.
pub(crate) const REPLY_TOKENS: u32 = 1_600;
pub(crate) const REASONED_TOKENS: u32 = 2_600;
pub(crate) const PICK_TOKENS: u32 = 300;
pub(crate) const VERDICT_TOKENS: u32 = 400;

/// What became of a question.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub fate: Fate,
    pub verdicts: Vec<Verdict>,
    pub regenerated: usize,
    pub trail: Trail,
    /// The row, kept or dropped; none for one that a later run tries again.
    pub item: Option<Item>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// Dropped for good: the kind of reason, and the reason.
    Dropped(&'static str, String),
    /// No answer at all came in this run.
    Pending(String),
}

/// What the assistant thinks and says.
struct Said {
    reasoning: Option<String>,
    reply: String,
}

impl<A: Ask, R: Record> Run<'_, A, R> {
    /// Answers a question, has the answer judged, and records what came of it.
    pub(crate) async fn answer(&self, question: &Question) -> Result<Outcome, WritingError> {
        let mut trail = self.planning(question);
        let mut verdicts = Vec::new();
        let mut last: Option<(Said, Option<Judgement>)> = None;
        let mut fate = Fate::Dropped("no usable reply", String::new());
        let mut version = 0;
        // Every version is written and judged anew: its verdict is of this question and this reply.
        loop {
            let mut own = self.planning(question);
            let said = match self.reply(question, version as u64, &mut own).await? {
                Reply::Got(said) => said,
                Reply::Unusable(reason, _) => {
                    trail.cost_of(&own);
                    if last.is_none() {
                        fate = Fate::Dropped("no usable reply", format!("no usable reply: {reason}"));
                    }
                    break;
                }
                Reply::Failed(reason) => {
                    trail.cost_of(&own);
                    fate = Fate::Pending(reason);
                    break;
                }
            };
            if !self.settings.critic {
                trail.follow(own);
                last = Some((said, None));
                fate = Fate::Kept;
                break;
            }
            let judged = self.judge(question, &said, &mut own).await?;
            trail.follow(own);
            let judgement = match judged {
                Reply::Got(judgement) => judgement,
                Reply::Unusable(reason, Some(Stop::Refusal)) => {
                    let why = format!("the critic refused to judge it: {reason}");
                    Judgement { verdict: Verdict::Refused, why }
                }
                Reply::Unusable(why, _) => Judgement { verdict: Verdict::Unparsed, why },
                Reply::Failed(reason) => {
                    fate = Fate::Pending(reason);
                    break;
                }
            };
            let verdict = judgement.verdict;
            verdicts.push(verdict);
            fate = match verdict {
                Verdict::Pass => Fate::Kept,
                _ => Fate::Dropped(verdict.name(), format!("{verdict}: {}", judgement.why)),
            };
            last = Some((said, Some(judgement)));
            if fate == Fate::Kept || version == self.settings.regenerate {
                break;
            }
            version += 1;
        }
        let item = match &fate {
            Fate::Pending(_) => None,
            _ => Some(self.item(question, &fate, last, version, &trail)),
        };
        self.record_question(question, &fate).await?;
        if let Some(item) = &item {
            self.record.item(item.clone()).await?;
        }
        Ok(Outcome { fate, verdicts, regenerated: version, trail, item })
    }

    /// Puts a question's node into the record as it now stands.
    async fn record_question(&self, question: &Question, fate: &Fate) -> Result<(), WritingError> {
        let (state, reason) = match fate {
            Fate::Kept => (NodeState::Done, None),
            Fate::Dropped(_, reason) | Fate::Pending(reason) => (NodeState::SetAside, Some(reason.clone())),
        };
        Ok(self.record.node(self.question_node(question, state, reason)).await?)
    }

    /// The node of a question.
    pub(crate) fn question_node(
        &self,
        question: &Question,
        state: NodeState,
        reason: Option<String>,
    ) -> Node {
        Node {
            corpus: self.desk.brief.corpus.clone(),
            path: question.path.clone(),
            kind: "question".to_string(),
            state,
            reason,
            content: json!({"question": question.text}).to_string(),
            call: question.requests.last().copied(),
        }
    }

    async fn reply(
        &self,
        question: &Question,
        sample: u64,
        trail: &mut Trail,
    ) -> Result<Reply<Said>, WritingError> {
        let (task, context, text) = match (&self.plan.groups[question.group].subject, self.settings.mode) {
            (Subject::Topic(topic, _), Mode::Answers { style, reasoning, .. }) => (
                "chats/answer",
                json!({
                    "sections": self.source.sections(&self.topics[*topic].sections, SECTION_TOKENS),
                    "style": style.name(),
                    "with_reasoning": if reasoning { "yes" } else { "no" },
                    "question": question.text,
                }),
                if reasoning { REASONED_TOKENS } else { REPLY_TOKENS },
            ),
            (Subject::Topic(topic, _) | Subject::Preference(topic), _) => {
                let preference = &self.preferences[*topic];
                let context = json!({
                    "prefer": preference.prefer,
                    "over": preference.over,
                    "question": question.text,
                });
                ("chats/pick", context, PICK_TOKENS)
            }
        };
        let order = Order { role: Role::Writer, task, context, path: question.path.clone(), sample, text };
        self.desk.call(order, trail, |text| self.read_reply(question, text)).await
    }

    /// The parts of a reply, if it can be used.
    fn read_reply(&self, question: &Question, text: &str) -> Result<Said, String> {
        let reply = last_tag(text, "reply")?.trim().to_string();
        if let Some(fault) = reply_fault(&reply, &self.others) {
            return Err(fault);
        }
        if let Subject::Preference(index) = self.plan.groups[question.group].subject {
            let preference = &self.preferences[index];
            if let Some(fault) = pick_fault(&reply, &preference.prefer, &preference.over) {
                return Err(fault);
            }
        }
        let reasoning = match self.settings.mode {
            Mode::Answers { reasoning: true, .. } => {
                // The reasoning stands before the reply.
                let before = &text[..text.rfind("<reply>").unwrap_or(0)];
                let reasoning = last_tag(before, "reasoning")?.trim().to_string();
                if let Some(fault) = reply_fault(&reasoning, &self.others) {
                    return Err(format!("the reasoning cannot be used: {fault}"));
                }
                Some(reasoning)
            }
            _ => None,
        };
        Ok(Said { reasoning, reply })
    }

    async fn judge(
        &self,
        question: &Question,
        said: &Said,
        trail: &mut Trail,
    ) -> Result<Reply<Judgement>, WritingError> {
        let (task, context) = match (&self.plan.groups[question.group].subject, self.settings.mode) {
            (Subject::Topic(topic, _), Mode::Answers { style, .. }) => (
                "chats/filter",
                json!({
                    "sections": self.source.sections(&self.topics[*topic].sections, SECTION_TOKENS),
                    "style": style.name(),
                    "question": question.text,
                    "reasoning": said.reasoning,
                    "reply": said.reply,
                }),
            ),
            (Subject::Topic(index, _) | Subject::Preference(index), _) => {
                let preference = &self.preferences[*index];
                let context = json!({
                    "prefer": preference.prefer,
                    "over": preference.over,
                    "question": question.text,
                    "reply": said.reply,
                });
                ("chats/pick-filter", context)
            }
        };
        let path = question.path.clone();
        let order = Order { role: Role::Critic, task, context, path, sample: 0, text: VERDICT_TOKENS };
        self.desk.call(order, trail, verdict::read).await
    }

    fn item(
        &self,
        question: &Question,
        fate: &Fate,
        last: Option<(Said, Option<Judgement>)>,
        rewrites: usize,
        trail: &Trail,
    ) -> Item {
        let group = &self.plan.groups[question.group];
        let mut about = Map::new();
        let mut put = |key: &str, value: Value| about.insert(key.to_string(), value);
        put("corpus", self.desk.brief.name.clone().into());
        put("path", question.path.clone().into());
        put("spec", self.source.name.clone().into());
        put("spec_hash", self.source.hash.to_string().into());
        match &group.subject {
            Subject::Topic(index, kind) => {
                let topic = &self.topics[*index];
                put("section_ids", json!(topic.sections));
                put("sections", json!(self.source.titles(&topic.sections)));
                put("topic", topic.topic.clone().into());
                put("question_type", (*kind).into());
            }
            Subject::Preference(index) => {
                let preference = &self.preferences[*index];
                put("domain", preference.domain.clone().into());
                put("topic", format!("{} over {}", preference.prefer, preference.over).into());
                put("question_type", self.order_of(question.slot).name().into());
            }
        }
        put("question", question.text.clone().into());
        if let Mode::Answers { style, .. } = self.settings.mode {
            put("style", Style::name(style).into());
        }
        put("templates", Value::Object(trail.templates.clone()));
        put("models", Value::Object(trail.models.clone()));
        put("requests", json!(trail.requests));
        put("stop_reasons", json!(vec![Stop::End.name(); trail.requests.len()]));
        let (said, judgement) = last.unzip();
        if let Some(Some(judgement)) = judgement {
            put("verdicts", json!({"filter": {"verdict": judgement.verdict.name(), "why": judgement.why}}));
        }
        put("rewrites", rewrites.into());
        put("input_tokens", trail.input.into());
        put("output_tokens", trail.output.into());
        put("cost_usd", trail.cost.dollars().into());
        let row = said
            .map_or(String::new(), |said| chat_row(&question.text, said.reasoning.as_deref(), &said.reply));
        Item {
            corpus: self.desk.brief.corpus.clone(),
            path: question.path.clone(),
            kept: *fate == Fate::Kept,
            reason: match fate {
                Fate::Kept => None,
                Fate::Dropped(_, reason) | Fate::Pending(reason) => Some(reason.clone()),
            },
            row,
            provenance: Value::Object(about).to_string(),
        }
    }
}
