//! Log-probabilities in the two forms in which the API has them.

use model::{Scored, Tokenizer};
use serde_json::{Map, Value, json};

/// A token as a text: what it stands for, or, if that is a part of a character, its bytes.
fn name(tokenizer: &Tokenizer, token: u32) -> String {
    String::from_utf8(tokenizer.bytes(token)).unwrap_or_else(|error| {
        let bytes: String = error.as_bytes().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("bytes:{bytes}")
    })
}

/// What is no number is null: the first token of a text has nothing before it.
fn number(log_probability: f64) -> Value {
    // JSON has no infinity; this is what the API writes for what cannot be.
    if log_probability.is_nan() { Value::Null } else { json!(log_probability.max(-9999.0)) }
}

/// `logprobs.content` of a chat: one entry for each token.
pub fn of_chat(tokenizer: &Tokenizer, tokens: &[(Scored, usize)]) -> Vec<Value> {
    let entry = |token: u32, log_probability: f64| {
        json!({
            "token": name(tokenizer, token), "logprob": number(log_probability), "bytes": tokenizer.bytes(token),
        })
    };
    let one = |(scored, _): &(Scored, usize)| {
        let mut one = entry(scored.token, scored.log_probability);
        let likeliest = scored.alternatives.iter().map(|(token, log)| entry(*token, *log));
        one["top_logprobs"] = likeliest.collect::<Vec<Value>>().into();
        one
    };
    tokens.iter().map(one).collect()
}

/// `logprobs` of a completion: four lists, an entry in each for each token; `tokens` with the place where each begins.
pub fn of_completion(tokenizer: &Tokenizer, tokens: &[(Scored, usize)]) -> Value {
    let names: Vec<String> = tokens.iter().map(|(scored, _)| name(tokenizer, scored.token)).collect();
    let likeliest = |scored: &Scored| {
        if scored.log_probability.is_nan() {
            return Value::Null;
        }
        let own = (scored.token, scored.log_probability);
        let mut all = Map::new();
        for (token, log_probability) in scored.alternatives.iter().copied().chain([own]) {
            // Of two tokens of one text the likelier is there first.
            all.entry(name(tokenizer, token)).or_insert(number(log_probability));
        }
        Value::Object(all)
    };
    json!({
        "tokens": names,
        "token_logprobs": tokens.iter().map(|(scored, _)| number(scored.log_probability)).collect::<Vec<_>>(),
        "top_logprobs": tokens.iter().map(|(scored, _)| likeliest(scored)).collect::<Vec<_>>(),
        "text_offset": tokens.iter().map(|(_, at)| at).collect::<Vec<_>>(),
    })
}
