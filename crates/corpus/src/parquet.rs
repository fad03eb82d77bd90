//! A corpus as one Parquet file: `text` or `messages` as pyarrow, pandas and `datasets` read them, and where each row came
//! from in columns beside it.
//!
//! The same rows give the same bytes: there is no time in the file, and no version of a library.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use model::Message;
use serde_json::{Map, Value};

use crate::corpus::Kind;
use crate::row::Row;

/// A group of rows is written when its texts are this large: so much is in memory.
const GROUP_BYTES: usize = 64 << 20;
/// A group has no more rows than this.
const GROUP_ROWS: usize = 1 << 16;

/// What a column of provenance holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// A string as it is; anything else as JSON.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
}

/// The columns of provenance, in order. What a row says beyond them is in the last one, as JSON.
const COLUMNS: [(&str, Holds); 30] = [
    ("corpus", Holds::Text),
    ("path", Holds::Text),
    ("spec", Holds::Text),
    ("spec_hash", Holds::Text),
    ("section_ids", Holds::Text),
    ("sections", Holds::Text),
    ("domain", Holds::Text),
    ("subdomain", Holds::Text),
    ("context", Holds::Text),
    ("assertions", Holds::Text),
    ("type", Holds::Text),
    ("idea", Holds::Text),
    ("topic", Holds::Text),
    ("question_type", Holds::Text),
    ("question", Holds::Text),
    ("style", Holds::Text),
    ("prefer", Holds::Text),
    ("over", Holds::Text),
    ("templates", Holds::Text),
    ("models", Holds::Text),
    ("requests", Holds::Text),
    ("stop_reasons", Holds::Text),
    ("verdicts", Holds::Text),
    ("rewrites", Holds::Whole),
    ("input_tokens", Holds::Whole),
    ("output_tokens", Holds::Whole),
    ("cost_usd", Holds::Number),
    ("source", Holds::Text),
    ("license", Holds::Text),
    (OTHER, Holds::Text),
];

/// The column of what no other column is for.
const OTHER: &str = "other";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be written.
    #[error("the Parquet file cannot be written: {0}")]
    Write(#[from] ParquetError),
    /// A row is not what the file is for.
    #[error("row {row}: {problem}")]
    Row {
        /// The row, counted from 1.
        row: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// A Parquet file under construction.
pub struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    kind: Kind,
    names: bool,
    provenance: bool,
    rows: Vec<Row>,
    origins: Vec<Map<String, Value>>,
    bytes: usize,
    count: u64,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file of rows of this kind: with `provenance`, or only what is trained on. `names` says whether the messages
    /// have names, which most have not.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(sink: W, kind: Kind, provenance: bool, names: bool) -> Result<ParquetWriter<W>, ExportError> {
        let schema = Arc::new(parse_message_type(&schema(kind, provenance, names))?);
        let properties = WriterProperties::builder()
            .set_created_by("whyfirst".to_owned())
            .set_compression(Compression::SNAPPY)
            // The smallest and largest of texts are of no use to a reader.
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let file = SerializedFileWriter::new(sink, schema, Arc::new(properties))?;
        let (rows, origins) = (Vec::new(), Vec::new());
        Ok(ParquetWriter { file, kind, names, provenance, rows, origins, bytes: 0, count: 0 })
    }

    /// Adds a row, and the line of JSON that says where it came from; an empty line says nothing.
    ///
    /// # Errors
    /// When the row is of another kind, the line is not a JSON object, or the file cannot be written.
    pub fn push(&mut self, row: Row, provenance: &str) -> Result<(), ExportError> {
        self.count += 1;
        let wrong = |problem: &str| ExportError::Row { row: self.count, problem: problem.to_owned() };
        match (&row, self.kind) {
            (Row::Document { text }, Kind::Documents) => self.bytes += text.len(),
            (Row::Chat { messages }, Kind::Chats | Kind::Instructions) => {
                self.bytes += messages.iter().map(|message| message.content.len() + 16).sum::<usize>();
            }
            _ => return Err(wrong("it is not of the kind that the file is for")),
        }
        if self.provenance {
            let origin = match provenance.trim() {
                "" => Map::new(),
                line => {
                    serde_json::from_str(line).map_err(|_| wrong("its provenance is not a JSON object"))?
                }
            };
            self.bytes += provenance.len();
            self.origins.push(origin);
        }
        self.rows.push(row);
        if self.bytes >= GROUP_BYTES || self.rows.len() >= GROUP_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    /// Finishes the file and gives back what it was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<W, ExportError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        Ok(self.file.into_inner()?)
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let mut group = self.file.next_row_group()?;
        let rows = std::mem::take(&mut self.rows);
        match self.kind {
            Kind::Documents => texts(&mut group, &rows)?,
            Kind::Chats | Kind::Instructions => messages(&mut group, &rows, self.names)?,
        }
        drop(rows);
        if self.provenance {
            let mut origins = std::mem::take(&mut self.origins);
            for (name, holds) in COLUMNS {
                origin(&mut group, &mut origins, name, holds)?;
            }
        }
        group.close()?;
        self.bytes = 0;
        Ok(())
    }
}

/// A corpus as the bytes of a Parquet file; `provenance` has a line of JSON for each row, or is empty: then there are no
/// columns for it.
///
/// # Errors
/// When a row is not of the corpus's kind, or the provenance is not one line for each.
pub fn parquet(kind: Kind, rows: &[Row], provenance: &[String]) -> Result<Vec<u8>, ExportError> {
    if !provenance.is_empty() && provenance.len() != rows.len() {
        let problem = format!("there are {} rows and {} lines of provenance", rows.len(), provenance.len());
        return Err(ExportError::Row { row: rows.len().min(provenance.len()) as u64 + 1, problem });
    }
    let mut writer = ParquetWriter::new(Vec::new(), kind, !provenance.is_empty(), named(rows))?;
    for (index, row) in rows.iter().enumerate() {
        writer.push(row.clone(), provenance.get(index).map_or("", String::as_str))?;
    }
    writer.finish()
}

/// Whether some message has a name.
pub fn named(rows: &[Row]) -> bool {
    let has = |row: &Row| match row {
        Row::Document { .. } => false,
        Row::Chat { messages } => messages.iter().any(|message| message.name.is_some()),
    };
    rows.iter().any(has)
}

/// The columns of a file.
fn schema(kind: Kind, provenance: bool, names: bool) -> String {
    let mut schema = "message corpus {\n".to_owned();
    schema += match (kind, names) {
        (Kind::Documents, _) => "required binary text (STRING);\n",
        (_, false) => {
            "required group messages (LIST) { repeated group list { required group element {
             required binary role (STRING); required binary content (STRING); } } }\n"
        }
        (_, true) => {
            "required group messages (LIST) { repeated group list { required group element {
             required binary role (STRING); required binary content (STRING); optional binary name (STRING); } } }\n"
        }
    };
    if provenance {
        for (name, holds) in COLUMNS {
            schema += &match holds {
                Holds::Text => format!("optional binary {name} (STRING);\n"),
                Holds::Whole => format!("optional int64 {name};\n"),
                Holds::Number => format!("optional double {name};\n"),
            };
        }
    }
    schema + "}"
}

/// Writes the next column of a group.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) -> Result<(), ExportError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("a column too many".to_owned()).into());
    };
    column.typed::<T>().write_batch(values, definitions, repetitions)?;
    Ok(column.close()?)
}

fn texts<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[Row],
) -> Result<(), ExportError> {
    let text = |row: &Row| match row {
        Row::Document { text } => ByteArray::from(text.as_str()),
        Row::Chat { .. } => ByteArray::from(""),
    };
    let texts: Vec<ByteArray> = rows.iter().map(text).collect();
    column::<ByteArrayType, W>(group, &texts, None, None)
}

/// Every message is an entry of its row's list: the first one begins it (repetition 0), the others go on with it (1). A
/// list is empty (definition 0) or not (1); a name is there or not on top of that (2).
fn messages<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[Row],
    names: bool,
) -> Result<(), ExportError> {
    let (mut definitions, mut repetitions) = (Vec::new(), Vec::new());
    let mut all: Vec<&Message> = Vec::new();
    for row in rows {
        let Row::Chat { messages } = row else { continue };
        for at in 0..messages.len().max(1) {
            definitions.push(i16::from(!messages.is_empty()));
            repetitions.push(i16::from(at > 0));
        }
        all.extend(messages);
    }
    let columns: [fn(&Message) -> ByteArray; 2] = [
        |message| ByteArray::from(message.role.as_str()),
        |message| ByteArray::from(message.content.as_str()),
    ];
    for value in columns {
        let values: Vec<ByteArray> = all.iter().map(|message| value(message)).collect();
        column::<ByteArrayType, W>(group, &values, Some(&definitions), Some(&repetitions))?;
    }
    if names {
        let mut entries = all.iter();
        for definition in definitions.iter_mut().filter(|definition| **definition == 1) {
            *definition += i16::from(entries.next().is_some_and(|message| message.name.is_some()));
        }
        let values: Vec<ByteArray> =
            all.iter().filter_map(|message| Some(ByteArray::from(message.name.as_deref()?))).collect();
        column::<ByteArrayType, W>(group, &values, Some(&definitions), Some(&repetitions))?;
    }
    Ok(())
}

/// Writes a column of provenance, and takes what it wrote out of the rows: the last column has the rest.
fn origin<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    origins: &mut [Map<String, Value>],
    name: &str,
    holds: Holds,
) -> Result<(), ExportError> {
    let (mut texts, mut wholes, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    let mut definitions = Vec::with_capacity(origins.len());
    for origin in origins {
        let value = match name {
            OTHER if origin.is_empty() => None,
            OTHER => Some(Value::Object(std::mem::take(origin))),
            _ => take(origin, name, holds),
        };
        definitions.push(i16::from(value.is_some()));
        match (value, holds) {
            (None, _) => {}
            (Some(Value::String(text)), Holds::Text) => texts.push(ByteArray::from(text.into_bytes())),
            (Some(value), Holds::Text) => texts.push(ByteArray::from(value.to_string().into_bytes())),
            (Some(value), Holds::Whole) => wholes.push(value.as_i64().unwrap_or_default()),
            (Some(value), Holds::Number) => numbers.push(value.as_f64().unwrap_or_default()),
        }
    }
    match holds {
        Holds::Text => column::<ByteArrayType, W>(group, &texts, Some(&definitions), None),
        Holds::Whole => column::<Int64Type, W>(group, &wholes, Some(&definitions), None),
        Holds::Number => column::<DoubleType, W>(group, &numbers, Some(&definitions), None),
    }
}

/// The value of a key, if the column can hold it; otherwise it stays, for the last column.
fn take(origin: &mut Map<String, Value>, name: &str, holds: Holds) -> Option<Value> {
    let fits = match (origin.get(name)?, holds) {
        (Value::Null, _) => false,
        (_, Holds::Text) => true,
        (value, Holds::Whole) => value.is_i64(),
        (value, Holds::Number) => value.is_number(),
    };
    if fits {
        return origin.shift_remove(name);
    }
    // What is null is what is not there.
    if origin.get(name).is_some_and(Value::is_null) {
        origin.shift_remove(name);
    }
    None
}
