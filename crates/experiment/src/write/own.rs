//! The audit of corpora that users bring: the same findings and gates, where the file asks for gates.

use std::collections::BTreeMap;

use audit::{About, Documents, HeldOut};
use corpus::{Kind, Lines, Opened};

use super::WriteEnd;
use super::audits::{self, Findings, compare, held_out};
use crate::corpora::Origin;
use crate::error::Result;
use crate::graph::{self, CorpusKey};
use crate::library::Library;
use crate::prepare::inputs;
use crate::progress::Progress;
use crate::validate::Experiment;

/// Audits the corpora of an experiment that are files of the user's, if it has a table `[gates]`.
///
/// # Errors
/// When they cannot be read, or the page cannot be written.
pub fn gate(experiment: &Experiment, progress: &dyn Progress) -> Result<WriteEnd> {
    if !experiment.gates.given {
        return Ok(WriteEnd::Complete);
    }
    match findings(experiment)? {
        None => Ok(WriteEnd::Complete),
        Some(found) => audits::decide(experiment, &found, progress),
    }
}

/// The findings on those of them that are in the library; none if there are none.
///
/// # Errors
/// When one cannot be read.
pub(super) fn findings(experiment: &Experiment) -> Result<Option<Findings>> {
    let library = Library::new(experiment, &experiment.paths());
    let held_out = HeldOut::new(held_out(experiment));
    let mut rows: BTreeMap<CorpusKey, Lines> = BTreeMap::new();
    for key in graph::needed(&inputs(experiment)) {
        let definition = &experiment.corpora.all[&key.name];
        let own = matches!(definition.origin, Origin::File(_)) && definition.kind != Kind::Instructions;
        if let Some(folder) = library.folder_of(&key)?.filter(|_| own) {
            rows.insert(key, Opened::folder(&experiment.paths().corpora().join(folder))?.rows);
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let spec = |key: &CorpusKey| {
        let entry = experiment.specs.iter().find(|entry| Some(&entry.name) == key.spec.as_ref());
        entry.map_or("", |entry| entry.spec.content())
    };
    let gates = &experiment.gates.audit;
    let names: Vec<String> = rows.keys().map(CorpusKey::written).collect();
    let (mut audits, mut mirrored) = (Vec::new(), Vec::new());
    let mut firsts: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (key, lines)) in rows.iter().enumerate() {
        let documents = experiment.corpora.all[&key.name].kind == Kind::Documents;
        let about = About {
            name: &names[index],
            documents,
            names: Some((&experiment.model_name, &experiment.provider_name)),
            sections: Vec::new(),
            spec: spec(key),
            held_out: &held_out,
        };
        audits.push(audit::audit(lines, &about, gates)?);
        if key.spec.is_none() || !documents {
            continue;
        }
        // One corpus for each spec: arms differ in nothing but what these say, so they are mirrored.
        let first = *firsts.entry(&key.name).or_insert(index);
        if let Some((other, others)) = rows.iter().nth(first).filter(|_| first != index) {
            let sides =
                [(names[first].as_str(), spec(other), others), (names[index].as_str(), spec(key), lines)];
            mirrored.push(compare(sides, gates)?);
        }
    }
    let all: Vec<(&str, &dyn Documents)> =
        names.iter().map(String::as_str).zip(rows.values().map(|rows| rows as _)).collect();
    Ok(Some(Findings { shared: audit::across(&all)?, audits, mirrored }))
}
