//! Conversations in Parquet files, read row by row: of the file's columns only those that we need.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::AsBytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};

use crate::instructions::conversation::{Conversation, Message};
use crate::instructions::import::{ImportError, list};

/// The rows of a file's bytes with their numbers, counted from 1; `path` is for messages.
pub(crate) fn rows(path: &Path, bytes: Vec<u8>) -> Result<Vec<(usize, Conversation)>, ImportError> {
    let file = |problem: String| ImportError::File { path: path.to_path_buf(), problem };
    // The reader meets some layouts that it does not know with a panic.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    match read {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(Problem::File(problem))) => Err(file(problem)),
        Ok(Err(Problem::Row(row, problem))) => {
            Err(ImportError::Row { path: path.to_path_buf(), row, problem })
        }
        Err(_) => Err(file("its layout cannot be read; save it as JSON Lines".to_string())),
    }
}

enum Problem {
    File(String),
    Row(usize, String),
}

impl From<ParquetError> for Problem {
    fn from(error: ParquetError) -> Problem {
        Problem::File(format!("not a Parquet file that can be read: {error}"))
    }
}

fn read(bytes: Vec<u8>) -> Result<Vec<(usize, Conversation)>, Problem> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
    let metadata = reader.metadata();
    let root = metadata.file_metadata().schema();
    let names: Vec<&str> = root.get_fields().iter().map(|field| field.name()).collect();
    let wanted: &[&str] = if names.contains(&"messages") {
        &["messages"]
    } else if names.contains(&"prompt") && names.contains(&"response") {
        &["prompt", "response"]
    } else {
        let names: Vec<&str> = names.into_iter().take(8).collect();
        let problem =
            format!("it needs a column `messages`, or `prompt` and `response`; it has {}", list(&names));
        return Err(Problem::File(problem));
    };
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let compression = column.compression();
        if !matches!(compression, Compression::UNCOMPRESSED | Compression::SNAPPY) {
            return Err(Problem::File(format!(
                "it is compressed with {compression}, which is not supported; save it with snappy, uncompressed, or as JSON Lines"
            )));
        }
    }
    let fields: Vec<TypePtr> =
        root.get_fields().iter().filter(|field| wanted.contains(&field.name())).map(Arc::clone).collect();
    let projection = Type::group_type_builder(root.name()).with_fields(fields).build()?;
    let mut rows = Vec::new();
    for (index, row) in reader.get_row_iter(Some(projection))?.enumerate() {
        let number = index + 1;
        rows.push((number, conversation(row?).map_err(|problem| Problem::Row(number, problem))?));
    }
    Ok(rows)
}

fn conversation(row: Row) -> Result<Conversation, String> {
    let mut pair = (String::new(), String::new());
    for (name, field) in row.into_columns() {
        match name.as_str() {
            "messages" => return messages(field),
            "prompt" => pair.0 = text(&name, field)?,
            _ => pair.1 = text(&name, field)?,
        }
    }
    Ok(Conversation::pair(pair.0, pair.1))
}

fn messages(field: Field) -> Result<Conversation, String> {
    let list = match field {
        Field::ListInternal(list) => list,
        Field::Null => return Ok(Conversation { messages: Vec::new() }),
        _ => return Err("`messages` is not a list".to_string()),
    };
    let message = |(index, field): (usize, &Field)| {
        let number = index + 1;
        let Field::Group(group) = field else {
            return Err(format!("message {number} is not a group of `role` and `content`"));
        };
        let mut message = Message::new("", "");
        for (name, field) in group.get_column_iter() {
            match name.as_str() {
                "role" => message.role = text(name, field.clone())?,
                "content" => message.content = text(name, field.clone())?,
                _ => {}
            }
        }
        match message.role.is_empty() {
            true => Err(format!("message {number} has no `role`")),
            false => Ok(message),
        }
    };
    let messages = list.elements().iter().enumerate().map(message).collect::<Result<_, String>>()?;
    Ok(Conversation { messages })
}

/// A text; none is an empty one, and the row is then counted as unusable.
fn text(name: &str, field: Field) -> Result<String, String> {
    match field {
        Field::Str(text) => Ok(text),
        Field::Bytes(bytes) => String::from_utf8(bytes.as_bytes().to_vec())
            .map_err(|_| format!("its `{name}` is not UTF-8 text")),
        Field::Null => Ok(String::new()),
        _ => Err(format!("its `{name}` is not a string")),
    }
}
