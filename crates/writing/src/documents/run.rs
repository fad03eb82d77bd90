//! The whole tree, depth first: subtrees are finished one after the other, and only as much is begun at once as keeps the
//! calls that may be under way busy. No text is held longer than it takes to store it.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use ledger::{Item, Node, NodeState};
use llm::Ask;
use serde_json::{Value, json};
use store::Hash;

use super::plan::{Assertion, Domain, Planned, Planner, Subdomain};
use super::text::{self, Order};
use super::{Request, path};
use crate::WritingError;
use crate::attempt::{Nothing, SetAside};
use crate::parse;
use crate::record::Record;
use crate::settings::{Scope, Tally};

/// What writing a scope came to.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// For each corpus.
    pub tallies: Vec<Tally>,
    /// The kept documents of each corpus, in order: by these mirrored corpora are balanced and repeats are found.
    pub(crate) kept: Vec<Vec<Kept>>,
}

/// A kept document, in short.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub path: String,
    pub text: [u8; 16],
    pub tokens: u64,
}

/// Writes documents: all of a scope, whatever becomes of single ones. `count` says how many tokens a text is.
///
/// # Errors
/// When the run is ending, the store fails, or not even the domains could be planned.
pub async fn write<A, R>(
    ask: &Arc<A>,
    record: &Arc<R>,
    request: &Arc<Request>,
    scope: Scope,
    count: &Arc<dyn Fn(&str) -> u64 + Send + Sync>,
) -> Result<Written, WritingError>
where
    A: Ask + 'static,
    R: Record + 'static,
{
    let run =
        Run { ask: ask.clone(), record: record.clone(), request: request.clone(), count: count.clone() };
    let written = run.all(scope).await?;
    record.flush().await?;
    Ok(written)
}

struct Run<A, R> {
    ask: Arc<A>,
    record: Arc<R>,
    request: Arc<Request>,
    count: Arc<dyn Fn(&str) -> u64 + Send + Sync>,
}

impl<A, R> Clone for Run<A, R> {
    fn clone(&self) -> Self {
        Run {
            ask: self.ask.clone(),
            record: self.record.clone(),
            request: self.request.clone(),
            count: self.count.clone(),
        }
    }
}

/// Ending, or a failure of the store.
fn fatal(nothing: Nothing) -> Result<Box<SetAside>, WritingError> {
    match nothing {
        Nothing::Ending => Err(WritingError::Ending),
        Nothing::SetAside(aside) => Ok(aside),
    }
}

impl<A: Ask + 'static, R: Record + 'static> Run<A, R> {
    fn planner(&self) -> Planner<'_, A> {
        Planner { ask: &self.ask, request: &self.request }
    }

    async fn all(&self, scope: Scope) -> Result<Written, WritingError> {
        let shape = self.request.shape;
        let wanted = scope.rows(shape.documents());
        let corpora = self.request.briefs.len();
        let mut total = Written { tallies: vec![Tally::default(); corpora], kept: vec![Vec::new(); corpora] };
        if wanted == 0 {
            return Ok(total);
        }
        let per_subdomain = shape.of_subdomain() as u64;
        let per_domain = per_subdomain * shape.subdomains as u64;
        let domains = match self.planner().domains().await {
            Ok(domains) => domains,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.node(
                    &path(&[0]),
                    "domains",
                    NodeState::SetAside,
                    Some(aside.reason()),
                    json!(null),
                    None,
                )
                .await?;
                self.record.flush().await?;
                return Err(WritingError::Plan(aside.reason()));
            }
        };
        total.tallies[0].spend(&domains.answers);
        for (d, domain) in domains.entries.iter().enumerate() {
            let content = json!({ "domain": domain.domain, "sections": domain.sections, "assigned": domains.assigned[d] });
            let call = domains.answers.last().map(|answer| answer.request);
            self.node(&path(&[d + 1]), "domain", NodeState::Open, None, content, call).await?;
        }
        // As many subdomains at once as keep the calls busy; a domain is planned while the one before it is written.
        let window = (2 * self.request.briefs[0].concurrency).max(2);
        let at_once = window.div_ceil(shape.of_subdomain().max(1) * corpora) + 1;
        let needed = wanted.div_ceil(per_domain) as usize;
        let plans = stream::iter(domains.entries.iter().take(needed).enumerate())
            .map(|(d, domain)| async move { (d, domain, self.planner().subdomains(d, domain).await) })
            .buffered(at_once.min(4));
        let subtrees = plans
            .flat_map(|(d, domain, planned)| {
                let left = wanted - per_domain * d as u64;
                stream::iter(self.subtrees(d, domain, planned, left))
            })
            .map(|subtree| {
                let run = self.clone();
                async move {
                    // A task of its own: subtrees are worked on by all threads.
                    match tokio::spawn(run.subtree(subtree)).await {
                        Ok(done) => done,
                        Err(error) => std::panic::resume_unwind(error.into_panic()),
                    }
                }
            })
            .buffered(at_once);
        let mut subtrees = std::pin::pin!(subtrees);
        while let Some(subtree) = subtrees.next().await {
            let subtree = subtree?;
            for (own, part) in total.tallies.iter_mut().zip(&subtree.tallies) {
                own.add(part);
            }
            for (own, part) in total.kept.iter_mut().zip(subtree.kept) {
                own.extend(part);
            }
        }
        self.drop_repeats(&mut total).await?;
        Ok(total)
    }

    /// The subtrees of a domain that a scope wants, with how many documents of each.
    fn subtrees(
        &self,
        d: usize,
        domain: &Domain,
        planned: Result<Planned<Subdomain>, Nothing>,
        left: u64,
    ) -> Vec<Subtree> {
        let shape = self.request.shape;
        let per = shape.of_subdomain() as u64;
        let share = |s: usize| left.saturating_sub(per * s as u64).min(per);
        match planned {
            Ok(planned) => {
                let call = planned.answers.last().map(|answer| answer.request);
                let mut first = Some(planned.answers);
                planned
                    .entries
                    .into_iter()
                    .zip(planned.assigned)
                    .enumerate()
                    .filter(|(s, _)| share(*s) > 0)
                    .map(|(s, (subdomain, assigned))| Subtree {
                        d,
                        s,
                        wanted: share(s),
                        domain: domain.clone(),
                        plan: Ok((subdomain, assigned, call)),
                        answers: first.take().unwrap_or_default(),
                    })
                    .collect()
            }
            Err(nothing) => vec![Subtree {
                d,
                s: 0,
                wanted: left.min(per * shape.subdomains as u64),
                domain: domain.clone(),
                plan: Err(nothing),
                answers: Vec::new(),
            }],
        }
    }

    /// Everything below a subdomain.
    async fn subtree(self, subtree: Subtree) -> Result<Written, WritingError> {
        let corpora = self.request.briefs.len();
        let mut done = Written { tallies: vec![Tally::default(); corpora], kept: vec![Vec::new(); corpora] };
        done.tallies[0].spend(&subtree.answers);
        for tally in &mut done.tallies {
            tally.asked += subtree.wanted;
        }
        let (d, s, wanted, domain) = (subtree.d, subtree.s, subtree.wanted, &subtree.domain);
        let (subdomain, assigned, call) = match subtree.plan {
            Ok(plan) => plan,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &path(&[d + 1]), "domain", "subdomains", &aside, wanted).await?;
                return Ok(done);
            }
        };
        let at = path(&[d + 1, s + 1]);
        let mut content = json!(subdomain);
        content["assigned"] = json!(assigned);
        self.node(&at, "subdomain", NodeState::Open, None, content.clone(), call).await?;
        // For the plan from what is shared, for each corpus from its own spec: one and the same call where there is one spec.
        let planner = self.planner();
        let plan = &self.request.plan;
        let shared = match planner.assertions(d, s, domain, &subdomain, plan).await {
            Ok(planned) => planned,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &at, "subdomain", "assertions", &aside, wanted).await?;
                return Ok(done);
            }
        };
        done.tallies[0].spend(&shared.answers);
        let mut own: Vec<Vec<Assertion>> = vec![shared.entries.clone()];
        if corpora > 1 {
            own.clear();
            for (index, source) in self.request.sources.iter().enumerate() {
                match planner.assertions(d, s, domain, &subdomain, source).await {
                    Ok(planned) => {
                        done.tallies[index].spend(&planned.answers);
                        own.push(planned.entries);
                    }
                    Err(nothing) => {
                        let aside = fatal(nothing)?;
                        self.lose(&mut done, &at, "subdomain", "assertions", &aside, wanted).await?;
                        return Ok(done);
                    }
                }
            }
        }
        for (n, assertion) in shared.entries.iter().enumerate() {
            let call = shared.answers.last().map(|answer| answer.request);
            let at = path(&[d + 1, s + 1, n + 1]);
            self.node(&at, "assertion", NodeState::Done, None, json!(assertion), call).await?;
        }
        let types = match planner.types(d, s, domain, &subdomain, &shared.entries).await {
            Ok(types) => types,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &at, "subdomain", "types", &aside, wanted).await?;
                return Ok(done);
            }
        };
        done.tallies[0].spend(&types.answers);
        let per_type = self.request.shape.ideas as u64;
        let leaf = Leaf { d, s, domain, subdomain: &subdomain, shared: &shared.entries, own: &own };
        let run = &self;
        let call = types.answers.last().map(|answer| answer.request);
        let branches: Vec<_> = types
            .entries
            .iter()
            .enumerate()
            .filter(|(t, _)| wanted > per_type * *t as u64)
            .map(|(t, kind)| {
                let wanted = (wanted - per_type * t as u64).min(per_type);
                let leaf = &leaf;
                async move { run.branch(leaf, t, kind, call, wanted).await }
            })
            .collect();
        let mut branches = stream::iter(branches).buffered(self.request.shape.types.max(1));
        while let Some(branch) = branches.next().await {
            let branch = branch?;
            for (own, part) in done.tallies.iter_mut().zip(&branch.tallies) {
                own.add(part);
            }
            for (own, part) in done.kept.iter_mut().zip(branch.kept) {
                own.extend(part);
            }
        }
        drop(branches);
        self.drop_repeats(&mut done).await?;
        if wanted == self.request.shape.of_subdomain() as u64
            && done.tallies.iter().all(|tally| tally.passing == 0)
        {
            self.node(&at, "subdomain", NodeState::Done, None, content, call).await?;
        }
        Ok(done)
    }

    /// The ideas of a type and their documents.
    async fn branch(
        &self,
        leaf: &Leaf<'_>,
        t: usize,
        kind: &str,
        call: Option<Hash>,
        wanted: u64,
    ) -> Result<Written, WritingError> {
        let corpora = self.request.briefs.len();
        let mut done = Written { tallies: vec![Tally::default(); corpora], kept: vec![Vec::new(); corpora] };
        let at = path(&[leaf.d + 1, leaf.s + 1, t + 1]);
        self.node(&at, "type", NodeState::Open, None, json!(kind), call).await?;
        let ideas = match self.planner().ideas([leaf.d, leaf.s, t], leaf.subdomain, leaf.shared, kind).await {
            Ok(ideas) => ideas,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &at, "type", "ideas", &aside, wanted).await?;
                return Ok(done);
            }
        };
        done.tallies[0].spend(&ideas.answers);
        let idea_call = ideas.answers.last().map(|answer| answer.request);
        let window = (2 * self.request.briefs[0].concurrency).max(2);
        let documents: Vec<_> = ideas
            .entries
            .iter()
            .take(wanted as usize)
            .enumerate()
            .map(|(i, idea)| async move {
                let at = path(&[leaf.d + 1, leaf.s + 1, t + 1, i + 1]);
                self.node(&at, "idea", NodeState::Done, None, json!(idea), idea_call).await?;
                self.tuple(leaf, kind, idea, at).await
            })
            .collect();
        let mut documents = stream::iter(documents).buffered(window);
        while let Some(tuple) = documents.next().await {
            let tuple = tuple?;
            for (own, part) in done.tallies.iter_mut().zip(&tuple.tallies) {
                own.add(part);
            }
            for (own, part) in done.kept.iter_mut().zip(tuple.kept) {
                own.extend(part);
            }
        }
        drop(documents);
        let complete = wanted == self.request.shape.ideas as u64;
        if complete && done.tallies.iter().all(|tally| tally.passing == 0) {
            self.node(&at, "type", NodeState::Done, None, json!(kind), call).await?;
        }
        Ok(done)
    }

    /// The document of an idea, for every corpus: kept for all or for none.
    async fn tuple(
        &self,
        leaf: &Leaf<'_>,
        kind: &str,
        idea: &str,
        at: String,
    ) -> Result<Written, WritingError> {
        let corpora = self.request.briefs.len();
        let orders: Vec<Order> = (0..corpora)
            .map(|corpus| Order {
                corpus,
                path: &at,
                domain: leaf.domain,
                subdomain: leaf.subdomain,
                assertions: &leaf.own[corpus],
                kind,
                idea,
            })
            .collect();
        let all: Vec<_> =
            orders.iter().map(|order| text::write(self.ask.as_ref(), &self.request, order)).collect();
        let mut written =
            Written { tallies: vec![Tally::default(); corpora], kept: vec![Vec::new(); corpora] };
        let mut documents = Vec::new();
        for document in futures_util::future::join_all(all).await {
            match document {
                Ok(document) => documents.push(document),
                Err(nothing) => {
                    fatal(nothing)?;
                }
            }
        }
        let lost = documents.iter().position(|document| document.text.is_err());
        for (corpus, document) in documents.iter().enumerate() {
            let tally = &mut written.tallies[corpus];
            tally.spend(&document.answers);
            tally.rewritten += u64::from(document.rewrites > 0);
            tally.passing += u64::from(document.passing);
            let reason = match (&document.text, lost) {
                (Err(reason), _) => Some(reason.clone()),
                (Ok(_), Some(other)) => {
                    Some(format!("its twin for {} was lost", self.request.sources[other].name))
                }
                (Ok(_), None) => None,
            };
            match (&document.text, &reason) {
                (Ok(text), None) => {
                    tally.kept += 1;
                    let tokens = (self.count)(text);
                    written.kept[corpus].push(Kept { path: at.clone(), text: fingerprint(text), tokens });
                }
                (_, Some(reason)) => tally.drop(reason, 1),
                (Err(_), None) => {}
            }
            let row = document
                .text
                .as_ref()
                .map_or_else(|_| String::new(), |text| json!({ "text": text }).to_string());
            self.record
                .item(Item {
                    corpus: self.request.briefs[corpus].corpus.clone(),
                    path: at.clone(),
                    kept: reason.is_none(),
                    reason,
                    row,
                    provenance: document.provenance.to_string(),
                })
                .await?;
        }
        Ok(written)
    }

    /// Drops documents whose text is that of one before it in the plan: a matter of the plan's order, not of time.
    async fn drop_repeats(&self, written: &mut Written) -> Result<(), WritingError> {
        let mut repeats: Vec<(String, String)> = Vec::new();
        for kept in &written.kept {
            let mut first: HashMap<[u8; 16], &str> = HashMap::with_capacity(kept.len());
            for document in kept {
                if let Some(earlier) = first.get(&document.text) {
                    repeats.push((document.path.clone(), format!("the same text as {earlier}")));
                } else {
                    first.insert(document.text, &document.path);
                }
            }
        }
        repeats.sort();
        repeats.dedup_by(|a, b| a.0 == b.0);
        self.record.flush().await?;
        for (path, reason) in repeats {
            drop_tuple(self.record.as_ref(), &self.request, written, &path, &reason).await?;
        }
        Ok(())
    }

    /// A node that failed, and the documents below it that there will not be.
    async fn lose(
        &self,
        done: &mut Written,
        at: &str,
        kind: &str,
        step: &str,
        aside: &SetAside,
        wanted: u64,
    ) -> Result<(), WritingError> {
        let reason = format!("{step}: {}", aside.reason());
        for tally in &mut done.tallies {
            tally.drop(&reason, wanted);
            tally.passing += if aside.passing { wanted } else { 0 };
        }
        done.tallies[0].spend(&aside.answers);
        self.node(at, kind, NodeState::SetAside, Some(reason), json!(null), None).await
    }

    async fn node(
        &self,
        at: &str,
        kind: &str,
        state: NodeState,
        reason: Option<String>,
        content: Value,
        call: Option<Hash>,
    ) -> Result<(), WritingError> {
        let corpus = self.request.briefs[0].corpus.clone();
        let (path, kind, content) = (at.to_owned(), kind.to_owned(), content.to_string());
        Ok(self.record.node(Node { corpus, path, kind, state, reason, content, call }).await?)
    }
}

/// Takes the documents of one idea out of all corpora; the record must have been flushed.
pub(crate) async fn drop_tuple<R: Record>(
    record: &R,
    request: &Request,
    written: &mut Written,
    path: &str,
    reason: &str,
) -> Result<(), WritingError> {
    for (corpus, brief) in request.briefs.iter().enumerate() {
        let kept = &mut written.kept[corpus];
        let Ok(index) = kept.binary_search_by(|document| document.path.as_str().cmp(path)) else { continue };
        kept.remove(index);
        written.tallies[corpus].kept -= 1;
        written.tallies[corpus].drop(reason, 1);
        if let Some(item) = record.find(&brief.corpus, path)? {
            record.item(Item { kept: false, reason: Some(reason.to_owned()), ..item }).await?;
        }
    }
    Ok(())
}

/// What tells texts apart, whatever their spaces and case.
fn fingerprint(text: &str) -> [u8; 16] {
    let hash = store::hash_bytes(parse::normal(text).as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    short
}

/// What is known of a subdomain before it is worked on.
struct Subtree {
    d: usize,
    s: usize,
    wanted: u64,
    domain: Domain,
    plan: Result<(Subdomain, Vec<String>, Option<Hash>), Nothing>,
    /// The answers that planned it, in the first subtree of its domain only.
    answers: Vec<llm::Answer>,
}

/// Where an idea hangs.
struct Leaf<'a> {
    d: usize,
    s: usize,
    domain: &'a Domain,
    subdomain: &'a Subdomain,
    /// Assertions that the plan is made from.
    shared: &'a [Assertion],
    /// Assertions that each corpus is written from.
    own: &'a [Vec<Assertion>],
}
