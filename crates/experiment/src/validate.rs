//! From tables as written to an [`Experiment`] that can be run: every rule of an experiment is applied here
//! or in the modules called from here, before anything is written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lab::{LabSpec, World};
use spec::Spec;
use toml::Spanned;

use crate::arms::{self, Arm};
use crate::base::{Base, BaseSource, ShippedBase};
use crate::corpora::written::{Rows, SpecOf, Writing};
use crate::corpora::{self, Corpora, CorpusDef, Origin};
use crate::defaults;
use crate::error::{ExperimentError, Result};
use crate::file::{self, Written};
use crate::findings::Analysis;
use crate::gates::{self, Gates};
use crate::graph::CorpusKey;
use crate::paths::{Paths, SHARED};
use crate::problem::{FileProblem, Source};
use crate::recipes::{self, Recipes};
use crate::writer::{self, Writer};

/// The name of the experiment file.
pub const FILE: &str = "experiment.toml";

/// A validated experiment.
pub struct Experiment {
    /// Its folder.
    pub dir: PathBuf,
    /// The text of its file.
    pub text: String,
    /// Its name.
    pub name: String,
    /// What the assistant is called.
    pub model_name: String,
    /// Who makes it.
    pub provider_name: String,
    /// How corpora are written, if a model writes any.
    pub writer: Option<Writer>,
    /// Figures at which a run stops.
    pub gates: Gates,
    /// Whether models are trained; an experiment without base and arms only writes corpora.
    pub trains: bool,
    /// Whether this is a rehearsal: written by the simulated writer, kept apart.
    pub rehearsal: bool,
    /// Where its base model comes from.
    pub base_source: BaseSource,
    /// Its base model.
    pub base: Base,
    /// The lab's world, if its corpora or suites come from there.
    pub world: World,
    /// Its seeds, in the order of the file.
    pub seeds: Vec<u64>,
    /// Its specs, in the order of the file.
    pub specs: Vec<SpecEntry>,
    /// Its corpora.
    pub corpora: Corpora,
    /// The specs of corpora that are written from a file of their own.
    pub own_specs: BTreeMap<CorpusKey, Spec>,
    /// Its recipes.
    pub recipes: Recipes,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Its arms and controls.
    pub arms: Vec<Arm>,
    /// Controls that every experiment has and this one leaves out.
    pub without_controls: Vec<String>,
    /// The analyses declared primary.
    pub primary: Vec<String>,
    /// What every model is evaluated on.
    pub evals: Evals,
}

impl Experiment {
    /// Where its results lie.
    pub fn paths(&self) -> Paths {
        if self.rehearsal { Paths::rehearsal(&self.dir) } else { Paths::new(&self.dir) }
    }

    /// Whether tokens are counted by the base's tokenizer: without a base of the user's they are estimated.
    pub fn counts_with_base(&self) -> bool {
        self.trains
    }

    /// Makes a rehearsal of it: the simulated writer writes, and everything lies below `runs/rehearsal/`.
    pub fn rehearse(&mut self) {
        self.rehearsal = true;
        if let Some(writer) = &mut self.writer {
            writer.simulate();
        }
    }
}

/// A spec of an experiment.
pub struct SpecEntry {
    /// Its name in the file.
    pub name: String,
    /// Its path as the file writes it.
    pub path: String,
    /// The spec.
    pub spec: Spec,
    /// What the lab makes of it, if the lab writes corpora for it.
    pub lab: Option<LabSpec>,
}

/// `[evals]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Evals {
    /// Names of suites.
    pub suites: Vec<String>,
    /// Pairs per attribute and domain.
    pub pairs: u64,
    /// Texts of each kind in the capability suite.
    pub texts: u64,
}

/// Reads and validates the experiment of a folder. Writes nothing.
///
/// # Errors
/// The first rule that is broken, with its place in the file.
pub fn open(dir: &Path, shipped: ShippedBase) -> Result<Experiment> {
    let path = dir.join(FILE);
    if !path.is_file() {
        return Err(ExperimentError::Missing { folder: dir.to_owned() });
    }
    let bytes = store::read(&path)?;
    let text = String::from_utf8(bytes).map_err(|_| ExperimentError::NotText { path })?;
    read(dir, text, shipped)
}

/// As [`open`], from the text of the experiment file, which need not be in the folder.
///
/// # Errors
/// As [`open`].
pub fn read(dir: &Path, text: String, shipped: ShippedBase) -> Result<Experiment> {
    let path = dir.join(FILE);
    let written = file::parse(&path, &text)?;
    validate(dir, &path, text, &written, shipped)
}

fn validate(
    dir: &Path,
    path: &Path,
    text: String,
    written: &Written,
    shipped: ShippedBase,
) -> Result<Experiment> {
    let source = &Source::new(path, &text);
    let top = &written.top;
    if top.name.get_ref().trim().is_empty() {
        let help = "a few words: it is the title of the report";
        return Err(source.problem("the experiment has no name", top.name.span(), "empty", help).into());
    }
    for (name, _) in &written.specs {
        check_name(name.get_ref(), name.span(), "spec", source)?;
        if name.get_ref() == SHARED {
            let help = "logs of arms without a spec lie in a folder of this name; choose another";
            return Err(source
                .problem(format!("a spec cannot be called `{SHARED}`"), name.span(), "taken", help)
                .into());
        }
    }
    let corpora = corpora::read(written, source)?;
    let recipes = recipes::read(written, &corpora, source)?;
    let trains = top.base.is_some() || !top.arms.is_empty() || !corpora.from_writer();
    let arms = if trains { arms::read(written, &corpora, source)? } else { Vec::new() };
    let seeds = seeds(written, trains, source)?;
    let writer = written.writer.as_ref().map(|tables| writer::read(tables, source)).transpose()?;
    let gates = gates::read(written.gates.as_ref(), source)?;
    check_stages(written, &arms, &recipes, source)?;
    let primary = match &top.primary {
        Some(names) => chosen(names, "analysis", &Analysis::ALL.map(Analysis::name), source)?,
        None => defaults::PRIMARY.map(str::to_owned).to_vec(),
    };
    let evals = evals(written, source)?;
    check_files(dir, written, &corpora, source)?;
    let (base_source, base) = base(dir, written, shipped, trains, source)?;
    if let Some(name) =
        top.model_name.as_ref().filter(|name| corpora.from_lab() && *name.get_ref() != lab::ASSISTANT)
    {
        let message = format!("the assistant of the lab is called {}", lab::ASSISTANT);
        let help = "the base model knows it by that name; remove this line";
        return Err(source.problem(message, name.span(), "another name", help).into());
    }
    check_lengths(written, &recipes, &base, source)?;
    let world = World::new(base.world_seed().unwrap_or_default());
    let specs = specs(dir, written, &corpora, &world, source)?;
    let own_specs = own_specs(dir, written, &corpora, source)?;
    Ok(Experiment {
        dir: dir.to_owned(),
        name: top.name.get_ref().trim().to_owned(),
        model_name: top
            .model_name
            .as_ref()
            .map_or(defaults::MODEL_NAME.to_owned(), |name| name.get_ref().clone()),
        provider_name: top
            .provider_name
            .as_ref()
            .map_or(defaults::PROVIDER_NAME.to_owned(), |name| name.get_ref().clone()),
        writer,
        gates,
        trains,
        rehearsal: false,
        base_source,
        base,
        world,
        seeds,
        specs,
        corpora,
        own_specs,
        recipes,
        checkpoint_every: written
            .training
            .checkpoint_every
            .as_ref()
            .map_or(defaults::CHECKPOINT_EVERY, |n| *n.get_ref()),
        arms,
        without_controls: top.without_controls.iter().map(|name| name.get_ref().clone()).collect(),
        primary,
        evals,
        text,
    })
}

/// Names of specs and corpora become parts of file names and of references like `why:homeland`.
pub(crate) fn check_name(
    name: &str,
    span: Range<usize>,
    what: &str,
    source: &Source,
) -> std::result::Result<(), FileProblem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= 60 && name.chars().all(plain) {
        return Ok(());
    }
    Err(source.problem(
        format!("`{name}` cannot be the name of a {what}"),
        span,
        "letters, digits, - and _ only",
        "a short plain name, at most 60 characters: it becomes part of file names",
    ))
}

fn seeds(written: &Written, trains: bool, source: &Source) -> Result<Vec<u64>> {
    let Some(list) = &written.top.seeds else {
        return match trains {
            true => Err(source.missing_key("seeds").into()),
            false => Ok(vec![0]),
        };
    };
    if list.get_ref().is_empty() {
        let help = "at least one; three give an interval: seeds = [0, 1, 2]";
        return Err(source
            .problem("there are no seeds, so nothing would run", list.span(), "empty", help)
            .into());
    }
    let mut seeds = Vec::new();
    for seed in list.get_ref() {
        if seeds.contains(seed.get_ref()) {
            return Err(source
                .problem(
                    format!("seed {} is there twice", seed.get_ref()),
                    seed.span(),
                    "the second time",
                    "the same seed gives the same model; a repeat would count one result as two",
                )
                .into());
        }
        seeds.push(*seed.get_ref());
    }
    Ok(seeds)
}

/// Finds stages that cannot be: mixtures of corpora whose recipes do not go together.
fn check_stages(written: &Written, arms: &[Arm], recipes: &Recipes, source: &Source) -> Result<()> {
    for arm in arms {
        for (i, stage) in arm.stages.iter().enumerate() {
            if let Err(message) = recipes::of_stage(stage, recipes) {
                let table = written.top.arms.iter().find(|table| table.name.get_ref().trim() == arm.name);
                let span = table.map_or(written.training.span.clone(), |table| table.stages[i].span());
                let help = "give both the same values under [training], or run them one after the other";
                return Err(source.problem(message, span, "one batch cannot be both", help).into());
            }
        }
    }
    Ok(())
}

fn chosen(names: &[Spanned<String>], what: &str, valid: &[&str], source: &Source) -> Result<Vec<String>> {
    names
        .iter()
        .map(|name| match valid.contains(&name.get_ref().as_str()) {
            true => Ok(name.get_ref().clone()),
            false => Err(source.unknown(name.get_ref(), name.span(), what, valid).into()),
        })
        .collect()
}

fn evals(written: &Written, source: &Source) -> Result<Evals> {
    let mut evals = Evals {
        suites: defaults::SUITES.map(str::to_owned).to_vec(),
        pairs: defaults::PAIRS,
        texts: defaults::TEXTS,
    };
    let Some(table) = &written.top.evals else { return Ok(evals) };
    if let Some(names) = &table.suites {
        evals.suites = chosen(names, "suite", &defaults::SUITES, source)?;
    }
    let most = lab::PAIRS_PER_DOMAIN as u64;
    for (value, into, key, most) in
        [(&table.pairs, &mut evals.pairs, "pairs", most), (&table.texts, &mut evals.texts, "texts", 100_000)]
    {
        let Some(value) = value else { continue };
        if !(1..=most).contains(value.get_ref()) {
            let message = format!("`{key}` is {}", value.get_ref());
            let help = format!("remove the line for the default, {into}");
            return Err(source
                .problem(message, value.span(), format!("must be between 1 and {most}"), help)
                .into());
        }
        *into = *value.get_ref();
    }
    Ok(evals)
}

/// Finds files of corpora that are not there.
fn check_files(dir: &Path, written: &Written, corpora: &Corpora, source: &Source) -> Result<()> {
    for (name, table) in &written.corpora.named {
        let (Some(path), Some(definition)) = (&table.path, corpora.all.get(name.get_ref())) else { continue };
        let template = match &definition.origin {
            Origin::File(template) => template,
            Origin::Written(Writing { rows: Rows::Instructions { path: Some(template), .. }, .. }) => {
                template
            }
            _ => continue,
        };
        let specs: Vec<&str> = match definition.per_spec {
            true => written.specs.iter().map(|(name, _)| name.get_ref().as_str()).collect(),
            false => vec![""],
        };
        for spec in specs {
            let file = template.replace("{spec}", spec);
            if !dir.join(&file).is_file() {
                return Err(source
                    .problem(
                        format!("there is no file {}", dir.join(&file).display()),
                        path.span(),
                        "not found",
                        "paths are relative to the experiment folder; {spec} stands for each spec's name",
                    )
                    .into());
            }
        }
    }
    Ok(())
}

fn base(
    dir: &Path,
    written: &Written,
    shipped: ShippedBase,
    trains: bool,
    source: &Source,
) -> Result<(BaseSource, Base)> {
    let Some(value) = &written.top.base else {
        if trains {
            return Err(source.missing_key("base").into());
        }
        let base = Base::load(&BaseSource::Lab, shipped)?;
        return Ok((BaseSource::Lab, base));
    };
    let base_source = match value.get_ref().as_str() {
        "lab" => BaseSource::Lab,
        folder => BaseSource::Folder { written: folder.to_owned(), path: dir.join(folder) },
    };
    if matches!(&base_source, BaseSource::Folder { path, .. } if !path.is_dir()) {
        let help = "`lab` is the model that ships with Whyfirst; anything else is a folder, relative to the \
                    experiment's, with config.json, model.safetensors and tokenizer.json (download a hub model \
                    first)";
        let message = format!("the base `{}` is not a folder", base_source.written());
        return Err(source.problem(message, value.span(), "no such folder", help).into());
    }
    match Base::load(&base_source, shipped) {
        Ok(base) => Ok((base_source, base)),
        Err(error) => {
            let help = "a base is a Hugging Face folder: config.json, model.safetensors, tokenizer.json and, for chats, \
                        chat_template.jinja";
            Err(source
                .problem(format!("the base cannot be used: {error}"), value.span(), "this base", help)
                .into())
        }
    }
}

/// Finds rows that are longer than the base model was made for.
fn check_lengths(written: &Written, recipes: &Recipes, base: &Base, source: &Source) -> Result<()> {
    let positions = base.folder.config.max_positions;
    let Some(recipe) = recipes.of.values().find(|recipe| recipe.max_length > positions) else {
        return Ok(());
    };
    let tables =
        std::iter::once(&written.training.all).chain(written.training.named.iter().map(|(_, table)| table));
    let culprit = tables.filter_map(|table| table.max_length.as_ref());
    let span = culprit
        .filter(|length| *length.get_ref() as usize == recipe.max_length)
        .map(|length| length.span())
        .next();
    let message = format!(
        "rows of {} tokens do not fit the base model, which has {positions} positions",
        recipe.max_length
    );
    let span = span.unwrap_or(written.training.span.clone());
    Err(source.problem(message, span, "too long", format!("write `max_length = {positions}` or less")).into())
}

fn specs(
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
        let text = store::read_text(&path)?;
        if let Some(first) = seen.insert(text.clone(), name.get_ref().clone()) {
            let message = format!("the specs `{first}` and `{}` are the same text", name.get_ref());
            let help = "two specs are compared; give each its own text";
            return Err(source.problem(message, value.span(), "a copy", help).into());
        }
        let spec = spec::parse(name.get_ref(), &path, text)?;
        let lab = if corpora.from_lab() { Some(LabSpec::from_spec(&spec, world)?) } else { None };
        check_mirrored(specs.first(), name, value.span(), lab.as_ref(), source)?;
        specs.push(SpecEntry { name: name.get_ref().clone(), path: value.get_ref().clone(), spec, lab });
    }
    Ok(specs)
}

/// Reads the specs that corpora name with `spec_path`.
fn own_specs(
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
            found.insert(key, spec::parse(&stem, &path, store::read_text(&path)?)?);
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
