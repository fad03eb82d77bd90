//! What the pipelines put beside the calls: the plan's nodes and the rows they end in.

use serde::{Deserialize, Serialize};
use store::Hash;

/// A node of a plan: a domain, a subdomain, an idea, a topic, a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The corpus that is being written: the first 16 digits of the hash of all that determines it.
    pub corpus: String,
    /// Its place in the plan, such as `0003/0001/0007`: text order is tree order.
    pub path: String,
    /// `domain`, `subdomain`, `assertion`, `type`, `idea`, `topic`, `question`.
    pub kind: String,
    /// How it stands.
    pub state: NodeState,
    /// Why it was set aside.
    pub reason: Option<String>,
    /// What it says, as JSON.
    pub content: String,
    /// The request whose answer it came from.
    pub call: Option<Hash>,
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It and all below it is finished: complete and exportable.
    Done,
    /// It is there; not all below it is finished.
    Open,
    /// It failed for good, with a reason. Its siblings go on.
    SetAside,
}

/// A row that a pipeline finished: kept or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As in [`Node::corpus`].
    pub corpus: String,
    /// As in [`Node::path`].
    pub path: String,
    /// Whether it is in the corpus.
    pub kept: bool,
    /// Why it was dropped.
    pub reason: Option<String>,
    /// The row as the corpus has it: `{"text": ...}` or `{"messages": [...]}`. Empty if there is none.
    pub row: String,
    /// Where it came from, as JSON: section, domain, subdomain, assertions, type, idea, template hashes, models,
    /// stop reasons, verdicts, cost.
    pub provenance: String,
}
