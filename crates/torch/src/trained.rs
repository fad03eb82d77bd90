//! What training left in `<dir>/result`, as an ordinary result of a stage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{Adapter, Config, Weights};
use serde::{Deserialize, Serialize};
use store::Hash;
use train::{Method, StepMetrics, Trained};

use crate::{Prepared, TorchError};

/// With what a stage was trained: for the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Version of Python.
    pub python: String,
    /// Version of PyTorch.
    pub torch: String,
    /// Version of transformers.
    pub transformers: String,
    /// Version of PEFT.
    pub peft: String,
    /// The kind of device.
    pub device: String,
    /// Processes in all.
    pub processes: usize,
}

/// A finished stage.
#[derive(Clone, Debug)]
pub struct Finished {
    dir: PathBuf,
    method: Method,
    config: Config,
    /// Every step's metrics.
    pub metrics: Vec<StepMetrics>,
    /// With what it was trained.
    pub about: About,
    /// Most memory that process 0 took, bytes: on the GPU if it had one.
    pub peak_memory: u64,
}

#[derive(Deserialize)]
struct Report {
    job: Hash,
    metrics: Vec<StepMetrics>,
    peak_memory: u64,
    #[serde(flatten)]
    about: About,
}

/// What the script's own `DONE` says; it is another than [`store`]'s, because Python has no BLAKE3.
#[derive(Deserialize)]
struct ScriptDone {
    files: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    bytes: u64,
    crc32: u32,
}

impl Finished {
    /// The result of a job, if there is one.
    ///
    /// # Errors
    /// A damaged result, or one of another job.
    pub(crate) fn read(prepared: &Prepared) -> Result<Option<Finished>, TorchError> {
        let dir = prepared.dir.join("result");
        if !verify(&dir)? {
            return Ok(None);
        }
        let report: Report = store::read_json(dir.join("about.json"))?;
        if report.job != prepared.id || report.metrics.len() as u64 != prepared.steps {
            return Err(TorchError::OtherJob { path: dir });
        }
        Ok(Some(Finished {
            dir,
            method: prepared.method.clone(),
            config: prepared.config.clone(),
            metrics: report.metrics,
            about: report.about,
            peak_memory: report.peak_memory,
        }))
    }

    /// The folder with the result: a PEFT adapter folder, or Hugging Face weights.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The result in memory, as the native engine gives it.
    ///
    /// # Errors
    /// When a tensor is missing, has another shape, or holds what is not a number; an adapter of another shape than the
    /// job's.
    pub fn trained(&self) -> Result<Trained, TorchError> {
        Ok(match &self.method {
            Method::Lora(shape) => {
                let (adapter, _) = Adapter::load(&self.dir, &self.config)?;
                if adapter.shape != *shape {
                    let found = format!("{}: {:?}, expected {shape:?}", self.dir.display(), adapter.shape);
                    return Err(TorchError::Files(found));
                }
                Trained::Lora(adapter)
            }
            Method::Full => Trained::Full(Weights::load(&self.dir, &self.config)?),
        })
    }
}

/// Whether a folder of the script's is complete.
fn verify(dir: &Path) -> Result<bool, TorchError> {
    let path = dir.join("DONE");
    if !path.is_file() {
        return Ok(false);
    }
    let done: ScriptDone = store::read_json(&path)?;
    for (name, entry) in &done.files {
        let path = dir.join(name);
        let bytes = store::read(&path)?;
        if bytes.len() as u64 != entry.bytes || crc32fast::hash(&bytes) != entry.crc32 {
            let why = format!("{} is damaged; remove {} and run again", path.display(), dir.display());
            return Err(TorchError::Files(why));
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use model::{LoraShape, Target};
    use serde_json::json;

    use super::*;
    use crate::job::tests::{config, prepared};

    /// A result as the script writes it, with the weights in two files.
    fn write_result(prepared: &Prepared, weights: &Weights) {
        let dir = prepared.dir.join("result");
        std::fs::create_dir_all(&dir).unwrap();
        let half = weights.layout.tensors.len() / 2;
        let mut map = serde_json::Map::new();
        for (i, tensors) in
            [&weights.layout.tensors[..half], &weights.layout.tensors[half..]].iter().enumerate()
        {
            let name = format!("model-{:05}-of-00002.safetensors", i + 1);
            let bytes: Vec<Vec<u8>> = tensors
                .iter()
                .map(|t| weights.flat[t.range.clone()].iter().flat_map(|x| x.to_le_bytes()).collect())
                .collect();
            let views = tensors.iter().zip(&bytes).map(|(t, b)| {
                map.insert(t.name.clone(), name.clone().into());
                let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, t.shape.clone(), b);
                (t.name.clone(), view.unwrap())
            });
            std::fs::write(dir.join(&name), safetensors::serialize(views, None).unwrap()).unwrap();
        }
        let index = json!({ "metadata": {}, "weight_map": map });
        store::write_json(dir.join("model.safetensors.index.json"), &index).unwrap();
        finish(prepared);
    }

    /// The rest of a result, after its weights.
    fn finish(prepared: &Prepared) {
        let dir = prepared.dir.join("result");
        let metric = |step| json!({"step": step, "loss": 1.0, "learning_rate": 0.1, "grad_norm": 1.0, "tokens": 9, "tokens_trained": 8});
        let about = json!({
            "python": "3", "torch": "2", "transformers": "5", "peft": "0", "safetensors": "0", "device": "cpu",
            "processes": 2, "peak_memory": 5, "job": prepared.id,
            "metrics": (1..=prepared.steps).map(metric).collect::<Vec<_>>(),
        });
        store::write_json(dir.join("about.json"), &about).unwrap();
        let files: serde_json::Map<String, serde_json::Value> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let bytes = std::fs::read(entry.path()).unwrap();
                let about = json!({ "bytes": bytes.len(), "crc32": crc32fast::hash(&bytes) });
                (entry.file_name().into_string().unwrap(), about)
            })
            .collect();
        store::write_json(dir.join("DONE"), &json!({ "files": files })).unwrap();
    }

    #[test]
    fn weights_in_several_files_come_back_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut prepared = prepared(dir.path(), Method::Full);
        assert!(Finished::read(&prepared).unwrap().is_none());
        let weights = Weights::random(&config(), 9);
        write_result(&prepared, &weights);
        let finished = Finished::read(&prepared).unwrap().unwrap();
        assert_eq!(finished.trained().unwrap(), Trained::Full(weights));
        assert_eq!((finished.metrics.len(), finished.about.processes), (6, 2));
        let path = finished.dir().join("model-00002-of-00002.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(Finished::read(&prepared).unwrap_err().to_string().contains("model-00002"));
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        prepared.id = store::hash_bytes(b"another");
        assert!(matches!(Finished::read(&prepared).unwrap_err(), TorchError::OtherJob { .. }));
    }

    #[test]
    fn an_adapter_comes_back_and_one_of_another_shape_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shape = LoraShape { rank: 2, alpha: 4.0, targets: vec![Target::QProj, Target::DownProj] };
        let prepared = prepared(dir.path(), Method::Lora(shape.clone()));
        let result = prepared.dir.join("result");
        let trained = |adapter: &Adapter| {
            let _ = std::fs::remove_file(result.join("DONE"));
            adapter.save(&config(), None, None, &result).unwrap();
            finish(&prepared);
            Finished::read(&prepared).unwrap().unwrap().trained()
        };
        let adapter = Adapter::new(&config(), shape.clone(), 7);
        assert_eq!(trained(&adapter).unwrap(), Trained::Lora(adapter.clone()));
        let wider = Adapter::new(&config(), LoraShape { rank: 3, ..shape }, 7);
        let error = trained(&wider).unwrap_err().to_string();
        assert!(error.contains("rank: 3") && error.contains("rank: 2"), "{error}");
        let mut broken = adapter;
        broken.flat[0] = f32::NAN;
        assert!(trained(&broken).unwrap_err().to_string().contains("NaN"));
    }
}
