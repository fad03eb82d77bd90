//! A LoRA adapter as PEFT lays it out: what training starts from and what it leaves.

use std::path::Path;

use model::{Adapter, Config, LoraShape, ModelError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::json;

use crate::TorchError;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Writes an adapter to a folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn save(adapter: &Adapter, config: &Config, dir: &Path) -> Result<(), TorchError> {
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
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| invalid(dir, error))?;
    let metadata = [("format".to_owned(), "pt".to_owned())].into_iter().collect();
    let file = safetensors::serialize(views, Some(metadata)).map_err(|error| invalid(dir, error))?;
    store::write_json(dir.join(CONFIG), &about)?;
    Ok(store::write_atomic(dir.join(WEIGHTS), &file)?)
}

/// Reads the adapter that training left, which has the shape of the one that it started from.
///
/// # Errors
/// When a file is missing or damaged, or a value is not a number.
pub fn load(dir: &Path, config: &Config, shape: &LoraShape) -> Result<Adapter, TorchError> {
    let mut adapter = Adapter::new(config, shape.clone(), 0);
    let path = dir.join(WEIGHTS);
    let bytes = store::read(&path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| invalid(&path, error))?;
    for (name, shape, range) in adapter.tensors(config) {
        read_f32(&file, &name, &shape, &mut adapter.flat[range]).map_err(|error| invalid(&path, error))?;
    }
    Ok(adapter)
}

/// Copies an f32 tensor.
pub fn read_f32(file: &SafeTensors, name: &str, shape: &[usize], into: &mut [f32]) -> Result<(), String> {
    let view = file.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
    if view.shape() != shape || view.dtype() != Dtype::F32 {
        return Err(format!(
            "tensor `{name}` is {:?} {:?}, expected f32 {shape:?}",
            view.dtype(),
            view.shape()
        ));
    }
    for (value, bytes) in into.iter_mut().zip(view.data().chunks_exact(4)) {
        *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    match into.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(format!("tensor `{name}` holds NaN or infinite values")),
    }
}

/// The error for a file that is not what it should be.
pub fn invalid(path: &Path, problem: impl std::fmt::Display) -> ModelError {
    ModelError::Invalid { path: path.to_owned(), message: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use model::Target;

    use super::*;
    use crate::job::tests::config;

    #[test]
    fn an_adapter_comes_back_as_it_was_and_a_damaged_one_does_not() {
        let (config, dir) = (config(), tempfile::tempdir().unwrap());
        let shape = LoraShape { rank: 2, alpha: 4.0, targets: vec![Target::QProj, Target::DownProj] };
        let adapter = Adapter::new(&config, shape.clone(), 7);
        save(&adapter, &config, dir.path()).unwrap();
        assert_eq!(load(dir.path(), &config, &shape).unwrap(), adapter);
        let wider = LoraShape { rank: 3, ..shape.clone() };
        assert!(load(dir.path(), &config, &wider).unwrap_err().to_string().contains("expected f32 [3"));
        let mut broken = adapter;
        broken.flat[0] = f32::NAN;
        save(&broken, &config, dir.path()).unwrap();
        assert!(load(dir.path(), &config, &shape).unwrap_err().to_string().contains("NaN"));
        std::fs::write(dir.path().join(WEIGHTS), "short").unwrap();
        assert!(load(dir.path(), &config, &shape).unwrap_err().to_string().contains(WEIGHTS));
    }
}
