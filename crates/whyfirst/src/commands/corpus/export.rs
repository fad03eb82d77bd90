//! `corpus export`: a corpus, or nested parts of it, for other tools.

use corpus::Size;
use serde_json::json;

use super::{Counter, failed, open};
use crate::args::{Export, Format};
use crate::exit::Exit;
use crate::output;

/// Exports, and says what was written.
pub fn run(args: &Export) -> Exit {
    let opened = match open(&args.path) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut counter = match Counter::new(args.base.as_deref(), &opened.name) {
        Ok(counter) => counter,
        Err(exit) => return exit,
    };
    let mut sizes: Vec<Size> = args.tokens.iter().map(|tokens| Size::Tokens(*tokens)).collect();
    sizes.extend(args.rows.iter().map(|rows| Size::Rows(*rows)));
    let mut distinct = Vec::new();
    for size in sizes {
        if !distinct.contains(&size) {
            distinct.push(size);
        }
    }
    let wanted = corpus::Export {
        format: match args.format {
            Format::Jsonl => corpus::Format::Jsonl,
            Format::Parquet => corpus::Format::Parquet,
        },
        lean: args.lean,
        sizes: &distinct,
        seed: args.seed,
        counted: counter.how(),
    };
    let exported = match corpus::export(&opened, &wanted, &args.out, |row| counter.count(row)) {
        Ok(exported) => exported,
        Err(error) => return failed(error),
    };
    if args.json {
        output::json(
            &json!({ "out": args.out, "was_there": exported.was_there, "manifest": exported.manifest }),
        );
        return Exit::Done;
    }
    for part in &exported.manifest.parts {
        let path = args.out.join(&part.file);
        output::line(&format!("{}: {} rows, {} tokens", path.display(), part.rows, part.tokens));
    }
    for note in &exported.manifest.deviations {
        output::line(&format!("note: {note}"));
    }
    if exported.was_there {
        output::line("the same export was there already");
    }
    Exit::Done
}
