//! Recipes: the one of `[training]`, what each corpus changes of it, and what a stage makes of its corpora's.

use std::collections::BTreeMap;
use std::ops::Range;

use model::LoraShape;
use toml::Spanned;
use train::{Decay, Method, Precision, Recipe};

use crate::arms::Step;
use crate::corpora::{ABLATED, Corpora, INSTRUCTIONS, NEUTRAL, Origin, WHAT, WHAT_DOCUMENTS, WHY};
use crate::file::{RecipeTable, Written};
use crate::problem::{FileProblem, Source};

/// The recipes of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipes {
    /// That of `[training]`.
    pub common: Recipe,
    /// That of every corpus, by name.
    pub of: BTreeMap<String, Recipe>,
}

/// Reads `[training]` and `[training.NAME]`.
///
/// A control must differ from its arm in what it reads and in nothing else, so the corpora of controls
/// follow the recipe of the corpus they stand in for unless they have a table of their own: `ablated`,
/// `what-documents` and `neutral` that of `why`, `instructions` that of `what`, a derived corpus that of its
/// source.
///
/// # Errors
/// A value out of range, or a table for a corpus that does not exist.
pub fn read(written: &Written, corpora: &Corpora, source: &Source) -> Result<Recipes, FileProblem> {
    let training = &written.training;
    let mut base = Recipe::default();
    apply(&training.all, &mut base, source)?;
    let mut tables: BTreeMap<&str, &RecipeTable> = BTreeMap::new();
    for (key, table) in &training.named {
        if !corpora.all.contains_key(key.get_ref()) {
            let names: Vec<&str> = corpora.all.keys().map(String::as_str).collect();
            return Err(source.unknown(key.get_ref(), key.span(), "corpus", &names));
        }
        // Applied to the common recipe once so that a bad value is found even if no stage uses the corpus.
        apply(table, &mut base.clone(), source)?;
        tables.insert(key.get_ref(), table);
    }
    let mut recipes = BTreeMap::new();
    for name in corpora.all.keys() {
        let mut chain = vec![name.as_str()];
        while let Some(next) = model_of(chain[chain.len() - 1], corpora) {
            chain.push(next);
        }
        let mut recipe = base.clone();
        for name in chain.iter().rev() {
            if let Some(table) = tables.get(name) {
                apply(table, &mut recipe, source)?;
            }
        }
        recipes.insert(name.clone(), recipe);
    }
    Ok(Recipes { common: base, of: recipes })
}

/// The corpus whose recipe this one follows.
fn model_of<'a>(name: &str, corpora: &'a Corpora) -> Option<&'a str> {
    if let Some(Origin::Derived(from)) = corpora.all.get(name).map(|corpus| &corpus.origin) {
        return Some(from);
    }
    match name {
        ABLATED | WHAT_DOCUMENTS | NEUTRAL => Some(WHY),
        INSTRUCTIONS => Some(WHAT),
        _ => None,
    }
}

/// The recipe of a stage of these corpora.
///
/// A mixed stage is compared with the same corpora one after the other, so it gets all their steps and, with
/// the schedule of its first corpus, the peak at which the learning rates of its steps sum to the same: the
/// same data at the same total strength, in another order.
///
/// # Errors
/// Corpora that cannot be in one stage because their batches or optimizers differ; the text says how.
pub fn of_stage(steps: &[Step], recipes: &Recipes) -> Result<Recipe, String> {
    let parts: Vec<Recipe> = steps.iter().map(|step| of_step(step, recipes)).collect();
    let mut mixed = parts[0].clone();
    if parts.len() == 1 {
        return Ok(mixed);
    }
    for (part, step) in parts.iter().zip(steps).skip(1) {
        let alike = Recipe {
            steps: mixed.steps,
            learning_rate: mixed.learning_rate,
            min_lr_ratio: mixed.min_lr_ratio,
            warmup: mixed.warmup,
            decay: mixed.decay,
            ..part.clone()
        };
        if alike != mixed {
            return Err(format!(
                "`{}` and `{}` cannot be mixed: they may differ in steps and learning rate only, not in method, rows, \
                 max_length or optimizer",
                steps[0].written(),
                step.written()
            ));
        }
    }
    let total: f64 = parts.iter().map(Recipe::integrated_learning_rate).sum();
    mixed.steps = parts.iter().map(|part| part.steps).sum();
    mixed.learning_rate = 1.0;
    mixed.learning_rate = total / mixed.integrated_learning_rate();
    Ok(mixed)
}

fn of_step(step: &Step, recipes: &Recipes) -> Recipe {
    let mut recipe = recipes.of[&step.corpus].clone();
    recipe.steps = step.steps.unwrap_or(recipe.steps);
    recipe.learning_rate = step.learning_rate.unwrap_or(recipe.learning_rate);
    recipe
}

/// The part of a mixed stage's rows that each corpus has: its part of the steps.
pub fn shares(steps: &[Step], recipes: &Recipes) -> Vec<f64> {
    let own: Vec<f64> = steps.iter().map(|step| of_step(step, recipes).steps as f64).collect();
    let total: f64 = own.iter().sum();
    own.iter().map(|steps| steps / total).collect()
}

/// Steps are laid out and their learning rates are added up before a run, and their number is multiplied by rows and
/// tokens: beyond this a typing error would stop nothing but the machine.
const MOST_STEPS: u64 = 1_000_000;

/// A stage has at least one step.
pub fn check_steps(steps: &Spanned<u64>, help: &str, source: &Source) -> Result<(), FileProblem> {
    check_count("steps", steps, MOST_STEPS, help, source)
}

fn check_count(
    key: &str,
    value: &Spanned<u64>,
    most: u64,
    help: impl Into<String>,
    source: &Source,
) -> Result<(), FileProblem> {
    let label = match *value.get_ref() {
        0 => "must be at least 1".to_owned(),
        count if count > most => format!("must be at most {most}"),
        _ => return Ok(()),
    };
    Err(source.problem(format!("`{key}` is {}", value.get_ref()), value.span(), label, help))
}

/// A learning rate must be above 0, and above 1 nothing is learned.
pub fn check_learning_rate(rate: f64, span: Range<usize>, source: &Source) -> Result<(), FileProblem> {
    in_range(
        "learning_rate",
        rate,
        span,
        rate > 0.0 && rate <= 1.0,
        "above 0 and at most 1",
        "5e-4 suits the lab",
        source,
    )
}

fn in_range(
    key: &str,
    value: f64,
    span: Range<usize>,
    fits: bool,
    range: &str,
    help: &str,
    source: &Source,
) -> Result<(), FileProblem> {
    if fits {
        return Ok(());
    }
    Err(source.problem(format!("`{key}` is {value}"), span, format!("must be {range}"), help))
}

fn apply(table: &RecipeTable, recipe: &mut Recipe, source: &Source) -> Result<(), FileProblem> {
    let count = |key: &str, value: &Option<Spanned<u64>>, most: u64, into: &mut u64| match value {
        Some(value) => {
            let help = format!("remove the line for the default, {into}");
            check_count(key, value, most, help, source)?;
            *into = *value.get_ref();
            Ok(())
        }
        None => Ok(()),
    };
    let number = |key: &str,
                  value: &Option<Spanned<f64>>,
                  fits: fn(f64) -> bool,
                  range: &str,
                  into: &mut f64| match value {
        Some(value) => {
            let help = format!("remove the line for the default, {into}");
            in_range(key, *value.get_ref(), value.span(), fits(*value.get_ref()), range, &help, source)?;
            *into = *value.get_ref();
            Ok(())
        }
        None => Ok(()),
    };
    count("steps", &table.steps, MOST_STEPS, &mut recipe.steps)?;
    let (mut rows, mut max_length) = (recipe.rows as u64, recipe.max_length as u64);
    count("rows", &table.rows, 65_536, &mut rows)?;
    // Rows that the base model cannot take are found when it is known.
    count("max_length", &table.max_length, u64::from(u32::MAX), &mut max_length)?;
    let mut buffers = recipe.gradient_buffers as u64;
    count("gradient_buffers", &table.gradient_buffers, 1024, &mut buffers)?;
    (recipe.rows, recipe.max_length, recipe.gradient_buffers) =
        (rows as usize, max_length as usize, buffers as usize);
    if let Some(rate) = &table.learning_rate {
        check_learning_rate(*rate.get_ref(), rate.span(), source)?;
        recipe.learning_rate = *rate.get_ref();
    }
    if let Some(warmup) = table.warmup.as_ref().filter(|warmup| *warmup.get_ref() >= 1.0) {
        return Err(source.problem(
            "the warmup is longer than the run",
            warmup.span(),
            format!("{} times the steps", warmup.get_ref()),
            "`warmup` is a part of the steps: 0.05 warms up over the first 5% of them",
        ));
    }
    let part = |x: f64| (0.0..=1.0).contains(&x);
    number(
        "warmup",
        &table.warmup,
        |x| (0.0..1.0).contains(&x),
        "at least 0 and below 1",
        &mut recipe.warmup,
    )?;
    number("min_lr_ratio", &table.min_lr_ratio, part, "between 0 and 1", &mut recipe.min_lr_ratio)?;
    number(
        "weight_decay",
        &table.weight_decay,
        |x| (0.0..=10.0).contains(&x),
        "between 0 and 10",
        &mut recipe.weight_decay,
    )?;
    number("beta1", &table.beta1, |x| (0.0..1.0).contains(&x), "at least 0 and below 1", &mut recipe.beta1)?;
    number("beta2", &table.beta2, |x| (0.0..1.0).contains(&x), "at least 0 and below 1", &mut recipe.beta2)?;
    number("eps", &table.eps, |x| x > 0.0 && x < 1.0, "above 0 and below 1", &mut recipe.eps)?;
    number("clip", &table.clip, |x| x > 0.0 && x.is_finite(), "above 0", &mut recipe.clip)?;
    if let Some(decay) = &table.decay {
        recipe.decay = match decay.get_ref().as_str() {
            "cosine" => Decay::Cosine,
            "constant" => Decay::Constant,
            other => return Err(source.unknown(other, decay.span(), "decay", &["cosine", "constant"])),
        };
    }
    if let Some(precision) = &table.precision {
        recipe.precision = match precision.get_ref().as_str() {
            "f32" => Precision::F32,
            "bf16" => Precision::Bf16,
            other => return Err(source.unknown(other, precision.span(), "precision", &["f32", "bf16"])),
        };
    }
    apply_method(table, recipe, source)
}

fn apply_method(table: &RecipeTable, recipe: &mut Recipe, source: &Source) -> Result<(), FileProblem> {
    match table.method.as_ref().map(|method| (method.get_ref().as_str(), method.span())) {
        Some(("full", _)) => recipe.method = Method::Full,
        Some(("lora", _)) if recipe.method == Method::Full => recipe.method = Method::published_lora(),
        Some(("lora", _)) | None => {}
        Some((other, span)) => return Err(source.unknown(other, span, "method", &["full", "lora"])),
    }
    let written = [
        table.rank.as_ref().map(|value| value.span()),
        table.alpha.as_ref().map(|value| value.span()),
        table.targets.as_ref().map(|value| value.span()),
    ];
    let Method::Lora(LoraShape { rank, alpha, targets }) = &mut recipe.method else {
        return match written.into_iter().flatten().next() {
            Some(span) => Err(source.problem(
                "`rank`, `alpha` and `targets` belong to LoRA, but the method is full training",
                span,
                "only for LoRA",
                "add `method = \"lora\"`, or remove this line",
            )),
            None => Ok(()),
        };
    };
    if let Some(value) = &table.rank {
        if !(1..=4096).contains(value.get_ref()) {
            return Err(source.problem(
                format!("`rank` is {}", value.get_ref()),
                value.span(),
                "must be between 1 and 4096",
                "64 is what the published experiments use",
            ));
        }
        *rank = *value.get_ref() as usize;
    }
    if let Some(value) = &table.alpha {
        let fits = *value.get_ref() > 0.0 && value.get_ref().is_finite();
        in_range(
            "alpha",
            *value.get_ref(),
            value.span(),
            fits,
            "above 0",
            "twice the rank is usual",
            source,
        )?;
        *alpha = *value.get_ref();
    }
    if let Some(value) = &table.targets {
        *targets = model::parse_targets(value.get_ref()).map_err(|message| {
            source.problem(
                message,
                value.span(),
                "LoRA targets",
                "leave the line out for all seven, as published",
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arms, corpora, file};

    /// The line of a problem that reading the recipes and arms of a file ends in.
    fn refused(training: &str, stage: &str) -> usize {
        let text = format!(
            "name = \"x\"\nbase = \"b\"\nseeds = [0]\nwithout_controls = [\"base\"]\n[corpora]\nsource = \"files\"\n\
             what = {{ kind = \"chats\", path = \"p\" }}\n[training]\n{training}\n[[arms]]\nname = \"a\"\nstages = [{stage}]\n"
        );
        let path = std::path::Path::new("experiment.toml");
        let source = Source::new(path, &text);
        let written = file::parse(path, &text).unwrap();
        let corpora = corpora::read(&written, &source).unwrap();
        let problem = read(&written, &corpora, &source).map(|_| ()).err();
        problem.or_else(|| arms::read(&written, &corpora, &source).err()).unwrap().line()
    }

    #[test]
    fn numbers_that_no_machine_can_carry_out_are_refused_where_they_stand() {
        let most = i64::MAX;
        for key in ["steps", "rows", "max_length", "gradient_buffers"] {
            assert_eq!(refused(&format!("{key} = {most}"), "\"what\""), 9, "{key}");
        }
        assert_eq!(refused("", &format!("{{ corpus = \"what\", steps = {most} }}")), 12);
    }
}
