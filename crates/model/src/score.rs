//! Asking a model: log-probabilities of options after a prompt, and the negative log-likelihood of rows.

use crate::{Batch, Cache, Continued, Example, Network, PackedWeights, Workspace};
use kernels::attention::PAGE;
use kernels::cross_entropy::log_normaliser;
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
/// What prompts have in common is read once, and so is a prompt for all its options. The result depends neither on
/// `threads` nor on what else is scored with it.
pub fn score_choices(network: &Network, choices: &[Choice], threads: usize) -> Vec<Vec<f64>> {
    // In this order, prompts that begin alike are next to each other.
    let mut order: Vec<(usize, &Choice)> = choices.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.prompt.cmp(&b.prompt));
    let out: Vec<Mutex<Vec<f64>>> = choices.iter().map(|c| Mutex::new(vec![0.0; c.options.len()])).collect();
    let shared = beginning(order.first().map(|(_, c)| *c), order.last().map(|(_, c)| *c));
    let len = |(_, choice): &(usize, &Choice)| {
        choice.prompt.len() - shared + choice.options.iter().map(|o| o.len() - 1).sum::<usize>()
    };
    with_packed(network, threads, |network| {
        let mut common = Cache::new();
        if let Some((_, first)) = order.first() {
            let mut ws = Workspace::new(false);
            // In pieces: a workspace for all of it could be large.
            for tokens in first.prompt[..shared].chunks(PASS_TOKENS) {
                network.extend(&mut [Continued { tokens, cache: &mut common }], &mut ws);
            }
        }
        passes(network, &order, threads, len, |network, group, ws| {
            let choices: Vec<&Choice> = group.iter().map(|(_, choice)| *choice).collect();
            for ((index, _), scores) in group.iter().zip(together(network, &choices, &common, ws)) {
                *out[*index].lock().unwrap_or_else(|e| e.into_inner()) = scores;
            }
        });
    });
    out.into_iter().map(|m| m.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
}

/// The scores of choices, sorted by prompt, whose prompts begin with `common`.
fn together(network: &Network, choices: &[&Choice], common: &Cache, ws: &mut Workspace) -> Vec<Vec<f64>> {
    let mut common = common.clone();
    let shared = beginning(choices.first().copied(), choices.last().copied());
    if let Some(choice) = choices.first().filter(|_| shared > common.len()) {
        let tokens = &choice.prompt[common.len()..shared];
        network.extend(&mut [Continued { tokens, cache: &mut common }], ws);
    }
    // Each prompt once: equal ones are neighbours.
    let prompts: Vec<&[&Choice]> = choices.chunk_by(|a, b| a.prompt == b.prompt).collect();
    let mut caches = vec![common.clone(); prompts.len()];
    let mut texts: Vec<Continued> = prompts
        .iter()
        .zip(&mut caches)
        .map(|(same, cache)| Continued { tokens: &same[0].prompt[common.len()..], cache })
        .collect();
    let mut last = 0;
    let ends: Vec<u32> = texts
        .iter()
        .map(|text| {
            last += text.tokens.len() as u32;
            last - 1
        })
        .collect();
    network.extend(&mut texts, ws);
    let mut scores: Vec<Vec<f64>> = Vec::with_capacity(choices.len());
    network.each_logits(&ends, ws, |prompt, logits| {
        let normaliser = log_normaliser(logits);
        let first = |option: &Vec<u32>| f64::from(logits[option[0] as usize]) - normaliser;
        scores.extend(
            prompts[prompt].iter().map(|choice| choice.options.iter().map(first).collect::<Vec<_>>()),
        );
    });

    // What comes after an option's first token, each after its own prompt.
    let prompt_of = prompts.iter().zip(&caches).flat_map(|(same, cache)| same.iter().map(move |_| cache));
    let mut longer: Vec<(usize, usize, &[u32], Cache)> = Vec::new();
    for ((index, choice), cache) in choices.iter().enumerate().zip(prompt_of) {
        for (option, tokens) in choice.options.iter().enumerate().filter(|(_, tokens)| tokens.len() > 1) {
            longer.push((index, option, tokens, cache.clone()));
        }
    }
    let wanted: Vec<(usize, usize, u32)> = longer
        .iter()
        .flat_map(|(index, option, tokens, _)| tokens[1..].iter().map(|target| (*index, *option, *target)))
        .collect();
    let mut texts: Vec<Continued> = longer
        .iter_mut()
        .map(|(_, _, tokens, cache)| Continued { tokens: &tokens[..tokens.len() - 1], cache })
        .collect();
    if !texts.is_empty() {
        network.extend(&mut texts, ws);
    }
    let rows: Vec<u32> = (0..wanted.len() as u32).collect();
    network.each_logits(&rows, ws, |row, logits| {
        let (index, option, target) = wanted[row];
        scores[index][option] += f64::from(logits[target as usize]) - log_normaliser(logits);
    });
    scores
}

/// How many tokens all prompts have in common, from the first and the last in their order: whole pages, and never all of a
/// prompt, whose last token is asked for what follows.
fn beginning(first: Option<&Choice>, last: Option<&Choice>) -> usize {
    let (Some(first), Some(last)) = (first, last) else { return 0 };
    let same = first.prompt.iter().zip(&last.prompt).take_while(|(a, b)| a == b).count();
    same.min(first.prompt.len() - 1) / PAGE * PAGE
}

/// Summed negative log-likelihood (nats) and number of target tokens of each row.
pub fn nll(network: &Network, examples: &[Example], threads: usize) -> Vec<(f64, usize)> {
    let out: Vec<Mutex<(f64, usize)>> = examples.iter().map(|_| Mutex::new((0.0, 0))).collect();
    let rows: Vec<(usize, &Example)> = examples.iter().enumerate().collect();
    let len = |(_, example): &(usize, &Example)| example.tokens.len();
    with_packed(network, threads, |network| {
        passes(network, &rows, threads, len, |network, rows, ws| {
            let mut batch = Batch::default();
            rows.iter().for_each(|(_, e)| batch.push(e));
            let mut scores = network.log_probabilities(&batch, ws).into_iter();
            for (index, example) in rows {
                let count = example.loss.iter().skip(1).filter(|l| **l).count();
                let sum: f64 = scores.by_ref().take(count).sum();
                *out[*index].lock().unwrap_or_else(|e| e.into_inner()) = (-sum, count);
            }
        });
    });
    out.into_iter().map(|m| m.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
}

/// Lays the weights out, if they are not, and asks the network.
fn with_packed(network: &Network, threads: usize, ask: impl FnOnce(&Network)) {
    if network.packed.is_some() {
        return ask(network);
    }
    let mut packed = PackedWeights::default();
    packed.pack(network.config, network.weights, network.products, crate::Pack::Forward, threads);
    ask(&Network { packed: Some(&packed), ..*network });
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
    let spare: Mutex<Vec<Workspace>> = Mutex::new(Vec::new());
    kernels::threads::for_each(threads, groups, |_, group| {
        let taken = spare.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let mut ws = taken.unwrap_or_else(|| Workspace::new(false));
        work(network, group, &mut ws);
        spare.lock().unwrap_or_else(|e| e.into_inner()).push(ws);
    });
}
