//! Arguments of `model chat`.

use clap::Args;

use super::serve::Models;

/// Arguments of `model chat`.
#[derive(Debug, Args)]
pub struct Chat {
    /// The models.
    #[command(flatten)]
    pub models: Models,
    /// Which of the models to talk to, by the name that `whyfirst serve` lists it under [default: the first]
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// A variable of the chat template, such as enable_thinking=false; may be given several times
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<(String, serde_json::Value)>,
    /// What logits are divided by; 0 always takes the likeliest word
    #[arg(long, value_name = "X", default_value_t = 0.7, value_parser = clap::value_parser!(f64))]
    pub temperature: f64,
    /// The share of the probability that is drawn from, likeliest first
    #[arg(long, value_name = "P", default_value_t = 1.0)]
    pub top_p: f64,
    /// The number of likeliest tokens that are drawn from [default: all]
    #[arg(long, value_name = "K", default_value_t = 0, hide_default_value = true)]
    pub top_k: usize,
    /// What the draws depend on, besides the words
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The longest answer, in tokens
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: u32,
    /// Print a line of JSON for every answer instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Reads a name and a value: a JSON value, or else a text.
fn variable(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected a name and a value with = between them")?;
    Ok((name.trim().to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}
