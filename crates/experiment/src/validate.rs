//! From tables as written to an [`Experiment`] that can be run: every rule of an experiment is applied here
//! or in the modules called from here, before anything is written.

mod files;
mod specs;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lab::{LabSpec, World};
use spec::Spec;
use toml::Spanned;

use crate::arms::{self, Arm};
use crate::base::{Base, BaseSource, ShippedBase};
use crate::corpora::{self, Corpora};
use crate::defaults;
use crate::engine::{self, Engines};
use crate::error::{ExperimentError, Result};
use crate::file::{self, Written};
use crate::findings::Analysis;
use crate::gates::{self, Gates};
use crate::graph::CorpusKey;
use crate::paths::{Paths, SHARED};
use crate::problem::{FileProblem, Source};
use crate::recipes::{self, Recipes};
use crate::writer::{self, Writer};
use files::{base, check_files, check_lengths};
use specs::{own_specs, specs};

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
    /// What trains.
    pub engines: Engines,
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
    let engines = engine::read(written, source)?;
    engine::check_mixture(written, engines.usual, source)?;
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
        engines,
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
