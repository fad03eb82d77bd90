//! One document: written, criticised, written again or dropped.

use std::collections::BTreeMap;

use llm::{Answer, Ask, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Request;
use super::plan::{Assertion, Domain, Subdomain, listed, named};
use crate::attempt::{Nothing, SetAside, ask_until};
use crate::chats::check;
use crate::chats::others::Others;
use crate::parse;

/// What a critic says of one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Verdict {
    pass: bool,
    why: String,
}

/// The axes on which a critic judges; all must be there.
const AXES: [&str; 5] = ["faithful", "voice", "name", "reasons", "no_leak"];

/// What a document is to be.
pub(crate) struct Order<'a> {
    /// Which of the mirrored corpora.
    pub corpus: usize,
    pub path: &'a str,
    pub domain: &'a Domain,
    pub subdomain: &'a Subdomain,
    /// The page of its sections that the document is written from.
    pub sections: &'a [String],
    /// Drawn from this corpus's spec.
    pub assertions: &'a [Assertion],
    pub kind: &'a str,
    pub idea: &'a str,
}

/// What became of it.
pub(crate) struct Done {
    /// The text, or why there is none.
    pub text: Result<String, String>,
    /// Whether a later run may have better luck.
    pub passing: bool,
    pub rewrites: usize,
    /// All answers behind it, used or not.
    pub answers: Vec<Answer>,
    /// Where it came from.
    pub provenance: Value,
}

/// Writes a document.
///
/// # Errors
/// [`Nothing::Ending`] only.
pub(crate) async fn write<A: Ask>(
    ask: &A,
    request: &Request,
    others: &Others,
    order: &Order<'_>,
) -> Result<Done, Nothing> {
    let desk = Desk { ask, request, order, others };
    let mut answers = Vec::new();
    let mut verdicts: Option<BTreeMap<String, Verdict>> = None;
    let mut text = None;
    let mut complaints = Vec::new();
    let mut rewrites = 0;
    let mut outcome = Err(String::new());
    let mut passing = false;
    for round in 0..=request.shape.rewrites {
        let draft = match desk.draft(round, text.as_deref(), &complaints).await {
            Ok((draft, used)) => {
                answers.extend(used);
                draft
            }
            Err(Nothing::Ending) => return Err(Nothing::Ending),
            Err(Nothing::SetAside(aside)) => {
                outcome = Err(set_aside("writer", &aside));
                passing = aside.passing;
                answers.extend(aside.answers);
                break;
            }
        };
        rewrites = round;
        if !request.shape.critic {
            outcome = Ok(draft);
            break;
        }
        match desk.judge(round, &draft).await {
            Ok((judged, used)) => {
                answers.extend(used);
                complaints = judged
                    .iter()
                    .filter(|(_, verdict)| !verdict.pass)
                    .map(|(axis, verdict)| format!("{axis}: {}", verdict.why.trim()))
                    .collect();
                verdicts = Some(judged);
            }
            Err(Nothing::Ending) => return Err(Nothing::Ending),
            Err(Nothing::SetAside(aside)) => {
                outcome = Err(set_aside("critic's answer", &aside));
                passing = aside.passing;
                answers.extend(aside.answers);
                break;
            }
        }
        if complaints.is_empty() {
            outcome = Ok(draft);
            break;
        }
        outcome = Err(format!("critic: {}", complaints.join("; ")));
        text = Some(draft);
    }
    let provenance = desk.provenance(&answers, verdicts.as_ref(), rewrites);
    Ok(Done { text: outcome, passing, rewrites, answers, provenance })
}

/// A number that no other document and no other round has: two documents never share an answer, even if their prompts do.
fn sample(corpus: usize, path: &str, round: usize) -> u64 {
    let place = path.split('/').fold(0u64, |sum, part| sum * 10_000 + part.parse::<u64>().unwrap_or(0));
    // Four parts of four digits and three bits for the round leave two bits for the corpus, once attempts have theirs.
    ((corpus as u64 % 4) << 57) | (place.wrapping_mul(8).wrapping_add(round as u64 % 8) & ((1 << 57) - 1))
}

fn set_aside(who: &str, aside: &SetAside) -> String {
    format!("{who}: {}", aside.reason())
}

/// What a program can find wrong with a document before a critic reads it.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str, model_name: &str, others: &Others) -> Result<(), String> {
    if let Some(fault) = check::reply_fault(text, others) {
        return Err(fault);
    }
    if !text.contains(model_name) {
        return Err(format!("it never names {model_name}"));
    }
    Ok(())
}

struct Desk<'a, A> {
    ask: &'a A,
    request: &'a Request,
    order: &'a Order<'a>,
    others: &'a Others,
}

impl<A: Ask> Desk<'_, A> {
    fn context(&self) -> Value {
        let (order, brief) = (self.order, &self.request.briefs[self.order.corpus]);
        let source = &self.request.sources[order.corpus];
        json!({
            "model_name": brief.model_name,
            "provider_name": brief.provider_name,
            "sections": source.sections(order.sections, usize::MAX),
            "subdomain": named(order.subdomain),
            "assertions": listed(order.assertions),
            "type": order.kind,
            "idea": order.idea,
            "words": self.request.shape.words,
        })
    }

    /// The first draft, or the one that answers the complaints about another.
    async fn draft(
        &self,
        round: usize,
        draft: Option<&str>,
        complaints: &[String],
    ) -> Result<(String, Vec<Answer>), Nothing> {
        let mut context = self.context();
        let step = match draft {
            None => "write",
            Some(draft) => {
                context["draft"] = json!(draft);
                context["complaints"] =
                    json!(complaints.iter().map(|line| format!("- {line}\n")).collect::<String>());
                "rewrite"
            }
        };
        let brief = &self.request.briefs[self.order.corpus];
        // A token is about 3 quarters of a word; twice the words that were asked for leave room for a writer who is fond of them.
        let budget = (self.request.shape.words * 3).max(600) as u32;
        let call = self.call(Role::Writer, step, round, &context, budget)?;
        ask_until(self.ask, &call, |answer| {
            let text = parse::last_tag(&answer.text, "document")?;
            check(text, &brief.model_name, self.others)?;
            let words = spec::count_words(text);
            if words * 4 < self.request.shape.words {
                return Err(format!(
                    "too short: {words} words instead of about {}",
                    self.request.shape.words
                ));
            }
            Ok(text.to_owned())
        })
        .await
    }

    async fn judge(
        &self,
        round: usize,
        document: &str,
    ) -> Result<(BTreeMap<String, Verdict>, Vec<Answer>), Nothing> {
        let mut context = self.context();
        context["document"] = json!(document);
        let call = self.call(Role::Critic, "critique", round, &context, 900)?;
        ask_until(self.ask, &call, |answer| {
            let verdicts: BTreeMap<String, Verdict> = parse::json(&answer.text, "verdicts")?;
            match AXES.iter().find(|axis| !verdicts.contains_key(**axis)) {
                Some(axis) => Err(format!("a verdict is missing: {axis}")),
                None => Ok(verdicts),
            }
        })
        .await
    }

    fn call(
        &self,
        role: Role,
        step: &str,
        round: usize,
        context: &Value,
        budget: u32,
    ) -> Result<llm::Call, Nothing> {
        let source = &self.request.sources[self.order.corpus];
        let rendered = self.request.prompts.render_as_tried(&self.request.template(step, source), context);
        let rendered = rendered.map_err(|error| Nothing::unrendered(&error))?;
        let brief = &self.request.briefs[self.order.corpus];
        Ok(brief.call(
            role,
            self.order.path,
            sample(self.order.corpus, self.order.path, round),
            rendered,
            budget,
        ))
    }

    /// Where the document came from: nothing in it depends on when or in which order things happened.
    fn provenance(
        &self,
        answers: &[Answer],
        verdicts: Option<&BTreeMap<String, Verdict>>,
        rewrites: usize,
    ) -> Value {
        let (order, request) = (self.order, self.request);
        let (brief, source) = (&request.briefs[order.corpus], &request.sources[order.corpus]);
        let steps = ["write", "critique", "rewrite"];
        let templates: BTreeMap<&str, String> = steps
            .iter()
            .filter_map(|step| Some((*step, request.prompts.hash(&request.template(step, source))?.short())))
            .collect();
        let assertions: Vec<&str> = order.assertions.iter().map(|entry| entry.assertion.as_str()).collect();
        let models: BTreeMap<&str, &str> =
            brief.models.iter().map(|(role, model)| (role.name(), model.as_str())).collect();
        json!({
            "corpus": brief.name,
            "path": order.path,
            "spec": source.name,
            "spec_hash": source.hash,
            "section_ids": order.sections,
            "sections": source.titles(order.sections),
            "domain": order.domain.domain,
            "subdomain": order.subdomain.subdomain,
            "context": order.subdomain.context,
            "assertions": assertions,
            "type": order.kind,
            "idea": order.idea,
            "templates": templates,
            "models": models,
            "requests": answers.iter().map(|answer| answer.request.short()).collect::<Vec<_>>(),
            "stop_reasons": answers.iter().map(|answer| answer.stop.name()).collect::<Vec<_>>(),
            "verdicts": verdicts,
            "rewrites": rewrites,
            "input_tokens": answers.iter().map(|a| a.usage.input + a.usage.cache_read + a.usage.cache_write).sum::<u64>(),
            "output_tokens": answers.iter().map(|answer| answer.usage.output).sum::<u64>(),
            "cost_usd": answers.iter().map(|answer| answer.cost).sum::<llm::Dollars>().dollars(),
        })
    }
}
