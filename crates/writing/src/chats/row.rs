//! Rows of chats, and their twins without the reasoning.

use serde_json::{Value, json};

/// What stands around the reasoning, before the reply.
const OPEN: &str = "<think>\n";
const CLOSE: &str = "\n</think>\n\n";

/// The row of a question and its reply: `{"messages": [...]}`, with the reasoning, if there is some, in a think block before
/// the reply.
pub fn chat_row(question: &str, reasoning: Option<&str>, reply: &str) -> String {
    let content = match reasoning {
        Some(reasoning) => format!("{OPEN}{reasoning}{CLOSE}{reply}"),
        None => reply.to_string(),
    };
    json!({"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": content}]})
        .to_string()
}

/// The same row without the think block before each reply of the assistant: exactly the block is taken away, and a row that
/// has none stays as it is. A corpus and its twin have the same rows in the same order.
///
/// # Errors
/// If the row is not `{"messages": [...]}`.
pub fn without_reasoning(row: &str) -> Result<String, String> {
    let mut value: Value =
        serde_json::from_str(row).map_err(|error| format!("the row is not JSON: {error}"))?;
    let messages =
        value.get_mut("messages").and_then(Value::as_array_mut).ok_or("the row has no `messages`")?;
    for message in messages.iter_mut().filter(|message| message["role"] == "assistant") {
        let stripped = message["content"].as_str().and_then(strip).map(str::to_string);
        if let Some(reply) = stripped {
            message["content"] = Value::String(reply);
        }
    }
    Ok(value.to_string())
}

/// The reply after a think block.
fn strip(content: &str) -> Option<&str> {
    let rest = content.strip_prefix(OPEN)?;
    rest.find(CLOSE).map(|end| &rest[end + CLOSE.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_twin_is_the_row_without_its_block(
            question in ".{1,40}", reasoning in "[a-z\n<>/ ]{0,40}", reply in "(?s).{0,40}",
        ) {
            prop_assume!(!reasoning.contains("</think>"));
            let plain = chat_row(&question, None, &reply);
            prop_assert_eq!(without_reasoning(&chat_row(&question, Some(&reasoning), &reply)).unwrap(), plain.clone());
            if !reply.starts_with(OPEN) {
                prop_assert_eq!(without_reasoning(&plain).unwrap(), plain);
            }
        }
    }

    #[test]
    fn only_the_assistants_block_goes() {
        let row = chat_row("<think>\nhm\n</think>\n\nhello", Some("a\n\nb"), "<think> is a tag");
        let twin: Value = serde_json::from_str(&without_reasoning(&row).unwrap()).unwrap();
        assert_eq!(twin["messages"][0]["content"], "<think>\nhm\n</think>\n\nhello");
        assert_eq!(twin["messages"][1]["content"], "<think> is a tag");
        assert!(without_reasoning("{\"text\": \"a\"}").is_err());
        assert!(without_reasoning("{").is_err());
    }
}
