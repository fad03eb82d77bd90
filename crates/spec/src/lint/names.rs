//! Names of other models: a corpus for one model must not call it by another's name.

use std::ops::Range;

use super::{Finding, LintOptions, Severity, at, counted, lines};
use crate::Spec;
use crate::assistants::{ASSISTANTS, Assistant};
use crate::inline::hidden;
use crate::transform::is_whole_word;

/// The names that are hardly ever anything else in a spec. "Google", "Meta" and the like are left out: they are spoken
/// of for many other reasons.
fn known() -> impl Iterator<Item = &'static Assistant> {
    ASSISTANTS.iter().filter(|known| known.in_specs)
}

/// One finding for each name that is not the experiment's.
pub fn find(spec: &Spec, options: &LintOptions, findings: &mut Vec<Finding>) {
    let addresses = hidden_addresses(spec);
    let ours = options.model_name.as_deref();
    let names_ours = ours.is_some_and(|ours| spec.text.contains(ours)) || spec.text.contains("{model_name}");
    let others = options.known_other_models.iter().map(|name| (name.as_str(), None));
    let mut found: Vec<(&str, bool, Vec<usize>)> = Vec::new();
    for (name, known) in known().map(|known| (known.name, Some(known))).chain(others) {
        let seen = found.iter().any(|(other, ..)| *other == name);
        if seen || name.is_empty() || belongs(name, known, options) {
            continue;
        }
        let places = spec.text.match_indices(name).map(|(position, _)| position);
        let is_named = |position: &usize| {
            is_whole_word(&spec.text, *position, name.len()) && !within(&addresses, *position)
        };
        let places: Vec<usize> = places.filter(is_named).collect();
        if !places.is_empty() {
            found.push((name, known.is_none_or(|known| known.is_model), places));
        }
    }
    // The spec never speaks of our model, and mostly of this one: it was written for another model.
    let models = found.iter().filter(|(_, is_model, _)| *is_model);
    let subject = models.max_by_key(|(name, _, places)| (places.len(), std::cmp::Reverse(*name)));
    let subject = subject.map(|(name, ..)| *name).filter(|_| !names_ours);
    for (name, is_model, places) in &found {
        findings.push(finding(spec, options, name, *is_model, places, subject == Some(*name)));
    }
    if let Some(ours) = ours.filter(|_| !names_ours) {
        let message = format!("the spec never names {ours}, nor has it a {{model_name}}");
        let help = "write {model_name} where the model is meant: documents then speak of it by name";
        findings.push(at(spec, 0, "model-not-named", Severity::Note, message, help));
    }
}

fn finding(
    spec: &Spec,
    options: &LintOptions,
    name: &str,
    is_model: bool,
    places: &[usize],
    is_subject: bool,
) -> Finding {
    let at_lines: Vec<usize> = places.iter().map(|position| spec.line_at(*position)).collect();
    let times = counted(places.len(), "time");
    let (ours, placeholder, option) = if is_model {
        (&options.model_name, "{model_name}", "--model-name")
    } else {
        (&options.provider_name, "{provider_name}", "--provider-name")
    };
    let severity = match ours {
        None => Severity::Note,
        Some(_) if is_subject => Severity::Error,
        Some(_) => Severity::Warning,
    };
    let instead = match ours {
        None => String::new(),
        Some(ours) => format!(", and this experiment is about {ours}"),
    };
    let message = format!("the spec names {name} {times}{instead} ({})", lines(&at_lines));
    let help = match ours {
        None => format!("if that is yours, say so: {option} {name}; if not, write {placeholder} instead"),
        Some(_) => {
            let coded = places.iter().all(|position| in_block(spec, *position));
            let in_code = if coded { " --in-code" } else { "" };
            format!(
                "write {placeholder} instead: `whyfirst spec transform rename FILE --out NEW {option} \
                 \"{name}={placeholder}\"{in_code}`"
            )
        }
    };
    at(spec, places[0], "other-name", severity, message, &help)
}

/// Whether a name is the experiment's own, or of the same family.
fn belongs(name: &str, known: Option<&Assistant>, options: &LintOptions) -> bool {
    let given = [options.model_name.as_deref(), options.provider_name.as_deref()];
    let same = |given: &str| given.to_lowercase().contains(&name.to_lowercase());
    if given.into_iter().flatten().any(same) {
        return true;
    }
    // GPT-4 in a spec for ChatGPT, and OpenAI too if no other provider is named.
    let ours =
        self::known().find(|ours| options.model_name.as_deref().is_some_and(|name| name.contains(ours.name)));
    let same_maker = ours.zip(known).is_some_and(|(ours, known)| ours.maker == known.maker);
    same_maker && (known.is_some_and(|known| known.is_model) || options.provider_name.is_none())
}

/// The places of addresses, link targets and attributes, line by line; code counts as text here.
fn hidden_addresses(spec: &Spec) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in spec.text.split_inclusive('\n') {
        let places = hidden(line).into_iter().filter(|range| !line[range.clone()].starts_with('`'));
        found.extend(places.map(|range| start + range.start..start + range.end));
        start += line.len();
    }
    found
}

fn in_block(spec: &Spec, position: usize) -> bool {
    let after = spec.blocks.partition_point(|block| block.span.start <= position);
    after > 0 && spec.blocks[after - 1].span.end > position
}

fn within(ranges: &[Range<usize>], position: usize) -> bool {
    let after = ranges.partition_point(|range| range.start <= position);
    after > 0 && ranges[after - 1].end > position
}
