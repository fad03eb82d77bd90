//! The settings of the engine: how a stage is spread over processes, in the experiment file.

use serde::{Deserialize, Serialize};

use crate::TorchError;

/// Of what type numbers are while they are multiplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// Everything in f32.
    #[default]
    F32,
    /// Products and frozen weights in bf16; what is trained, its moments, and sums of gradients in f32.
    Bf16,
}

impl Dtype {
    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::Bf16 => "bf16",
        }
    }

    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        match self {
            Dtype::F32 => 4,
            Dtype::Bf16 => 2,
        }
    }
}

/// What FSDP spreads over the processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharding {
    /// Weights, gradients and moments over all processes: the least memory.
    #[default]
    Full,
    /// As `full`, but a layer's weights stay gathered from its forward pass to its backward pass: less to send.
    Gradients,
    /// As `full` within each node, with a replica on every node: little to send between nodes.
    Hybrid,
}

impl Sharding {
    /// As it is written in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Sharding::Full => "full",
            Sharding::Gradients => "gradients",
            Sharding::Hybrid => "hybrid",
        }
    }
}

/// How a stage is spread over processes. Of these only `dtype` belongs to what a stage is; the others change the last
/// bits of sums at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TorchSettings {
    /// Processes on each node, one for each GPU.
    pub nproc: usize,
    /// Nodes. With more than one, the printed command is for the cluster's scheduler to run.
    pub nodes: usize,
    /// Type of numbers in products.
    pub dtype: Dtype,
    /// What is spread.
    pub sharding: Sharding,
    /// Whether layers are computed again in the backward pass instead of kept: less memory, a third more time.
    pub gradient_checkpointing: bool,
    /// Steps between checkpoints; 0 writes one only when stopped on request. Not of `[torch]`: both engines have the
    /// `checkpoint_every` of `[training]`.
    #[serde(skip)]
    pub checkpoint_every: u64,
    /// Packed rows that a process works on at a time; the rest of its rows follow, and their gradients are added.
    pub rows_per_pass: usize,
}

impl Default for TorchSettings {
    fn default() -> TorchSettings {
        TorchSettings {
            nproc: 1,
            nodes: 1,
            dtype: Dtype::F32,
            sharding: Sharding::Full,
            gradient_checkpointing: false,
            checkpoint_every: 100,
            rows_per_pass: 1,
        }
    }
}

impl TorchSettings {
    /// Processes in all.
    pub fn processes(&self) -> usize {
        self.nproc * self.nodes
    }

    /// Processes that share one copy of the model.
    pub fn shards(&self) -> usize {
        if self.sharding == Sharding::Hybrid { self.nproc } else { self.processes() }
    }

    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// When one does not; the error names the key.
    pub fn check(&self) -> Result<(), TorchError> {
        let numbers = [("nproc", self.nproc), ("nodes", self.nodes), ("rows_per_pass", self.rows_per_pass)];
        for (key, value) in numbers {
            if value == 0 {
                return Err(TorchError::Settings(format!("`{key}` is 0; it must be at least 1")));
            }
            if value > 1 << 16 {
                return Err(TorchError::Settings(format!("`{key}` is {value}; at most 65536 makes sense")));
            }
        }
        if self.sharding == Sharding::Hybrid && self.nodes == 1 {
            let why = "`sharding` is \"hybrid\", which keeps a replica on every node, but `nodes` is 1; use \"full\"";
            return Err(TorchError::Settings(why.into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_defaults_and_what_is_unknown_is_refused() {
        let read = |text: &str| serde_json::from_str::<TorchSettings>(text);
        let settings = read(r#"{"nproc": 8, "dtype": "bf16", "sharding": "gradients"}"#).unwrap();
        assert_eq!(
            settings,
            TorchSettings {
                nproc: 8,
                dtype: Dtype::Bf16,
                sharding: Sharding::Gradients,
                ..TorchSettings::default()
            }
        );
        assert!(read(r#"{"nprocs": 8}"#).unwrap_err().to_string().contains("nprocs"));
        assert_eq!(read(&serde_json::to_string(&settings).unwrap()).unwrap(), settings);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (settings, key) in [
            (TorchSettings { nproc: 0, ..TorchSettings::default() }, "nproc"),
            (TorchSettings { nodes: 1 << 17, ..TorchSettings::default() }, "nodes"),
            (TorchSettings { rows_per_pass: 0, ..TorchSettings::default() }, "rows_per_pass"),
            (TorchSettings { sharding: Sharding::Hybrid, ..TorchSettings::default() }, "hybrid"),
        ] {
            assert!(settings.check().unwrap_err().to_string().contains(key));
        }
    }
}
