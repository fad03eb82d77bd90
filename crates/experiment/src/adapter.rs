//! LoRA adapters on the disk, as PEFT lays them out, so that the next stage can carry one on and other tools
//! can load it.

use std::path::Path;

use model::{Adapter, Config, LoraShape, ModelError, Target};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::json;

use crate::error::Result;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Writes an adapter to a folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn save(adapter: &Adapter, config: &Config, dir: &Path) -> Result<()> {
    let shape = &adapter.shape;
    let targets: Vec<&str> = shape.targets.iter().map(|target| target.name()).collect();
    let about = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": null,
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": targets,
        "inference_mode": true,
    });
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = adapter
        .tensors(config)
        .into_iter()
        .map(|(name, shape, range)| {
            (name, shape, adapter.flat[range].iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, data)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), data)?)))
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| invalid(dir, error))?;
    let file = safetensors::serialize(views, None).map_err(|error| invalid(dir, error))?;
    store::write_json(dir.join(CONFIG), &about)?;
    Ok(store::write_atomic(dir.join(WEIGHTS), &file)?)
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// When a file is missing or damaged.
pub fn load(dir: &Path, config: &Config) -> Result<Adapter> {
    let about: serde_json::Value = store::read_json(dir.join(CONFIG))?;
    let names: Vec<String> =
        serde_json::from_value(about["target_modules"].clone()).map_err(|error| invalid(dir, error))?;
    let targets: Vec<Target> = model::parse_targets(&names).map_err(|error| invalid(dir, error))?;
    let (Some(rank), Some(alpha)) = (about["r"].as_u64(), about["lora_alpha"].as_f64()) else {
        return Err(invalid(dir, "adapter_config.json names no rank or no alpha").into());
    };
    let mut adapter = Adapter::new(config, LoraShape { rank: rank as usize, alpha, targets }, 0);
    let bytes = store::read(dir.join(WEIGHTS))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| invalid(dir, error))?;
    for (name, shape, range) in adapter.tensors(config) {
        let view = file.tensor(&name).map_err(|error| invalid(dir, error))?;
        if view.shape() != shape || view.dtype() != Dtype::F32 {
            return Err(invalid(
                dir,
                format!("{name} has another shape or type than its configuration says"),
            )
            .into());
        }
        for (value, bytes) in adapter.flat[range].iter_mut().zip(view.data().chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    Ok(adapter)
}

fn invalid(dir: &Path, problem: impl std::fmt::Display) -> ModelError {
    ModelError::Invalid { path: dir.to_owned(), message: problem.to_string() }
}
