//! A user's general conversations, from JSON Lines or Parquet.
//!
//! A file of millions of rows has odd ones. One that is not JSON at all is an error; a conversation that cannot be trained
//! on (no reply, an empty message, a tool's role) is left out and counted.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use store::{Hash, StoreError};

use crate::instructions::conversation::{Conversation, Message};
use crate::instructions::parquet;

/// A file that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line, or a row of a Parquet file, is not what it should be.
    #[error("{}:{row}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line or row, counted from 1.
        row: usize,
        /// What is wrong with it, and what is expected.
        problem: String,
    },
    /// The file as a whole is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file's name, without its folder.
    pub file_name: String,
    /// The hash of the file.
    pub hash: Hash,
    /// The rows, each with its line or row number, counted from 1.
    pub rows: Vec<(usize, Conversation)>,
    /// Rows that cannot be trained on: number and reason.
    pub unusable: Vec<(usize, String)>,
}

/// Reads a file of `{"messages": [{"role", "content"}]}` or `{"prompt", "response"}` rows; `.parquet` files have columns of
/// these names. Other keys and columns are ignored.
///
/// # Errors
/// If the file cannot be read, is damaged, has neither form, or has no rows.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    let bytes = store::read(path)?;
    let hash = store::hash_bytes(&bytes);
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    let is_parquet = named || bytes.starts_with(b"PAR1");
    let found = if is_parquet { parquet::rows(path, bytes)? } else { lines(path, &bytes)? };
    if found.is_empty() {
        return Err(ImportError::File {
            path: path.to_path_buf(),
            problem: "the file has no rows".to_string(),
        });
    }
    let (mut rows, mut unusable) = (Vec::new(), Vec::new());
    for (number, conversation) in found {
        match conversation.fault() {
            None => rows.push((number, conversation)),
            Some(reason) => unusable.push((number, reason)),
        }
    }
    let file_name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(Imported { file_name, hash, rows, unusable })
}

fn lines(path: &Path, bytes: &[u8]) -> Result<Vec<(usize, Conversation)>, ImportError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut rows = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let conversation = parse(line).map_err(|problem| ImportError::Row {
            path: path.to_path_buf(),
            row: index + 1,
            problem,
        })?;
        rows.push((index + 1, conversation));
    }
    Ok(rows)
}

/// One line as a conversation, or what is wrong with it.
fn parse(line: &[u8]) -> Result<Conversation, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8 text".to_string())?;
    let value: Value = serde_json::from_str(line).map_err(|error| {
        // The parser counts lines within this one, which would mislead.
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default();
        format!("not JSON: {problem} (column {})", error.column())
    })?;
    let Value::Object(fields) = value else {
        return Err("a row is a JSON object, such as {\"messages\": [...]}".to_string());
    };
    if let Some(messages) = fields.get("messages") {
        return conversation(messages);
    }
    let text = |key: &str| match fields.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("its `{key}` is not a string")),
        None => Err(form(&fields)),
    };
    Ok(Conversation::pair(text("prompt")?, text("response")?))
}

fn form(fields: &Map<String, Value>) -> String {
    let keys: Vec<&str> = fields.keys().map(String::as_str).take(8).collect();
    format!("a row needs `messages`, or `prompt` and `response`; this one has {}", list(&keys))
}

/// Names for a message.
pub(crate) fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".to_string();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn conversation(messages: &Value) -> Result<Conversation, String> {
    let Some(messages) = messages.as_array() else {
        return Err("`messages` is not a list".to_string());
    };
    let message = |(index, value): (usize, &Value)| {
        let number = index + 1;
        let role = value["role"].as_str().ok_or_else(|| format!("message {number} has no `role`"))?;
        // A call of a tool has no content; such rows are counted as unusable.
        let content = match &value["content"] {
            Value::String(content) => content.as_str(),
            Value::Null => "",
            _ => return Err(format!("message {number}: its `content` is not a string")),
        };
        Ok(Message::new(role, content))
    };
    let messages = messages.iter().enumerate().map(message).collect::<Result<_, String>>()?;
    Ok(Conversation { messages })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Imported, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, text).unwrap();
        import(&path).map_err(|error| {
            let text = error.to_string();
            text[text.find("rows.jsonl").unwrap_or(0)..].to_string()
        })
    }

    #[test]
    fn both_forms_are_read_and_odd_rows_counted() {
        let imported = read(
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}], \"id\": 3}\n\n\
             {\"prompt\": \"2+2\", \"response\": \"4\"}\n\
             {\"prompt\": \"2+2\", \"response\": \" \"}\n\
             {\"messages\": [{\"role\": \"tool\", \"content\": \"x\"}]}\n",
        )
        .unwrap();
        assert_eq!(
            imported.rows,
            [(1, Conversation::pair("Hi", "Hello")), (3, Conversation::pair("2+2", "4"))]
        );
        let numbers: Vec<usize> = imported.unusable.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [4, 5]);
    }

    #[test]
    fn faults_name_the_line_and_what_to_do() {
        for (text, message) in [
            ("", "rows.jsonl: the file has no rows"),
            ("{\"prompt\": 3, \"response\": \"\"}", "rows.jsonl:1: its `prompt` is not a string"),
            (
                "\n{\"text\": \"a\"}",
                "rows.jsonl:2: a row needs `messages`, or `prompt` and `response`; this one has `text`",
            ),
            ("{]", "rows.jsonl:1: not JSON: key must be a string (column 2)"),
            ("[1]", "rows.jsonl:1: a row is a JSON object, such as {\"messages\": [...]}"),
            ("{\"messages\": [{}]}", "rows.jsonl:1: message 1 has no `role`"),
        ] {
            assert_eq!(read(text).unwrap_err(), message);
        }
    }
}
