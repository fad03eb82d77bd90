//! What a run tells whoever watches it.

use std::time::Duration;

/// Something that happened. Texts are ready to print.
#[derive(Debug)]
pub enum Event<'a> {
    /// The graph is known: what is to do.
    Planned {
        /// Stages of the graph.
        stages: usize,
        /// Of those, the ones to train now.
        stages_left: usize,
        /// Evaluations of the graph.
        evals: usize,
        /// Of those, the ones to do now.
        evals_left: usize,
        /// Optimizer steps to do now.
        steps_left: u64,
    },
    /// How the writing of corpora goes: a line to print.
    Note(&'a str),
    /// How the calls to writers go; several times a second.
    Calls {
        /// The figures so far.
        counters: &'a llm::Counters,
        /// Whether only a bar should show it: a line for every one would be too many.
        quiet: bool,
    },
    /// Something to know before trusting the numbers.
    Warning(&'a str),
    /// A stage begins, or goes on from a checkpoint.
    Started {
        /// The stage.
        label: &'a str,
        /// Its optimizer steps.
        steps: u64,
    },
    /// Optimizer steps were done before this run and are not repeated.
    Resumed {
        /// How many.
        steps: u64,
    },
    /// One optimizer step is done.
    Step,
    /// A stage is complete.
    Finished {
        /// The stage.
        label: &'a str,
        /// Optimizer steps.
        steps: u64,
        /// All tokens seen.
        tokens: u64,
        /// Tokens that carried loss.
        trained: u64,
        /// Training loss at the end, nats per token.
        loss: f64,
        /// Wall time.
        took: Duration,
    },
    /// A model was evaluated on a suite.
    Evaluated,
    /// A stage or an evaluation failed.
    Failed {
        /// Which.
        label: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// Watches a run. Called from several threads.
pub trait Progress: Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event<'_>) {}
}
