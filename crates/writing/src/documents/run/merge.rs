//! Finished subtrees, taken up in the order of the plan, whatever the order in which they were finished: a document repeats
//! an earlier one of the plan, not of time, and what is marked as done stays as it is.

use std::collections::{BTreeMap, HashMap};

use ledger::{Item, NodeState};
use llm::{Answer, Ask};
use serde_json::{Value, json};

use super::nodes::Place;
use super::subtree::Finished;
use super::{Kept, Run, Written};
use crate::WritingError;
use crate::documents::Request;
use crate::record::Record;

/// What the subtrees so far came to.
pub(super) struct Merge<'a, A, R> {
    run: &'a Run<A, R>,
    root: Place,
    /// Whether all of the plan is wanted.
    all: bool,
    total: Written,
    /// Which one is to be taken up next, and those that were finished before it.
    next: usize,
    early: BTreeMap<usize, Finished>,
    /// For each corpus, where each text is.
    seen: Vec<HashMap<[u8; 16], Box<str>>>,
    /// Whether a subtree of the domain, or of the plan, has something left to do.
    open_domain: bool,
    open: bool,
}

impl<'a, A: Ask + 'static, R: Record + 'static> Merge<'a, A, R> {
    pub(super) fn new(run: &'a Run<A, R>, root: Place, all: bool) -> Merge<'a, A, R> {
        let corpora = run.request.briefs.len();
        Merge {
            run,
            root,
            all,
            total: Written::new(corpora),
            next: 0,
            early: BTreeMap::new(),
            seen: vec![HashMap::new(); corpora],
            open_domain: false,
            open: false,
        }
    }

    /// Counts the answers behind the domains.
    pub(super) fn spend(&mut self, answers: &[Answer]) {
        self.total.tallies[0].spend(answers);
    }

    /// Takes up a subtree, or keeps it until those before it are there.
    pub(super) async fn take(&mut self, finished: Finished) -> Result<(), WritingError> {
        self.early.insert(finished.index, finished);
        while let Some(finished) = self.early.remove(&self.next) {
            self.next += 1;
            self.append(finished).await?;
        }
        Ok(())
    }

    async fn append(&mut self, mut finished: Finished) -> Result<(), WritingError> {
        self.drop_repeats(&mut finished.written).await?;
        let mut done = std::mem::take(&mut finished.written.done);
        done.retain(|place| !place.is_idea() || finished.written.keeps(&place.path));
        for place in &done {
            self.run.node(place, NodeState::Done, None).await?;
        }
        let passing = finished.written.tallies.iter().any(|tally| tally.passing > 0);
        self.total.add(finished.written);
        if let Some(place) = &finished.complete {
            self.run.node(place, NodeState::Done, None).await?;
        }
        self.open_domain |= passing;
        if finished.ends_domain {
            if !finished.lost_domain && !self.open_domain {
                self.run.node(&finished.at_domain, NodeState::Done, None).await?;
            }
            self.open |= std::mem::take(&mut self.open_domain);
        }
        Ok(())
    }

    /// What all of them came to.
    pub(super) async fn end(self) -> Result<Written, WritingError> {
        if self.all && !self.open && !self.open_domain {
            self.run.node(&self.root, NodeState::Done, None).await?;
        }
        Ok(self.total)
    }

    /// Drops documents whose text an earlier document of the plan has: those of an idea in all corpora.
    async fn drop_repeats(&mut self, written: &mut Written) -> Result<(), WritingError> {
        let mut repeats: Vec<(Box<str>, Box<str>)> = Vec::new();
        for index in 0..written.kept[0].len() {
            let tuple: Vec<&Kept> = written.kept.iter().map(|kept| &kept[index]).collect();
            let earlier = tuple.iter().zip(&self.seen).find_map(|(kept, seen)| seen.get(&kept.text));
            if let Some(earlier) = earlier {
                repeats.push((tuple[0].path.clone(), earlier.clone()));
                continue;
            }
            for (kept, seen) in tuple.into_iter().zip(&mut self.seen) {
                seen.insert(kept.text, kept.path.clone());
            }
        }
        if repeats.is_empty() {
            return Ok(());
        }
        self.run.record.flush().await?;
        for (path, earlier) in repeats {
            let reason = format!("its text repeats an earlier document: {earlier}");
            drop_tuple(self.run.record.as_ref(), &self.run.request, written, &path, &reason).await?;
        }
        Ok(())
    }
}

impl Written {
    /// Whether the documents of an idea are kept.
    fn keeps(&self, path: &str) -> bool {
        self.kept[0].binary_search_by(|document| document.path.as_ref().cmp(path)).is_ok()
    }
}

/// Takes the documents of one idea out of all corpora; the record must have been flushed. What stands behind a colon in the
/// reason is of this idea alone.
pub(crate) async fn drop_tuple<R: Record>(
    record: &R,
    request: &Request,
    written: &mut Written,
    path: &str,
    reason: &str,
) -> Result<(), WritingError> {
    let kind = reason.split(": ").next().unwrap_or(reason);
    for (corpus, brief) in request.briefs.iter().enumerate() {
        let kept = &mut written.kept[corpus];
        let Ok(index) = kept.binary_search_by(|document| document.path.as_ref().cmp(path)) else { continue };
        let document = kept.remove(index);
        written.tallies[corpus].kept -= 1;
        written.tallies[corpus].drop(kind, 1);
        if let Some(item) = record.find(&brief.corpus, path)? {
            let about: Value = serde_json::from_str(&item.provenance).unwrap_or_default();
            let place = Place::new(path.to_owned(), "idea", json!(about["idea"]), document.idea);
            record.item(Item { kept: false, reason: Some(reason.to_owned()), ..item }).await?;
            let reason = Some(reason.to_owned());
            record.node(place.node(&brief.corpus, NodeState::SetAside, reason)).await?;
        }
    }
    Ok(())
}
