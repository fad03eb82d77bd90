//! Asking a model: log-probabilities of options after a prompt, and the negative log-likelihood of rows.

use crate::{Batch, Example, Network, PackedWeights, Workspace};
use std::sync::Mutex;

/// A prompt and the continuations whose probabilities are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Tokens before the answer; not empty.
    pub prompt: Vec<u32>,
    /// Each option's tokens; none empty.
    pub options: Vec<Vec<u32>>,
}

/// Tokens handled in one forward pass: large enough for efficient matmuls, small enough to stay in cache.
const PASS_TOKENS: usize = 1024;

/// Summed log-probability (nats) of each option of each choice.
///
/// Options of one token share a single pass over the prompt. The result does not depend on `threads`, nor, beyond
/// rounding in the last bits, on what else is scored with it.
pub fn score_choices(network: &Network, choices: &[Choice], threads: usize) -> Vec<Vec<f64>> {
    let mut rows: Vec<Row> = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        if choice.options.iter().all(|o| o.len() == 1) {
            rows.push(Row {
                tokens: choice.prompt.clone(),
                from: choice.prompt.len() - 1,
                wanted: Wanted::Each(index),
            });
        } else {
            for (option, tokens) in choice.options.iter().enumerate() {
                let mut all = choice.prompt.clone();
                all.extend(tokens);
                rows.push(Row {
                    tokens: all,
                    from: choice.prompt.len() - 1,
                    wanted: Wanted::Sum(index, option),
                });
            }
        }
    }
    let out: Vec<Mutex<Vec<f64>>> = choices.iter().map(|c| Mutex::new(vec![0.0; c.options.len()])).collect();
    passes(
        network,
        &rows,
        threads,
        |r| r.tokens.len(),
        |network, rows, ws| {
            let mut batch = Batch::default();
            for row in rows {
                row.add(choices, &mut batch);
            }
            let mut scores = network.log_probabilities(&batch, ws).into_iter();
            for row in rows {
                match row.wanted {
                    Wanted::Each(index) => {
                        let mut slot = out[index].lock().unwrap_or_else(|e| e.into_inner());
                        slot.iter_mut().for_each(|s| *s = scores.next().unwrap_or(f64::NAN));
                    }
                    Wanted::Sum(index, option) => {
                        let sum = scores.by_ref().take(row.tokens.len() - row.from - 1).sum();
                        out[index].lock().unwrap_or_else(|e| e.into_inner())[option] = sum;
                    }
                }
            }
        },
    );
    out.into_iter().map(|m| m.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
}

struct Row {
    tokens: Vec<u32>,
    /// The last token of the prompt.
    from: usize,
    wanted: Wanted,
}

enum Wanted {
    /// Every one-token option of this choice, from one position.
    Each(usize),
    /// The whole continuation: option `.1` of choice `.0`.
    Sum(usize, usize),
}

impl Row {
    fn add(&self, choices: &[Choice], batch: &mut Batch) {
        let start = batch.tokens.len();
        let len = match self.wanted {
            Wanted::Each(_) => self.tokens.len(),
            Wanted::Sum(..) => self.tokens.len() - 1,
        };
        batch.tokens.extend(&self.tokens[..len]);
        batch.positions.extend(0..len as u32);
        batch.segments.push(kernels::attention::Segment { start, len });
        match self.wanted {
            Wanted::Each(index) => {
                for option in &choices[index].options {
                    batch.target_rows.push((start + self.from) as u32);
                    batch.targets.push(option[0]);
                }
            }
            Wanted::Sum(..) => {
                for i in self.from..len {
                    batch.target_rows.push((start + i) as u32);
                    batch.targets.push(self.tokens[i + 1]);
                }
            }
        }
    }
}

/// Summed negative log-likelihood (nats) and number of target tokens of each row.
pub fn nll(network: &Network, examples: &[Example], threads: usize) -> Vec<(f64, usize)> {
    let out: Vec<Mutex<(f64, usize)>> = examples.iter().map(|_| Mutex::new((0.0, 0))).collect();
    let rows: Vec<(usize, &Example)> = examples.iter().enumerate().collect();
    passes(
        network,
        &rows,
        threads,
        |(_, e)| e.tokens.len(),
        |network, rows, ws| {
            let mut batch = Batch::default();
            rows.iter().for_each(|(_, e)| batch.push(e));
            let mut scores = network.log_probabilities(&batch, ws).into_iter();
            for (index, example) in rows {
                let count = example.loss.iter().skip(1).filter(|l| **l).count();
                let sum: f64 = scores.by_ref().take(count).sum();
                *out[*index].lock().unwrap_or_else(|e| e.into_inner()) = (-sum, count);
            }
        },
    );
    out.into_iter().map(|m| m.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
}

/// Splits rows, in order, into passes of about [`PASS_TOKENS`] tokens and works on them in parallel.
fn passes<R: Sync>(
    network: &Network,
    rows: &[R],
    threads: usize,
    len: impl Fn(&R) -> usize,
    work: impl Fn(&Network, &[R], &mut Workspace) + Sync,
) {
    let mut groups = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (i, row) in rows.iter().enumerate() {
        if tokens > 0 && tokens + len(row) > PASS_TOKENS {
            groups.push(&rows[start..i]);
            (start, tokens) = (i, 0);
        }
        tokens += len(row);
    }
    if start < rows.len() {
        groups.push(&rows[start..]);
    }
    let mut packed = PackedWeights::default();
    packed.pack(network.config, network.weights, network.products, crate::Pack::Forward, threads);
    let network = &Network { packed: Some(&packed), ..*network };
    let spare: Mutex<Vec<Workspace>> = Mutex::new(Vec::new());
    kernels::threads::for_each(threads, groups, |_, group| {
        let taken = spare.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let mut ws = taken.unwrap_or_else(|| Workspace::new(false));
        work(network, group, &mut ws);
        spare.lock().unwrap_or_else(|e| e.into_inner()).push(ws);
    });
}
