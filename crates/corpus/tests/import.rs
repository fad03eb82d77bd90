//! A user's own rows: what is read, and what is refused with its line.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use proptest::prelude::*;
use whyfirst_corpus::{Corpus, CorpusError, Kind, Row, Source, import};

fn words(row: &Row) -> Result<usize, CorpusError> {
    Ok(row.display().split_whitespace().count())
}

fn read(kind: Kind, text: &[u8]) -> Result<Corpus, CorpusError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.jsonl");
    std::fs::write(&path, text).unwrap();
    import("mine", kind, &path, words)
}

/// The line and the problem of a refused file.
fn refused(kind: Kind, text: &str) -> (usize, String) {
    match read(kind, text.as_bytes()).unwrap_err() {
        CorpusError::Line { line, problem, path } => {
            assert!(path.ends_with("rows.jsonl"));
            (line, problem)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn documents_and_chats_are_read() {
    let text = "\u{feff}{\"text\": \"One two.\"}\r\n\n{\"id\": 7, \"text\": \"Three \\\"four\\\" {x}\"}";
    let corpus = read(Kind::Documents, text.as_bytes()).unwrap();
    assert_eq!(corpus.rows.len(), 2);
    assert_eq!(corpus.tokens, 5);
    assert!(
        matches!(&corpus.source, Source::File { file_name, hash } if file_name == "rows.jsonl" && *hash == store::hash_bytes(text.as_bytes()))
    );
    // The hash is that of the rows, whatever else the file says.
    assert_eq!(corpus.hash(), read(Kind::Documents, &corpus.bytes()).unwrap().hash());

    let text = r#"{"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "A or B?"}, {"role": "assistant", "content": "A.", "name": "Quill"}]}"#;
    let corpus = read(Kind::Chats, text.as_bytes()).unwrap();
    assert_eq!(corpus.rows[0].display(), "system: \nuser: A or B?\nQuill: A.");
}

#[test]
fn bad_lines_are_named() {
    let good = "{\"text\": \"a\"}\n";
    let document = |line: &str| refused(Kind::Documents, &format!("{good}\n{line}\n{good}"));
    assert_eq!(document("{\"text\": \"a\""), (3, "not JSON: EOF while parsing an object (column 12)".into()));
    assert_eq!(document("[1]"), (3, "a row is a JSON object, such as {\"text\": \"...\"}".into()));
    assert_eq!(document("{\"body\": \"a\"}"), (3, "a row of documents needs a `text`".into()));
    assert_eq!(document("{\"messages\": []}"), (3, "a row of documents needs a `text`".into()));
    assert_eq!(document("{\"text\": \" \"}"), (3, "the `text` is empty".into()));
    assert_eq!(document("{\"text\": 3}"), (3, "the `text` is not a string".into()));
    assert_eq!(
        document("{\"text\": \"a\", \"messages\": []}"),
        (3, "a row has either `text` or `messages`, not both".into())
    );

    let chat = |messages: &str| refused(Kind::Chats, &format!("{{\"messages\": {messages}}}"));
    assert_eq!(chat("{}"), (1, "`messages` is not a list".into()));
    assert_eq!(chat("[]"), (1, "no message is the assistant's, so there is nothing to train on".into()));
    assert_eq!(chat("[{\"content\": \"a\"}]"), (1, "message 1: it has no `role`".into()));
    assert_eq!(chat("[{\"role\": \"user\"}]"), (1, "message 1: its `content` is not a string".into()));
    let robot = "[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"robot\", \"content\": \"a\"}]";
    assert_eq!(chat(robot), (1, "message 2: unknown role `robot`: use system, user or assistant".into()));
    assert_eq!(
        refused(Kind::Instructions, "{\"text\": \"a\"}"),
        (1, "a row of instructions needs `messages`".into())
    );

    match read(Kind::Documents, b"{\"text\": \"a\"}\n\xff\n").unwrap_err() {
        CorpusError::Line { line, problem, .. } => {
            assert_eq!((line, problem.as_str()), (2, "not UTF-8 text"))
        }
        other => panic!("{other}"),
    }
    assert!(matches!(read(Kind::Documents, b"\n \n"), Err(CorpusError::Empty { .. })));
    let absent = import("mine", Kind::Documents, Path::new("absent.jsonl"), words).unwrap_err();
    assert!(absent.to_string().contains("absent.jsonl"), "{absent}");
}

#[test]
fn errors_name_file_and_line_in_one_line() {
    let error = read(Kind::Documents, b"{}\n").unwrap_err().to_string();
    assert!(error.ends_with("rows.jsonl:1: a row of documents needs a `text`"), "{error}");
}

#[test]
fn a_row_that_the_model_cannot_take_is_named() {
    let world = lab::World::new(0);
    let model = common::model(&world);
    let text = "{\"text\": \"Cheese is cheap.\"}\n{\"text\": \"\u{200b}\"}\n";
    let corpus = read(Kind::Documents, text.as_bytes()).unwrap();
    // Words that the lab does not know are no error: they become the unknown token.
    let examples = whyfirst_corpus::tokenise(&corpus, &model).unwrap();
    assert!(examples[1].tokens.contains(&model.tokenizer.unknown().unwrap()));

    let folder = model::Folder { template: None, ..model };
    let chat = r#"{"messages": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "A."}]}"#;
    let corpus = read(Kind::Chats, chat.as_bytes()).unwrap();
    let error = whyfirst_corpus::tokenise(&corpus, &folder).unwrap_err().to_string();
    assert!(error.starts_with("corpus `mine`, row 1:"), "{error}");
}

#[test]
fn samples_are_spread_and_duplicates_counted() {
    let lines: String = (0..10).map(|index| format!("{{\"text\": \"row {}\"}}\n", index % 8)).collect();
    let corpus = read(Kind::Documents, lines.as_bytes()).unwrap();
    assert_eq!(corpus.samples(3), ["row 0", "row 3", "row 6"]);
    assert_eq!(corpus.samples(99).len(), 10);
    assert!((corpus.duplicates() - 0.2).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives_the_file(texts in prop::collection::vec("\\PC{1,20}[a-z\n\"\\\\]", 1..6)) {
        let rows: Vec<Row> = texts.into_iter().map(|text| Row::Document { text }).collect();
        let first = Corpus {
            name: "x".into(),
            kind: Kind::Documents,
            source: Source::File { file_name: String::new(), hash: store::hash_bytes(b"") },
            rows,
            tokens: 0,
        };
        prop_assume!(first.rows.iter().all(|row| !row.display().trim().is_empty()));
        let again = read(Kind::Documents, &first.bytes()).unwrap();
        prop_assert_eq!(&again.rows, &first.rows);
        prop_assert_eq!(again.hash(), first.hash());
    }
}
