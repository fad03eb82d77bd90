//! Arms: the stage lists of an experiment, those that were written and those that every experiment needs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use crate::controls;
use crate::corpora::Corpora;
use crate::engine::{self, Engine};
use crate::file::{StageWritten, StepTable, Written};
use crate::problem::{FileProblem, Source};
use crate::recipes;
use crate::record::{Role, StageShape, StepShape};

/// A sequence of stages, run for every seed and, if it mentions a spec, for every spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name, unique in the experiment.
    pub name: String,
    /// Its name as a folder.
    pub folder: String,
    /// Whether it was added as a control.
    pub control: bool,
    /// Its stages, in order; none for the untouched base.
    pub stages: Vec<Vec<Step>>,
    /// What trains them.
    pub engine: Engine,
    /// Whether that is another engine than the file's: then it stands in for no arm of an analysis.
    pub other_engine: bool,
    /// The pattern of its stages.
    pub structure: Option<Role>,
    /// The part it plays in the analyses.
    pub role: Option<Role>,
}

/// One corpus of a stage; a stage of several is mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The corpus's name.
    pub corpus: String,
    /// The spec it is made for.
    pub spec: SpecRef,
    /// Optimizer steps, where they differ from the recipe's.
    pub steps: Option<u64>,
    /// Peak learning rate, where it differs from the recipe's.
    pub learning_rate: Option<f64>,
}

/// Which spec a corpus of a stage is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecRef {
    /// None: the corpus is the same for all.
    None,
    /// Each in turn (`{spec}`).
    Each,
    /// This one.
    Named(String),
}

impl Arm {
    /// Whether it exists once per spec.
    pub fn per_spec(&self) -> bool {
        self.stages.iter().flatten().any(|step| step.spec == SpecRef::Each)
    }

    /// Whether any of its stages departs from the recipes or the engine of the file.
    pub fn overrides(&self) -> bool {
        self.other_engine
            || self.stages.iter().flatten().any(|step| step.steps.is_some() || step.learning_rate.is_some())
    }

    /// Its stages as the file writes them.
    pub fn shapes(&self) -> Vec<StageShape> {
        let shape = |step: &Step| StepShape {
            corpus: step.written(),
            steps: step.steps,
            learning_rate: step.learning_rate,
        };
        self.stages
            .iter()
            .map(|steps| match steps.as_slice() {
                [one] => StageShape::One(shape(one)),
                several => StageShape::Mixed(several.iter().map(shape).collect()),
            })
            .collect()
    }
}

impl Arm {
    /// Its stages in one line, as the file writes them.
    pub fn written(&self) -> String {
        let stage = |steps: &Vec<Step>| match steps.as_slice() {
            [one] => one.described(),
            several => {
                let names: Vec<String> = several.iter().map(Step::described).collect();
                format!("[{}]", names.join(" + "))
            }
        };
        match self.stages.as_slice() {
            [] => "(the base as it is)".to_owned(),
            stages => stages.iter().map(stage).collect::<Vec<String>>().join(" > "),
        }
    }
}

impl Step {
    /// As the file writes it, with what it overrides.
    fn described(&self) -> String {
        let steps = self.steps.map(|steps| format!("{steps} steps"));
        let rate = self.learning_rate.map(|rate| format!("learning rate {rate}"));
        let overrides: Vec<String> = steps.into_iter().chain(rate).collect();
        match overrides.is_empty() {
            true => self.written(),
            false => format!("{} ({})", self.written(), overrides.join(", ")),
        }
    }

    /// A step with the recipe of its corpus.
    pub fn plain(corpus: &str, per_spec: bool) -> Step {
        let spec = if per_spec { SpecRef::Each } else { SpecRef::None };
        Step { corpus: corpus.to_owned(), spec, steps: None, learning_rate: None }
    }

    /// As the file writes its corpus.
    pub fn written(&self) -> String {
        match &self.spec {
            SpecRef::None => self.corpus.clone(),
            SpecRef::Each => format!("{}:{{spec}}", self.corpus),
            SpecRef::Named(spec) => format!("{}:{spec}", self.corpus),
        }
    }
}

/// Reads `[[arms]]` and adds the controls.
///
/// # Errors
/// An arm without a name or with one that is taken, a stage that names no corpus, a control whose corpora
/// are missing.
pub fn read(written: &Written, corpora: &Corpora, source: &Source) -> Result<Vec<Arm>, FileProblem> {
    let mut arms: Vec<Arm> = Vec::new();
    let mut names: BTreeMap<&str, Range<usize>> = BTreeMap::new();
    for table in &written.top.arms {
        let name = table.name.get_ref().trim();
        if name.is_empty() {
            return Err(source.problem(
                "an arm has no name",
                table.name.span(),
                "empty",
                "tables and reports need a few words, like \"values first\"",
            ));
        }
        if names.insert(name, table.name.span()).is_some() {
            return Err(source.problem(
                format!("two arms are called `{name}`"),
                table.name.span(),
                "the second one",
                "give each arm its own name",
            ));
        }
        let stages: Vec<Vec<Step>> = table
            .stages
            .iter()
            .map(|stage| read_stage(stage, written, corpora, source))
            .collect::<Result<_, _>>()?;
        let structure = controls::structure(&stages, corpora);
        let (usual, engine) = engine::of_arm(table.engine.as_ref(), written, source)?;
        arms.push(Arm {
            name: name.to_owned(),
            folder: String::new(),
            control: false,
            stages,
            engine,
            other_engine: engine != usual,
            structure,
            role: None,
        });
    }
    controls::add(&mut arms, written, corpora, &names, source)?;
    name_folders(&mut arms);
    give_roles(&mut arms);
    Ok(arms)
}

fn read_stage(
    stage: &Spanned<StageWritten>,
    written: &Written,
    corpora: &Corpora,
    source: &Source,
) -> Result<Vec<Step>, FileProblem> {
    match stage.get_ref() {
        StageWritten::One(step) => Ok(vec![read_step(step, stage.span(), written, corpora, source)?]),
        StageWritten::Mixed(steps) => {
            let mut mixed = Vec::new();
            for step in steps {
                let StageWritten::One(table) = step.get_ref() else {
                    return Err(source.problem(
                        "a mixed stage inside a mixed stage",
                        step.span(),
                        "a list within a list within `stages`",
                        "write all corpora that are mixed in one list",
                    ));
                };
                let next = read_step(table, step.span(), written, corpora, source)?;
                if mixed.iter().any(|step: &Step| step.corpus == next.corpus && step.spec == next.spec) {
                    return Err(source.problem(
                        format!("`{}` is mixed with itself", next.written()),
                        step.span(),
                        "the second time",
                        "name each corpus once; `steps` gives one more weight",
                    ));
                }
                mixed.push(next);
            }
            if mixed.is_empty() {
                return Err(source.problem(
                    "a stage mixes nothing",
                    stage.span(),
                    "an empty list",
                    "name the corpora to mix, or leave `stages` itself empty for the untouched base",
                ));
            }
            Ok(mixed)
        }
    }
}

fn read_step(
    step: &StepTable,
    span: Range<usize>,
    written: &Written,
    corpora: &Corpora,
    source: &Source,
) -> Result<Step, FileProblem> {
    let (name, spec) = match step.corpus.split_once(':') {
        Some((name, spec)) => (name, Some(spec)),
        None => (step.corpus.as_str(), None),
    };
    let Some(corpus) = corpora.all.get(name) else {
        let names: Vec<&str> = corpora.all.keys().map(String::as_str).collect();
        let mut problem = source.unknown(name, span, "corpus", &names);
        problem.help.push_str(&format!("; or add a table [corpora.{name}]"));
        return Err(problem);
    };
    let specs: Vec<&str> = written.specs.iter().map(|(name, _)| name.get_ref().as_str()).collect();
    let spec = match spec {
        Some("{spec}") if specs.is_empty() => {
            return Err(source.problem(
                "a stage mentions {spec}, but there are no specs",
                span,
                "no spec to put here",
                "add a table [specs] with lines `name = \"specs/name.md\"`",
            ));
        }
        Some(spec) if !corpus.per_spec => {
            return Err(source.problem(
                format!("`{name}` is the same for every spec"),
                span,
                format!("`:{spec}` has no meaning here"),
                format!("write \"{name}\""),
            ));
        }
        Some("{spec}") => SpecRef::Each,
        Some(spec) if specs.contains(&spec) => SpecRef::Named(spec.to_owned()),
        Some(spec) => {
            let mut problem = source.unknown(spec, span, "spec", &specs);
            problem.help.push_str(&format!("; \"{name}:{{spec}}\" stands for each in turn"));
            return Err(problem);
        }
        None if corpus.per_spec => {
            return Err(source.problem(
                format!("`{name}` exists once per spec"),
                span,
                "which one?",
                format!(
                    "write \"{name}:{{spec}}\" for an arm per spec, or name one: \"{name}:{}\"",
                    specs[0]
                ),
            ));
        }
        None => SpecRef::None,
    };
    if let Some(steps) = step.steps.as_ref().filter(|steps| *steps.get_ref() == 0) {
        return Err(source.problem(
            "a stage of 0 steps trains nothing",
            steps.span(),
            "must be at least 1",
            "leave the stage out instead",
        ));
    }
    if let Some(steps) = &step.steps {
        recipes::check_steps(steps, "leave the line out for the steps of the recipe", source)?;
    }
    if let Some(rate) = &step.learning_rate {
        recipes::check_learning_rate(*rate.get_ref(), rate.span(), source)?;
    }
    Ok(Step {
        corpus: name.to_owned(),
        spec,
        steps: step.steps.as_ref().map(|steps| *steps.get_ref()),
        learning_rate: step.learning_rate.as_ref().map(|rate| *rate.get_ref()),
    })
}

/// Gives each arm a folder name that no other has on any file system: letters, digits and dashes, in lower
/// case.
fn name_folders(arms: &mut [Arm]) {
    let mut taken = BTreeSet::new();
    for arm in arms {
        let mut folder = String::new();
        for c in arm.name.chars().flat_map(char::to_lowercase) {
            if c.is_alphanumeric() {
                folder.push(c);
            } else if !folder.is_empty() && !folder.ends_with('-') {
                folder.push('-');
            }
        }
        let folder = folder.trim_end_matches('-');
        // File names may hold 255 bytes; a name that was cut, taken or all punctuation is told apart by its
        // hash.
        let cut: String = folder.chars().take(60).collect();
        let hashed = || format!("{cut}-{}", &store::hash_bytes(arm.name.as_bytes()).short()[..6]);
        let own = if cut.is_empty() || cut.len() < folder.len() || taken.contains(&cut) {
            hashed()
        } else {
            cut.clone()
        };
        arm.folder = own.trim_start_matches('-').to_owned();
        taken.insert(arm.folder.clone());
    }
}

/// Of the arms with one structure, the first that follows the recipes of the file plays the part in the
/// analyses.
fn give_roles(arms: &mut [Arm]) {
    let mut players: BTreeMap<Role, usize> = BTreeMap::new();
    for (i, arm) in arms.iter().enumerate() {
        let Some(role) = arm.structure else { continue };
        match players.get(&role) {
            Some(&first) if !arms[first].overrides() || arm.overrides() => {}
            _ => {
                players.insert(role, i);
            }
        }
    }
    for (role, i) in players {
        arms[i].role = Some(role);
    }
}
