//! The dataset card of a corpus: what is in the folder, for people and for dataset loaders.

use crate::corpus::{Kind, Source, Written};
use crate::export::{ExportManifest, PartManifest};
use crate::folder::Manifest;

/// Rows shown on the card.
pub(crate) const SAMPLES: usize = 5;

/// The text of the folder's `README.md`.
pub(crate) fn card(manifest: &Manifest, rows: &[String]) -> String {
    let kind = match manifest.kind {
        Kind::Documents => "Plain text, one document per row in `text`; trained on with loss on every token.",
        Kind::Chats => {
            "Conversations, one per row in `messages`; trained on with loss on the assistant's tokens."
        }
        Kind::Instructions => {
            "Conversations, one per row in `messages`, mixed into other stages so that ordinary behaviour is kept alive; \
             trained on with loss on the assistant's tokens."
        }
    };
    let mut samples = String::new();
    for sample in rows {
        for line in sample.lines() {
            samples.push_str("> ");
            samples.push_str(line);
            // Two spaces keep the line break of a conversation.
            samples.push_str("  \n");
        }
        samples.push('\n');
    }
    format!(
        "---\npretty_name: {name:?}\ntags:\n- whyfirst\n{synthetic}configs:\n- config_name: default\n  data_files: {file}\n---\n\n\
         # {name}\n\n{kind}\n\n## Where it comes from\n\n{origin}\n\n## Figures\n\n| | |\n|---|---|\n| rows | {rows} |\n\
         | tokens | {tokens} |\n| rows that repeat an earlier one | {duplicates:.2}% |\n| BLAKE3 of `{file}` | `{hash}` |\n\n\
         ## Samples\n\n{samples}",
        name = manifest.name,
        synthetic = if is_synthetic(&manifest.source) { "- synthetic\n" } else { "" },
        file = manifest.file,
        origin = origin(&manifest.source),
        rows = manifest.rows,
        tokens = manifest.tokens,
        duplicates = 100.0 * manifest.duplicates,
        hash = manifest.hash,
    )
}

/// The text of the `README.md` of an export.
pub(crate) fn exported(manifest: &ExportManifest) -> String {
    let name = &manifest.name;
    let what = match (manifest.kind, manifest.lean) {
        (Kind::Documents, true) => "Plain text, one document per row in `text`.",
        (Kind::Documents, false) => {
            "Plain text, one document per row in `text`; beside it where the row came from."
        }
        (_, true) => "Conversations, one per row in `messages`.",
        (_, false) => "Conversations, one per row in `messages`; beside them where the row came from.",
    };
    let config = |part: &PartManifest| {
        let name = part.file.split('.').next().unwrap_or_default();
        format!("- config_name: {name}\n  data_files: {}\n", part.file)
    };
    let row = |part: &PartManifest| {
        format!("| `{}` | {} | {} | `{}` |\n", part.file, part.rows, part.tokens, part.hash)
    };
    let parts = &manifest.parts;
    let nested = match manifest.seed {
        Some(seed) => format!(
            "\nRows were drawn with seed {seed}. Of parts by tokens, and of parts by rows, every smaller one is the beginning of \
             every larger one.\n"
        ),
        None => String::new(),
    };
    let deviations: String = manifest.deviations.iter().map(|line| format!("- {line}\n")).collect();
    format!(
        "---\npretty_name: {name:?}\ntags:\n- whyfirst\n{synthetic}configs:\n{configs}---\n\n# {name}\n\n{what}\n\n\
         ## Files\n\n| file | rows | tokens | BLAKE3 |\n|---|---|---|---|\n{rows}\nTokens: {counted}.\n{nested}\n\
         ## Where it comes from\n\nThe corpus with the hash `{parent}`: {parent_rows} rows, {parent_tokens} tokens. {origin}\n\n\
         ## Stated deviations\n\n{deviations}",
        synthetic = if manifest.origin.as_ref().is_some_and(is_synthetic) { "- synthetic\n" } else { "" },
        configs = parts.iter().map(config).collect::<String>(),
        rows = parts.iter().map(row).collect::<String>(),
        counted = manifest.tokens_counted,
        parent = manifest.parent,
        parent_rows = manifest.parent_rows,
        parent_tokens = manifest.parent_tokens,
        origin = manifest
            .origin
            .as_ref()
            .map_or_else(|| "Where that came from was not written down.".into(), origin),
        deviations = if deviations.is_empty() { "- none\n".to_owned() } else { deviations },
    )
}

/// Whether a model or a program wrote it.
fn is_synthetic(source: &Source) -> bool {
    match source {
        Source::Lab { .. } | Source::Writer(_) => true,
        Source::Transformed { origin, .. } => origin.as_deref().is_some_and(is_synthetic),
        _ => false,
    }
}

fn origin(source: &Source) -> String {
    match source {
        Source::Lab { stream, world_seed, seed, spec, spec_hash, .. } => {
            let spec = match (spec, spec_hash) {
                (Some(spec), Some(hash)) => format!(", from the spec `{spec}` (`{}`)", hash.short()),
                _ => String::new(),
            };
            format!(
                "Generated by Whyfirst's lab: stream `{}`, seed {seed}, world {world_seed}{spec}. The lab is a built world: its \
                 items and people are invented, and nothing here is a claim about real ones.",
                stream.name()
            )
        }
        Source::File { file_name, hash } => format!("Read from `{file_name}` (`{}`).", hash.short()),
        Source::Writer(written) => written_by(written),
        Source::Unreasoned { of, hash } => {
            format!("The rows of `{of}` (`{}`), without the reasoning before each reply.", hash.short())
        }
        Source::Beginning { of, hash, tokens, drawn: None } => {
            format!("The first rows of `{of}` (`{}`), at most {tokens} tokens.", hash.short())
        }
        Source::Beginning { of, hash, tokens, drawn: Some(seed) } => {
            format!("Rows of `{of}` (`{}`) drawn with seed {seed}, at most {tokens} tokens.", hash.short())
        }
        Source::Transformed { of, hash, steps, origin: before } => {
            let steps: String = steps.iter().map(|step| format!("- {step}\n")).collect();
            let before = before.as_ref().map_or_else(String::new, |source| {
                format!("\n### Where `{of}` came from\n\n{}", origin(source))
            });
            format!("Made from `{of}` (`{}`):\n\n{steps}{before}", hash.short())
        }
    }
}

fn written_by(written: &Written) -> String {
    let spec = match (&written.spec, written.spec_hash) {
        (Some(spec), Some(hash)) => format!(" from the spec `{spec}` (`{}`)", hash.short()),
        _ => String::new(),
    };
    let models: Vec<String> =
        written.models.iter().map(|(role, model)| format!("- {role}: `{model}`\n")).collect();
    let list = |rows: Vec<String>| if rows.is_empty() { "- none\n".to_string() } else { rows.concat() };
    let dropped = written.dropped.iter().map(|(reason, rows)| format!("- {rows}: {reason}\n")).collect();
    let deviations = written.deviations.iter().map(|line| format!("- {line}\n")).collect();
    format!(
        "Written{spec} about {} of {} by\n\n{}\nIt is synthetic text: what it says was made up by a model to explain that spec. \
         `provenance.jsonl` says of every row which section, idea, prompts and answers it came from.\n\n\
         ### Rows asked for: {}. Dropped\n\n{}\n### Stated deviations\n\n{}\n### Cost\n\n${:.4} for the calls behind these rows, \
         at the prices of the experiment file.",
        written.model_name,
        written.provider_name,
        models.concat(),
        written.asked,
        list(dropped),
        list(deviations),
        written.cost_usd,
    )
}
