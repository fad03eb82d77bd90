//! The weights of a model: one flat `f32` buffer, read from and written to safetensors.

use crate::inside::Inside;
use crate::shards::{Shard, Tensors};
use crate::{Config, Dtype, Layout, ModelError, Tensor};
use safetensors::tensor::{TensorView, View};
use stats::SplitMix64;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use store::{Hash, IdBuilder};

/// All parameters of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Where each tensor lies in `flat`.
    pub layout: Layout,
    /// The parameters.
    pub flat: Vec<f32>,
}

impl Weights {
    /// Random weights: normal with standard deviation `0.02` for matrices (as GPT-2), ones for norms, zeros for
    /// biases. A pure function of the sizes and the seed.
    pub fn random(config: &Config, seed: u64) -> Weights {
        let layout = Layout::new(config);
        let mut flat = vec![0f32; layout.len];
        for tensor in &layout.tensors {
            let values = &mut flat[tensor.range.clone()];
            if tensor.shape.len() == 2 {
                let mut normal = Normal::new(seed, &tensor.name);
                values.iter_mut().for_each(|x| *x = 0.02 * normal.draw());
            } else if tensor.name.ends_with("norm.weight") {
                values.fill(1.0);
            }
        }
        Weights { layout, flat }
    }

    /// Takes the parameters and leaves none, for a model that is to be trained and not asked before.
    pub fn take(&mut self) -> Weights {
        Weights { layout: self.layout.clone(), flat: std::mem::take(&mut self.flat) }
    }

    /// Reads the weights of a folder, from one file or from shards, for a model of these sizes.
    ///
    /// Errors: as [`Weights::from_shards`], and a folder without safetensors.
    pub fn load(dir: &Path, config: &Config) -> Result<Weights, ModelError> {
        let shards = Shard::open_all(&Inside::open(dir)?, dir)?;
        let files: Vec<(&Path, &[u8])> = shards.iter().map(Shard::parts).collect();
        Weights::from_shards(config, &files)
    }

    /// Parses a safetensors file; `path` is for error messages.
    ///
    /// Errors: as [`Weights::from_shards`].
    pub fn from_safetensors(config: &Config, bytes: &[u8], path: &Path) -> Result<Weights, ModelError> {
        Weights::from_shards(config, &[(path, bytes)])
    }

    /// Parses the files that hold a model's tensors, each with its path for error messages.
    ///
    /// Errors: a truncated or damaged file, a missing tensor, one that such a model does not have, a wrong shape, a type
    /// other than f32, f16 or bf16, a value that is not finite.
    pub fn from_shards(config: &Config, files: &[(&Path, &[u8])]) -> Result<Weights, ModelError> {
        let tensors = Tensors::parse(files)?;
        let layout = Layout::new(config);
        let find = |tensor: &Tensor| {
            let found = tensors.get(&tensor.name)?;
            let (path, view) = found;
            match view.shape() == tensor.shape {
                true => Ok(found),
                false => Err(ModelError::invalid(
                    *path,
                    format!(
                        "tensor `{}` has shape {:?}, but config.json says {:?}",
                        tensor.name,
                        view.shape(),
                        tensor.shape
                    ),
                )),
            }
        };
        // All are looked for before memory is taken: what config.json promises may be anything, what is in the file
        // is no larger than the file.
        let found = layout.tensors.iter().map(find).collect::<Result<Vec<_>, ModelError>>()?;
        refuse_others(config, &layout, &tensors)?;
        let mut flat = vec![0f32; layout.len];
        for (tensor, (path, view)) in layout.tensors.iter().zip(found) {
            let values = &mut flat[tensor.range.clone()];
            decode(view, values)
                .map_err(|e| ModelError::invalid(*path, format!("tensor `{}`: {e}", tensor.name)))?;
            if values.iter().any(|x| !x.is_finite()) {
                return Err(ModelError::invalid(
                    *path,
                    format!("tensor `{}` holds NaN or infinite values", tensor.name),
                ));
            }
        }
        Ok(Weights { layout, flat })
    }

    /// The hash of all parameters, in the order of the buffer.
    pub fn hash(&self) -> Hash {
        let mut id = IdBuilder::new("weights");
        // In pieces: a second copy of a large model's weights would double its memory.
        for piece in self.flat.chunks(1 << 16) {
            let bytes: Vec<u8> = piece.iter().flat_map(|x| x.to_le_bytes()).collect();
            id = id.hash("piece", store::hash_bytes(&bytes));
        }
        id.finish()
    }

    /// How many values this type would not give back as they are.
    ///
    /// # Errors
    /// When a value is larger than any that the type has.
    pub fn changed_by(&self, dtype: Dtype) -> Result<u64, ModelError> {
        let mut changed = 0;
        for tensor in &self.layout.tensors {
            for x in &self.flat[tensor.range.clone()] {
                let rounded = dtype.rounded(*x);
                if rounded.is_infinite() {
                    let message = format!("tensor `{}`: {x} is too large for {}", tensor.name, dtype.name());
                    return Err(ModelError::invalid("model.safetensors", message));
                }
                changed += u64::from(rounded.to_bits() != x.to_bits());
            }
        }
        Ok(changed)
    }

    /// The bytes of a safetensors file with every tensor as f32 under its Hugging Face name.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, ModelError> {
        self.to_safetensors_as(Dtype::F32)
    }

    /// The same in another type.
    ///
    /// # Errors
    /// As [`Weights::changed_by`].
    pub fn to_safetensors_as(&self, dtype: Dtype) -> Result<Vec<u8>, ModelError> {
        self.changed_by(dtype)?;
        let tensors = self
            .layout
            .tensors
            .iter()
            .map(|t| (t.name.as_str(), t.shape.as_slice(), &self.flat[t.range.clone()]));
        serialize(tensors, dtype, ("format", "pt"))
    }
}

/// Refuses tensors that the network would leave out, so that nothing of a model is silently ignored. What old versions
/// of transformers saved besides (rotary frequencies) and an output projection that is the embedding are let pass.
fn refuse_others(config: &Config, layout: &Layout, tensors: &Tensors) -> Result<(), ModelError> {
    const HEAD: &str = "lm_head.weight";
    let known: BTreeSet<&str> = layout.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    for (name, path) in tensors.names() {
        if known.contains(name) || name.ends_with(".rotary_emb.inv_freq") {
            continue;
        }
        if name == HEAD && config.tied {
            let (head, embedding) = (&tensors.get(HEAD)?.1, &tensors.get("model.embed_tokens.weight")?.1);
            if head.dtype() == embedding.dtype() && head.data() == embedding.data() {
                continue;
            }
            return Err(ModelError::invalid(
                path,
                "`lm_head.weight` is not the embedding, but config.json says that they are tied; set \
                 `tie_word_embeddings` to false there, or remove the tensor",
            ));
        }
        return Err(ModelError::invalid(
            path,
            format!("tensor `{name}` is none that the model of config.json has; it would be ignored"),
        ));
    }
    Ok(())
}

/// Serialises f32 tensors as safetensors, with the metadata that transformers asks for.
pub(crate) fn encode<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])>,
) -> Result<Vec<u8>, ModelError> {
    encode_with(tensors, ("format", "pt"))
}

/// The same with another note in the header. There is one only, because several would come in any order.
pub(crate) fn encode_with<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])>,
    note: (&str, &str),
) -> Result<Vec<u8>, ModelError> {
    serialize(tensors, Dtype::F32, note)
}

fn serialize<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])>,
    dtype: Dtype,
    (key, note): (&str, &str),
) -> Result<Vec<u8>, ModelError> {
    let views = tensors.map(|(name, shape, values)| (name, Floats { shape, values, dtype }));
    let metadata = [(key.to_string(), note.to_string())].into_iter().collect();
    safetensors::serialize(views, Some(metadata)).map_err(|e| ModelError::invalid("model.safetensors", e))
}

/// A tensor whose bytes are made when they are written, one tensor at a time.
struct Floats<'a> {
    shape: &'a [usize],
    values: &'a [f32],
    dtype: Dtype,
}

impl View for Floats<'_> {
    fn dtype(&self) -> safetensors::Dtype {
        match self.dtype {
            Dtype::F32 => safetensors::Dtype::F32,
            Dtype::Bf16 => safetensors::Dtype::BF16,
        }
    }
    fn shape(&self) -> &[usize] {
        self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.dtype.encode(self.values)
    }
    fn data_len(&self) -> usize {
        self.dtype.bytes() * self.values.len()
    }
}

/// Widens a tensor of f32, f16 or bf16 to f32.
pub(crate) fn decode(view: &TensorView, into: &mut [f32]) -> Result<(), String> {
    let data = view.data();
    let halves = || data.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    match view.dtype() {
        safetensors::Dtype::F32 => into
            .iter_mut()
            .zip(data.chunks_exact(4))
            .for_each(|(x, b)| *x = f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        safetensors::Dtype::BF16 => {
            into.iter_mut().zip(halves()).for_each(|(x, h)| *x = f32::from_bits((h as u32) << 16))
        }
        safetensors::Dtype::F16 => into.iter_mut().zip(halves()).for_each(|(x, h)| *x = half_to_f32(h)),
        other => return Err(format!("type {other:?} is not supported; f32, f16 and bf16 are")),
    }
    Ok(())
}

/// IEEE half precision to single.
fn half_to_f32(h: u16) -> f32 {
    let (sign, exponent, fraction) = ((h as u32 >> 15) << 31, (h >> 10) & 0x1f, (h & 0x3ff) as u32);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),
        0x1f => f32::from_bits(0x7f80_0000 | (fraction << 13)),
        e => f32::from_bits(((e as u32 + 112) << 23) | (fraction << 13)),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// Standard normal numbers from a named, seeded stream: SplitMix64 and the Box-Muller transform.
pub(crate) struct Normal {
    stream: SplitMix64,
    spare: Option<f32>,
}

impl Normal {
    pub(crate) fn new(seed: u64, name: &str) -> Normal {
        let hash = store::IdBuilder::new("normal").text("name", name).number("seed", seed).finish();
        let mut first = [0u8; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        Normal { stream: SplitMix64::new(u64::from_le_bytes(first)), spare: None }
    }
    fn uniform(&mut self) -> f64 {
        (self.stream.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub(crate) fn draw(&mut self) -> f32 {
        if let Some(x) = self.spare.take() {
            return x;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some((radius * sin) as f32);
        (radius * cos) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_widen_exactly() {
        for (h, x) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
            (0x3555, 0.333_251_95),
            (0x0000, 0.0),
        ] {
            assert_eq!(half_to_f32(h), x);
        }
        assert!(half_to_f32(0x7c00).is_infinite() && half_to_f32(0x7e00).is_nan());
    }

    #[test]
    fn no_memory_is_taken_for_weights_that_the_file_does_not_hold() {
        let config = serde_json::json!({
            "model_type": "llama", "vocab_size": 1 << 24, "hidden_size": 1 << 20, "intermediate_size": 1 << 20,
            "num_hidden_layers": 1 << 12, "num_attention_heads": 1 << 12, "head_dim": 1 << 12,
            "max_position_embeddings": 8,
        });
        let config = Config::from_json(&config).unwrap();
        let empty = encode(std::iter::empty()).unwrap();
        let error = Weights::from_safetensors(&config, &empty, Path::new("x")).unwrap_err().to_string();
        assert!(error.contains("`model.embed_tokens.weight` is missing"), "{error}");
    }

    #[test]
    fn normal_numbers_have_the_right_moments() {
        let mut normal = Normal::new(1, "test");
        let x: Vec<f64> = (0..20_000).map(|_| normal.draw() as f64).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
