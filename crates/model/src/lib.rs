//! Language models: architectures, safetensors, tokenizers, chat templates, LoRA, scoring.
