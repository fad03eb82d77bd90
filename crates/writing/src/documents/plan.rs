//! The plan: domains, subdomains, assertions, types, ideas. Every step is one call whose answer must be whole and distinct.

use llm::{Answer, Ask, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Request, SECTIONS, WHOLE_SPEC, path};
use crate::attempt::{Nothing, ask_until};
use crate::chats::others::Others;
use crate::parse;
use crate::sections::{Source, cover};

/// A field of the spec, and the sections that belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Domain {
    pub domain: String,
    pub sections: Vec<String>,
}

/// A subject within a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subdomain {
    pub subdomain: String,
    pub context: String,
    pub sections: Vec<String>,
}

/// A statement about the assistant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Assertion {
    pub assertion: String,
    pub name: String,
    pub explanation: String,
    pub label: String,
    pub section: String,
}

/// What a step of the plan came to, and what it took.
pub(crate) struct Planned<T> {
    pub entries: Vec<T>,
    /// For each entry, the sections that nobody chose and that were put there.
    pub assigned: Vec<Vec<String>>,
    pub answers: Vec<Answer>,
}

/// Tokens for an entry of a list.
const ENTRY: usize = 160;

/// Makes the parts of a plan.
pub(crate) struct Planner<'a, A> {
    pub ask: &'a A,
    pub request: &'a Request,
    /// Names that no entry may have: documents would take them over.
    pub others: &'a Others,
}

impl<A: Ask> Planner<'_, A> {
    /// The domains of the spec.
    pub async fn domains(&self) -> Result<Planned<Domain>, Nothing> {
        let plan = &self.request.plan;
        let count = self.request.shape.domains;
        let context = json!({ "spec": plan.shown(WHOLE_SPEC), "count": count });
        let (mut entries, answers) = self
            .list("domains", &path(&[0]), plan, context, count, |entries: &[Domain]| {
                parse::distinct(entries.iter().map(|entry| entry.domain.as_str()))?;
                self.no_other(entries.iter().map(|entry| entry.domain.as_str()))?;
                known(plan, entries.iter().map(|entry| &entry.sections))
            })
            .await?;
        let mut lists: Vec<Vec<String>> = entries.iter().map(|entry| entry.sections.clone()).collect();
        let assigned = cover(&plan.units, &mut lists);
        entries.iter_mut().zip(lists).for_each(|(entry, list)| entry.sections = in_order(plan, list));
        Ok(Planned { entries, assigned, answers })
    }

    /// The subdomains of a domain.
    pub async fn subdomains(&self, d: usize, domain: &Domain) -> Result<Planned<Subdomain>, Nothing> {
        let plan = &self.request.plan;
        let count = self.request.shape.subdomains;
        let context = json!({
            "domain": domain.domain,
            "sections": plan.sections(&domain.sections, SECTIONS),
            "count": count,
        });
        let (mut entries, answers) = self
            .list("subdomains", &path(&[d + 1, 0]), plan, context, count, |entries: &[Subdomain]| {
                parse::distinct(entries.iter().map(|entry| entry.subdomain.as_str()))?;
                self.no_other(entries.iter().flat_map(|entry| [entry.subdomain.as_str(), &entry.context]))?;
                if entries.iter().any(|entry| entry.context.trim().is_empty()) {
                    return Err("a context is blank".to_owned());
                }
                known(plan, entries.iter().map(|entry| &entry.sections))
            })
            .await?;
        let own: Vec<_> =
            plan.units.iter().filter(|unit| domain.sections.contains(&unit.id)).cloned().collect();
        let mut lists: Vec<Vec<String>> = entries.iter().map(|entry| entry.sections.clone()).collect();
        let assigned = cover(&own, &mut lists);
        entries.iter_mut().zip(lists).for_each(|(entry, list)| entry.sections = in_order(plan, list));
        Ok(Planned { entries, assigned, answers })
    }

    /// The assertions of a page of a subdomain, drawn from one spec's text.
    pub async fn assertions(
        &self,
        [d, s, page]: [usize; 3],
        domain: &Domain,
        subdomain: &Subdomain,
        sections: &[String],
        source: &Source,
    ) -> Result<Planned<Assertion>, Nothing> {
        let count = self.request.shape.assertions;
        let context = json!({
            "domain": domain.domain,
            "subdomain": named(subdomain),
            "sections": source.sections(sections, usize::MAX),
            "count": count,
        });
        let check = |entries: &[Assertion]| {
            parse::distinct(entries.iter().map(|entry| entry.assertion.as_str()))?;
            self.no_other(
                entries.iter().flat_map(|entry| [entry.assertion.as_str(), &entry.name, &entry.explanation]),
            )?;
            match entries.iter().find(|entry| source.unit(&entry.section).is_none()) {
                Some(entry) => Err(format!("there is no such section: {}", entry.section)),
                None => Ok(()),
            }
        };
        let at = path(&[d + 1, s + 1, 0, page + 1]);
        let (entries, answers) = self.list("assertions", &at, source, context, count, check).await?;
        Ok(Planned { entries, assigned: Vec::new(), answers })
    }

    /// The types of documents in a subdomain.
    pub async fn types(
        &self,
        d: usize,
        s: usize,
        domain: &Domain,
        subdomain: &Subdomain,
        assertions: &[Assertion],
    ) -> Result<Planned<String>, Nothing> {
        let count = self.request.shape.types;
        let context = json!({
            "domain": domain.domain,
            "subdomain": named(subdomain),
            "assertions": listed(assertions),
            "count": count,
        });
        let at = path(&[d + 1, s + 1, 0]);
        let (entries, answers) = self
            .list("types", &at, &self.request.plan, context, count, |entries: &[String]| {
                match entries.iter().find(|entry| entry.split_whitespace().count() > 8) {
                    Some(long) => Err(format!("not a kind of document: {long}")),
                    None => self.texts(entries),
                }
            })
            .await?;
        Ok(Planned { entries, assigned: Vec::new(), answers })
    }

    /// The ideas of a type.
    pub async fn ideas(
        &self,
        at: [usize; 3],
        subdomain: &Subdomain,
        assertions: &[Assertion],
        kind: &str,
    ) -> Result<Planned<String>, Nothing> {
        let count = self.request.shape.ideas;
        let context = json!({
            "subdomain": named(subdomain),
            "assertions": listed(assertions),
            "type": kind,
            "count": count,
        });
        let at = path(&[at[0] + 1, at[1] + 1, at[2] + 1, 0]);
        let (entries, answers) = self
            .list("ideas", &at, &self.request.plan, context, count, |entries: &[String]| self.texts(entries))
            .await?;
        Ok(Planned { entries, assigned: Vec::new(), answers })
    }

    /// Texts that differ and name nobody else.
    fn texts(&self, entries: &[String]) -> Result<(), String> {
        parse::distinct(entries.iter().map(String::as_str))?;
        self.no_other(entries.iter().map(String::as_str))
    }

    fn no_other<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Result<(), String> {
        let name = self.others.named_in(texts);
        name.map_or(Ok(()), |name| Err(format!("an entry names another assistant or its maker: {name}")))
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        step: &str,
        at: &str,
        source: &Source,
        mut context: serde_json::Value,
        count: usize,
        check: impl Fn(&[T]) -> Result<(), String>,
    ) -> Result<(Vec<T>, Vec<Answer>), Nothing> {
        let brief = &self.request.briefs[0];
        context["model_name"] = json!(brief.model_name);
        context["provider_name"] = json!(brief.provider_name);
        let rendered = self.request.prompts.render_as_tried(&self.request.template(step, source), &context);
        let rendered = rendered.map_err(|error| Nothing::unrendered(&error))?;
        let budget = 300 + ENTRY * count.max(4) * if step == "assertions" { 2 } else { 1 };
        // Planning goes before all documents: there is little of it, and much waits for it.
        let call = brief.call(Role::Planner, &format!("0000/{at}"), 0, rendered, budget as u32);
        ask_until(self.ask, &call, |answer| {
            let entries: Vec<T> = parse::list(&answer.text, count)?;
            check(&entries)?;
            Ok(entries)
        })
        .await
    }
}

/// A subdomain and what is at stake in it, for a prompt.
pub(crate) fn named(subdomain: &Subdomain) -> String {
    format!("{}: {}", subdomain.subdomain.trim(), subdomain.context.trim())
}

/// Assertions for a prompt, a line each.
pub(crate) fn listed(assertions: &[Assertion]) -> String {
    let lines: Vec<String> = assertions
        .iter()
        .map(|a| format!("- {} ({})", one_line(&a.assertion), one_line(&a.explanation)))
        .collect();
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every list names sections, and only those that there are.
fn known<'a>(source: &Source, lists: impl Iterator<Item = &'a Vec<String>>) -> Result<(), String> {
    for list in lists {
        if list.is_empty() {
            return Err("an entry names no section".to_owned());
        }
        if let Some(id) = list.iter().find(|id| source.unit(id).is_none()) {
            return Err(format!("there is no such section: {id}"));
        }
    }
    Ok(())
}

/// Ids in the order of the spec, each once.
fn in_order(source: &Source, ids: Vec<String>) -> Vec<String> {
    source.units.iter().filter(|unit| ids.contains(&unit.id)).map(|unit| unit.id.clone()).collect()
}
