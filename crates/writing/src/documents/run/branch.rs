//! A type of documents: its ideas, and the document of each idea for every corpus.

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ledger::{Item, NodeState};
use llm::Ask;
use serde_json::json;
use store::Hash;

use super::super::path;
use super::super::text::{self, Order};
use super::nodes::Place;
use super::subtree::Leaf;
use super::{Kept, Run, Written, fatal};
use crate::WritingError;
use crate::parse;
use crate::record::Record;

impl<A: Ask + 'static, R: Record + 'static> Run<A, R> {
    /// The ideas of a type and their documents.
    pub(super) async fn branch(
        &self,
        leaf: &Arc<Leaf>,
        t: usize,
        kind: &str,
        call: Option<Hash>,
        wanted: u64,
    ) -> Result<Written, WritingError> {
        let mut done = Written::new(self.request.briefs.len());
        let place = Place::new(path(&[leaf.d + 1, leaf.s + 1, t + 1]), "type", json!(kind), call);
        self.node(&place, NodeState::Open, None).await?;
        let planned = self.planner().ideas([leaf.d, leaf.s, t], &leaf.subdomain, &leaf.shared, kind).await;
        let ideas = match planned {
            Ok(ideas) => ideas,
            Err(nothing) => {
                let aside = fatal(nothing)?;
                self.lose(&mut done, &place, "ideas", &aside, wanted).await?;
                return Ok(done);
            }
        };
        done.tallies[0].spend(&ideas.answers);
        let call = ideas.answers.last().map(|answer| answer.request);
        let mut documents = FuturesUnordered::new();
        for (i, idea) in ideas.entries.into_iter().enumerate() {
            let at = path(&[leaf.d + 1, leaf.s + 1, t + 1, i + 1]);
            let place = Place::new(at, "idea", json!(idea), call);
            self.node(&place, NodeState::Open, None).await?;
            if (i as u64) < wanted {
                documents.push(async move {
                    let _turn = self.turns.take(&place.path).await;
                    // In a box: those that wait for their turn are small.
                    Box::pin(self.tuple(leaf, kind, &idea, place, call)).await
                });
            }
        }
        while let Some(tuple) = documents.next().await {
            done.add(tuple?);
        }
        let is_whole = wanted == self.request.shape.ideas as u64;
        if is_whole && done.tallies.iter().all(|tally| tally.passing == 0) {
            done.done.push(place);
        }
        Ok(done)
    }

    /// The document of an idea, for every corpus: kept for all or for none.
    async fn tuple(
        &self,
        leaf: &Leaf,
        kind: &str,
        idea: &str,
        place: Place,
        call: Option<Hash>,
    ) -> Result<Written, WritingError> {
        let request = &self.request;
        let order = |corpus: usize| Order {
            corpus,
            path: &place.path,
            domain: &leaf.domain,
            subdomain: &leaf.subdomain,
            sections: &leaf.sections,
            assertions: &leaf.own[corpus],
            kind,
            idea,
        };
        let orders: Vec<Order> = (0..request.briefs.len()).map(order).collect();
        let all = orders.iter().map(|order| text::write(self.ask.as_ref(), request, &self.others, order));
        let mut documents = Vec::new();
        for document in join_all(all).await {
            match document {
                Ok(document) => documents.push(document),
                Err(nothing) => {
                    fatal(nothing)?;
                }
            }
        }
        let mut written = Written::new(request.briefs.len());
        let lost = documents.iter().position(|document| document.text.is_err());
        for (corpus, document) in documents.into_iter().enumerate() {
            let tally = &mut written.tallies[corpus];
            tally.spend(&document.answers);
            tally.rewritten += u64::from(document.rewrites > 0);
            tally.passing += u64::from(document.passing);
            let reason = match (&document.text, lost) {
                (Err(reason), _) => Some(reason.clone()),
                (Ok(_), Some(other)) => {
                    Some(format!("its twin for {} was lost", request.sources[other].name))
                }
                (Ok(_), None) => None,
            };
            let row = document
                .text
                .as_ref()
                .map_or_else(|_| String::new(), |text| json!({ "text": text }).to_string());
            if let Some(reason) = &reason {
                tally.drop(reason, 1);
            } else if let Ok(text) = &document.text {
                tally.kept += 1;
                let (text, tokens) = (fingerprint(text), (self.count)(text));
                let path = place.path.clone().into_boxed_str();
                written.kept[corpus].push(Kept { path, text, tokens, idea: call });
            }
            self.record
                .item(Item {
                    corpus: request.briefs[corpus].corpus.clone(),
                    path: place.path.clone(),
                    kept: reason.is_none(),
                    reason: reason.clone(),
                    row,
                    provenance: document.provenance.to_string(),
                })
                .await?;
            if reason.is_some() {
                self.node_of(corpus, &place, NodeState::SetAside, reason).await?;
            }
        }
        if lost.is_none() {
            written.done.push(place);
        }
        Ok(written)
    }
}

/// What tells texts apart, whatever their spaces and case.
fn fingerprint(text: &str) -> [u8; 16] {
    let hash = store::hash_bytes(parse::normal(text).as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    short
}
