//! The specs of an experiment: those that are compared, and those that single corpora are written from.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use lab::{LabSpec, World};
use spec::Spec;
use toml::Spanned;

use super::SpecEntry;
use crate::corpora::written::SpecOf;
use crate::corpora::{Corpora, CorpusDef, Origin};
use crate::error::Result;
use crate::file::Written;
use crate::graph::CorpusKey;
use crate::problem::Source;
use crate::usable;

/// Reads the specs that are compared.
pub(super) fn specs(
    dir: &Path,
    written: &Written,
    corpora: &Corpora,
    world: &World,
    source: &Source,
) -> Result<Vec<SpecEntry>> {
    let mut specs: Vec<SpecEntry> = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &written.specs {
        let path = dir.join(value.get_ref());
        if !path.is_file() {
            let help = "paths of specs are relative to the experiment folder";
            let message = format!("there is no spec {}", path.display());
            return Err(source.problem(message, value.span(), "not found", help).into());
        }
        let text = usable::text(&path)?;
        if let Some(first) = seen.insert(text.clone(), name.get_ref().clone()) {
            let message = format!("the specs `{first}` and `{}` are the same text", name.get_ref());
            let help = "two specs are compared; give each its own text";
            return Err(source.problem(message, value.span(), "a copy", help).into());
        }
        let spec = spec::parse(name.get_ref(), &path, text)?;
        if corpora.from_writer() {
            usable::check(&spec)?;
        }
        let lab = if corpora.from_lab() { Some(LabSpec::from_spec(&spec, world)?) } else { None };
        check_mirrored(specs.first(), name, value.span(), lab.as_ref(), source)?;
        specs.push(SpecEntry { name: name.get_ref().clone(), path: value.get_ref().clone(), spec, lab });
    }
    Ok(specs)
}

/// Reads the specs that corpora name with `spec_path`.
pub(super) fn own_specs(
    dir: &Path,
    written: &Written,
    corpora: &Corpora,
    source: &Source,
) -> Result<BTreeMap<CorpusKey, Spec>> {
    let mut found = BTreeMap::new();
    for (name, table) in &written.corpora.named {
        let Some(place) = &table.written.spec_path else { continue };
        let Some(CorpusDef { origin: Origin::Written(writing), .. }) = corpora.all.get(name.get_ref()) else {
            continue;
        };
        let SpecOf::Path(template) = &writing.from else { continue };
        let specs: Vec<Option<&str>> = match writing.per_spec() {
            true => written.specs.iter().map(|(name, _)| Some(name.get_ref().as_str())).collect(),
            false => vec![None],
        };
        for spec in specs {
            let path = dir.join(template.replace("{spec}", spec.unwrap_or_default()));
            if !path.is_file() {
                let help = "paths are relative to the experiment folder; {spec} stands for each spec's name. \
                            `whyfirst spec transform` makes specs for controls";
                let message = format!("there is no spec {}", path.display());
                return Err(source.problem(message, place.span(), "not found", help).into());
            }
            let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let key = CorpusKey { name: name.get_ref().clone(), spec: spec.map(str::to_owned), seed: None };
            let spec = spec::parse(&stem, &path, usable::text(&path)?)?;
            usable::check(&spec)?;
            found.insert(key, spec);
        }
    }
    Ok(found)
}

/// The chats are the same for every spec, so every spec must list the preferences that they show.
fn check_mirrored(
    first: Option<&SpecEntry>,
    name: &Spanned<String>,
    span: Range<usize>,
    lab: Option<&LabSpec>,
    source: &Source,
) -> Result<()> {
    let Some((first, one, other)) = first.and_then(|first| Some((first, first.lab.as_ref()?, lab?))) else {
        return Ok(());
    };
    if one.shares_preferences_with(other) {
        return Ok(());
    }
    let message = format!("the specs `{}` and `{}` list different preferences", first.name, name.get_ref());
    let help = "the chats show these preferences and are the same for every arm, so all specs must list the same ones; \
                what differs is how they are explained";
    Err(source.problem(message, span, "differs from the first spec", help).into())
}
