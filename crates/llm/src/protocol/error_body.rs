//! What the body of an error says. Servers agree on little: there are at least five shapes.

use serde_json::Value;

/// The longest message that is passed on.
const LONGEST: usize = 300;

/// What the body of an error says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ErrorBody {
    /// For people.
    pub(crate) message: String,
    /// Every word that stands for the kind of error: type, code, inner code.
    pub(crate) codes: Vec<String>,
    /// Whether the body has the shape of an API's error.
    pub(crate) is_api: bool,
}

impl ErrorBody {
    pub(crate) fn parse(body: &[u8]) -> ErrorBody {
        match serde_json::from_slice::<Value>(body) {
            Ok(value @ Value::Object(_)) => ErrorBody::of(&value),
            _ => ErrorBody { message: shorten(&String::from_utf8_lossy(body)), ..ErrorBody::default() },
        }
    }

    /// `{"error": {"message", "type", "code"}}` (both providers), `{"error": "..."}` (Ollama), `{"object": "error",
    /// "message"}` (vLLM), `{"detail": ...}` (FastAPI).
    pub(crate) fn of(value: &Value) -> ErrorBody {
        let error = &value["error"];
        let is_vllm = value["object"] == "error";
        let inner = if error.is_object() { error } else { value };
        let message = [&inner["message"], error, &value["detail"]]
            .into_iter()
            .find_map(|message| message.as_str().map(str::to_owned))
            .unwrap_or_else(|| inner.to_string());
        let mut codes = Vec::new();
        for code in [&inner["type"], &inner["code"], &inner["details"]["error_code"]] {
            match code {
                Value::String(code) => codes.push(code.clone()),
                Value::Number(code) => codes.push(code.to_string()),
                _ => {}
            }
        }
        let is_api = is_vllm || error.is_object() || error.is_string();
        ErrorBody { message: shorten(&message), codes, is_api }
    }

    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    pub(crate) fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// Whether it is about the name of the model.
    pub(crate) fn is_about_model(&self) -> bool {
        self.has_code(&["model_not_found", "invalid_model", "model_not_available"])
            // transformers serve, which has one model and calls it by its folder.
            || self.says(&["server is pinned to"])
            || (self.says(&["model"])
                && (self.has_code(&["not_found_error", "NotFoundError"])
                    || self.says(&[
                        "not found",
                        "does not exist",
                        "doesn't exist",
                        "not exist",
                        "unknown model",
                        "no such model",
                        "not a valid model",
                        "invalid model",
                    ])))
    }

    /// Whether no more money is there: waiting does not help.
    pub(crate) fn is_about_credit(&self) -> bool {
        self.has_code(&[
            "insufficient_quota",
            "billing_error",
            "billing_hard_limit_reached",
            "enforced_spend_limit_reached",
        ]) || self.says(&[
            "credit balance",
            "insufficient credits",
            "spend limit",
            "exceeded your current quota",
        ])
    }

    /// Whether it is about this one prompt: too long, or not liked by a filter.
    pub(crate) fn is_about_prompt(&self) -> bool {
        self.has_code(&[
            "context_length_exceeded",
            "content_filter",
            "content_policy_violation",
            "invalid_prompt",
            "request_too_large",
        ]) || self.says(&["context length", "context window", "too long", "flagged", "content policy"])
    }
}

fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_shapes_are_read() {
        let message = |body: &str| {
            let parsed = ErrorBody::parse(body.as_bytes());
            (parsed.message, parsed.codes.join(","), parsed.is_api)
        };
        let is = |text: &str, codes: &str, api| (text.to_owned(), codes.to_owned(), api);
        let anthropic =
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#;
        assert_eq!(message(anthropic), is("Overloaded", "overloaded_error", true));
        let openai = r#"{"error":{"message":"No.","type":"t","param":null,"code":"c"}}"#;
        assert_eq!(message(openai), is("No.", "t,c", true));
        assert_eq!(message(r#"{"error":"model 'x' not found"}"#), is("model 'x' not found", "", true));
        let vllm = r#"{"object":"error","message":"M","type":"BadRequestError","param":null,"code":400}"#;
        assert_eq!(message(vllm), is("M", "BadRequestError,400", true));
        assert_eq!(message(r#"{"detail":"Not Found"}"#), is("Not Found", "", false));
        assert_eq!(message("<html>\n <b>502</b>"), is("<html> <b>502</b>", "", false));
        assert!(message(&"ä".repeat(1000)).0.len() < 700);
    }

    #[test]
    fn kinds_are_told_apart() {
        let body = |text: &str| ErrorBody::parse(text.as_bytes());
        assert!(body(r#"{"error":{"type":"not_found_error","message":"model: claude-x"}}"#).is_about_model());
        assert!(
            body(r#"{"error":{"message":"The model `x` does not exist or you do not have access to it."}}"#)
                .is_about_model()
        );
        assert!(!body(r#"{"detail":"Not Found"}"#).is_about_model());
        assert!(body(r#"{"detail":"Server is pinned to '/a'; requested 'b'."}"#).is_about_model());
        assert!(body(r#"{"error":{"code":"insufficient_quota","message":"..."}}"#).is_about_credit());
        assert!(
            body(r#"{"error":{"message":"prompt is too long: 300000 tokens > 200000"}}"#).is_about_prompt()
        );
    }
}
