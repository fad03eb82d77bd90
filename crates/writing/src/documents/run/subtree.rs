//! A subdomain: its pages, their assertions, its types, and a branch for each of them.

use std::sync::Arc;

use futures_util::future::join_all;
use ledger::NodeState;
use llm::{Answer, Ask};
use serde_json::json;
use store::Hash;
use tokio::task::JoinSet;

use super::super::plan::{Assertion, Domain, Planned, Subdomain};
use super::super::{Shape, path};
use super::nodes::Place;
use super::{Run, Written, fatal, joined};
use crate::WritingError;
use crate::attempt::Nothing;
use crate::record::Record;
use crate::sections::Source;

/// What is known of a subdomain before it is worked on.
pub(super) struct Subtree {
    d: usize,
    s: usize,
    /// How many of its documents are wanted.
    wanted: u64,
    domain: Arc<Domain>,
    at_domain: Place,
    plan: Result<(Subdomain, Vec<String>, Option<Hash>), Nothing>,
    /// The answers that planned it, in the first subtree of its domain only.
    answers: Vec<Answer>,
    /// Whether it is the last one of its domain, and all of the domain is wanted.
    ends_domain: bool,
}

/// A subdomain that has been worked on.
pub(super) struct Finished {
    /// Which one of all, in the order of the plan.
    pub index: usize,
    pub written: Written,
    /// Its node, if nothing is left to do in it.
    pub complete: Option<Place>,
    pub at_domain: Place,
    /// Whether its domain was set aside.
    pub lost_domain: bool,
    pub ends_domain: bool,
}

/// What the documents of a type share.
pub(super) struct Leaf {
    pub d: usize,
    pub s: usize,
    pub domain: Arc<Domain>,
    pub subdomain: Subdomain,
    /// The sections that the documents are written from.
    pub sections: Vec<String>,
    /// Assertions that the plan is made from.
    pub shared: Vec<Assertion>,
    /// Assertions that each corpus is written from.
    pub own: Vec<Vec<Assertion>>,
}

/// The subtrees of a domain that a scope wants, with how many documents of each. `left` is how many are wanted of the domain
/// and of what follows it.
pub(super) fn of_domain(
    shape: &Shape,
    d: usize,
    (domain, at_domain): &(Arc<Domain>, Place),
    planned: Result<Planned<Subdomain>, Nothing>,
    left: u64,
) -> Vec<Subtree> {
    let per = shape.of_subdomain() as u64;
    let all = per * shape.subdomains as u64;
    let share = |s: usize| left.saturating_sub(per * s as u64).min(per);
    let subtree = |s: usize, wanted: u64, plan, answers| Subtree {
        d,
        s,
        wanted,
        domain: domain.clone(),
        at_domain: at_domain.clone(),
        plan,
        answers,
        ends_domain: s + 1 == shape.subdomains && left >= all,
    };
    let planned = match planned {
        Ok(planned) => planned,
        Err(nothing) => {
            let lost = subtree(0, left.min(all), Err(nothing), Vec::new());
            return vec![Subtree { ends_domain: left >= all, ..lost }];
        }
    };
    let call = planned.answers.last().map(|answer| answer.request);
    let mut first = Some(planned.answers);
    let entries = planned.entries.into_iter().zip(planned.assigned).enumerate();
    entries
        .filter(|(s, _)| share(*s) > 0)
        .map(|(s, (subdomain, assigned))| {
            subtree(s, share(s), Ok((subdomain, assigned, call)), first.take().unwrap_or_default())
        })
        .collect()
}

impl<A: Ask + 'static, R: Record + 'static> Run<A, R> {
    /// Everything below a subdomain.
    pub(super) async fn subtree(self, index: usize, subtree: Subtree) -> Result<Finished, WritingError> {
        let mut done = Written::new(self.request.briefs.len());
        done.tallies[0].spend(&subtree.answers);
        for tally in &mut done.tallies {
            tally.asked += subtree.wanted;
        }
        let Subtree { d, s, wanted, domain, at_domain, plan, ends_domain, .. } = subtree;
        let mut finished = Finished {
            index,
            written: Written::default(),
            complete: None,
            at_domain,
            lost_domain: false,
            ends_domain,
        };
        match plan {
            Ok((subdomain, assigned, call)) => {
                let mut content = json!(subdomain);
                content["assigned"] = json!(assigned);
                let place = Place::new(path(&[d + 1, s + 1]), "subdomain", content, call);
                self.node(&place, NodeState::Open, None).await?;
                let is_whole = self.below(&mut done, &place, [d, s], domain, subdomain, wanted).await?;
                finished.complete = is_whole.then_some(place);
            }
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &finished.at_domain, "subdomains", &aside, wanted).await?;
                finished.lost_domain = true;
            }
        }
        // Branches end in any order.
        for kept in &mut done.kept {
            kept.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(Finished { written: done, ..finished })
    }

    /// The plan of a subdomain, and its branches. Says whether nothing is left to do.
    async fn below(
        &self,
        done: &mut Written,
        place: &Place,
        [d, s]: [usize; 2],
        domain: Arc<Domain>,
        subdomain: Subdomain,
        wanted: u64,
    ) -> Result<bool, WritingError> {
        let shape = self.request.shape;
        let pages = match self.pages(done, [d, s], &domain, &subdomain).await {
            Ok(pages) => pages,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(done, place, "assertions", &aside, wanted).await?;
                return Ok(false);
            }
        };
        self.record_assertions([d, s], &pages).await?;
        let all: Vec<Assertion> = pages.iter().flat_map(|page| page.shared.clone()).collect();
        let types = match self.planner().types(d, s, &domain, &subdomain, &all).await {
            Ok(types) => types,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(done, place, "types", &aside, wanted).await?;
                return Ok(false);
            }
        };
        done.tallies[0].spend(&types.answers);
        let call = types.answers.last().map(|answer| answer.request);
        // Types take turns with the pages.
        let leaves: Vec<Arc<Leaf>> = pages
            .into_iter()
            .map(|page| {
                Arc::new(Leaf {
                    d,
                    s,
                    domain: domain.clone(),
                    subdomain: subdomain.clone(),
                    sections: page.sections,
                    shared: page.shared,
                    own: page.own,
                })
            })
            .collect();
        let per_type = shape.ideas as u64;
        let mut branches = JoinSet::new();
        for (t, kind) in types.entries.into_iter().enumerate() {
            let wanted = wanted.saturating_sub(per_type * t as u64).min(per_type);
            if wanted > 0 {
                let (run, leaf) = (self.clone(), leaves[t % leaves.len()].clone());
                branches.spawn(async move { run.branch(&leaf, t, &kind, call, wanted).await });
            }
        }
        while let Some(branch) = branches.join_next().await {
            done.add(joined(branch)??);
        }
        let is_whole = wanted == shape.of_subdomain() as u64;
        Ok(is_whole && done.tallies.iter().all(|tally| tally.passing == 0))
    }

    /// The pages of a subdomain with their assertions: for the plan from what is shared, for each corpus from its own spec.
    /// Where there is one spec, that is one and the same call. What all of it cost goes to `done`.
    async fn pages(
        &self,
        done: &mut Written,
        [d, s]: [usize; 2],
        domain: &Domain,
        subdomain: &Subdomain,
    ) -> Result<Vec<Page>, Nothing> {
        let request = &self.request;
        let pages = request.pages(&subdomain.sections);
        let sources = request.sources.iter().enumerate().filter(|_| request.sources.len() > 1);
        let sources: Vec<(usize, &Source)> = std::iter::once((0, &request.plan)).chain(sources).collect();
        let planner = &self.planner();
        let calls = pages.iter().enumerate().flat_map(|(page, sections)| {
            sources
                .iter()
                .map(move |(_, source)| planner.assertions([d, s, page], domain, subdomain, sections, source))
        });
        // All of them are waited for, and the first in the plan that failed counts, not the first in time.
        let mut planned = join_all(calls).await.into_iter();
        let (mut found, mut lost) = (Vec::new(), None);
        for sections in pages {
            let mut drawn: Vec<(Vec<Assertion>, Option<Hash>)> = Vec::new();
            for ((corpus, _), planned) in sources.iter().zip(planned.by_ref()) {
                match planned {
                    Ok(planned) => {
                        done.tallies[*corpus].spend(&planned.answers);
                        let call = planned.answers.last().map(|answer| answer.request);
                        drawn.push((planned.entries, call));
                    }
                    Err(Nothing::Ending) => return Err(Nothing::Ending),
                    // The one that counts is paid for where the node is set aside.
                    Err(first) if lost.is_none() => lost = Some(first),
                    Err(Nothing::SetAside(aside)) => done.tallies[*corpus].spend(&aside.answers),
                }
            }
            let mut drawn = drawn.into_iter();
            let Some((shared, call)) = drawn.next() else { continue };
            let (mut own, mut calls): (Vec<_>, Vec<_>) = drawn.unzip();
            if own.is_empty() {
                (own, calls) = (vec![shared.clone()], vec![call]);
            }
            found.push(Page { sections, shared, own, calls });
        }
        lost.map_or(Ok(found), Err)
    }

    async fn record_assertions(&self, [d, s]: [usize; 2], pages: &[Page]) -> Result<(), WritingError> {
        for corpus in 0..self.request.briefs.len() {
            let mut n = 0;
            for page in pages {
                for assertion in &page.own[corpus] {
                    n += 1;
                    let at = path(&[d + 1, s + 1, n]);
                    let place = Place::new(at, "assertion", json!(assertion), page.calls[corpus]);
                    self.node_of(corpus, &place, NodeState::Done, None).await?;
                }
            }
        }
        Ok(())
    }
}

/// A page of a subdomain's sections, with what was drawn from it.
struct Page {
    sections: Vec<String>,
    shared: Vec<Assertion>,
    own: Vec<Vec<Assertion>>,
    /// The request that each corpus's came from.
    calls: Vec<Option<Hash>>,
}
