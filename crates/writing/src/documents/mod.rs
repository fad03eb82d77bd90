//! Documents that explain a spec: spec -> domains -> subdomains -> assertions -> types -> ideas -> documents, each read by a
//! critic, written again or dropped.
//!
//! The plan of several mirrored specs is made once, from what they say in the same words; then every idea is written for
//! each of them, and is kept for all or for none.

mod balance;
mod estimate;
mod plan;
mod run;
mod text;
mod turns;

use std::sync::Arc;

use serde::Serialize;
use store::{Hash, IdBuilder};

use crate::prompts::Prompts;
use crate::sections::Source;
use crate::settings::Brief;

pub use balance::balance;
pub use estimate::estimate;
pub use run::{Written, write};
pub use text::check as check_text;

/// How a corpus of documents branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Domains of the spec.
    pub domains: usize,
    /// Subdomains of a domain.
    pub subdomains: usize,
    /// Assertions of a subdomain.
    pub assertions: usize,
    /// Types of documents in a subdomain.
    pub types: usize,
    /// Ideas of a type: each becomes a document.
    pub ideas: usize,
    /// Words of a document, about.
    pub words: usize,
    /// Whether a critic reads every document.
    pub critic: bool,
    /// How often a document is written again that the critic faults.
    pub rewrites: usize,
}

impl Shape {
    /// Documents if all are kept.
    pub fn documents(&self) -> u64 {
        (self.domains * self.subdomains * self.types * self.ideas) as u64
    }

    /// Documents of one subdomain.
    pub fn of_subdomain(&self) -> usize {
        self.types * self.ideas
    }
}

/// A corpus of documents to be written, or several mirrored ones.
#[derive(Debug)]
pub struct Request {
    /// One for each corpus; they differ in id and name only.
    pub briefs: Vec<Brief>,
    /// The spec of each corpus.
    pub sources: Vec<Source>,
    /// What the plan is made from: the spec, or what mirrored specs share.
    pub plan: Source,
    /// How it branches.
    pub shape: Shape,
    /// The prompts.
    pub prompts: Arc<Prompts>,
    /// The largest difference of mirrored corpora in tokens, as a part of the larger.
    pub imbalance: f64,
}

/// The steps that make a plan, and those that make a document of it.
const PLANNING: [&str; 5] = ["domains", "subdomains", "assertions", "types", "ideas"];
const WRITING: [&str; 4] = ["assertions", "write", "critique", "rewrite"];
/// Tokens of a spec up to which prompts show it whole instead of in outline.
pub(crate) const WHOLE_SPEC: usize = 12_000;
/// Tokens of sections that a prompt shows.
pub(crate) const SECTIONS: usize = 24_000;

impl Request {
    /// A request; ids are given to the briefs here.
    ///
    /// # Errors
    /// When mirrored specs have different outlines.
    pub fn new(
        briefs: Vec<Brief>,
        sources: Vec<Source>,
        shape: Shape,
        prompts: Arc<Prompts>,
        imbalance: f64,
    ) -> Result<Request, String> {
        let plan = match sources.as_slice() {
            [one] => one.clone(),
            several => Source::shared(several)?,
        };
        let mut request = Request { briefs, sources, plan, shape, prompts, imbalance };
        for index in 0..request.briefs.len() {
            request.briefs[index].corpus = request.id(index).short();
        }
        Ok(request)
    }

    /// The id of one of the corpora: the hash of all that determines it.
    fn id(&self, index: usize) -> Hash {
        let (brief, source) = (&self.briefs[index], &self.sources[index]);
        let mut id = IdBuilder::new("documents")
            .text("name", &brief.name)
            .text("model name", &brief.model_name)
            .text("provider name", &brief.provider_name)
            .hash("spec", source.hash)
            .text("kind", source.kind.name())
            .text("plan", &self.plan.text)
            .text("shape", &serde_json::to_string(&self.shape).unwrap_or_default())
            .number("temperature", brief.temperature.to_bits())
            .number("imbalance", self.imbalance.to_bits())
            .number("mirrored", self.sources.len() as u64);
        for other in &self.sources {
            id = id.hash("mirrored spec", other.hash);
        }
        for (role, model) in &brief.models {
            id = id.text("role", role.name()).text("model", model);
            id = id.number("planning", brief.planning.get(role).copied().unwrap_or(0).into());
        }
        // Of the templates those that are used: a prose spec does not change with a template for rules.
        for (steps, source) in [(&PLANNING[..], &self.plan), (&WRITING[..], source)] {
            for template in steps.iter().map(|step| self.template(step, source)) {
                if let Some(hash) = self.prompts.hash(&template) {
                    id = id.text("prompt", &template).hash("template", hash);
                }
            }
        }
        id.finish()
    }

    /// The sections of a subdomain in pages, the same for all corpora: no prompt shows more than one. There are no more of
    /// them than types, which take turns.
    fn pages(&self, sections: &[String]) -> Vec<Vec<String>> {
        let mut pages = Source::pages(&self.sources, sections, SECTIONS);
        pages.truncate(self.shape.types.max(1));
        pages
    }

    /// The task's template for this spec: rules have some of their own.
    fn template(&self, step: &str, source: &Source) -> String {
        let own = format!("documents-rules/{step}");
        match source.rules() && self.prompts.hash(&own).is_some() {
            true => own,
            false => format!("documents/{step}"),
        }
    }
}

/// A place in the plan: `0003/0001/0007`. Parts are counted from 1; 0 is the call that plans a level.
pub(crate) fn path(parts: &[usize]) -> String {
    parts.iter().map(|part| format!("{part:04}")).collect::<Vec<_>>().join("/")
}
