//! One call of this pipeline, with its attempts, and what they cost.

use llm::{Answer, Ask, Dollars, Role, Stop};
use serde_json::{Map, Value};
use store::Hash;

use crate::attempt::{Nothing, ask_until};
use crate::{Brief, Prompts, WritingError};

/// Who is asked, and by what.
#[derive(Debug)]
pub struct Desk<'a, A> {
    /// Who answers.
    pub ask: &'a A,
    /// The templates.
    pub prompts: &'a Prompts,
    /// What the calls of the corpus share.
    pub brief: &'a Brief,
}

/// One call, before it is rendered.
pub(crate) struct Order {
    pub role: Role,
    pub task: &'static str,
    /// What the template is given, an object; the names are put in here.
    pub context: Value,
    pub path: String,
    pub sample: u64,
    /// Most tokens of text.
    pub text: u32,
}

/// Calls, and what they cost: all attempts count, also those that could not be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// The requests whose answers were used.
    pub requests: Vec<Hash>,
    /// The hash of each template that was used.
    pub templates: Map<String, Value>,
    /// The model of each role that was used.
    pub models: Map<String, Value>,
    pub calls: u64,
    pub input: u64,
    pub output: u64,
    pub cost: Dollars,
}

impl Trail {
    fn pay(&mut self, answers: &[Answer]) {
        for answer in answers {
            let usage = answer.usage;
            self.calls += 1;
            self.input += usage.input + usage.cache_read + usage.cache_write;
            self.output += usage.output;
            self.cost += answer.cost;
        }
    }

    /// Adds what another trail cost.
    pub(crate) fn cost_of(&mut self, other: &Trail) {
        self.calls += other.calls;
        self.input += other.input;
        self.output += other.output;
        self.cost += other.cost;
    }

    /// Goes on as another trail, and bears the cost of both.
    pub(crate) fn follow(&mut self, other: Trail) {
        let mut next = other;
        next.cost_of(self);
        *self = next;
    }
}

/// What came of a call.
pub(crate) enum Reply<T> {
    /// What was read from its answer.
    Got(T),
    /// No answer could be used: why, and how the last one ended.
    Unusable(String, Option<Stop>),
    /// No answer came; a later run tries again.
    Failed(String),
}

impl<A: Ask> Desk<'_, A> {
    /// Makes a call, in a few attempts if need be. `read` makes something of an answer, or says why it cannot.
    pub(crate) async fn call<T>(
        &self,
        order: Order,
        trail: &mut Trail,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Reply<T>, WritingError> {
        let mut context = order.context;
        context["model_name"] = self.brief.model_name.as_str().into();
        context["provider_name"] = self.brief.provider_name.as_str().into();
        let rendered = self.prompts.render_as_tried(order.task, &context)?;
        let template = rendered.template;
        let call = self.brief.call(order.role, &order.path, order.sample, rendered, order.text);
        match ask_until(self.ask, &call, |answer| read(&answer.text)).await {
            Ok((value, answers)) => {
                trail.pay(&answers);
                trail.requests.extend(answers.last().map(|answer| answer.request));
                trail.templates.insert(order.task.to_string(), template.to_string().into());
                trail.models.insert(order.role.name().to_string(), self.brief.model(order.role).into());
                Ok(Reply::Got(value))
            }
            Err(Nothing::Ending) => Err(WritingError::Ending),
            Err(Nothing::SetAside(aside)) => {
                trail.pay(&aside.answers);
                match aside.passing {
                    true => Ok(Reply::Failed(aside.reason())),
                    false => {
                        Ok(Reply::Unusable(aside.reason(), aside.answers.last().map(|answer| answer.stop)))
                    }
                }
            }
        }
    }
}
