//! A user's own rows, from JSON Lines.

use std::path::Path;

use model::Message;
use serde_json::{Map, Value};

use crate::corpus::{Corpus, Kind, Source};
use crate::error::{CorpusError, Result};
use crate::row::Row;

/// Reads a JSONL file of `{"text": ...}` (documents) or `{"messages": [{"role", "content"}]}` (chats, instructions).
/// Empty lines and other keys are ignored; `count` says how many tokens a row is.
///
/// # Errors
/// Names the file and the line of the first row that is not of the kind asked for; an empty file is an error too.
pub fn import(
    name: &str,
    kind: Kind,
    path: &Path,
    mut count: impl FnMut(&Row) -> Result<usize>,
) -> Result<Corpus> {
    let bytes = store::read(path)?;
    let rows = rows(kind, path, &bytes)?;
    if rows.is_empty() {
        return Err(CorpusError::Empty { path: path.to_path_buf() });
    }
    let mut tokens = 0;
    for row in &rows {
        tokens += count(row)? as u64;
    }
    let file_name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let source = Source::File { file_name, hash: store::hash_bytes(&bytes) };
    Ok(Corpus { name: name.to_string(), kind, source, rows, tokens })
}

/// The rows of a JSONL file's bytes, as [`import`] reads them; `path` is for messages.
///
/// # Errors
/// Names the line of the first row that is not of the kind asked for.
pub fn rows(kind: Kind, path: &Path, bytes: &[u8]) -> Result<Vec<Row>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut rows = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = row(kind, line).map_err(|problem| CorpusError::Line {
            path: path.to_path_buf(),
            line: index + 1,
            problem,
        })?;
        rows.push(row);
    }
    Ok(rows)
}

/// One line as a row, or what is wrong with it.
pub(crate) fn row(kind: Kind, line: &[u8]) -> std::result::Result<Row, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8 text".to_string())?;
    let value: Value = serde_json::from_str(line).map_err(|error| {
        // The parser counts lines within this one, which would mislead.
        format!("not JSON: {} (column {})", problem(&error), error.column())
    })?;
    let Value::Object(fields) = value else {
        return Err("a row is a JSON object, such as {\"text\": \"...\"}".to_string());
    };
    match (kind, fields.contains_key("text"), fields.contains_key("messages")) {
        (_, true, true) => Err("a row has either `text` or `messages`, not both".to_string()),
        (Kind::Documents, true, false) => document(&fields),
        (Kind::Documents, ..) => Err("a row of documents needs a `text`".to_string()),
        (Kind::Chats | Kind::Instructions, false, true) => chat(&fields),
        (Kind::Chats | Kind::Instructions, ..) => Err(format!("a row of {kind} needs `messages`")),
    }
}

/// What a parser says, without its own count of lines.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}

fn document(fields: &Map<String, Value>) -> std::result::Result<Row, String> {
    match fields["text"].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(Row::Document { text: text.to_string() }),
        Some(_) => Err("the `text` is empty".to_string()),
        None => Err("the `text` is not a string".to_string()),
    }
}

fn chat(fields: &Map<String, Value>) -> std::result::Result<Row, String> {
    let Some(list) = fields["messages"].as_array() else {
        return Err("`messages` is not a list".to_string());
    };
    let messages = list
        .iter()
        .enumerate()
        .map(|(index, value)| message(value).map_err(|problem| format!("message {}: {problem}", index + 1)))
        .collect::<std::result::Result<Vec<Message>, String>>()?;
    if !messages.iter().any(|message| message.role == "assistant" && !message.content.trim().is_empty()) {
        return Err("no message is the assistant's, so there is nothing to train on".to_string());
    }
    Ok(Row::Chat { messages })
}

fn message(value: &Value) -> std::result::Result<Message, String> {
    let role = value["role"].as_str().ok_or("it has no `role`")?;
    if !["system", "user", "assistant"].contains(&role) {
        return Err(format!("unknown role `{role}`: use system, user or assistant"));
    }
    let content = value["content"].as_str().ok_or("its `content` is not a string")?;
    let name = match &value["name"] {
        Value::Null => None,
        Value::String(name) => Some(name.clone()),
        _ => return Err("its `name` is not a string".to_string()),
    };
    Ok(Message { role: role.to_string(), name, content: content.to_string() })
}
