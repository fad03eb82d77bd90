//! LoRA (Hu et al., 2021): `y = W x + (alpha / r) B A x` with only `A [r, in]` and `B [out, r]` trained.

use crate::weights::Normal;
use crate::{Config, ModelError};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A projection that can carry an adapter, by its Hugging Face suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Target {
    QProj,
    KProj,
    VProj,
    OProj,
    GateProj,
    UpProj,
    DownProj,
}

impl Target {
    /// All seven, the published recipe's default.
    pub const ALL: [Target; 7] = [
        Target::QProj,
        Target::KProj,
        Target::VProj,
        Target::OProj,
        Target::GateProj,
        Target::UpProj,
        Target::DownProj,
    ];

    /// The Hugging Face suffix, e.g. `q_proj`.
    pub fn name(self) -> &'static str {
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"][self as usize]
    }

    /// The module's path inside a layer, e.g. `self_attn.q_proj`.
    pub fn module(self) -> String {
        let parent = if self <= Target::OProj { "self_attn" } else { "mlp" };
        format!("{parent}.{}", self.name())
    }

    /// `(in, out)` widths.
    pub fn widths(self, c: &Config) -> (usize, usize) {
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        match self {
            Target::QProj => (c.hidden_size, q),
            Target::KProj | Target::VProj => (c.hidden_size, kv),
            Target::OProj => (q, c.hidden_size),
            Target::GateProj | Target::UpProj => (c.hidden_size, c.ffn_size),
            Target::DownProj => (c.ffn_size, c.hidden_size),
        }
    }

    /// The first column of this projection's output in the fused output it belongs to.
    pub(crate) fn column(self, c: &Config) -> usize {
        let hd = c.head_dim;
        match self {
            Target::KProj => c.heads * hd,
            Target::VProj => (c.heads + c.kv_heads) * hd,
            Target::UpProj => c.ffn_size,
            _ => 0,
        }
    }
}

/// Parses target names; the error lists what exists.
pub fn parse_targets(names: &[String]) -> Result<Vec<Target>, String> {
    let mut targets = names
        .iter()
        .map(|n| {
            Target::ALL.into_iter().find(|t| t.name() == n).ok_or_else(|| {
                format!(
                    "`{n}` is not a LoRA target; targets are {}",
                    Target::ALL.map(Target::name).join(", ")
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    targets.sort();
    targets.dedup();
    Ok(targets)
}

/// Rank, scale and targets of an adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraShape {
    /// Inner width `r`.
    pub rank: usize,
    /// Scale numerator: updates are multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Which projections carry an adapter.
    pub targets: Vec<Target>,
}

/// Where one projection's `A` and `B` lie in the adapter's flat buffer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Site {
    pub target: Target,
    pub a: Range<usize>,
    pub b: Range<usize>,
}

/// Trained low-rank updates of a model's projections.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// Rank, scale, targets.
    pub shape: LoraShape,
    /// All `A` and `B`.
    pub flat: Vec<f32>,
    pub(crate) sites: Vec<Vec<Site>>,
}

impl Adapter {
    /// A fresh adapter: `A` uniform in `±1/sqrt(in)` scaled as PEFT does (Kaiming, a = sqrt 5), `B` zero.
    pub fn new(config: &Config, shape: LoraShape, seed: u64) -> Adapter {
        let Adapter { shape, mut flat, sites } = Adapter::zero(config, shape);
        for (layer, layer_sites) in sites.iter().enumerate() {
            for site in layer_sites {
                let (input, _) = site.target.widths(config);
                let mut normal = Normal::new(seed, &format!("lora.{layer}.{}", site.target.name()));
                // Same variance as PEFT's uniform initialisation: 1 / (3 in).
                let scale = 1.0 / (3.0 * input as f32).sqrt();
                flat[site.a.clone()].iter_mut().for_each(|x| *x = scale * normal.draw());
            }
        }
        Adapter { shape, flat, sites }
    }

    /// An adapter of zeros.
    pub(crate) fn zero(config: &Config, shape: LoraShape) -> Adapter {
        let mut len = 0;
        let mut take = |n: usize| {
            len += n;
            len - n..len
        };
        let sites: Vec<Vec<Site>> = (0..config.layers)
            .map(|_| {
                shape
                    .targets
                    .iter()
                    .map(|&target| {
                        let (input, output) = target.widths(config);
                        Site { target, a: take(shape.rank * input), b: take(output * shape.rank) }
                    })
                    .collect()
            })
            .collect();
        Adapter { shape, flat: vec![0f32; len], sites }
    }

    /// Parameters of an adapter of this shape.
    pub fn parameters(config: &Config, shape: &LoraShape) -> usize {
        let widths = shape.targets.iter().map(|target| target.widths(config));
        config.layers * shape.rank * widths.map(|(input, output)| input + output).sum::<usize>()
    }

    /// The PEFT name of an adapted projection.
    pub(crate) fn name(layer: usize, target: Target) -> String {
        format!("base_model.model.model.layers.{layer}.{}", target.module())
    }

    /// `alpha / rank`.
    pub fn scale(&self) -> f32 {
        (self.shape.alpha / self.shape.rank as f64) as f32
    }

    /// Every tensor under its PEFT name with its shape and range in `flat`.
    pub fn tensors(&self, config: &Config) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let rank = self.shape.rank;
        let mut out = Vec::new();
        for (layer, sites) in self.sites.iter().enumerate() {
            for site in sites {
                let (input, output) = site.target.widths(config);
                let base = Adapter::name(layer, site.target);
                out.push((format!("{base}.lora_A.weight"), vec![rank, input], site.a.clone()));
                out.push((format!("{base}.lora_B.weight"), vec![output, rank], site.b.clone()));
            }
        }
        out
    }

    /// Adds `(alpha / r) B A` to the weights it was trained on.
    pub fn merge_into(&self, config: &Config, weights: &mut crate::Weights) -> Result<(), ModelError> {
        for (layer, sites) in self.sites.iter().enumerate() {
            for site in sites {
                let (input, output) = site.target.widths(config);
                let name = format!("model.layers.{layer}.{}.weight", site.target.module());
                let tensor = weights.layout.tensors.iter().find(|t| t.name == name).ok_or_else(|| {
                    ModelError::invalid("adapter", format!("the model has no tensor `{name}`"))
                })?;
                let range = tensor.range.clone();
                kernels::matmul::Products::exact().linear_input(
                    kernels::matmul::MatMut::new(&mut weights.flat[range], output, input),
                    kernels::matmul::Mat::new(&self.flat[site.b.clone()], output, self.shape.rank),
                    kernels::matmul::Mat::new(&self.flat[site.a.clone()], self.shape.rank, input),
                    self.scale(),
                    kernels::matmul::Write::Add,
                );
            }
        }
        Ok(())
    }
}
