//! Chat completions, as documented at <https://platform.openai.com/docs/api-reference/chat> and as vLLM, llama.cpp, Ollama
//! and OpenRouter serve them.

use serde::{Deserialize, Serialize};

use super::Parsed;
use crate::call::{Prompt, Speaker, Stop, Usage};
use crate::settings::{MaxTokensField, Model, Reasoning};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

pub(super) fn body(model: &Model, prompt: &Prompt) -> Vec<u8> {
    let limit = model.output_limit(prompt);
    let new_name = match model.max_tokens_field {
        MaxTokensField::Auto => model.base().starts_with("https://api.openai.com"),
        MaxTokensField::MaxTokens => false,
        MaxTokensField::MaxCompletionTokens => true,
    };
    let system = Message { role: "system", content: &prompt.system };
    let turns = prompt.turns.iter().map(|turn| Message {
        role: match turn.speaker {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        },
        content: &turn.text,
    });
    let body = Body {
        model: &model.name,
        messages: std::iter::once(system).filter(|system| !system.content.is_empty()).chain(turns).collect(),
        max_tokens: (!new_name).then_some(limit),
        max_completion_tokens: new_name.then_some(limit),
        temperature: prompt.temperature.filter(|_| model.temperature),
        reasoning_effort: model.effort.as_deref().filter(|_| model.reasoning != Reasoning::None),
    };
    // Strings and numbers always can be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
    #[serde(default, deserialize_with = "super::counts")]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

pub(super) fn parse(body: &[u8]) -> Result<Parsed, String> {
    let reply: Reply = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let usage = reply.usage.map(|counts| {
        // What was read from the cache or put there is part of the prompt's tokens there.
        let details = counts.prompt_tokens_details;
        let of = |pick: fn(&InputDetails) -> Option<u64>| details.as_ref().and_then(pick).unwrap_or(0);
        let cache_read = of(|details| details.cached_tokens).min(counts.prompt_tokens);
        let uncached = counts.prompt_tokens - cache_read;
        let cache_write = of(|details| details.cache_write_tokens).min(uncached);
        Usage {
            input: uncached - cache_write,
            output: counts.completion_tokens,
            reasoning: counts
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or(0),
            cache_read,
            cache_write,
        }
    });
    let choice = reply.choices.into_iter().next().ok_or("it has no `choices`")?;
    let refusal = choice.message.refusal.filter(|refusal| !refusal.is_empty());
    let stop = match choice.finish_reason.as_deref() {
        _ if refusal.is_some() => Stop::Refusal,
        Some("stop") => Stop::End,
        Some("length") => Stop::Length,
        Some("content_filter") => Stop::Refusal,
        _ => Stop::Other,
    };
    Ok(Parsed { text: choice.message.content.or(refusal).unwrap_or_default(), stop, usage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Budget, Turn};
    use crate::settings::Protocol;

    fn prompt(system: &str) -> Prompt {
        Prompt {
            system: system.to_owned(),
            turns: vec![Turn { speaker: Speaker::User, text: "Hi".to_owned() }],
            budget: Budget { planning: 2000, text: 50 },
            temperature: Some(0.5),
        }
    }

    #[test]
    fn bodies_are_these_bytes() {
        let mut model = Model::new(Protocol::OpenAi, "http://h/v1", "m");
        let text = |model: &Model, system: &str| String::from_utf8(body(model, &prompt(system))).unwrap();
        assert_eq!(
            text(&model, "Be brief."),
            r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"max_tokens":50,"temperature":0.5}"#
        );
        model.base_url = "https://api.openai.com/v1".to_owned();
        model.reasoning = Reasoning::Budget;
        model.effort = Some("low".to_owned());
        model.temperature = false;
        assert_eq!(
            text(&model, ""),
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":2050,"reasoning_effort":"low"}"#
        );
    }

    #[test]
    fn answers_are_read_with_their_tokens() {
        let parsed = parse(
            br#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":
                {"role":"assistant","content":"A","refusal":null},"logprobs":null,"finish_reason":"stop"}],
                "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,
                "prompt_tokens_details":{"cached_tokens":9,"cache_write_tokens":3,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":4}}}"#,
        )
        .unwrap();
        assert_eq!((parsed.text.as_str(), parsed.stop), ("A", Stop::End));
        let usage = Usage { input: 7, output: 10, reasoning: 4, cache_read: 9, cache_write: 3 };
        assert_eq!(parsed.usage, Some(usage));
    }

    #[test]
    fn an_answer_whose_tokens_cannot_be_read_is_an_answer() {
        let said = r#""choices":[{"message":{"content":"A"},"finish_reason":"stop"}]"#;
        for usage in
            ["", r#","usage":null"#, r#","usage":{}"#, r#","usage":{"prompt_tokens":-1}"#, r#","usage":"no""#]
        {
            let parsed = parse(format!("{{{said}{usage}}}").as_bytes()).unwrap();
            assert_eq!((parsed.text.as_str(), parsed.usage), ("A", None), "{usage}");
        }
    }

    #[test]
    fn only_a_natural_end_is_an_end() {
        let answer = |message: &str, reason: &str| {
            let body = format!(r#"{{"choices":[{{"message":{message},"finish_reason":{reason}}}]}}"#);
            let parsed = parse(body.as_bytes()).unwrap();
            (parsed.text, parsed.stop)
        };
        let said = r#"{"content":"A"}"#;
        assert_eq!(answer(said, "\"length\"").1, Stop::Length);
        assert_eq!(answer(said, "\"content_filter\"").1, Stop::Refusal);
        for other in ["\"tool_calls\"", "\"function_call\"", "\"new\"", "null"] {
            assert_eq!(answer(said, other).1, Stop::Other);
        }
        assert_eq!(answer(r#"{"content":null}"#, "\"stop\""), (String::new(), Stop::End));
        let refused = answer(r#"{"content":null,"refusal":"No."}"#, "\"stop\"");
        assert_eq!(refused, ("No.".to_owned(), Stop::Refusal));
        assert!(parse(br#"{"choices":[]}"#).is_err());
        assert!(parse(br#"{"error":{"message":"x"}}"#).is_err());
    }
}
