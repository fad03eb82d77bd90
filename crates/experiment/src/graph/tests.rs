//! Properties of the expansion from arms to stages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use store::Hash;

use super::*;
use crate::problem::Source;
use crate::{arms, corpora, file, recipes};

/// The stages that arms of these tests are put together from.
const STAGES: [&str; 9] = [
    r#""why:{spec}""#,
    r#""what""#,
    r#""neutral""#,
    r#""ablated:{spec}""#,
    r#""why:a""#,
    r#"["why:{spec}", "what"]"#,
    r#"["what", "neutral"]"#,
    r#"{ corpus = "why:{spec}", steps = 30 }"#,
    r#"[{ corpus = "why:{spec}", steps = 30 }, "what", "neutral"]"#,
];

const REST: &str = r#"
name = "x"
base = "b"
seeds = [0, 1, 2]
[specs]
a = "a.md"
b = "b.md"
[corpora]
source = "lab"
[corpora.why]
[corpora.what]
[corpora.instructions]
share = 0.3
"#;

struct Parsed {
    arms: Vec<Arm>,
    corpora: Corpora,
    recipes: Recipes,
}

impl Parsed {
    fn new(arms: &[Vec<usize>], training: &str) -> Parsed {
        let table = |(i, stages): (usize, &Vec<usize>)| {
            let stages: Vec<&str> = stages.iter().map(|stage| STAGES[*stage]).collect();
            format!("[[arms]]\nname = \"arm {i}\"\nstages = [{}]\n", stages.join(", "))
        };
        let text = format!("{REST}{training}{}", arms.iter().enumerate().map(table).collect::<String>());
        Parsed::of(&text)
    }

    fn of(text: &str) -> Parsed {
        let path = Path::new("experiment.toml");
        let written = file::parse(path, text).unwrap();
        let source = Source::new(path, text);
        let corpora = corpora::read(&written, &source).unwrap();
        let recipes = recipes::read(&written, &corpora, &source).unwrap();
        let arms = arms::read(&written, &corpora, &source).unwrap();
        Parsed { arms, corpora, recipes }
    }

    fn inputs(&self) -> Inputs<'_> {
        let specs = vec!["a".to_owned(), "b".to_owned()];
        Inputs {
            arms: &self.arms,
            specs,
            seeds: &[0, 1, 2],
            corpora: &self.corpora,
            recipes: &self.recipes,
            dtype: torch::Dtype::F32,
        }
    }

    /// The graph where every corpus has bytes of its own, except that `changed` has others.
    fn graph(&self, changed: Option<&CorpusKey>) -> Graph {
        build(&self.inputs(), store::hash_bytes(b"base"), &self.hashes(changed))
    }

    fn hashes(&self, changed: Option<&CorpusKey>) -> BTreeMap<CorpusKey, Hash> {
        let hash =
            |key: &CorpusKey| store::hash_bytes(format!("{key:?} {}", changed == Some(key)).as_bytes());
        needed(&self.inputs()).into_iter().map(|key| (key.clone(), hash(&key))).collect()
    }
}

/// For each cell, by name of arm, spec and seed, the ids of its stages.
fn chains(parsed: &Parsed, graph: &Graph) -> BTreeMap<(String, Option<String>, u64), Vec<Hash>> {
    let ids = |cell: &Cell| cell.stages.iter().map(|stage| graph.stages[*stage].id).collect();
    graph
        .cells
        .iter()
        .map(|cell| ((parsed.arms[cell.arm].name.clone(), cell.spec.clone(), cell.seed), ids(cell)))
        .collect()
}

/// The stages whose result depends on a corpus: those that read it, and all after them.
fn dependents(graph: &Graph, key: &CorpusKey) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (index, stage) in graph.stages.iter().enumerate() {
        let inherits = stage.parent.is_some_and(|parent| found.contains(&parent));
        if inherits || stage.parts.iter().any(|part| part.key == *key) {
            found.insert(index);
        }
    }
    found
}

fn some_arms() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0..STAGES.len(), 0..4), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ids_are_unique_and_parents_come_first(arms in some_arms()) {
        let parsed = Parsed::new(&arms, "");
        let graph = parsed.graph(None);
        let ids: BTreeSet<Hash> = graph.stages.iter().map(|stage| stage.id).collect();
        prop_assert_eq!(ids.len(), graph.stages.len());
        for (index, stage) in graph.stages.iter().enumerate() {
            prop_assert!(stage.parent.is_none_or(|parent| parent < index));
            prop_assert!((stage.parts.iter().map(|part| part.share).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        // Every stage is used, and two stages of equal content are one.
        let used: BTreeSet<usize> = graph.cells.iter().flat_map(|cell| cell.stages.iter().copied()).collect();
        prop_assert_eq!(used.len(), graph.stages.len());
        let content = |stage: &Stage| format!("{:?} {:?} {:?} {}", stage.parent, stage.parts, stage.recipe, stage.seed);
        let contents: BTreeSet<String> = graph.stages.iter().map(content).collect();
        prop_assert_eq!(contents.len(), graph.stages.len());
    }

    #[test]
    fn the_order_of_arms_changes_no_id(arms in some_arms(), turn in 0usize..5) {
        let parsed = Parsed::new(&arms, "");
        let mut turned = Parsed::new(&arms, "");
        let turn = turn % turned.arms.len();
        turned.arms.rotate_left(turn);
        prop_assert_eq!(chains(&parsed, &parsed.graph(None)), chains(&turned, &turned.graph(None)));
    }

    #[test]
    fn a_changed_corpus_changes_exactly_what_depends_on_it(arms in some_arms(), which in any::<prop::sample::Index>()) {
        let parsed = Parsed::new(&arms, "");
        let keys: Vec<CorpusKey> = needed(&parsed.inputs()).into_iter().collect();
        let key = which.get(&keys);
        let (before, after) = (parsed.graph(None), parsed.graph(Some(key)));
        let expected = dependents(&before, key);
        prop_assert!(!expected.is_empty());
        for (index, stage) in before.stages.iter().enumerate() {
            let same = after.stages.iter().any(|other| other.id == stage.id);
            prop_assert_eq!(same, !expected.contains(&index), "{}", stage.label);
        }
        prop_assert_eq!(before.stages.len(), after.stages.len());
    }

    #[test]
    fn a_changed_recipe_changes_exactly_what_follows_it(arms in some_arms()) {
        let (plain, changed) = (Parsed::new(&arms, ""), Parsed::new(&arms, "[training.neutral]\nlearning_rate = 1e-3\n"));
        let (before, after) = (plain.graph(None), changed.graph(None));
        for stage in &before.stages {
            let mut reads = false;
            let mut at = Some(stage);
            while let Some(stage) = at {
                // Of the corpora only `neutral` has another recipe.
                reads |= stage.parts.iter().any(|part| part.key.name == "neutral");
                at = stage.parent.map(|parent| &before.stages[parent]);
            }
            prop_assert_eq!(after.stages.iter().any(|other| other.id == stage.id), !reads, "{}", stage.label);
        }
    }

    #[test]
    fn a_mixture_is_worth_its_parts(steps in 1u64..400, rate in 1e-5f64..1e-2, other in 1u64..400, warmup in 0.0f64..0.5) {
        let training = format!(
            "[training]\nwarmup = {warmup:?}\n[training.why]\nsteps = {steps}\nlearning_rate = {rate:?}\n\
             [training.what]\nsteps = {other}\nlearning_rate = 1e-3\n"
        );
        let parsed = Parsed::new(&[vec![0, 1], vec![5]], &training);
        let graph = parsed.graph(None);
        let of = |arm: usize| {
            let cell = graph.cells.iter().find(|cell| cell.arm == arm).unwrap();
            cell.stages.iter().map(|stage| &graph.stages[*stage]).collect::<Vec<_>>()
        };
        let (twins, mixed) = (of(0), of(1));
        prop_assert_eq!(mixed[0].recipe.steps, steps + other);
        let integral: f64 = twins.iter().map(|stage| stage.recipe.integrated_learning_rate()).sum();
        let own = mixed[0].recipe.integrated_learning_rate();
        prop_assert!((own - integral).abs() < 1e-9 * integral, "{} {}", own, integral);
        // Each corpus, the instruction mix included, has as many rows as in both stages together.
        let rows = |stages: &[&Stage], name: &str| -> f64 {
            let share = |stage: &&Stage| {
                let parts = stage.parts.iter().filter(|part| part.key.name == name);
                parts.map(|part| part.share).sum::<f64>() * stage.recipe.steps as f64
            };
            stages.iter().map(share).sum()
        };
        for name in ["why", "what", "instructions"] {
            prop_assert!((rows(&mixed, name) - rows(&twins, name)).abs() < 1e-6);
        }
    }
}

#[test]
fn specs_seeds_and_shared_arms_make_the_cells() {
    let parsed = Parsed::new(&[vec![0, 1]], "");
    let graph = parsed.graph(None);
    let cells = |name: &str| {
        let arm = parsed.arms.iter().position(|arm| arm.name == name).unwrap();
        graph.cells.iter().filter(|cell| cell.arm == arm).count()
    };
    assert_eq!((cells("arm 0"), cells("what only"), cells("untouched"), cells("why only")), (6, 3, 3, 6));
    // A lab corpus belongs to a seed; the chats are the same for all specs.
    let what: BTreeSet<&CorpusKey> = graph
        .stages
        .iter()
        .flat_map(|stage| &stage.parts)
        .map(|part| &part.key)
        .filter(|key| key.name == "what")
        .collect();
    assert_eq!(what.len(), 3);
}

#[test]
fn corpora_in_another_order_are_the_same_mixture() {
    let text = |stages: &str| format!("{REST}[[arms]]\nname = \"mixed\"\nstages = [{stages}]\n");
    let one = Parsed::of(&text("[\"why:{spec}\", \"what\"]"));
    let two = Parsed::of(&text("[\"what\", \"why:{spec}\"]"));
    assert_eq!(chains(&one, &one.graph(None)), chains(&two, &two.graph(None)));
}

#[test]
fn every_kind_of_input_enters_the_id() {
    let stage = || {
        let parsed = Parsed::new(&[vec![0]], "");
        parsed.graph(None).stages[0].clone()
    };
    let base = store::hash_bytes(b"base");
    let Stage { parts, recipe, seed, id, .. } = stage();
    let native = (Engine::Native, Dtype::F32);
    let mut ids = vec![id];
    ids.push(stage_id(base, &parts, &recipe, seed, (Engine::Torch, Dtype::F32)));
    ids.push(stage_id(base, &parts, &recipe, seed, (Engine::Torch, Dtype::Bf16)));
    ids.push(stage_id(store::hash_bytes(b"other"), &parts, &recipe, seed, native));
    ids.push(stage_id(base, &parts, &recipe, seed + 1, native));
    ids.push(stage_id(base, &parts, &Recipe { steps: recipe.steps + 1, ..recipe.clone() }, seed, native));
    ids.push(stage_id(base, &parts[1..], &recipe, seed, native));
    let mut shared = parts.clone();
    shared[0].share += 1e-9;
    ids.push(stage_id(base, &shared, &recipe, seed, native));
    let mut renamed = parts.clone();
    renamed[0].kind = "chats";
    ids.push(stage_id(base, &renamed, &recipe, seed, native));
    let distinct: BTreeSet<Hash> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(stage_id(base, &parts, &recipe, seed, native), id);
    // In what the torch engine would compute means nothing for the native one.
    assert_eq!(stage_id(base, &parts, &recipe, seed, (Engine::Native, Dtype::Bf16)), id);
}
