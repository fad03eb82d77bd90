//! `spec lint`: what is wrong with it?

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use spec::{Detected, Finding, Kind, LintOptions, Severity, Spec, estimate_tokens};

use super::{number, open};
use crate::args::{Lint, SpecKind};
use crate::exit::Exit;
use crate::output::{self, counted};

/// How many findings of one rule are shown.
const SHOWN: usize = 8;

/// Prints the findings. Writes nothing.
pub fn run(args: &Lint) -> Exit {
    let spec = match open(&args.file) {
        Ok(opened) => opened.spec,
        Err(exit) => return exit,
    };
    let defaults = LintOptions::default();
    let kind = args.kind.map(|kind| match kind {
        SpecKind::Prose => Kind::Prose,
        SpecKind::Rules => Kind::Rules,
    });
    let options = LintOptions {
        model_name: args.model_name.clone(),
        provider_name: args.provider_name.clone(),
        prompt_tokens: args.prompt_tokens.map_or(defaults.prompt_tokens, |n| n as usize),
        kind,
        ..defaults
    };
    let findings = spec::lint(&spec, &options);
    let detected = spec::kind(&spec);
    let kind = kind.unwrap_or(detected.kind);
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let errors = count(Severity::Error);
    if args.json {
        output::json(&json!({
            "file": args.file,
            "kind": kind,
            "detected": detected,
            "sections": spec.sections.len(),
            "tokens_estimate": estimate_tokens(spec.content()),
            "errors": errors,
            "warnings": count(Severity::Warning),
            "notes": count(Severity::Note),
            "findings": findings,
        }));
    } else {
        output::line(&text(&args.file, &spec, (kind, &detected), &findings, args.all));
    }
    if errors > 0 { Exit::Invalid } else { Exit::Done }
}

fn text(
    file: &Path,
    spec: &Spec,
    (kind, detected): (Kind, &Detected),
    findings: &[Finding],
    all: bool,
) -> String {
    let mut lines = Vec::new();
    let mut rules: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
    let mut helped: Vec<&str> = Vec::new();
    for finding in findings {
        let (worst, seen) = rules.entry(finding.rule).or_insert((finding.severity, 0));
        *worst = finding.severity.min(*worst);
        *seen += 1;
        if *seen > SHOWN && !all {
            continue;
        }
        let Finding { rule, line, message, help, .. } = finding;
        lines.push(format!("{}:{line}: {}: {message} [{rule}]", file.display(), finding.severity.name()));
        // Many findings of a rule have one help.
        if !helped.contains(&help.as_str()) {
            lines.push(format!("  help: {help}"));
            helped.push(help);
        }
    }
    let mut folded = false;
    if !findings.is_empty() {
        lines.push(String::new());
    }
    let width = rules.keys().map(|rule| rule.len()).max().unwrap_or(0);
    for (rule, (severity, count)) in rules {
        let more = count.saturating_sub(SHOWN);
        let hidden = if more > 0 && !all { format!(", {more} not shown") } else { String::new() };
        folded |= !hidden.is_empty();
        lines.push(format!("{rule:width$}  {:7}  {count}{hidden}", severity.name()));
    }
    if folded {
        lines.push("--all shows every finding".to_owned());
    }
    let how = if kind == detected.kind { "" } else { " as you say" };
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    lines.push(format!(
        "{}: {}{how}, {}, about {} tokens: {}, {}, {}",
        file.display(),
        kind.name(),
        counted(spec.sections.len(), "section"),
        number(estimate_tokens(spec.content())),
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Note), "note"),
    ));
    lines.join("\n")
}
