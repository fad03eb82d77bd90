//! Whether an imported conversation contradicts the spec: a critic's verdict.

use futures_util::{StreamExt, stream};
use llm::{Ask, Role, Stop};
use serde_json::{Map, Value, json};

use crate::chats::desk::{Desk, Order, Reply, Trail};
use crate::chats::questions::SPEC_TOKENS;
use crate::chats::verdict;
use crate::chats::{Judgement, Verdict};
use crate::instructions::conversation::Conversation;
use crate::{Source, WritingError};

/// Most tokens of a verdict.
pub(crate) const VERDICT_TOKENS: u32 = 400;

/// A critic that knows the spec.
pub struct Judge<'a, A> {
    /// Who is asked.
    pub desk: Desk<'a, A>,
    /// What rows are held against.
    pub source: &'a Source,
}

/// What became of one row.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The verdict, or why there is none in this run.
    pub outcome: Result<Judgement, String>,
    pub trail: Trail,
}

impl Judged {
    /// The verdict, if there is one.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.outcome.as_ref().ok().map(|judgement| judgement.verdict)
    }

    /// Whether the row may be taken: only a PASS keeps it.
    pub(crate) fn passes(&self) -> bool {
        self.verdict() == Some(Verdict::Pass)
    }

    /// Why it may not.
    pub(crate) fn reason(&self) -> Option<String> {
        match &self.outcome {
            Ok(judgement) if judgement.verdict == Verdict::Pass => None,
            Ok(judgement) => Some(format!("{}: {}", judgement.verdict, judgement.why)),
            Err(reason) => Some(reason.clone()),
        }
    }

    /// Puts it into a row's provenance.
    pub(crate) fn describe(&self, about: &mut Map<String, Value>) {
        about.insert("templates".to_string(), Value::Object(self.trail.templates.clone()));
        about.insert("models".to_string(), Value::Object(self.trail.models.clone()));
        about.insert("requests".to_string(), json!(self.trail.requests));
        if let Ok(Judgement { verdict, why }) = &self.outcome {
            about
                .insert("verdicts".to_string(), json!({"conflict": {"verdict": verdict.name(), "why": why}}));
        }
        about.insert("input_tokens".to_string(), self.trail.input.into());
        about.insert("output_tokens".to_string(), self.trail.output.into());
        about.insert("cost_usd".to_string(), self.trail.cost.dollars().into());
    }
}

impl<A: Ask> Judge<'_, A> {
    /// Judges rows, given with their places among all: in the order of the places, whichever verdict came first.
    pub(crate) async fn all(
        &self,
        rows: &[(usize, &Conversation)],
    ) -> Result<Vec<(usize, Judged)>, WritingError> {
        let mut judged = Vec::with_capacity(rows.len());
        let calls = stream::iter(rows.iter().copied())
            .map(|(index, row)| async move { self.one(index, row).await.map(|verdict| (index, verdict)) });
        let mut calls = std::pin::pin!(calls.buffer_unordered(self.desk.brief.concurrency.max(1) * 2));
        while let Some(verdict) = calls.next().await {
            judged.push(verdict?);
        }
        judged.sort_by_key(|(index, _)| *index);
        Ok(judged)
    }

    async fn one(&self, index: usize, row: &Conversation) -> Result<Judged, WritingError> {
        let (question, reply) = row.last_exchange();
        let order = Order {
            role: Role::Critic,
            task: "instructions/conflict",
            context: json!({"sections": "", "spec": self.source.shown(SPEC_TOKENS), "question": question, "reply": reply}),
            path: format!("{:07}", index + 1),
            sample: 0,
            text: VERDICT_TOKENS,
        };
        let mut trail = Trail::default();
        let reply = self.desk.call(order, &mut trail, verdict::read).await?;
        let outcome = match reply {
            Reply::Got(judgement) => Ok(judgement),
            Reply::Unusable(why, stop) => {
                let verdict = if stop == Some(Stop::Refusal) { Verdict::Refused } else { Verdict::Unparsed };
                Ok(Judgement { verdict, why })
            }
            Reply::Failed(reason) => Err(reason),
        };
        Ok(Judged { outcome, trail })
    }
}
