//! What both kinds of request have in common.

use model::Sampling;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::ApiError;
use super::fields::Fields;

/// How texts are to be continued.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The model's name.
    pub model: String,
    /// How many answers to each prompt.
    pub choices: usize,
    /// How tokens are drawn; each choice has a seed of its own, from this one on.
    pub sampling: Sampling,
    /// Texts that end an answer.
    pub stops: Vec<String>,
    /// Whether the answer is sent as it comes.
    pub streams: bool,
    /// Whether a stream ends with what it took.
    pub streams_usage: bool,
}

/// The most stop strings, as in OpenAI's API.
const STOPS: usize = 4;

impl Asked {
    /// Reads them.
    pub fn read(fields: Fields, most_choices: usize) -> Result<Asked, ApiError> {
        let model = fields.text("model")?.to_owned();
        for (name, neutral) in [
            ("suffix", vec![json!("")]),
            ("tools", vec![json!([])]),
            ("functions", vec![json!([])]),
            ("tool_choice", vec![json!("none"), json!("auto")]),
            ("function_call", vec![json!("none"), json!("auto")]),
            ("response_format", vec![json!({ "type": "text" })]),
            ("modalities", vec![json!(["text"])]),
            ("audio", vec![]),
            ("prediction", vec![]),
            ("web_search_options", vec![]),
        ] {
            fields.unsupported(name, &neutral)?;
        }
        let choices = fields.integer("n", 1..=most_choices as u64)?.unwrap_or(1) as usize;
        if fields.get("best_of").is_some_and(|best| *best != json!(choices)) {
            return Err(ApiError::unsupported(
                "best_of",
                "`best_of` other than `n` is not supported by this server",
            ));
        }
        let streams = fields.flag("stream")?.unwrap_or(false);
        let streams_usage = match fields.object("stream_options")? {
            Some(options) => options.get("include_usage").and_then(Value::as_bool).unwrap_or(false),
            None => false,
        };
        let defaults = Sampling::default();
        let sampling = Sampling {
            temperature: fields.number("temperature", 0.0..=2.0)?.unwrap_or(defaults.temperature),
            top_p: fields.number("top_p", 0.0..=1.0)?.unwrap_or(defaults.top_p),
            top_k: top_k(fields)?,
            seed: match fields.get("seed") {
                Some(seed) => read_seed(seed)?,
                None => a_seed(),
            },
            presence_penalty: fields.number("presence_penalty", -2.0..=2.0)?.unwrap_or(0.0),
            frequency_penalty: fields.number("frequency_penalty", -2.0..=2.0)?.unwrap_or(0.0),
            bias: bias(fields)?,
        };
        Ok(Asked { model, choices, sampling, stops: fields.texts("stop", STOPS)?, streams, streams_usage })
    }

    /// The sampling of a choice.
    pub fn sampling_of(&self, choice: usize) -> Sampling {
        Sampling { seed: self.sampling.seed.wrapping_add(choice as u64), ..self.sampling.clone() }
    }
}

/// Some servers take -1 for all.
fn top_k(fields: Fields) -> Result<usize, ApiError> {
    if fields.get("top_k") == Some(&json!(-1)) {
        return Ok(0);
    }
    Ok(fields.integer("top_k", 0..=u64::from(u32::MAX))?.unwrap_or(0) as usize)
}

fn read_seed(seed: &Value) -> Result<u64, ApiError> {
    let number = seed.as_u64().or(seed.as_i64().map(i64::cast_unsigned));
    number.ok_or_else(|| ApiError::field("seed", "`seed` has to be a whole number"))
}

/// A seed for a request that has none: another one each time.
fn a_seed() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    now ^ COUNT.fetch_add(1, Ordering::Relaxed).rotate_right(16)
}

fn bias(fields: Fields) -> Result<Vec<(u32, f64)>, ApiError> {
    let wrong = || {
        ApiError::field(
            "logit_bias",
            "`logit_bias` has to be an object of token ids with numbers from -100 to 100",
        )
    };
    let read = |(token, bias): (&String, &Value)| {
        let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias)).ok_or_else(wrong)?;
        Ok((token.parse().map_err(|_| wrong())?, bias))
    };
    fields.object("logit_bias")?.into_iter().flatten().map(read).collect()
}
