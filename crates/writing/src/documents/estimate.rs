//! What a corpus of documents would take, before anything is sent.

use llm::Role;

use super::{Request, SECTIONS, WHOLE_SPEC};
use crate::prompts::Prompts;
use crate::settings::Estimate;

/// Tokens of a listed entry, about.
const ENTRY: u64 = 45;
/// Tokens of a statement with its explanation, about.
const STATEMENT: u64 = 90;
/// Tokens of a critic's five verdicts, about.
const VERDICTS: u64 = 180;
/// The part of documents that are written again, about: what good writers leave to do.
const REWRITTEN: f64 = 0.15;

/// Calls and tokens of a corpus, or of each of several mirrored ones together. Sizes of prompts are those of the templates
/// and of the spec's sections; sizes of answers are what was asked for; tokens are a quarter of the bytes.
pub fn estimate(request: &Request) -> Estimate {
    let shape = request.shape;
    let corpora = request.briefs.len() as u64;
    let documents = shape.documents();
    let (domains, subdomains) = (shape.domains as u64, (shape.domains * shape.subdomains) as u64);
    let template = |name: &str| Prompts::text(name).map_or(0, llm::tokens_in);
    let spec = llm::tokens_in(&request.plan.text);
    let shown = if spec <= WHOLE_SPEC as u64 { spec } else { llm::tokens_in(&request.plan.outline()) };
    let of_domain = (spec / domains.max(1)).min(SECTIONS as u64);
    let of_subdomain = (spec / subdomains.max(1)).clamp(100, SECTIONS as u64);
    let pages = (spec / subdomains.max(1)).div_ceil(SECTIONS as u64).clamp(1, shape.types.max(1) as u64);
    let statements = STATEMENT * shape.assertions as u64;
    let text = shape.words as u64 * 4 / 3;

    let mut sum = Estimate { rows: documents * corpora, ..Estimate::default() };
    let planner = Role::Planner;
    sum.add(planner, 1, template("documents-domains") + shown, (ENTRY * domains).max(1));
    sum.add(planner, domains, template("documents-subdomains") + of_domain, ENTRY * shape.subdomains as u64);
    let sources = if corpora > 1 { corpora + 1 } else { 1 };
    let drawn = subdomains * sources * pages;
    sum.add(planner, drawn, template("documents-assertions") + of_subdomain, statements);
    sum.add(planner, subdomains, template("documents-types") + statements * pages, 6 * shape.types as u64);
    sum.add(
        planner,
        subdomains * shape.types as u64,
        template("documents-ideas") + statements,
        ENTRY * shape.ideas as u64,
    );
    let rewritten =
        if shape.critic && shape.rewrites > 0 { (documents as f64 * REWRITTEN) as u64 } else { 0 };
    let write = template("documents-write") + of_subdomain + statements + ENTRY;
    sum.add(Role::Writer, documents * corpora, write, text);
    sum.add(Role::Writer, rewritten * corpora, write + text, text);
    if shape.critic {
        let critique = template("documents-critique") + of_subdomain + statements + text;
        sum.add(Role::Critic, (documents + rewritten) * corpora, critique, VERDICTS);
    }
    sum
}
