//! Language models as folders of plain files: Hugging Face configuration, safetensors, tokenizer, chat template.
//!
//! One network serves the Llama family ([`Network`]): Llama, Mistral, Qwen2 and Qwen3 differ only by data (biases,
//! per-head norms, tied embeddings). Weights live in one flat `f32` buffer ([`Weights`]) so that gradients and
//! optimizer moments are buffers of the same layout. [`Adapter`] is LoRA over it. [`score_choices`] and [`nll`] ask a model
//! what it thinks of texts; [`Generator`] has it continue them, many at once.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod card;
mod config;
mod dtype;
mod error;
mod example;
mod folder;
mod generate;
mod inside;
mod layout;
mod lora;
mod network;
mod peft;
mod score;
mod shards;
mod template;
mod tokenizer;
mod weights;

pub use card::{Card, CardStage};
pub use config::{Architecture, Config, Llama3Scaling};
pub use dtype::Dtype;
pub use error::ModelError;
pub use example::{Example, Message};
pub use folder::{Carried, Files, Folder};
pub use generate::{
    Cache, Ending, Event, Generator, Limits, Refused, Runner, Sampling, Scored, Spoken, Task, TaskId,
};
pub use layout::{LayerLayout, Layout, Tensor};
pub use lora::{Adapter, LoraShape, Target, parse_targets};
pub use network::{
    Batch, Continued, Gradient, Inputs, Network, Pack, PackedWeights, SharedGradient, Workspace,
};
pub use peft::BaseName;
pub use score::{Choice, nll, score_choices};
pub use template::{ChatTemplate, Conversation, Moment};
pub use tokenizer::Tokenizer;
pub use weights::Weights;
