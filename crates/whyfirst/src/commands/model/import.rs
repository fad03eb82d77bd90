//! `model import`: a model checked, described, and on request written as a plain folder.

use experiment::base::BaseSource;
use indicatif::{BinaryBytes, HumanCount};
use model::{Dtype, Folder};
use serde::Serialize;
use train::{Method, Recipe};

use super::{Opened, Result, rounded, staged};
use crate::args::Import;
use crate::commands::threads;
use crate::output;

/// What a model is.
#[derive(Debug, Serialize)]
struct About {
    source: String,
    /// Where its files are; none for the one that is built in.
    folder: Option<std::path::PathBuf>,
    architecture: String,
    parameters: u64,
    layers: usize,
    hidden_size: usize,
    heads: usize,
    kv_heads: usize,
    context: usize,
    /// Types of the tensors in the files.
    dtypes: Vec<String>,
    /// Bytes of the weights' files.
    bytes: u64,
    vocabulary: usize,
    tokens: usize,
    chat_template: bool,
    end_tokens: Vec<String>,
    hash: String,
    /// Bytes for training by the native engine, all weights and an adapter of the published shape.
    memory_full: u64,
    memory_lora: u64,
    torch_recommended: bool,
    advice: String,
}

/// Written beside it.
#[derive(Debug, Serialize)]
struct Written {
    folder: std::path::PathBuf,
    dtype: Dtype,
    rounded_weights: u64,
}

/// Checks, shows and writes.
pub fn run(args: &Import) -> Result<()> {
    let staged = args.to.as_deref().map(staged).transpose()?;
    let opened = Opened::open(&args.source)?;
    let about = describe(&args.source, &opened)?;
    let written = match (staged, &args.to) {
        (Some(staged), Some(to)) => {
            let came = if about.dtypes == ["bf16"] { Dtype::Bf16 } else { Dtype::F32 };
            let dtype = args.dtype.map_or(came, Dtype::from);
            let folder = &opened.base.folder;
            let rounded_weights = rounded(folder, dtype)?;
            folder.save_as(staged.path(), dtype)?;
            staged.commit()?;
            Some(Written { folder: to.clone(), dtype, rounded_weights })
        }
        _ => None,
    };
    if args.json {
        let mut value = serde_json::to_value(&about).unwrap_or_default();
        value["written"] = serde_json::to_value(&written).unwrap_or_default();
        output::json(&value);
        return Ok(());
    }
    show(&about);
    if let Some(Written { folder, dtype, rounded_weights }) = written {
        super::wrote(&folder, &format!("the model in {}", dtype.name()), rounded_weights, false);
    }
    Ok(())
}

fn describe(written: &str, opened: &Opened) -> Result<About> {
    let base = &opened.base;
    let Folder { config, tokenizer, template, .. } = &base.folder;
    let (bytes, dtypes) = opened.stored()?;
    let full =
        Recipe { max_length: Recipe::default().max_length.min(config.max_positions), ..Recipe::default() };
    let lora = Recipe { method: Method::published_lora(), ..full.clone() };
    let memory = |recipe| train::memory(config, recipe, threads(None)).total();
    let advice = torch::advise_size(config);
    let shown = |id: u32| tokenizer.token(id).unwrap_or_else(|| format!("token {id}"));
    Ok(About {
        source: match &opened.source {
            BaseSource::Lab => "built in".to_owned(),
            _ => written.to_owned(),
        },
        folder: opened.folder().cloned(),
        architecture: format!("{:?}", config.architecture),
        parameters: base.parameters(),
        layers: config.layers,
        hidden_size: config.hidden_size,
        heads: config.heads,
        kv_heads: config.kv_heads,
        context: config.max_positions,
        dtypes,
        bytes,
        vocabulary: config.vocab_size,
        tokens: tokenizer.vocab_size(),
        chat_template: template.is_some(),
        end_tokens: base.folder.stops().into_iter().map(shown).collect(),
        hash: base.hash.to_string(),
        memory_full: memory(&full),
        memory_lora: memory(&lora),
        torch_recommended: advice.torch,
        advice: advice.why,
    })
}

fn show(about: &About) {
    let number = |n: u64| HumanCount(n).to_string();
    let mut lines = vec![
        ("model", about.source.clone()),
        ("architecture", format!("{}, {} parameters", about.architecture, number(about.parameters))),
        (
            "sizes",
            format!(
                "{} layers of width {}, {} heads ({} of keys and values), {} positions",
                about.layers,
                number(about.hidden_size as u64),
                about.heads,
                about.kv_heads,
                number(about.context as u64)
            ),
        ),
        ("weights", format!("{}, {}", about.dtypes.join(" and "), BinaryBytes(about.bytes))),
        (
            "tokenizer",
            format!(
                "{} tokens; the embedding has {} rows",
                number(about.tokens as u64),
                number(about.vocabulary as u64)
            ),
        ),
        (
            "chat template",
            match about.chat_template {
                true => "yes".to_owned(),
                false => "none: it can be trained on documents, not on chats".to_owned(),
            },
        ),
        (
            "a text ends at",
            match about.end_tokens.is_empty() {
                true => {
                    "no token: neither generation_config.json nor config.json nor the tokenizer names one"
                        .to_owned()
                }
                false => about.end_tokens.join(" "),
            },
        ),
        ("hash", about.hash.clone()),
        (
            "memory",
            format!(
                "to train with the native engine and the default recipe: {} for all weights, {} for the published LoRA",
                BinaryBytes(about.memory_full),
                BinaryBytes(about.memory_lora)
            ),
        ),
        ("engine", format!("{}: {}", if about.torch_recommended { "torch" } else { "native" }, about.advice)),
    ];
    if let Some(folder) = &about.folder {
        lines.insert(1, ("folder", folder.display().to_string()));
    }
    for (name, value) in lines {
        output::line(&format!("{name:<16}{value}"));
    }
}
