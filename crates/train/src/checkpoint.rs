//! Checkpoints: one atomic folder with parameters, moments, the step, and whose they are.

use crate::step::State;
use crate::{RECIPE_VERSION, StepMetrics, TrainError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use store::{Hash, StagedDir};

/// What a checkpoint says about itself.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// Version of the recipe that wrote it. Another version does not go on from there.
    #[serde(default)]
    recipe_version: u32,
    /// Hash of everything that decides the result; a checkpoint of another job is refused.
    job: Hash,
    /// Steps done.
    step: u64,
    /// Metrics of those steps.
    metrics: Vec<StepMetrics>,
}

fn bytes(x: &[f32]) -> Vec<u8> {
    x.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Writes `dir`, replacing an earlier checkpoint at once.
pub fn save(dir: &Path, job: Hash, state: &State, metrics: &[StepMetrics]) -> Result<(), TrainError> {
    let staged = StagedDir::create(dir)?;
    for (name, values) in [("parameters.f32", state.trained()), ("m.f32", &state.m), ("v.f32", &state.v)] {
        store::write_atomic(staged.path().join(name), &bytes(values))?;
    }
    let step = metrics.len() as u64;
    let progress = Progress { recipe_version: RECIPE_VERSION, job, step, metrics: metrics.to_vec() };
    store::write_json(staged.path().join("progress.json"), &progress)?;
    staged.replace()?;
    Ok(())
}

/// Restores `state` from `dir` if there is a checkpoint; returns the metrics of the steps done.
///
/// Errors: a file whose hash does not match (named), a checkpoint of another job or another version of the recipe.
pub fn load(dir: &Path, job: Hash, state: &mut State) -> Result<Vec<StepMetrics>, TrainError> {
    if store::read_done(dir)?.is_none() {
        return Ok(Vec::new());
    }
    store::verify_done(dir)?;
    let progress: Progress = store::read_json(dir.join("progress.json"))?;
    let path = dir.to_path_buf();
    if progress.recipe_version != RECIPE_VERSION {
        return Err(TrainError::OtherVersion { path, found: progress.recipe_version, ours: RECIPE_VERSION });
    }
    if progress.job != job {
        return Err(TrainError::OtherJob { path });
    }
    let read = |name: &str, into: &mut Vec<f32>| -> Result<(), TrainError> {
        let path = dir.join(name);
        let raw = store::read(&path)?;
        if raw.len() != into.len() * 4 {
            return Err(TrainError::Checkpoint {
                path,
                message: format!("{} bytes, expected {}", raw.len(), into.len() * 4),
            });
        }
        into.iter_mut()
            .zip(raw.chunks_exact(4))
            .for_each(|(x, b)| *x = f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Ok(())
    };
    read("m.f32", &mut state.m)?;
    read("v.f32", &mut state.v)?;
    read("parameters.f32", state.trained_mut())?;
    Ok(progress.metrics)
}
