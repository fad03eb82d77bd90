//! One optimizer step: forward and backward into a fixed number of gradient buffers, reduce, clip, AdamW.

use crate::schedule::PackedRow;
use crate::{Method, Part, Precision, Recipe};
use kernels::matmul::Products;
use kernels::{optimizer, rope, threads};
use model::{
    Adapter, Batch, Config, Example, Gradient, Inputs, Network, Pack, PackedWeights, SharedGradient, Weights,
    Workspace,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Mutex;

/// What a step reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// The step, counted from 1.
    pub step: u64,
    /// Mean loss over the step's targets, nats.
    pub loss: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// Gradient norm before clipping.
    pub grad_norm: f64,
    /// Tokens seen.
    pub tokens: u64,
    /// Tokens with loss.
    pub tokens_trained: u64,
}

/// Tokens of one forward and backward pass: few enough that a layer's activations stay in the cache, and memory does
/// not grow with the batch. Part of the result, like the number of gradient buffers.
pub(crate) const PASS_TOKENS: usize = 256;

/// The most parameters of a model in training whose layers' matrices are laid out once a step. Larger ones' are laid out
/// as they are used: that costs a few percent of the time, and the copies would take twice the memory of the weights.
pub(crate) const PACKED_PARAMETERS: usize = 4 << 20;

/// Elements a thread updates at a time.
const CHUNK: usize = 1 << 15;

/// A model in training: parameters, moments, gradients, and reused buffers.
pub(crate) struct State<'a> {
    /// The caller's own while they are frozen.
    pub weights: Cow<'a, Weights>,
    pub adapter: Option<Adapter>,
    pub m: Vec<f32>,
    pub v: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    /// The weights as products read them: made once a step, or once if they are frozen.
    packed: Option<PackedWeights>,
    workspaces: Mutex<Vec<Workspace>>,
    inputs: Vec<Mutex<Inputs>>,
    /// Chunks of the parameters with their weight decay.
    chunks: Vec<(usize, usize, bool)>,
    rope: rope::Table,
}

impl<'a> State<'a> {
    pub fn new(
        config: &Config,
        weights: Cow<'a, Weights>,
        adapter: Option<Adapter>,
        recipe: &Recipe,
    ) -> State<'a> {
        let matrices: Vec<(usize, usize, bool)> = match (&recipe.method, &adapter) {
            (Method::Lora(_), Some(a)) => vec![(0, a.flat.len(), true)],
            _ => weights
                .layout
                .tensors
                .iter()
                .map(|t| (t.range.start, t.range.end, t.shape.len() == 2))
                .collect(),
        };
        let len = matrices.last().map_or(0, |(_, end, _)| *end);
        let chunks = matrices
            .iter()
            .flat_map(|(start, end, decay)| {
                (*start..*end).step_by(CHUNK).map(move |at| (at, (at + CHUNK).min(*end), *decay))
            })
            .collect();
        State {
            weights,
            adapter,
            m: vec![0.0; len],
            v: vec![0.0; len],
            packed: None,
            gradients: vec![vec![0.0; len]; recipe.gradient_buffers],
            workspaces: Mutex::new(Vec::new()),
            inputs: Vec::new(),
            chunks,
            rope: Network::rope_table(config, recipe.max_length),
        }
    }

    /// The parameters being trained.
    pub fn trained(&self) -> &[f32] {
        self.adapter.as_ref().map_or(&self.weights.flat, |a| &a.flat)
    }

    pub fn trained_mut(&mut self) -> &mut Vec<f32> {
        match &mut self.adapter {
            Some(a) => &mut a.flat,
            None => &mut self.weights.to_mut().flat,
        }
    }

    /// Does step `step` (counted from 0) on its packed rows.
    pub fn step(
        &mut self,
        config: &Config,
        recipe: &Recipe,
        parts: &[Part],
        rows: &[PackedRow],
        step: u64,
        workers: usize,
    ) -> StepMetrics {
        let passes = self.passes(recipe, parts, rows);
        let tokens: usize = passes.iter().flatten().map(|(_, tokens)| tokens).sum();
        let targets: usize = passes.iter().flatten().map(|(batch, _)| batch.targets.len()).sum();
        let products = match recipe.precision {
            Precision::F32 => Products::f32(),
            Precision::Bf16 => Products::bf16(),
        };
        if self.packed.is_none() || self.adapter.is_none() {
            let packed = self.packed.get_or_insert_default();
            let large = self.adapter.is_none() && self.weights.flat.len() > PACKED_PARAMETERS;
            let which = if large { Pack::Head } else { Pack::Both };
            packed.pack(config, &self.weights, products, which, workers);
        }
        let network = Network {
            products,
            packed: self.packed.as_ref(),
            ..Network::new(config, &self.weights, self.adapter.as_ref(), &self.rope)
        };
        let workspaces = &self.workspaces;
        let backward = |batch: &Batch, gradient: &mut Gradient| {
            let taken = workspaces.lock().unwrap_or_else(|e| e.into_inner()).pop();
            let mut ws = taken.unwrap_or_else(|| Workspace::new(true));
            let loss = network.loss_and_gradient(batch, &mut ws, gradient, 1.0 / targets as f32);
            workspaces.lock().unwrap_or_else(|e| e.into_inner()).push(ws);
            loss
        };
        let loss: f64 = match (&mut self.gradients[..], &passes[..]) {
            // One buffer for all threads: they take passes in order.
            ([gradient], [passes]) if network.adapter.is_none() => {
                let (layout, width) = (&self.weights.layout, config.hidden_size);
                let shared = SharedGradient::new(gradient, layout, width, passes.len(), &mut self.inputs);
                let losses = threads::map(workers, passes.iter().collect(), |i, (batch, _)| {
                    backward(batch, &mut shared.turn(i))
                });
                shared.finish();
                losses.into_iter().sum()
            }
            // A thread takes a buffer and all its passes.
            (gradients, passes) => {
                let work: Vec<_> = gradients.iter_mut().zip(passes).collect();
                let losses = threads::map(workers, work, |_, (gradient, passes)| {
                    let mut gradient = match network.adapter {
                        Some(_) => Gradient::Lora(gradient),
                        None => Gradient::Full(gradient),
                    };
                    passes.iter().map(|(batch, _)| backward(batch, &mut gradient)).sum::<f64>()
                });
                losses.into_iter().sum()
            }
        };
        let grad_norm = self.reduce(workers).sqrt();
        let learning_rate = recipe.learning_rate_at(step);
        self.update(recipe, step, learning_rate, grad_norm, workers);
        StepMetrics {
            step: step + 1,
            loss: loss / targets as f64,
            learning_rate,
            grad_norm,
            tokens: tokens as u64,
            tokens_trained: targets as u64,
        }
    }

    /// Cuts the rows into one list of passes for each gradient buffer; each pass with the tokens it was made of.
    fn passes(&self, recipe: &Recipe, parts: &[Part], rows: &[PackedRow]) -> Vec<Vec<(Batch, usize)>> {
        let buffers = self.gradients.len();
        (0..buffers)
            .map(|g| {
                let mut passes = vec![(Batch::default(), 0)];
                for row in &rows[g * rows.len() / buffers..(g + 1) * rows.len() / buffers] {
                    for index in &row.examples {
                        let example = &parts[row.part].examples[*index as usize];
                        let len = example.tokens.len().min(recipe.max_length);
                        if passes.last().is_some_and(|(_, used)| *used > 0 && used + len > PASS_TOKENS) {
                            passes.push((Batch::default(), 0));
                        }
                        if let Some((batch, used)) = passes.last_mut() {
                            *used += len;
                            if len < example.tokens.len() {
                                let (tokens, loss) =
                                    (example.tokens[..len].to_vec(), example.loss[..len].to_vec());
                                batch.push(&Example { tokens, loss });
                            } else {
                                batch.push(example);
                            }
                        }
                    }
                }
                passes.retain(|(batch, _)| !batch.tokens.is_empty());
                passes
            })
            .collect()
    }

    /// Adds all gradient buffers into the first, zeroing the rest; returns the squared norm.
    fn reduce(&mut self, workers: usize) -> f64 {
        let len = self.m.len();
        let (first, rest) = self.gradients.split_at_mut(1);
        let mut work: Vec<(&mut [f32], Vec<&mut [f32]>)> =
            first[0].chunks_mut(CHUNK).map(|c| (c, Vec::new())).collect();
        for buffer in rest {
            work.iter_mut().zip(buffer.chunks_mut(CHUNK)).for_each(|((_, others), c)| others.push(c));
        }
        let squares: Vec<Mutex<f64>> = (0..len.div_ceil(CHUNK)).map(|_| Mutex::new(0.0)).collect();
        threads::for_each(workers, work, |i, (into, others)| {
            others.into_iter().for_each(|from| optimizer::drain(into, from));
            *squares[i].lock().unwrap_or_else(|e| e.into_inner()) = optimizer::sum_of_squares(into);
        });
        squares.iter().map(|s| *s.lock().unwrap_or_else(|e| e.into_inner())).sum()
    }

    /// Clips and applies AdamW, leaving zeroed gradients.
    fn update(&mut self, recipe: &Recipe, step: u64, learning_rate: f64, grad_norm: f64, workers: usize) {
        let t = (step + 1) as i32;
        let shared = optimizer::Step {
            learning_rate: learning_rate as f32,
            beta1: recipe.beta1 as f32,
            beta2: recipe.beta2 as f32,
            eps: recipe.eps as f32,
            weight_decay: recipe.weight_decay as f32,
            // As torch.nn.utils.clip_grad_norm_.
            gradient_scale: (recipe.clip / (grad_norm + 1e-6)).min(1.0) as f32,
            correction1: (1.0 - recipe.beta1.powi(t)) as f32,
            correction2: (1.0 - recipe.beta2.powi(t)) as f32,
        };
        let mut w = match &mut self.adapter {
            Some(a) => &mut a.flat[..],
            None => &mut self.weights.to_mut().flat[..],
        };
        let (mut m, mut v, mut g) = (&mut self.m[..], &mut self.v[..], &mut self.gradients[0][..]);
        let mut work = Vec::with_capacity(self.chunks.len());
        for (start, end, decay) in &self.chunks {
            let take = end - start;
            let (w0, w1) = w.split_at_mut(take);
            let (m0, m1) = m.split_at_mut(take);
            let (v0, v1) = v.split_at_mut(take);
            let (g0, g1) = g.split_at_mut(take);
            work.push((w0, m0, v0, g0, *decay));
            (w, m, v, g) = (w1, m1, v1, g1);
        }
        threads::for_each(workers, work, |_, (w, m, v, g, decay)| {
            let step = if decay { shared } else { optimizer::Step { weight_decay: 0.0, ..shared } };
            optimizer::adamw(w, m, v, g, &step);
            g.fill(0.0);
        });
    }
}
