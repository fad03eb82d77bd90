//! All weight matrices laid out for products: once per optimizer step, or once per model that is only asked.

use crate::layout::LayerLayout;
use crate::lora::Target;
use crate::{Config, Layout, Weights};
use kernels::matmul::{Mat, Packed, Products};
use kernels::threads;
use std::ops::Range;

/// The matrices of a model in the order in which products read them.
#[derive(Default, Debug)]
pub struct PackedWeights {
    /// None where products lay the layers' matrices out as they use them.
    layers: Vec<[Packed; 4]>,
    head: Packed,
}

/// Which matrices are laid out beforehand; products do it themselves for the others, with the same results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pack {
    /// All, for scoring.
    Forward,
    /// All, for training: each twice, as it is and transposed.
    Both,
    /// The output projection only. The copies of a large model's layers would take twice the memory of the weights.
    Head,
}

/// A fused projection of a layer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Projection {
    Qkv,
    O,
    GateUp,
    Down,
}

impl Projection {
    pub const ALL: [Projection; 4] = [Projection::Qkv, Projection::O, Projection::GateUp, Projection::Down];

    /// The projections that it holds, in order.
    pub fn targets(self) -> &'static [Target] {
        match self {
            Projection::Qkv => &[Target::QProj, Target::KProj, Target::VProj],
            Projection::O => &[Target::OProj],
            Projection::GateUp => &[Target::GateProj, Target::UpProj],
            Projection::Down => &[Target::DownProj],
        }
    }

    /// Where it lies, and its shape `(out, in)`.
    pub fn place<'l>(self, c: &Config, layer: &'l LayerLayout) -> (&'l Range<usize>, usize, usize) {
        let (d, f, attention) = (c.hidden_size, c.ffn_size, c.attention());
        match self {
            Projection::Qkv => (&layer.qkv, attention.qkv_width(), d),
            Projection::O => (&layer.o, d, attention.out_width()),
            Projection::GateUp => (&layer.gate_up, 2 * f, d),
            Projection::Down => (&layer.down, d, f),
        }
    }
}

impl PackedWeights {
    /// Lays matrices out; keeps its memory from one step to the next.
    pub fn pack(
        &mut self,
        config: &Config,
        weights: &Weights,
        products: Products,
        which: Pack,
        threads: usize,
    ) {
        let (layers, backward) = match which {
            Pack::Forward => (config.layers, false),
            Pack::Both => (config.layers, true),
            Pack::Head => (0, true),
        };
        self.layers.resize_with(layers, Default::default);
        let layout = &weights.layout;
        let layers = self.layers.iter_mut().zip(&layout.layers).flat_map(|(packed, layer)| {
            packed.iter_mut().zip(Projection::ALL).map(|(packed, p)| (packed, p.place(config, layer)))
        });
        let head = (&mut self.head, (&layout.head, config.vocab_size, config.hidden_size));
        threads::for_each(threads, layers.chain([head]).collect(), |_, (packed, (range, out, input))| {
            products.pack(packed, Mat::new(&weights.flat[range.clone()], out, input), backward);
        });
    }

    /// Memory that these take, in bytes.
    pub fn held_bytes(&self) -> u64 {
        let all = self.layers.iter().flatten().chain([&self.head]);
        all.map(|packed| packed.bytes() as u64).sum()
    }

    /// Bytes that [`PackedWeights::pack`] takes.
    pub fn bytes(config: &Config, products: Products, which: Pack) -> u64 {
        let backward = which != Pack::Forward;
        let layer = &Layout::new(config).layers[0];
        let of = |out, input| products.packed_bytes(out, input, backward) as u64;
        let one: u64 = Projection::ALL
            .iter()
            .map(|projection| projection.place(config, layer))
            .map(|(_, out, input)| of(out, input))
            .sum();
        let layers = if which == Pack::Head { 0 } else { config.layers as u64 };
        layers * one + of(config.vocab_size, config.hidden_size)
    }

    pub(super) fn projection(&self, layer: usize, projection: Projection) -> Option<&Packed> {
        Some(&self.layers.get(layer)?[projection as usize])
    }

    pub(super) fn head(&self) -> &Packed {
        &self.head
    }
}
