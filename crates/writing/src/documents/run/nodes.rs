//! Nodes of the plan in the record. `done` is what has nothing left to do in it or below it; `set_aside` is what has no
//! usable answer, and its siblings go on; everything else is `open`.

use ledger::{Node, NodeState};
use llm::Ask;
use serde_json::Value;
use store::Hash;

use super::{Run, Written};
use crate::WritingError;
use crate::attempt::SetAside;
use crate::record::Record;

/// A node's place and what it says.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: String,
    kind: &'static str,
    content: String,
    /// The request that it came from.
    call: Option<Hash>,
}

impl Place {
    pub(super) fn new(path: String, kind: &'static str, content: Value, call: Option<Hash>) -> Place {
        Place { path, kind, content: content.to_string(), call }
    }

    pub(super) fn is_idea(&self) -> bool {
        self.kind == "idea"
    }

    pub(super) fn node(&self, corpus: &str, state: NodeState, reason: Option<String>) -> Node {
        Node {
            corpus: corpus.to_owned(),
            path: self.path.clone(),
            kind: self.kind.to_owned(),
            state,
            reason,
            content: self.content.clone(),
            call: self.call,
        }
    }
}

impl<A: Ask + 'static, R: Record + 'static> Run<A, R> {
    /// Puts a node of the plan that all corpora share.
    pub(super) async fn node(
        &self,
        place: &Place,
        state: NodeState,
        reason: Option<String>,
    ) -> Result<(), WritingError> {
        for brief in &self.request.briefs {
            self.record.node(place.node(&brief.corpus, state, reason.clone())).await?;
        }
        Ok(())
    }

    /// Puts a node of one corpus.
    pub(super) async fn node_of(
        &self,
        corpus: usize,
        place: &Place,
        state: NodeState,
        reason: Option<String>,
    ) -> Result<(), WritingError> {
        Ok(self.record.node(place.node(&self.request.briefs[corpus].corpus, state, reason)).await?)
    }

    /// Sets a node aside because the step below it came to nothing, and counts the documents that there will not be.
    pub(super) async fn lose(
        &self,
        done: &mut Written,
        place: &Place,
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
        self.node(place, NodeState::SetAside, Some(reason)).await
    }
}
