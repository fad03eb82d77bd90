//! Messages, as documented at <https://platform.claude.com/docs/en/api/messages>.

use serde::{Deserialize, Serialize};

use super::Parsed;
use crate::call::{Prompt, Speaker, Stop, Usage};
use crate::settings::{Model, Reasoning};

/// From so many bytes on a system message is marked as worth caching. Models cache prompts from 512 to 4,096 tokens on, and
/// ignore the mark on shorter ones, which then cost as without it.
const WORTH_CACHING: usize = 4096;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
}

#[derive(Serialize)]
struct Block<'a> {
    r#type: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct Thinking {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_tokens: Option<u32>,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    effort: &'a str,
}

pub(super) fn body(model: &Model, prompt: &Prompt) -> Vec<u8> {
    let cache_control =
        (prompt.system.len() >= WORTH_CACHING).then_some(CacheControl { r#type: "ephemeral" });
    let system = Block { r#type: "text", text: &prompt.system, cache_control };
    let thinking = thinking(model, prompt);
    let body = Body {
        model: &model.name,
        max_tokens: model.output_limit(prompt),
        // A block without text is an error there.
        system: if prompt.system.is_empty() { Vec::new() } else { vec![system] },
        messages: prompt
            .turns
            .iter()
            .map(|turn| Message {
                role: match turn.speaker {
                    Speaker::User => "user",
                    Speaker::Assistant => "assistant",
                },
                content: &turn.text,
            })
            .collect(),
        // A model that reasons takes no temperature.
        temperature: prompt.temperature.filter(|_| model.temperature && thinking.is_none()),
        thinking,
        output_config: model.effort.as_deref().map(|effort| OutputConfig { effort }),
    };
    // Strings and numbers always can be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

fn thinking(model: &Model, prompt: &Prompt) -> Option<Thinking> {
    let planning = model.planning(prompt);
    match model.reasoning {
        _ if planning == 0 => None,
        Reasoning::None => None,
        Reasoning::Budget => Some(Thinking { r#type: "enabled", budget_tokens: Some(planning) }),
        Reasoning::Adaptive => Some(Thinking { r#type: "adaptive", budget_tokens: None }),
    }
}

#[derive(Deserialize)]
struct Reply {
    content: Vec<Content>,
    stop_reason: Option<String>,
    #[serde(default, deserialize_with = "super::counts")]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Content {
    r#type: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

pub(super) fn parse(body: &[u8]) -> Result<Parsed, String> {
    let reply: Reply = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let text = reply.content.into_iter().filter(|part| part.r#type == "text").filter_map(|part| part.text);
    Ok(Parsed {
        text: text.collect(),
        stop: match reply.stop_reason.as_deref() {
            Some("end_turn") => Stop::End,
            Some("max_tokens" | "model_context_window_exceeded") => Stop::Length,
            Some("refusal") => Stop::Refusal,
            _ => Stop::Other,
        },
        usage: reply.usage.map(|counts| Usage {
            input: counts.input_tokens,
            output: counts.output_tokens,
            reasoning: counts.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0),
            cache_read: counts.cache_read_input_tokens.unwrap_or(0),
            cache_write: counts.cache_creation_input_tokens.unwrap_or(0),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Budget, Turn};
    use crate::settings::Protocol;

    fn prompt(system: &str) -> Prompt {
        Prompt {
            system: system.to_owned(),
            turns: vec![Turn { speaker: Speaker::User, text: "Hi \"you\"".to_owned() }],
            budget: Budget { planning: 100, text: 50 },
            temperature: Some(1.0),
        }
    }

    fn text(model: &Model, prompt: &Prompt) -> String {
        String::from_utf8(body(model, prompt)).unwrap()
    }

    #[test]
    fn bodies_are_these_bytes() {
        let mut model = Model::new(Protocol::Anthropic, "https://h", "m");
        assert_eq!(
            text(&model, &prompt("Be brief.")),
            r#"{"model":"m","max_tokens":50,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":"Hi \"you\""}],"temperature":1.0}"#
        );
        model.reasoning = Reasoning::Budget;
        assert_eq!(
            text(&model, &prompt("")),
            r#"{"model":"m","max_tokens":1074,"messages":[{"role":"user","content":"Hi \"you\""}],"thinking":{"type":"enabled","budget_tokens":1024}}"#
        );
        model.reasoning = Reasoning::Adaptive;
        model.effort = Some("low".to_owned());
        assert!(
            text(&model, &prompt(""))
                .ends_with(r#""thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}"#)
        );
        let long = "x".repeat(WORTH_CACHING);
        assert!(text(&model, &prompt(&long)).contains(r#"x","cache_control":{"type":"ephemeral"}}],"#));
    }

    #[test]
    fn answers_are_read_and_reasoning_left_out() {
        let parsed = parse(
            br#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[
                {"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"A"},{"type":"text","text":"B"}],
                "stop_reason":"end_turn","stop_sequence":null,
                "usage":{"input_tokens":10,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,"output_tokens":7,
                         "output_tokens_details":{"thinking_tokens":2},"service_tier":"standard"}}"#,
        )
        .unwrap();
        assert_eq!((parsed.text.as_str(), parsed.stop), ("AB", Stop::End));
        let usage = Usage { input: 10, output: 7, reasoning: 2, cache_read: 3, cache_write: 4 };
        assert_eq!(parsed.usage, Some(usage));
        let odd =
            parse(br#"{"content":[],"stop_reason":"end_turn","usage":{"input_tokens":"many"}}"#).unwrap();
        assert_eq!(odd.usage, None, "an answer all the same");
    }

    #[test]
    fn only_a_natural_end_is_an_end() {
        let stop = |reason: &str| {
            parse(format!(r#"{{"content":[],"stop_reason":{reason}}}"#).as_bytes()).unwrap().stop
        };
        assert_eq!(stop("\"max_tokens\""), Stop::Length);
        assert_eq!(stop("\"model_context_window_exceeded\""), Stop::Length);
        assert_eq!(stop("\"refusal\""), Stop::Refusal);
        for other in ["\"stop_sequence\"", "\"tool_use\"", "\"pause_turn\"", "\"new\"", "null"] {
            assert_eq!(stop(other), Stop::Other);
        }
        assert!(parse(br#"{"content":[]"#).is_err());
        assert!(parse(br#"{"type":"error","error":{"type":"api_error","message":"x"}}"#).is_err());
    }
}
