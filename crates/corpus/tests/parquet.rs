//! Parquet files, read back with the reader of the library that wrote them.
#![allow(clippy::unwrap_used)]

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use model::Message;
use proptest::prelude::*;
use serde_json::{Value, json};
use whyfirst_corpus::{Kind, ParquetWriter, Row, parquet};

/// The rows of a file as JSON.
fn read(bytes: Vec<u8>) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, bytes).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.created_by(), Some("whyfirst"));
    reader.get_row_iter(None).unwrap().map(|row| json_of(&Field::Group(row.unwrap()))).collect()
}

fn json_of(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::Long(number) => json!(number),
        Field::Double(number) => json!(number),
        Field::ListInternal(list) => list.elements().iter().map(json_of).collect(),
        Field::Group(row) => {
            Value::Object(row.get_column_iter().map(|(key, field)| (key.clone(), json_of(field))).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.into(), name: None, content: content.into() }
}

#[test]
fn provenance_is_in_columns_and_nothing_is_lost() {
    let rows: Vec<Row> = ["one", "two", "three"].map(|text| Row::Document { text: text.into() }).to_vec();
    let provenance = [
        r#"{"path": "0001", "verdicts": {"voice": true}, "rewrites": 2, "cost_usd": 0.5, "tempo": 3, "domain": null}"#,
        "",
        r#"{"rewrites": "many", "cost_usd": 1, "section_ids": ["S1"]}"#,
    ]
    .map(str::to_owned);
    let seen = read(parquet(Kind::Documents, &rows, &provenance).unwrap());
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0]["text"], "one");
    assert_eq!(seen[0]["path"], "0001");
    assert_eq!(seen[0]["verdicts"], r#"{"voice":true}"#);
    assert_eq!((&seen[0]["rewrites"], &seen[0]["cost_usd"]), (&json!(2), &json!(0.5)));
    assert_eq!((&seen[0]["other"], &seen[0]["domain"]), (&json!(r#"{"tempo":3}"#), &Value::Null));
    assert!(seen[1].as_object().unwrap().iter().all(|(key, value)| key == "text" || value.is_null()));
    // What a column cannot hold stands in the last one.
    assert_eq!((&seen[2]["rewrites"], &seen[2]["other"]), (&Value::Null, &json!(r#"{"rewrites":"many"}"#)));
    assert_eq!((&seen[2]["cost_usd"], &seen[2]["section_ids"]), (&json!(1.0), &json!(r#"["S1"]"#)));
}

#[test]
fn without_provenance_only_what_is_trained_on_is_there() {
    let rows = [Row::Document { text: "one".into() }];
    assert_eq!(read(parquet(Kind::Documents, &rows, &[]).unwrap()), [json!({"text": "one"})]);
    assert_eq!(read(parquet(Kind::Documents, &[], &[]).unwrap()), [] as [Value; 0]);
}

#[test]
fn what_does_not_belong_is_refused_with_its_row() {
    let document = Row::Document { text: "one".into() };
    let message = |result: Result<Vec<u8>, whyfirst_corpus::ExportError>| result.unwrap_err().to_string();
    assert!(
        message(parquet(Kind::Chats, std::slice::from_ref(&document), &[]))
            .contains("row 1: it is not of the kind")
    );
    let two = [document.clone(), document.clone()];
    assert!(
        message(parquet(Kind::Documents, &two, &["{}".into(), "[1]".into()]))
            .contains("row 2: its provenance")
    );
    assert!(message(parquet(Kind::Documents, &two, &["{}".into()])).contains("2 rows and 1 lines"));
}

#[test]
fn many_rows_are_several_groups_and_the_same_bytes_every_time() {
    let write = || {
        let mut writer = ParquetWriter::new(Vec::new(), Kind::Chats, true, false).unwrap();
        for n in 0..70_000 {
            let messages = vec![message("user", &format!("{n}?")), message("assistant", "Yes.")];
            writer.push(Row::Chat { messages }, &format!("{{\"path\": \"{n}\"}}")).unwrap();
        }
        writer.finish().unwrap()
    };
    let bytes = write();
    assert_eq!(bytes, write());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 70_000);
    let last = reader.get_row_iter(None).unwrap().last().unwrap().unwrap();
    assert_eq!(json_of(&Field::Group(last))["path"], "69999");
}

fn chats() -> impl Strategy<Value = Vec<Row>> {
    let name = proptest::option::weighted(0.3, "[A-Z]{1,3}");
    let message = ("user|assistant|system", name, "(?s).{0,20}").prop_map(|(role, name, content)| Message {
        role,
        name,
        content,
    });
    proptest::collection::vec(
        proptest::collection::vec(message, 0..5).prop_map(|messages| Row::Chat { messages }),
        0..20,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Lists of any length, empty ones too, and names that are there or not.
    #[test]
    fn chats_come_back_as_they_were(rows in chats()) {
        let seen = read(parquet(Kind::Chats, &rows, &[]).unwrap());
        prop_assert_eq!(seen.len(), rows.len());
        let named = whyfirst_corpus::named(&rows);
        for (seen, row) in seen.iter().zip(&rows) {
            let Row::Chat { messages } = row else { unreachable!() };
            let expected: Vec<Value> = messages
                .iter()
                .map(|m| match named {
                    true => json!({"role": m.role, "content": m.content, "name": m.name}),
                    false => json!({"role": m.role, "content": m.content}),
                })
                .collect();
            prop_assert_eq!(&seen["messages"], &json!(expected));
        }
    }
}
