//! Documents from a spec, written by a model in memory.
#![allow(clippy::unwrap_used)]

mod faults;
mod lockstep;
mod mirrored;
mod prompts;
mod replay;
#[path = "../scripted/mod.rs"]
mod scripted;
mod tree;

use std::sync::Arc;

use ledger::{Item, Node};
use scripted::{Says, Scripted, Seen, brief, parsed};
use whyfirst_writing::documents::{Request, Shape, Written, balance, write};
use whyfirst_writing::{Memory, Prompts, Scope, Source, WritingError};

/// 2 domains x 2 subdomains x 2 types x 3 ideas: 24 documents.
pub(crate) const SHAPE: Shape = Shape {
    domains: 2,
    subdomains: 2,
    assertions: 3,
    types: 2,
    ideas: 3,
    words: 60,
    critic: true,
    rewrites: 1,
};

/// A spec of so many sections of about so many words.
pub(crate) fn spec_of(sections: usize, words: usize) -> String {
    let section = |n: usize| {
        let text = scripted::words(&format!("section {n}"), words);
        format!("# Part {n}\n\n{{model_name}} minds the {text}, because people asked it to.\n\n")
    };
    (1..=sections).map(section).collect()
}

pub(crate) fn sources(specs: &[&str]) -> Vec<Source> {
    let source = |(n, text): (usize, &&str)| {
        let mut source = Source::new(&parsed(text), "Aster", "Whitfield", None).unwrap();
        source.name = format!("spec{n}");
        source
    };
    specs.iter().enumerate().map(source).collect()
}

pub(crate) fn request(specs: &[&str], shape: Shape) -> Arc<Request> {
    let sources = sources(specs);
    let briefs = sources.iter().map(|source| {
        let mut brief = brief();
        brief.name = format!("why:{}", source.name);
        brief
    });
    let prompts = Arc::new(Prompts::built_in());
    Arc::new(Request::new(briefs.collect(), sources, shape, prompts, 0.005).unwrap())
}

/// What a run left.
pub(crate) struct Ran {
    pub(crate) written: Written,
    pub(crate) items: Vec<Item>,
    pub(crate) nodes: Vec<Node>,
}

impl Ran {
    pub(crate) fn kept(&self) -> Vec<&Item> {
        self.items.iter().filter(|item| item.kept).collect()
    }

    pub(crate) fn node(&self, path: &str, kind: &str) -> &Node {
        self.nodes.iter().find(|node| node.path == path && node.kind == kind).unwrap()
    }

    /// All of it, to be compared.
    pub(crate) fn state(&self) -> String {
        format!("{:?} {:?} {:?}", self.written.tallies, self.items, self.nodes)
    }
}

pub(crate) async fn try_run<F: Fn(&Seen) -> Says + Send + Sync + 'static>(
    ask: &Arc<Scripted<F>>,
    request: &Arc<Request>,
    scope: Scope,
    memory: &Arc<Memory>,
) -> Result<Ran, WritingError> {
    let count: Arc<dyn Fn(&str) -> u64 + Send + Sync> = Arc::new(|text: &str| text.len() as u64);
    let mut written = write(ask, memory, request, scope, &count).await?;
    if scope == Scope::Full {
        balance(memory.as_ref(), request, &mut written).await?;
    }
    Ok(Ran { written, items: memory.items(), nodes: memory.nodes() })
}

/// A whole run with an empty record.
pub(crate) async fn run(
    request: &Arc<Request>,
    script: impl Fn(&Seen) -> Says + Send + Sync + 'static,
) -> (Ran, Arc<Scripted<impl Fn(&Seen) -> Says + Send + Sync + 'static>>) {
    let ask = Arc::new(Scripted::new(1, script));
    let ran = try_run(&ask, request, Scope::Full, &Arc::default()).await.unwrap();
    (ran, ask)
}
