//! The plan: what a stage will do, counted before it runs.

use crate::schedule::targets_within;
use crate::{Method, Part, Recipe, Schedule, TrainError};
use model::{Adapter, Config, Layout};
use serde::{Deserialize, Serialize};

/// What one corpus contributes to a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartPlan {
    /// The corpus's name.
    pub name: String,
    /// Its rows read, repeats counted.
    pub rows: u64,
    /// Tokens of those rows.
    pub tokens: u64,
    /// Tokens of those rows with loss.
    pub tokens_trained: u64,
    /// Times the corpus is read.
    pub epochs: f64,
}

/// What a stage will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Tokens with loss.
    pub tokens_trained: u64,
    /// Tokens seen without loss.
    pub tokens_masked: u64,
    /// Rows cut to the row length.
    pub truncated_rows: u64,
    /// Parameters that are trained.
    pub trainable_parameters: u64,
    /// The corpora.
    pub parts: Vec<PartPlan>,
}

/// Below this many optimizer steps a null result is probably about the training (31 steps hid an effect that 246
/// steps on the same tokens showed).
pub const FEW_STEPS: u64 = 100;

impl Plan {
    /// Whether the stage has so few steps that a null result would say little.
    pub fn few_steps(&self) -> bool {
        self.steps < FEW_STEPS
    }
}

/// Counts what training would do. Errors as [`Schedule::new`], and rows longer than the model's positions.
pub fn plan(recipe: &Recipe, parts: &[Part], config: &Config, seed: u64) -> Result<Plan, TrainError> {
    if recipe.max_length > config.max_positions {
        return Err(TrainError::TooLong { max_length: recipe.max_length, positions: config.max_positions });
    }
    let schedule = Schedule::new(recipe, parts, seed)?;
    let mut counted: Vec<PartPlan> = parts
        .iter()
        .map(|p| PartPlan { name: p.name.clone(), rows: 0, tokens: 0, tokens_trained: 0, epochs: 0.0 })
        .collect();
    for row in &schedule.packed {
        let count = &mut counted[row.part];
        for index in &row.examples {
            let example = &parts[row.part].examples[*index as usize];
            count.rows += 1;
            count.tokens += example.tokens.len().min(recipe.max_length) as u64;
            count.tokens_trained += targets_within(example, recipe.max_length) as u64;
        }
    }
    for (count, part) in counted.iter_mut().zip(parts) {
        count.epochs = count.rows as f64 / part.examples.len() as f64;
    }
    let tokens = counted.iter().map(|p| p.tokens).sum();
    let tokens_trained = counted.iter().map(|p| p.tokens_trained).sum();
    Ok(Plan {
        steps: recipe.steps,
        tokens,
        tokens_trained,
        tokens_masked: tokens - tokens_trained,
        truncated_rows: schedule.truncated,
        trainable_parameters: match &recipe.method {
            Method::Full => Layout::new(config).len as u64,
            Method::Lora(shape) => Adapter::parameters(config, shape) as u64,
        },
        parts: counted,
    })
}
