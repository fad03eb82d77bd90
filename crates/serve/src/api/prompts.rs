//! What a request wants continued.

use model::{Conversation, Runner};
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::fields::Fields;

/// New tokens of a chat that says nothing of them, at most: room is kept for all that may come.
const CHAT_TOKENS: usize = 4096;
/// The same of a completion, as in OpenAI's API.
const COMPLETION_TOKENS: usize = 16;

/// The prompts of a request, and what is wanted of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompts {
    /// Their tokens, with the most that may be added.
    pub prompts: Vec<(Vec<u32>, usize)>,
    /// Whether log-probabilities are wanted, and how many of the likeliest tokens with them.
    pub alternatives: Option<usize>,
    /// Whether the answer begins with the prompt.
    pub echo: bool,
}

/// A chat: messages through the model's template.
pub fn of_chat(fields: Fields, runner: &Runner) -> Result<Prompts, ApiError> {
    let folder = runner.folder();
    let template = folder.template.as_ref().ok_or_else(|| {
        ApiError::field("model", "the model has no chat template; POST /v1/completions continues plain texts")
    })?;
    let messages =
        fields.get("messages").and_then(Value::as_array).filter(|messages| !messages.is_empty()).ok_or_else(
            || ApiError::field("messages", "`messages` has to be a list of at least one message"),
        )?;
    let messages = messages.iter().enumerate().map(|(at, message)| read_message(at, message));
    let conversation = Conversation {
        messages: messages.collect::<Result<_, _>>()?,
        add_generation_prompt: fields.flag("add_generation_prompt")?.unwrap_or(true),
        variables: fields.object("chat_template_kwargs")?.cloned().unwrap_or_default(),
        ..Conversation::default()
    };
    let text = template.render_all(&conversation).map_err(|error| ApiError::from(error).of("messages"))?;
    let tokens = folder.tokenizer.encode(&text).map_err(|error| ApiError::from(error).of("messages"))?;
    let most = match fields.integer("max_completion_tokens", 1..=u64::from(u32::MAX))? {
        Some(most) => Some(most),
        None => fields.integer("max_tokens", 1..=u64::from(u32::MAX))?,
    };
    let rest = runner.positions().saturating_sub(tokens.len()).clamp(1, CHAT_TOKENS);
    let wanted = fields.flag("logprobs")?.unwrap_or(false);
    let likeliest = fields.integer("top_logprobs", 0..=20)?;
    if likeliest.is_some() && !wanted {
        return Err(ApiError::field("top_logprobs", "`top_logprobs` needs `logprobs` to be true"));
    }
    Ok(Prompts {
        prompts: vec![(tokens, most.map_or(rest, |most| most as usize))],
        alternatives: wanted.then_some(likeliest.unwrap_or(0) as usize),
        echo: false,
    })
}

/// A message as templates read it: its parts put together, `developer` by its older name.
fn read_message(at: usize, message: &Value) -> Result<Value, ApiError> {
    let field = |name: &str| format!("messages.{at}{name}");
    let wrong = |name: &str, what: &str| {
        let name = field(name);
        Err(ApiError::field(&name, format!("`{name}` {what}")))
    };
    let Some(fields) = message.as_object() else { return wrong("", "has to be an object") };
    let mut read: Map<String, Value> = fields.clone();
    match fields.get("role").and_then(Value::as_str) {
        Some("developer") => drop(read.insert("role".into(), "system".into())),
        Some("system" | "user" | "assistant" | "tool") => {}
        _ => return wrong(".role", "has to be system, developer, user, assistant or tool"),
    }
    let content = match fields.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| match part["type"] == "text" {
                true => part["text"].as_str().map(str::to_owned),
                false => None,
            };
            match parts.iter().map(text).collect::<Option<String>>() {
                Some(text) => text,
                None => return wrong(".content", "may have parts of the type text only"),
            }
        }
        _ => return wrong(".content", "has to be a text, or a list of parts of the type text"),
    };
    read.insert("content".into(), content.into());
    Ok(read.into())
}

/// A completion: texts or tokens, one prompt or several.
pub fn of_completion(fields: Fields, runner: &Runner) -> Result<Prompts, ApiError> {
    let most = fields
        .integer("max_tokens", 0..=u64::from(u32::MAX))?
        .map_or(COMPLETION_TOKENS, |most| most as usize);
    let echo = fields.flag("echo")?.unwrap_or(false);
    let alternatives = fields.integer("logprobs", 0..=5)?.map(|count| count as usize);
    if most == 0 && !echo {
        return Err(ApiError::field("max_tokens", "`max_tokens` may be 0 only with `echo`"));
    }
    let prompts = read_prompts(fields, runner)?;
    Ok(Prompts { prompts: prompts.into_iter().map(|tokens| (tokens, most)).collect(), alternatives, echo })
}

fn read_prompts(fields: Fields, runner: &Runner) -> Result<Vec<Vec<u32>>, ApiError> {
    let wrong = || {
        ApiError::of_type(
            "prompt",
            "`prompt` has to be a text, a list of tokens, or a list of one kind of these",
        )
    };
    let encode = |text: &str| {
        let tokens = runner.folder().tokenizer.encode_alone(text);
        tokens.map_err(|error| ApiError::from(error).of("prompt"))
    };
    let tokens = |list: &[Value]| -> Result<Vec<u32>, ApiError> {
        let token = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(wrong);
        list.iter().map(token).collect()
    };
    match fields.get("prompt").unwrap_or(&json!("")) {
        Value::String(text) => Ok(vec![encode(text)?]),
        Value::Array(list) if list.first().is_some_and(Value::is_number) => Ok(vec![tokens(list)?]),
        Value::Array(list) if !list.is_empty() => list
            .iter()
            .map(|prompt| match prompt {
                Value::String(text) => encode(text),
                Value::Array(list) => tokens(list),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}
