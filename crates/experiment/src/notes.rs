//! What a reader must know before trusting the numbers: warnings, and where the file departs from the
//! standard design.

use std::collections::BTreeMap;

use crate::defaults;
use crate::prepare::Prepared;

/// Sentences about the plan: too few steps, rows that are cut, corpora that are repeated, a single seed.
pub fn warnings(prepared: &Prepared) -> Vec<String> {
    let mut few: BTreeMap<(String, u64), usize> = BTreeMap::new();
    let mut cut: BTreeMap<String, u64> = BTreeMap::new();
    let mut repeated: BTreeMap<String, f64> = BTreeMap::new();
    for (stage, state) in prepared.graph.stages.iter().zip(&prepared.stages) {
        let mix = prepared.experiment.corpora.mix.as_ref().map(|mix| mix.corpus.as_str());
        let names: Vec<&str> = stage.parts.iter().map(|part| part.key.name.as_str()).collect();
        let own: Vec<&str> =
            names.iter().copied().filter(|name| names.len() == 1 || Some(*name) != mix).collect();
        let what = own.join(" + ");
        if state.plan.few_steps() {
            *few.entry((what.clone(), state.plan.steps)).or_default() += 1;
        }
        if state.plan.truncated_rows > 0 {
            *cut.entry(what).or_default() += state.plan.truncated_rows;
        }
        for (part, plan) in stage.parts.iter().zip(&state.plan.parts) {
            let most = repeated.entry(part.key.name.clone()).or_default();
            *most = most.max(plan.epochs);
        }
    }
    let mut notes = Vec::new();
    if !few.is_empty() {
        let list: Vec<String> =
            few.iter().map(|((what, steps), stages)| format!("`{what}` {steps} ({stages}x)")).collect();
        notes.push(format!(
            "stages with fewer than 100 optimizer steps: {}. A null result may only mean too few steps",
            list.join(", ")
        ));
    }
    for (what, rows) in cut {
        notes.push(format!(
            "rows of `{what}` are longer than max_length and are cut ({rows} over all stages)"
        ));
    }
    for (name, epochs) in repeated.into_iter().filter(|(_, epochs)| *epochs > 1.5) {
        notes.push(format!(
            "`{name}` is read up to {epochs:.1} times in one stage: repeated text is worth less than new text"
        ));
    }
    if prepared.experiment.seeds.len() == 1 {
        notes.push("there is one seed only, so no interval covers the chance of training".to_owned());
    }
    notes
}

/// Sentences about the file: controls left out, analyses declared, arms that play no part.
pub fn deviations(prepared: &Prepared) -> Vec<String> {
    let experiment = prepared.experiment;
    let mut notes = Vec::new();
    for name in &experiment.without_controls {
        notes.push(format!("The control `{name}` was left out by the experiment file."));
    }
    if experiment.primary != defaults::PRIMARY {
        notes.push(match experiment.primary.as_slice() {
            [] => "No analysis was declared primary.".to_owned(),
            names => format!("Declared primary: {}; the default is steering alone.", names.join(", ")),
        });
    }
    for arm in experiment.arms.iter().filter(|arm| arm.structure.is_none()) {
        notes.push(format!(
            "The arm `{}` follows no standard pattern; it is shown, but no analysis uses it.",
            arm.name
        ));
    }
    notes
}
