//! Compares Parquet files with what pandas and pyarrow read from them.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use model::Message;
use serde_json::{Value, json};
use whyfirst_corpus::{Kind, Row, parquet};

/// What pandas and pyarrow see in a file of these rows.
fn read(kind: Kind, rows: &[Row], provenance: &[String]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    std::fs::write(&path, parquet(kind, rows, provenance).unwrap()).unwrap();
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/read_parquet.py");
    let output = Command::new(python).arg(script).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn message(role: &str, name: Option<&str>, content: &str) -> Message {
    Message { role: role.into(), name: name.map(str::to_owned), content: content.into() }
}

#[test]
fn documents_with_their_provenance() {
    let rows: Vec<Row> =
        (0..200).map(|n| Row::Document { text: format!("Text \u{e9} {n}\n\"quoted\" \u{1f600}") }).collect();
    let provenance: Vec<String> = (0..200)
        .map(|n| {
            json!({
                "corpus": "why", "path": format!("{n:04}"), "section_ids": ["S1", "S2"], "domain": if n % 2 == 0 { Value::Null } else { json!("tea") },
                "models": {"writer": "w"}, "rewrites": n % 3, "input_tokens": 1000 + n, "cost_usd": 0.25 * f64::from(n), "surprise": [n],
            })
            .to_string()
        })
        .collect();
    let seen = read(Kind::Documents, &rows, &provenance);
    assert_eq!(seen["rows"].as_array().unwrap().len(), 200);
    assert_eq!(seen["types"]["text"], "string");
    assert_eq!([&seen["types"]["rewrites"], &seen["types"]["cost_usd"]], ["int64", "double"]);
    for (n, row) in seen["rows"].as_array().unwrap().iter().enumerate() {
        let Row::Document { text } = &rows[n] else { unreachable!() };
        assert_eq!(row["text"], text.as_str());
        assert_eq!(row["path"], format!("{n:04}"));
        assert_eq!(row["section_ids"], "[\"S1\",\"S2\"]");
        assert_eq!(row["domain"], if n % 2 == 0 { Value::Null } else { json!("tea") });
        assert_eq!([&row["rewrites"], &row["input_tokens"]], [&json!(n % 3), &json!(1000 + n)]);
        assert_eq!(row["cost_usd"], 0.25 * n as f64);
        assert_eq!(row["other"], format!("{{\"surprise\":[{n}]}}"));
        assert_eq!(row["idea"], Value::Null);
    }
    assert_eq!(seen["pandas"], json!(200));
}

#[test]
fn chats_are_lists_of_messages() {
    let rows: Vec<Row> = (0..100)
        .map(|n| {
            let mut messages =
                vec![message("user", None, &format!("Why {n}?")), message("assistant", None, "Because.\n")];
            if n % 3 == 0 {
                messages.insert(0, message("system", None, ""));
            }
            Row::Chat { messages }
        })
        .collect();
    let seen = read(Kind::Chats, &rows, &[]);
    assert_eq!(
        seen["types"],
        json!({"messages": "list<element: struct<role: string not null, content: string not null> not null>"})
    );
    for (row, seen) in rows.iter().zip(seen["rows"].as_array().unwrap()) {
        assert_eq!(seen, &serde_json::to_value(row).unwrap());
    }
}

#[test]
fn names_of_speakers_are_kept() {
    let rows = vec![
        Row::Chat { messages: vec![message("user", None, "Hi"), message("assistant", Some("Quill"), "Yes")] },
        Row::Chat { messages: vec![message("assistant", None, "No")] },
    ];
    let seen = read(Kind::Instructions, &rows, &[]);
    let names = |row: usize| {
        let messages = seen["rows"][row]["messages"].as_array().unwrap();
        messages.iter().map(|message| message["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(0), [Value::Null, json!("Quill")]);
    assert_eq!(names(1), [Value::Null]);
}
