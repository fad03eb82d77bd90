//! `corpus audit`: the findings on a corpus, or on all that a model wrote for an experiment.

use audit::{About, Gates, HeldOut};
use corpus::{Kind, Opened, Source};
use experiment::AuditFindings;

use super::{failed, invalid, is_experiment, open};
use crate::args::Audit;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output;

/// Audits and prints; a gate that is not passed makes the exit code 3.
pub fn run(args: &Audit) -> Exit {
    if is_experiment(&args.path) { of_experiment(args) } else { of_corpus(args) }
}

fn of_experiment(args: &Audit) -> Exit {
    if args.out.is_some() || args.model_name.is_some() || args.items.is_some() {
        let help = "the experiment says all of these itself: leave them out";
        return invalid("--out, --model-name, --provider-name and --items are for a single corpus", help);
    }
    let mut experiment = match experiment::open(&args.path, SHIPPED) {
        Ok(experiment) => experiment,
        Err(error) => return output::error(&error),
    };
    if args.rehearsal {
        experiment.rehearse();
    }
    let found = match experiment::audit_written(&experiment) {
        Ok(found) => found,
        Err(error) => return output::error(&error),
    };
    let page = match found.write(&experiment.paths().audit(), &experiment.name) {
        Ok(page) => page,
        Err(error) => return output::error(&error),
    };
    show(args, &found, Some(&page), experiment.gates.audit.enabled)
}

fn of_corpus(args: &Audit) -> Exit {
    if args.rehearsal {
        return invalid("--rehearsal is for an experiment", "name the folder of the corpus itself");
    }
    let opened = match open(&args.path) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let items = match args.items.as_ref().map(store::read).transpose() {
        Ok(items) => items.unwrap_or_default(),
        Err(error) => return invalid(&error.to_string(), "give a text file with an item on each line"),
    };
    let items = String::from_utf8_lossy(&items).into_owned();
    let held_out = HeldOut::new(items.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    let given = args.model_name.as_deref().zip(args.provider_name.as_deref());
    let about = About {
        name: &opened.name,
        documents: opened.kind == Kind::Documents,
        names: given.or_else(|| names(&opened)),
        sections: Vec::new(),
        spec: "",
        held_out: &held_out,
    };
    let audit = match audit::audit(&opened.rows, &about, &Gates::default()) {
        Ok(audit) => audit,
        Err(error) => return failed(error),
    };
    let named = about.names.is_some();
    let found = AuditFindings { audits: vec![audit], mirrored: Vec::new(), shared: Vec::new() };
    let page = match args.out.as_ref().map(|out| found.write(out, &opened.name)).transpose() {
        Ok(page) => page,
        Err(error) => return output::error(&error),
    };
    if !named && !args.json {
        output::line("names were not looked at: --model-name and --provider-name say whose corpus it is");
    }
    show(args, &found, page.as_deref(), true)
}

/// The names that a corpus was written for.
fn names(opened: &Opened) -> Option<(&str, &str)> {
    let mut source = Some(&opened.manifest.as_ref()?.source);
    while let Some(known) = source {
        source = match known {
            Source::Writer(written) => return Some((&written.model_name, &written.provider_name)),
            Source::Transformed { origin, .. } => origin.as_deref(),
            _ => None,
        };
    }
    None
}

fn show(args: &Audit, found: &AuditFindings, page: Option<&std::path::Path>, gates: bool) -> Exit {
    let breaches = found.breaches();
    if args.json {
        let mut json = found.json();
        json["page"] = serde_json::json!(page);
        json["breaches"] = serde_json::json!(breaches);
        output::json(&json);
    } else {
        output::line(&audit::text(&found.audits, &found.mirrored, &found.shared));
        if let Some(page) = page {
            output::line(&format!("page: {}", page.display()));
        }
    }
    if breaches.is_empty() || !gates { Exit::Done } else { Exit::Stopped }
}
