//! What several test files need.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use whyfirst_lab::{LabSpec, Row, World};

/// One of the specs of `examples/cheese`.
pub fn spec(world: &World, name: &str) -> LabSpec {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cheese/specs").join(format!("{name}.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    let spec = spec::parse(name, &path, text).unwrap();
    LabSpec::from_spec(&spec, world)
        .unwrap_or_else(|error| panic!("{}:{}: {error}", error.path(), error.line()))
}

/// The text of a document; fails on a chat.
pub fn document(row: &Row) -> &str {
    match row {
        Row::Document(text) => text,
        Row::Chat(turns) => panic!("a chat where a document was expected: {turns:?}"),
    }
}
