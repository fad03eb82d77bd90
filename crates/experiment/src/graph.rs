//! The stage graph: arms, specs and seeds become stages that are named by their content.
//!
//! A stage's id is the hash of all that determines its result: the parent's id or the base's hash, the bytes
//! of its corpora and their shares, the recipe, the seed and the version of the trainer. So arms share what
//! they share, and a changed input gives new ids to exactly what depends on it. Nothing here touches the
//! disk.

use std::collections::{BTreeMap, BTreeSet};

use store::{Hash, IdBuilder};
use torch::Dtype;
use train::Recipe;

use crate::arms::{Arm, SpecRef, Step};
use crate::corpora::{Corpora, Origin, kind_name};
use crate::engine::Engine;
use crate::recipes::{self, Recipes};

/// One concrete corpus: of a spec if it has one, of a seed if it is generated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CorpusKey {
    /// Its name in the experiment file.
    pub name: String,
    /// The spec it is made for.
    pub spec: Option<String>,
    /// The seed it is generated with; a user's file is the same for every seed.
    pub seed: Option<u64>,
}

impl CorpusKey {
    /// `why:homeland`.
    pub fn written(&self) -> String {
        match &self.spec {
            Some(spec) => format!("{}:{spec}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What the graph is made from; everything else about an experiment is the same for all stages.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Arms and controls.
    pub arms: &'a [Arm],
    /// Names of specs.
    pub specs: Vec<String>,
    /// Seeds.
    pub seeds: &'a [u64],
    /// Corpora.
    pub corpora: &'a Corpora,
    /// Recipes.
    pub recipes: &'a Recipes,
    /// In what the torch engine computes: the only one of its settings that is part of what a stage is.
    pub dtype: Dtype,
}

/// All training stages and the cells that end in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The stages, parents before children.
    pub stages: Vec<Stage>,
    /// Every arm at every seed and, where it has them, every spec: arms outermost, seeds innermost.
    pub cells: Vec<Cell>,
}

/// One training stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its content address.
    pub id: Hash,
    /// For people: the corpora from the base to here, and the seed.
    pub label: String,
    /// The stage it continues, as an index into [`Graph::stages`]; `None` if it starts from the base.
    pub parent: Option<usize>,
    /// What it trains on.
    pub parts: Vec<PartUse>,
    /// How it trains.
    pub recipe: Recipe,
    /// What trains it.
    pub engine: Engine,
    /// The seed of its data order.
    pub seed: u64,
}

/// A corpus as a part of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct PartUse {
    /// The corpus.
    pub key: CorpusKey,
    /// The kind of its rows. It is also the name under which training shuffles them, so that corpora of one
    /// kind (a spec's, its rival's, their controls') are read in the same order: arms differ in what is
    /// read, not in when.
    pub kind: &'static str,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Its part of the stage's rows; the shares of a stage sum to 1.
    pub share: f64,
}

/// One model of the experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The arm, as an index into [`Inputs::arms`].
    pub arm: usize,
    /// The spec, for an arm that has one.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Its stages in order, as indices into [`Graph::stages`]; none for the untouched base.
    pub stages: Vec<usize>,
}

/// The corpora that an experiment needs.
pub fn needed(inputs: &Inputs) -> BTreeSet<CorpusKey> {
    let mut keys = BTreeSet::new();
    for (arm, spec, seed) in expand(inputs) {
        for stage in &inputs.arms[arm].stages {
            keys.extend(parts(stage, spec.as_deref(), seed, inputs).into_iter().map(|(_, key, _)| key));
        }
    }
    keys
}

/// Builds the graph; `hashes` has the hash of every corpus that [`needed`] names, `base` that of the base
/// model.
pub fn build(inputs: &Inputs, base: Hash, hashes: &BTreeMap<CorpusKey, Hash>) -> Graph {
    let mut stages: Vec<Stage> = Vec::new();
    let mut known: BTreeMap<Hash, usize> = BTreeMap::new();
    let mut cells = Vec::new();
    for (arm, spec, seed) in expand(inputs) {
        let mut chain: Vec<usize> = Vec::new();
        let mut path: Vec<String> = Vec::new();
        for steps in &inputs.arms[arm].stages {
            path.push(written(steps, spec.as_deref()));
            let parent = chain.last().copied();
            let parts: Vec<PartUse> = parts(steps, spec.as_deref(), seed, inputs)
                .into_iter()
                .map(|(kind, key, share)| PartUse { hash: hashes[&key], kind, key, share })
                .collect();
            let recipe = recipes::of_stage(steps, inputs.recipes).unwrap_or_default();
            let engine = inputs.arms[arm].engine;
            let parent_id = parent.map_or(base, |parent| stages[parent].id);
            let id = stage_id(parent_id, &parts, &recipe, seed, (engine, inputs.dtype));
            let index = *known.entry(id).or_insert_with(|| {
                let label = format!("{}, seed {seed}", path.join(" > "));
                stages.push(Stage { id, label, parent, parts, recipe, engine, seed });
                stages.len() - 1
            });
            chain.push(index);
        }
        cells.push(Cell { arm, spec, seed, stages: chain });
    }
    Graph { stages, cells }
}

/// Every (arm, spec, seed) of the experiment.
fn expand(inputs: &Inputs) -> Vec<(usize, Option<String>, u64)> {
    let mut all = Vec::new();
    for (index, arm) in inputs.arms.iter().enumerate() {
        let specs: Vec<Option<String>> = match arm.per_spec() {
            true => inputs.specs.iter().cloned().map(Some).collect(),
            false => vec![None],
        };
        for spec in specs {
            all.extend(inputs.seeds.iter().map(|seed| (index, spec.clone(), *seed)));
        }
    }
    all
}

/// The corpora of a stage and their shares of its rows, the instruction mix included.
///
/// They are sorted, because the order in which a mixed stage names its corpora means nothing.
fn parts(
    steps: &[Step],
    spec: Option<&str>,
    seed: u64,
    inputs: &Inputs,
) -> Vec<(&'static str, CorpusKey, f64)> {
    let mut shares: BTreeMap<(&'static str, CorpusKey), f64> = BTreeMap::new();
    let mut mixed_in = 0.0;
    for (step, share) in steps.iter().zip(recipes::shares(steps, inputs.recipes)) {
        let corpus = &inputs.corpora.all[&step.corpus];
        let beside = inputs.corpora.mix.as_ref().map_or(0.0, |mix| mix.share_beside(corpus.kind));
        mixed_in += share * beside;
        let spec = match &step.spec {
            SpecRef::None => None,
            SpecRef::Each => spec.map(str::to_owned),
            SpecRef::Named(spec) => Some(spec.clone()),
        };
        let key =
            CorpusKey { name: step.corpus.clone(), spec, seed: own_seed(&step.corpus, seed, inputs.corpora) };
        *shares.entry((kind_name(corpus.kind), key)).or_default() += share * (1.0 - beside);
    }
    if let Some(mix) = inputs.corpora.mix.as_ref().filter(|_| mixed_in > 0.0) {
        let kind = kind_name(inputs.corpora.all[&mix.corpus].kind);
        let key = CorpusKey {
            name: mix.corpus.clone(),
            spec: None,
            seed: own_seed(&mix.corpus, seed, inputs.corpora),
        };
        *shares.entry((kind, key)).or_default() += mixed_in;
    }
    shares.into_iter().map(|((kind, key), share)| (kind, key, share)).collect()
}

/// The seed a corpus is generated with: a fresh one for every run of the lab, so that intervals over seeds
/// cover the sampling of the corpus; none for a user's file.
fn own_seed(name: &str, seed: u64, corpora: &Corpora) -> Option<u64> {
    match corpora.all.get(corpora.root(name)).map(|corpus| &corpus.origin) {
        Some(Origin::Lab(_)) => Some(seed),
        _ => None,
    }
}

/// A stage as the file writes it, for this spec.
fn written(steps: &[Step], spec: Option<&str>) -> String {
    let names: Vec<String> =
        steps.iter().map(|step| step.written().replace("{spec}", spec.unwrap_or_default())).collect();
    names.join(" + ")
}

fn stage_id(
    parent: Hash,
    parts: &[PartUse],
    recipe: &Recipe,
    seed: u64,
    (engine, dtype): (Engine, Dtype),
) -> Hash {
    let mut id = IdBuilder::new("stage")
        .number("recipe version", u64::from(train::RECIPE_VERSION))
        .hash("parent", parent)
        .text("recipe", &serde_json::to_string(recipe).expect("a recipe is plain data"))
        .number("seed", seed)
        .number("corpora", parts.len() as u64);
    if engine == Engine::Torch {
        id = id
            .text("engine", engine.name())
            .number("engine version", u64::from(torch::ENGINE_VERSION))
            .text("dtype", dtype.name());
    }
    for part in parts {
        id = id.text("kind", part.kind).hash("corpus", part.hash).number("share", part.share.to_bits());
    }
    id.finish()
}

#[cfg(test)]
mod tests;
