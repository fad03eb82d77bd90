//! The whole tree, depth first: subtrees are finished one after the other, and only as much is begun at once as keeps the
//! calls that may be under way busy. No text is held longer than it takes to store it.

mod branch;
mod merge;
mod nodes;
mod subtree;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ledger::NodeState;
use llm::Ask;
use serde_json::json;
use store::Hash;
use tokio::task::{JoinError, JoinSet};

use super::plan::{Domain, Planned, Planner, Subdomain};
use super::turns::Turns;
use super::{Request, path};
use crate::WritingError;
use crate::attempt::{Nothing, SetAside};
use crate::chats::others::Others;
use crate::record::Record;
use crate::settings::{Scope, Tally};

use merge::Merge;
pub(crate) use merge::drop_tuple;
use nodes::Place;
use subtree::{Finished, Subtree};

/// What writing a scope came to.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// For each corpus.
    pub tallies: Vec<Tally>,
    /// The kept documents of each corpus, in order: by these mirrored corpora are balanced and repeats are found.
    pub(crate) kept: Vec<Vec<Kept>>,
    /// Types and ideas that nothing is left to do for, once repeats are dropped.
    done: Vec<Place>,
}

/// A kept document, in short.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub path: Box<str>,
    pub text: [u8; 16],
    pub tokens: u64,
    /// The request that its idea came from.
    pub idea: Option<Hash>,
}

impl Written {
    fn new(corpora: usize) -> Written {
        Written {
            tallies: vec![Tally::default(); corpora],
            kept: vec![Vec::new(); corpora],
            done: Vec::new(),
        }
    }

    fn add(&mut self, other: Written) {
        for (own, part) in self.tallies.iter_mut().zip(&other.tallies) {
            own.add(part);
        }
        for (own, part) in self.kept.iter_mut().zip(other.kept) {
            own.extend(part);
        }
        self.done.extend(other.done);
    }
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
    let brief = &request.briefs[0];
    let window = (2 * brief.concurrency).div_ceil(request.briefs.len()).max(2);
    let run = Run(Arc::new(Inner {
        ask: ask.clone(),
        record: record.clone(),
        request: request.clone(),
        count: count.clone(),
        others: Others::new(&brief.model_name, &brief.provider_name),
        turns: Turns::new(window),
    }));
    let written = run.all(scope).await?;
    record.flush().await?;
    Ok(written)
}

/// What all tasks of a run share.
struct Run<A, R>(Arc<Inner<A, R>>);

struct Inner<A, R> {
    ask: Arc<A>,
    record: Arc<R>,
    request: Arc<Request>,
    count: Arc<dyn Fn(&str) -> u64 + Send + Sync>,
    others: Others,
    /// Whoever writes a document has one.
    turns: Arc<Turns>,
}

impl<A, R> Clone for Run<A, R> {
    fn clone(&self) -> Self {
        Run(self.0.clone())
    }
}

impl<A, R> std::ops::Deref for Run<A, R> {
    type Target = Inner<A, R>;

    fn deref(&self) -> &Inner<A, R> {
        &self.0
    }
}

/// Ending, or what was set aside.
fn fatal(nothing: Nothing) -> Result<Box<SetAside>, WritingError> {
    match nothing {
        Nothing::Ending => Err(WritingError::Ending),
        Nothing::SetAside(aside) => Ok(aside),
    }
}

/// What a task came to; a panic goes on where it is waited for.
fn joined<T>(task: Result<T, JoinError>) -> Result<T, WritingError> {
    task.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => WritingError::Ending,
    })
}

/// A domain whose subdomains are planned, or not.
type PlannedDomain = (usize, Result<Planned<Subdomain>, Nothing>);

impl<A: Ask + 'static, R: Record + 'static> Run<A, R> {
    fn planner(&self) -> Planner<'_, A> {
        Planner { ask: &self.ask, request: &self.request, others: &self.others }
    }

    async fn all(&self, scope: Scope) -> Result<Written, WritingError> {
        let shape = self.request.shape;
        let wanted = scope.rows(shape.documents());
        if wanted == 0 {
            return Ok(Written::new(self.request.briefs.len()));
        }
        let root = Place::new(path(&[0]), "spec", json!(self.request.plan.name), None);
        self.node(&root, NodeState::Open, None).await?;
        let planned = match self.planner().domains().await {
            Ok(planned) => planned,
            Err(nothing) => {
                let reason = format!("domains: {}", fatal(nothing)?.reason());
                self.node(&root, NodeState::SetAside, Some(reason.clone())).await?;
                self.record.flush().await?;
                return Err(WritingError::Plan(reason));
            }
        };
        let call = planned.answers.last().map(|answer| answer.request);
        let mut domains = Vec::new();
        for (d, (domain, assigned)) in planned.entries.into_iter().zip(planned.assigned).enumerate() {
            let content =
                json!({ "domain": domain.domain, "sections": domain.sections, "assigned": assigned });
            domains.push((Arc::new(domain), Place::new(path(&[d + 1]), "domain", content, call)));
            self.node(&domains[d].1, NodeState::Open, None).await?;
        }
        let mut merge = Merge::new(self, root, wanted == shape.documents());
        merge.spend(&planned.answers);
        self.subtrees(&domains, wanted, &mut merge).await?;
        merge.end().await
    }

    /// Works on the subtrees of the domains: as many at once as keep all calls busy while the next ones are planned. Each has
    /// a task of its own, so that it goes on whatever is waited for here.
    async fn subtrees(
        &self,
        domains: &[(Arc<Domain>, Place)],
        wanted: u64,
        merge: &mut Merge<'_, A, R>,
    ) -> Result<(), WritingError> {
        let shape = self.request.shape;
        let per_domain = (shape.of_subdomain() * shape.subdomains) as u64;
        let needed = (wanted.div_ceil(per_domain.max(1)) as usize).min(domains.len());
        // A document takes two calls, and planning a subdomain three, one after the other: while that goes on, three calls
        // for every two documents are answered. So twice the documents under way keep them all busy.
        let of_subdomain = (shape.of_subdomain() * self.request.briefs.len()).max(1);
        let open = (4 * self.request.briefs[0].concurrency).div_ceil(of_subdomain) + 1;
        let ahead = open.div_ceil(shape.subdomains.max(1)) + 1;
        let mut planning: JoinSet<PlannedDomain> = JoinSet::new();
        let mut planned: BTreeMap<usize, Result<Planned<Subdomain>, Nothing>> = BTreeMap::new();
        let (mut begun, mut taken) = (0, 0);
        let mut ready: VecDeque<Subtree> = VecDeque::new();
        let mut running: JoinSet<Result<Finished, WritingError>> = JoinSet::new();
        let mut index = 0;
        loop {
            while begun < needed && begun < taken + ahead {
                let (run, d, domain) = (self.clone(), begun, domains[begun].0.clone());
                planning.spawn(async move { (d, run.planner().subdomains(d, &domain).await) });
                begun += 1;
            }
            while ready.len() < open
                && let Some(domain) = planned.remove(&taken)
            {
                let left = wanted - per_domain * taken as u64;
                ready.extend(subtree::of_domain(&shape, taken, &domains[taken], domain, left));
                taken += 1;
            }
            while running.len() < open
                && let Some(subtree) = ready.pop_front()
            {
                running.spawn(self.clone().subtree(index, subtree));
                index += 1;
            }
            tokio::select! {
                Some(domain) = planning.join_next(), if !planning.is_empty() => {
                    let (d, domain) = joined(domain)?;
                    planned.insert(d, domain);
                }
                Some(finished) = running.join_next(), if !running.is_empty() => {
                    merge.take(joined(finished)??).await?;
                }
                else => return Ok(()),
            }
        }
    }
}
