//! The types in which weights are saved. In memory they are f32 always.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How weights are saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// As they are.
    #[default]
    F32,
    /// Rounded to the nearest bf16, to even where two are as near. What was read from bf16 stays as it was, bit for bit.
    Bf16,
}

impl Dtype {
    /// `f32`, `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::Bf16 => "bf16",
        }
    }

    /// As transformers writes it into `config.json`.
    pub(crate) fn of_config(self) -> &'static str {
        match self {
            Dtype::F32 => "float32",
            Dtype::Bf16 => "bfloat16",
        }
    }

    /// Bytes of one value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::Bf16 => 2,
        }
    }

    /// The bytes of values as they stand in a file.
    pub(crate) fn encode(self, values: &[f32]) -> Cow<'static, [u8]> {
        match self {
            Dtype::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Dtype::Bf16 => values.iter().flat_map(|x| to_bf16(*x).to_le_bytes()).collect(),
        }
    }

    /// A finite value as it will be read again; infinite where the type has no room for it.
    pub(crate) fn rounded(self, x: f32) -> f32 {
        match self {
            Dtype::F32 => x,
            Dtype::Bf16 => f32::from_bits(u32::from(to_bf16(x)) << 16),
        }
    }
}

/// The nearest bf16 of a finite value.
fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    // Half a unit of the last place that stays, and a little less where that place is even.
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest_and_to_even() {
        let rounded = |x| Dtype::Bf16.rounded(x);
        // bf16 has 8 bits of precision: around 1 its steps are 1/128.
        let step = 1.0 / 128.0;
        assert_eq!(rounded(1.0 + 0.49 * step), 1.0);
        assert_eq!(rounded(1.0 + 0.51 * step), 1.0 + step);
        assert_eq!(rounded(1.0 + 0.5 * step), 1.0);
        assert_eq!(rounded(1.0 + 1.5 * step), 1.0 + 2.0 * step);
        assert_eq!(rounded(-(1.0 + 1.5 * step)), -(1.0 + 2.0 * step));
        assert!(rounded(f32::MAX).is_infinite());
        assert_eq!(rounded(-0.0).to_bits(), (-0.0f32).to_bits());
    }

    #[test]
    fn every_bf16_comes_back_as_it_was() {
        for half in 0..=u16::MAX {
            let x = f32::from_bits(u32::from(half) << 16);
            if x.is_finite() {
                assert_eq!(to_bf16(x), half);
            }
        }
    }
}
