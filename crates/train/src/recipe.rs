//! The recipe: every number that decides what a stage's weights become, besides data, seed and parent.

use crate::TrainError;
use model::{LoraShape, Target};
use serde::{Deserialize, Serialize};

/// Raised whenever the engine gives different bits for the same inputs; part of every stage's id.
pub const RECIPE_VERSION: u32 = 2;

/// What is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All weights.
    Full,
    /// A low-rank adapter; the weights are frozen.
    Lora(LoraShape),
}

impl Method {
    /// The published LoRA recipe: r 64, alpha 128, all seven projections.
    pub fn published_lora() -> Method {
        Method::Lora(LoraShape { rank: 64, alpha: 128.0, targets: Target::ALL.to_vec() })
    }
}

/// How the learning rate falls after warmup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Along half a cosine to `min_lr_ratio` of the peak.
    Cosine,
    /// Not at all.
    Constant,
}

/// Of what precision the operands of matrix products are. Weights, moments, gradients and sums are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// That of f32, or nearly so where the CPU has AMX (see [`kernels::matmul`]).
    #[default]
    F32,
    /// Rounded to bf16. Faster where the CPU has AMX, of the same speed elsewhere.
    Bf16,
}

/// How a stage is trained. Two stages with the same recipe, rows, parent and seed have the same weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// Full or LoRA.
    pub method: Method,
    /// Optimizer steps.
    pub steps: u64,
    /// Packed rows a step.
    pub rows: usize,
    /// Tokens a packed row holds.
    pub max_length: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Fraction of the steps over which the learning rate rises linearly; at least one step.
    pub warmup: f64,
    /// How it falls afterwards.
    pub decay: Decay,
    /// The cosine's floor as a fraction of the peak.
    pub min_lr_ratio: f64,
    /// AdamW's decoupled weight decay, on matrices only.
    pub weight_decay: f64,
    /// AdamW's decay of the first moment.
    pub beta1: f64,
    /// AdamW's decay of the second moment.
    pub beta2: f64,
    /// AdamW's epsilon.
    pub eps: f64,
    /// Largest gradient norm; larger gradients are scaled down to it.
    pub clip: f64,
    /// Precision of matrix products.
    pub precision: Precision,
    /// Gradient buffers a step is cut into: the most threads that can work on one stage. Part of the result, because
    /// it fixes the order in which gradients are added.
    pub gradient_buffers: usize,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            method: Method::Full,
            steps: 120,
            rows: 8,
            max_length: 64,
            learning_rate: 6e-4,
            warmup: 0.05,
            decay: Decay::Cosine,
            min_lr_ratio: 0.1,
            weight_decay: 0.01,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            clip: 1.0,
            precision: Precision::F32,
            gradient_buffers: 2,
        }
    }
}

impl Recipe {
    /// Steps of warmup, at least one.
    pub fn warmup_steps(&self) -> u64 {
        ((self.warmup * self.steps as f64).round() as u64).max(1)
    }

    /// The learning rate of a step, counted from 0.
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        let warm = ((step + 1) as f64 / self.warmup_steps() as f64).min(1.0);
        let fall = match self.decay {
            Decay::Constant => 1.0,
            Decay::Cosine => {
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / self.steps as f64).cos());
                self.min_lr_ratio + (1.0 - self.min_lr_ratio) * cosine
            }
        };
        self.learning_rate * warm * fall
    }

    /// The sum of all steps' learning rates: what a mixed stage must share with its sequential twins.
    pub fn integrated_learning_rate(&self) -> f64 {
        (0..self.steps).map(|s| self.learning_rate_at(s)).sum()
    }

    /// Whether the numbers make sense; the error names the key.
    pub fn check(&self) -> Result<(), TrainError> {
        let fail = |message: String| Err(TrainError::Recipe(message));
        if self.steps == 0 {
            return fail("`steps` is 0; a stage needs at least one step".into());
        }
        if self.rows == 0 || self.max_length < 2 || self.gradient_buffers == 0 {
            return fail(
                "`rows` and `gradient_buffers` must be at least 1 and `max_length` at least 2".into(),
            );
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return fail(format!("`learning_rate` is {}; it must be positive", self.learning_rate));
        }
        for (name, value) in [("warmup", self.warmup), ("min_lr_ratio", self.min_lr_ratio)] {
            if !(0.0..=1.0).contains(&value) {
                return fail(format!("`{name}` is {value}; it is a fraction between 0 and 1"));
            }
        }
        for (name, value) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&value) {
                return fail(format!("`{name}` is {value}; it must be at least 0 and below 1"));
            }
        }
        if !(self.clip > 0.0 && self.eps > 0.0 && self.weight_decay >= 0.0) {
            return fail("`clip` and `eps` must be positive, `weight_decay` at least 0".into());
        }
        if let Method::Lora(shape) = &self.method
            && (shape.rank == 0 || shape.targets.is_empty())
        {
            return fail("LoRA needs a rank of at least 1 and at least one target".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_warms_up_and_falls() {
        let r = Recipe { steps: 100, warmup: 0.1, learning_rate: 1.0, ..Recipe::default() };
        assert!((r.learning_rate_at(0) - 0.1).abs() < 1e-3);
        assert!(r.learning_rate_at(9) > r.learning_rate_at(8));
        assert!((r.learning_rate_at(99) - 0.1).abs() < 1e-2);
        let flat = Recipe { decay: Decay::Constant, warmup: 0.0, ..r };
        assert!((flat.integrated_learning_rate() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (recipe, key) in [
            (Recipe { steps: 0, ..Recipe::default() }, "steps"),
            (Recipe { learning_rate: f64::NAN, ..Recipe::default() }, "learning_rate"),
            (Recipe { warmup: 1.5, ..Recipe::default() }, "warmup"),
            (Recipe { beta2: 1.0, ..Recipe::default() }, "beta2"),
            (Recipe { clip: 0.0, ..Recipe::default() }, "clip"),
        ] {
            assert!(recipe.check().unwrap_err().to_string().contains(key));
        }
    }
}
