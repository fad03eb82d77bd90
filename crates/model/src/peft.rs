//! LoRA adapters on the disk, as PEFT lays them out: ours load there, theirs load here.

use crate::inside::Inside;
use crate::shards::{Shard, Tensors};
use crate::weights::{decode, encode, encode_with};
use crate::{Adapter, Config, LoraShape, ModelError, Target, Weights};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use store::Hash;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Under which name the weights' file says on which model's weights the adapter was trained.
const TRAINED_ON: &str = "whyfirst.trained_on";

/// The largest inner width that an adapter can have: no model is wider.
const LARGEST_RANK: u64 = 1 << 20;

/// What an adapter's folder calls the model that it lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseName {
    /// A hub id, or the path of a folder.
    pub name: String,
    /// Which state of a hub's model, if not the newest.
    pub revision: Option<String>,
}

impl BaseName {
    /// A model of the hub, written `org/name` or `org/name@revision`.
    pub fn hub(written: &str) -> BaseName {
        let (name, revision) = written.split_once('@').map_or((written, None), |(name, r)| (name, Some(r)));
        BaseName { name: name.to_owned(), revision: revision.map(str::to_owned) }
    }

    /// A folder.
    pub fn folder(path: &Path) -> BaseName {
        BaseName { name: path.display().to_string(), revision: None }
    }
}

impl Adapter {
    /// Writes the adapter to a folder; `base` names its model for people and programs, `trained_on` is the
    /// [hash](Weights::hash) of the weights below it, which [`Adapter::load_onto`] checks where it is known.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(
        &self,
        config: &Config,
        base: Option<&BaseName>,
        trained_on: Option<Hash>,
        dir: &Path,
    ) -> Result<(), ModelError> {
        let targets: Vec<&str> = self.shape.targets.iter().map(|target| target.name()).collect();
        let about = json!({
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base.map(|base| &base.name),
            "revision": base.and_then(|base| base.revision.as_ref()),
            "r": self.shape.rank,
            "lora_alpha": self.shape.alpha,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": targets,
            "inference_mode": true,
        });
        let tensors = self.tensors(config);
        let tensors = tensors
            .iter()
            .map(|(name, shape, range)| (name.as_str(), shape.as_slice(), &self.flat[range.clone()]));
        let file = match trained_on {
            Some(hash) => encode_with(tensors, (TRAINED_ON, &hash.to_string()))?,
            None => encode(tensors)?,
        };
        store::write_json(dir.join(CONFIG), &about)?;
        Ok(store::write_atomic(dir.join(WEIGHTS), &file)?)
    }

    /// Reads an adapter, ours or one that PEFT made, and what it says it was trained on.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the adapter is of a kind or shape that is not supported; the error says which.
    pub fn load(dir: &Path, config: &Config) -> Result<(Adapter, Option<Hash>), ModelError> {
        let inside = Inside::open(dir)?;
        let missing = |name: &str| {
            let pickle = dir.join("adapter_model.bin");
            match name == WEIGHTS && pickle.exists() {
                true => ModelError::invalid(
                    pickle,
                    "a pickled adapter is never loaded, because a pickle can run any program; save it with a newer PEFT",
                ),
                false => ModelError::invalid(dir, format!("not an adapter's folder: it has no {name}")),
            }
        };
        let about = inside.read(CONFIG)?.ok_or_else(|| missing(CONFIG))?;
        let path = dir.join(CONFIG);
        let about: Value = serde_json::from_slice(&about)
            .map_err(|e| ModelError::invalid(&path, format!("not JSON: {e}")))?;
        let (rank, alpha) = shape_of(&about).map_err(|e| ModelError::invalid(&path, e))?;
        let shard = Shard::open(inside.file(WEIGHTS)?.ok_or_else(|| missing(WEIGHTS))?)?;
        let tensors = Tensors::parse(&[shard.parts()])?;
        let targets = targets_of(&tensors)?;
        let expected = Adapter::places(config, &LoraShape { rank, alpha, targets: targets.clone() });
        // All are looked for before memory is taken.
        for (name, shape) in &expected {
            let (file, view) = tensors.get(name)?;
            if view.shape() != shape {
                return Err(ModelError::invalid(
                    *file,
                    format!(
                        "tensor `{name}` has shape {:?}; this model with rank {rank} needs {shape:?}",
                        view.shape()
                    ),
                ));
            }
        }
        if let Some((other, file)) = tensors.names().find(|(name, _)| !expected.contains_key(*name)) {
            return Err(ModelError::invalid(
                file,
                format!(
                    "tensor `{other}` has no place in this model; adapters on {} are supported",
                    all_targets()
                ),
            ));
        }
        let mut adapter = Adapter::zero(config, LoraShape { rank, alpha, targets });
        for (name, _, range) in adapter.tensors(config) {
            let (file, view) = tensors.get(&name)?;
            let values = &mut adapter.flat[range];
            decode(view, values).map_err(|e| ModelError::invalid(*file, format!("tensor `{name}`: {e}")))?;
            if values.iter().any(|x| !x.is_finite()) {
                return Err(ModelError::invalid(
                    *file,
                    format!("tensor `{name}` holds NaN or infinite values"),
                ));
            }
        }
        let (file, bytes) = shard.parts();
        let stated = crate::shards::note(bytes, TRAINED_ON);
        let trained_on = stated.map(|text| text.parse()).transpose();
        Ok((adapter, trained_on.map_err(|e| ModelError::invalid(file, format!("`{TRAINED_ON}`: {e}")))?))
    }

    /// As [`Adapter::load`], for these weights: an adapter that says it was trained on others is refused.
    ///
    /// # Errors
    /// As [`Adapter::load`], and when the adapter belongs to another model.
    pub fn load_onto(dir: &Path, config: &Config, weights: &Weights) -> Result<Adapter, ModelError> {
        let (adapter, trained_on) = Adapter::load(dir, config)?;
        let own = weights.hash();
        match trained_on.filter(|hash| *hash != own) {
            Some(other) => Err(ModelError::invalid(
                dir.join(WEIGHTS),
                format!(
                    "the adapter was trained on the weights {}, and these are {}: it means nothing on them",
                    other.short(),
                    own.short()
                ),
            )),
            None => Ok(adapter),
        }
    }
}

/// Rank and alpha, if all that the configuration asks for is supported.
fn shape_of(about: &Value) -> Result<(usize, f64), String> {
    if about["peft_type"] != "LORA" {
        return Err(format!("`peft_type` {} is not supported; \"LORA\" is", about["peft_type"]));
    }
    let is_off = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text == "none",
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let unsupported = [
        "bias",
        "lora_bias",
        "use_dora",
        "use_rslora",
        "use_qalora",
        "use_bdlora",
        "fan_in_fan_out",
        "modules_to_save",
        "rank_pattern",
        "alpha_pattern",
        "layer_replication",
        "target_parameters",
        "trainable_token_indices",
        "alora_invocation_tokens",
    ];
    if let Some(key) = unsupported.into_iter().find(|key| !is_off(&about[*key])) {
        return Err(format!("`{key}` is {}, which is not supported; plain LoRA is", about[key]));
    }
    // These start from changed weights, of which the folder says nothing.
    let start = about["init_lora_weights"].as_str().unwrap_or_default();
    if ["pissa", "olora", "loftq", "corda", "lora_ga"].iter().any(|kind| start.starts_with(kind)) {
        return Err(format!(
            "`init_lora_weights` is {start:?}: such an adapter changes the weights below it; convert it to plain LoRA \
             with PEFT first"
        ));
    }
    let rank = about["r"].as_u64().filter(|rank| (1..=LARGEST_RANK).contains(rank));
    let alpha = about["lora_alpha"].as_f64().filter(|alpha| alpha.is_finite());
    match (rank, alpha) {
        (Some(rank), Some(alpha)) => Ok((rank as usize, alpha)),
        (None, _) => Err("`r` must be a positive integer".into()),
        (_, None) => Err("`lora_alpha` must be a number".into()),
    }
}

/// The projections that the file has adapters for.
fn targets_of(tensors: &Tensors) -> Result<Vec<Target>, ModelError> {
    let has = |target: &Target| {
        let middle = format!(".{}.lora_A.weight", target.module());
        tensors.names().any(|(name, _)| name.ends_with(&middle))
    };
    let targets: Vec<Target> = Target::ALL.into_iter().filter(has).collect();
    match tensors.names().next() {
        _ if !targets.is_empty() => Ok(targets),
        Some((name, file)) => Err(ModelError::invalid(
            file,
            format!("no adapter on {}; the first tensor is `{name}`", all_targets()),
        )),
        None => Err(ModelError::invalid(WEIGHTS, "no tensors")),
    }
}

fn all_targets() -> String {
    Target::ALL.map(Target::name).join(", ")
}

impl Adapter {
    /// The names and shapes of an adapter's tensors, without one.
    fn places(config: &Config, shape: &LoraShape) -> BTreeMap<String, Vec<usize>> {
        let mut places = BTreeMap::new();
        for layer in 0..config.layers {
            for target in &shape.targets {
                let (input, output) = target.widths(config);
                let base = Adapter::name(layer, *target);
                places.insert(format!("{base}.lora_A.weight"), vec![shape.rank, input]);
                places.insert(format!("{base}.lora_B.weight"), vec![output, shape.rank]);
            }
        }
        places
    }
}
