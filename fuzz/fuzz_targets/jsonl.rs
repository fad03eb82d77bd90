//! Users' corpora: what can be read is the same when written and read again; what cannot be names a line of the file.
#![no_main]

use std::path::Path;

use corpus::{Corpus, CorpusError, Kind, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("rows.jsonl");
    for kind in [Kind::Documents, Kind::Chats, Kind::Instructions] {
        let rows = match corpus::rows(kind, path, bytes) {
            Ok(rows) => rows,
            Err(CorpusError::Line { line, .. }) => {
                let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
                assert!((1..=lines).contains(&line));
                continue;
            }
            Err(other) => panic!("{other}"),
        };
        let of = "whole".to_owned();
        let source =
            Source::Beginning { of, hash: "0".repeat(64).parse().expect("a hash"), tokens: 0, drawn: None };
        let corpus = Corpus { name: "test".to_owned(), kind, source, rows, tokens: 0 };
        assert_eq!(corpus::rows(kind, path, &corpus.bytes()).expect("rows that were written"), corpus.rows);
        assert!(corpus.samples(3).len() <= 3 && (0.0..1.0).contains(&corpus.duplicates()));
    }
});
