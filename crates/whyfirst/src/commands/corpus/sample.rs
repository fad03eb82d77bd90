//! `corpus sample`: a few rows, each with where it came from.

use std::collections::BTreeSet;

use corpus::Opened;
use serde_json::{Map, Value, json};

use super::{failed, invalid, open};
use crate::args::Sample;
use crate::exit::Exit;
use crate::output;

/// Prints rows.
pub fn run(args: &Sample) -> Exit {
    let opened = match open(&args.path) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if !args.only.is_empty() && !opened.rows.has_provenance() {
        let message = format!("{}: nothing is known about where its rows came from", args.path.display());
        return invalid(&message, "leave --where out, or name the folder of a corpus that a model wrote");
    }
    let matching = match matching(&opened, &args.only) {
        Ok(matching) => matching,
        Err(exit) => return exit,
    };
    let order = corpus::order(matching.len(), args.seed);
    let mut chosen: Vec<usize> = order.into_iter().take(args.rows).map(|at| matching[at]).collect();
    chosen.sort_unstable();
    let mut shown = Vec::new();
    for index in chosen {
        let read =
            opened.rows.row(index, opened.kind).and_then(|row| Ok((row, opened.rows.provenance(index)?)));
        match read {
            Ok((row, provenance)) => shown.push((opened.rows.line(index), row, provenance)),
            Err(error) => return failed(error),
        }
    }
    if args.json {
        let row = |(line, row, provenance): &(u32, corpus::Row, Option<Value>)| json!({ "line": line, "row": row, "provenance": provenance });
        output::json(&json!({
            "path": args.path,
            "name": opened.name,
            "kind": opened.kind,
            "rows": opened.rows.len(),
            "matching": matching.len(),
            "sample": shown.iter().map(row).collect::<Vec<_>>(),
        }));
        return Exit::Done;
    }
    for (line, row, provenance) in &shown {
        let place = provenance.as_ref().and_then(|known| known["path"].as_str());
        output::line(&format!(
            "── {} ──",
            place.map_or(format!("line {line}"), |place| format!("{place} (line {line})"))
        ));
        if let Some(Value::Object(known)) = provenance {
            output::line(&described(known));
        }
        output::line(&format!("\n{}\n", row.display().trim_end()));
    }
    let all = opened.rows.len();
    output::line(&match args.only.is_empty() {
        true => format!("{} of {all} rows of {}", shown.len(), opened.name),
        false => {
            format!("{} of {} rows that match, of {all} rows of {}", shown.len(), matching.len(), opened.name)
        }
    });
    Exit::Done
}

/// The rows whose provenance says what is wanted.
fn matching(opened: &Opened, only: &[(String, String)]) -> Result<Vec<usize>, Exit> {
    if only.is_empty() {
        return Ok((0..opened.rows.len()).collect());
    }
    let mut found = Vec::new();
    let (mut known, mut keys) = (vec![false; only.len()], BTreeSet::new());
    for index in 0..opened.rows.len() {
        let provenance = opened.rows.provenance(index).map_err(failed)?.unwrap_or_default();
        keys.extend(provenance.as_object().into_iter().flatten().map(|(key, _)| key.clone()));
        let mut all = true;
        for ((key, value), known) in only.iter().zip(&mut known) {
            let there = key.split('.').try_fold(&provenance, |at, part| at.get(part));
            *known |= there.is_some();
            all &= there.is_some_and(|there| says(there, value));
        }
        if all {
            found.push(index);
        }
    }
    match only.iter().zip(&known).find(|(_, known)| !**known) {
        Some(((key, _), _)) => {
            let keys: Vec<String> = keys.into_iter().collect();
            let message = format!("no row says anything about `{key}`");
            Err(invalid(&message, &format!("rows of this corpus have: {}", keys.join(", "))))
        }
        None => Ok(found),
    }
}

/// Whether a value is what was asked for; of a list, whether an entry is.
fn says(there: &Value, wanted: &str) -> bool {
    match there {
        Value::String(text) => text == wanted,
        Value::Array(entries) => entries.iter().any(|entry| says(entry, wanted)),
        // A number or a truth value, as JSON writes it.
        other => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| *other == wanted),
    }
}

/// Provenance in lines: what it is about first, and no hashes, which `--json` has.
fn described(known: &Map<String, Value>) -> String {
    const FIRST: [&str; 12] = [
        "sections",
        "section_ids",
        "domain",
        "subdomain",
        "topic",
        "question_type",
        "type",
        "idea",
        "style",
        "assertions",
        "verdicts",
        "models",
    ];
    let mut lines = Vec::new();
    for key in FIRST {
        let Some(value) = known.get(key) else { continue };
        let text = shown(value);
        if !text.is_empty() {
            lines.push(format!("{key}: {text}"));
        }
    }
    if let (Some(cost), Some(stops)) =
        (known.get("cost_usd").and_then(Value::as_f64), known.get("stop_reasons"))
    {
        lines.push(format!("cost: ${cost:.4}, ended by: {}", shown(stops)));
    }
    lines.join("\n")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(shown).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key} {}", shown(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
