//! `spec show`: the tree of sections.

use std::io::Write;
use std::path::Path;

use comfy_table::{CellAlignment, Table, TableStyle};
use serde_json::{Map, Value, json};
use spec::{Spec, count_words, estimate_tokens};

use super::{number, open_usable};
use crate::args::Show;
use crate::exit::Exit;
use crate::output::{self, counted};

/// Shows a spec. Writes nothing.
pub fn run(args: &Show) -> Exit {
    let spec = match open_usable(&args.file) {
        Ok(opened) => opened.spec,
        Err(exit) => return exit,
    };
    let depth = args.depth.map_or(usize::MAX, usize::from);
    if args.json {
        output::json(&document(&args.file, &spec, depth, args.text));
    } else if args.text {
        // From its parts, so that what is printed is what was understood. A reader that went away is no failure.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(spec.preamble.as_bytes());
        for section in &spec.sections {
            let _ = out.write_all(section.heading.as_bytes());
            let _ = out.write_all(section.body.as_bytes());
        }
        let _ = out.flush();
    } else {
        output::line(&text(&args.file, &spec, depth));
    }
    Exit::Done
}

/// How many dialogues each part has, by number.
fn dialogues(spec: &Spec) -> Vec<usize> {
    let mut counts = vec![0; spec.sections.len() + 1];
    for dialogue in spec.dialogues() {
        counts[dialogue.section] += 1;
    }
    counts
}

/// The numbers of the parts down to a depth; the outermost sections have depth 1.
fn shown(spec: &Spec, depth: usize) -> Vec<usize> {
    spec.numbers().filter(|number| spec.ancestors(*number).len() < depth).collect()
}

fn text(file: &Path, spec: &Spec, depth: usize) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["", "section", "tokens", "with below", "examples", ""]);
    for index in 2..=4 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let dialogues = dialogues(spec);
    for part in shown(spec, depth) {
        let indent = "  ".repeat(spec.ancestors(part).len());
        let title = spec.section(part).map_or("(before the first heading)", |section| &section.title);
        let nested = spec.nested(part);
        let below = match nested.is_empty() {
            true => String::new(),
            false => number(estimate_tokens(spec.full_text(part))),
        };
        let examples: usize = match spec.ancestors(part).len() + 1 == depth {
            true => dialogues[part] + nested.map(|nested| dialogues[nested]).sum::<usize>(),
            false => dialogues[part],
        };
        let attributes = spec.section(part).map_or(String::new(), |section| {
            let id = section.id.iter().map(|id| format!("#{id}"));
            let others = section.attributes.iter().map(|(key, value)| format!("{key}={value}"));
            id.chain(others).collect::<Vec<_>>().join(" ")
        });
        table.add_row([
            format!("S{part}"),
            format!("{indent}{title}"),
            number(estimate_tokens(spec.own_text(part))),
            below,
            if examples == 0 { String::new() } else { examples.to_string() },
            attributes,
        ]);
    }
    let kind = spec::kind(spec);
    let content = spec.content();
    let made = spec
        .provenance
        .as_ref()
        .map_or(String::new(), |made| format!("\nmade by {} from {}", made.transform, made.parent));
    format!(
        "{}: {}{made}\n\n{table}\n\n{}, {}, {}; {} words, {} bytes, about {} tokens\n{}: {} of {} sentences say why, {} \
         are bare rules\ntokens are estimates, one for every 4 bytes",
        file.display(),
        spec.title,
        counted(spec.sections.len(), "section"),
        counted(dialogues.iter().sum(), "example dialogue"),
        counted(spec.principles().len(), "numbered principle"),
        number(count_words(content)),
        number(content.len()),
        number(estimate_tokens(content)),
        kind.kind.name(),
        kind.explaining,
        kind.sentences,
        kind.bare_rules,
    )
}

fn document(file: &Path, spec: &Spec, depth: usize, with_text: bool) -> Value {
    let dialogues = dialogues(spec);
    let sections: Vec<Value> = shown(spec, depth)
        .into_iter()
        .map(|part| {
            let section = spec.section(part);
            let own = spec.own_text(part);
            let attributes: Map<String, Value> = section
                .map_or(&[][..], |section| &section.attributes)
                .iter()
                .map(|(key, value)| (key.clone(), json!(value)))
                .collect();
            let mut found = json!({
                "id": format!("S{part}"),
                "parent": spec.ancestors(part).last().map(|parent| format!("S{parent}")),
                "level": section.map_or(0, |section| section.level),
                "title": spec.title_of(part),
                "label": section.and_then(|section| section.label.as_deref()),
                "anchor": section.and_then(|section| section.id.as_deref()),
                "attributes": attributes,
                "line": section.map_or(1, |section| section.line),
                "words": count_words(own),
                "tokens_estimate": estimate_tokens(own),
                "tokens_estimate_with_below": estimate_tokens(spec.full_text(part)),
                "dialogues": dialogues[part],
            });
            if with_text {
                found["text"] = json!(own);
            }
            found
        })
        .collect();
    let made = spec.provenance.as_ref();
    json!({
        "file": file,
        "title": spec.title,
        "made_by": made.map(|made| json!({ "transform": made.transform, "parent": made.parent })),
        "kind": spec::kind(spec),
        "bytes": spec.content().len(),
        "words": count_words(spec.content()),
        "tokens_estimate": estimate_tokens(spec.content()),
        "tokens_are": "estimates, one for every 4 bytes",
        "principles": spec.principles().len(),
        "sections": sections,
    })
}
