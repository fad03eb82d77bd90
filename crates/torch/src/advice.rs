//! Which engine suits a stage.
//!
//! The rule, and what it stands on: the native engine was measured from 0.8M to 60M parameters (docs/scaling.md), where
//! it is about one and a half times as fast as PyTorch on the same CPU. Beyond what was measured nothing is claimed, and
//! before that a stage may simply take too long: native time is that of `6 P` operations a token at the rate that the
//! same measurements reached on two cores with AMX.

use model::{Config, Layout};
use serde::Serialize;
use train::{Method, Plan};

/// The largest size at which the native engine was measured, parameters.
pub const LARGEST_NATIVE: u64 = 60_000_000;

/// The longest stage for which the native engine is recommended, seconds: a night.
pub const LONGEST_NATIVE_SECONDS: f64 = 8.0 * 3600.0;

/// Operations a second of the native engine as measured: 60M parameters, rows of 256 tokens, two threads.
const NATIVE_RATE: f64 = 398e9;

/// Which engine suits a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Parameters of the model.
    pub parameters: u64,
    /// Seconds that the stage would take on the native engine, on a machine such as the measured one.
    pub native_seconds: f64,
    /// Whether the torch engine is recommended.
    pub torch: bool,
    /// Why, for people.
    pub why: String,
}

/// Which engine suits a stage.
pub fn advise(config: &Config, method: &Method, plan: &Plan) -> Advice {
    let size = advise_size(config);
    let parameters = size.parameters;
    // LoRA saves the gradients of the frozen matrices: a third.
    let per_token = if *method == Method::Full { 6.0 } else { 4.0 } * parameters as f64;
    let native_seconds = per_token * plan.tokens as f64 / NATIVE_RATE;
    let hours = native_seconds / 3600.0;
    if !size.torch && native_seconds > LONGEST_NATIVE_SECONDS {
        let why = format!("the native engine would take about {hours:.0} hours for this stage");
        return Advice { parameters, native_seconds, torch: true, why };
    }
    Advice { parameters, native_seconds, torch: size.torch, why: size.why }
}

/// Which engine suits a model, whatever it is trained on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeAdvice {
    /// Parameters of the model.
    pub parameters: u64,
    /// Whether the torch engine is recommended.
    pub torch: bool,
    /// Why, for people.
    pub why: String,
}

/// Which engine suits models of this size; how long a stage takes is not looked at.
pub fn advise_size(config: &Config) -> SizeAdvice {
    let parameters = Layout::new(config).len as u64;
    let torch = parameters > LARGEST_NATIVE;
    let size = format!("{:.0}M parameters", parameters as f64 / 1e6);
    let largest = LARGEST_NATIVE / 1_000_000;
    let why = match torch {
        true => format!("{size} are more than the {largest}M up to which the native engine was measured"),
        false => format!("{size} suit the native engine, which is the faster one on a CPU up to {largest}M"),
    };
    SizeAdvice { parameters, torch, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::config;

    fn plan(tokens: u64) -> Plan {
        Plan {
            steps: 100,
            tokens,
            tokens_trained: tokens,
            tokens_masked: 0,
            truncated_rows: 0,
            trainable_parameters: 0,
            parts: Vec::new(),
        }
    }

    #[test]
    fn small_is_native_large_or_long_is_torch() {
        let small = Config {
            vocab_size: 16_384,
            hidden_size: 384,
            ffn_size: 1024,
            layers: 6,
            heads: 6,
            head_dim: 64,
            ..config()
        };
        let of = |config: &Config, tokens| advise(config, &Method::Full, &plan(tokens));
        let advice = of(&small, 10_000_000);
        assert!(!advice.torch, "{advice:?}");
        // docs/scaling.md: 10M tokens at 17M parameters take about three quarters of an hour.
        let hours = 17e6 / advice.parameters as f64 * advice.native_seconds / 3600.0;
        assert!((0.4..1.2).contains(&hours), "{hours}");
        assert!(of(&small, 1_000_000_000).torch);
        let large = Config { layers: 60, ..small };
        assert!(of(&large, 1000).why.contains("60M"));
        assert!(
            of(&large, 1000).native_seconds
                > advise(&large, &Method::published_lora(), &plan(1000)).native_seconds
        );
    }
}
