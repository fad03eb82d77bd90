//! A job: everything that decides a stage's result, as files that `train.py` reads.

use std::path::{Path, PathBuf};

use model::{Adapter, Config, Weights};
use serde::{Deserialize, Serialize};
use store::{Hash, IdBuilder, StagedDir};
use train::{Method, Part, Recipe, Schedule, TrainError, guard};

use crate::shards::{self, Shard};
use crate::{ENGINE_VERSION, SCRIPT, TorchError, TorchSettings};

/// Name of the folder with the job's files, within the caller's.
const JOB: &str = "job";
/// What the job says about itself.
const FILE: &str = "job.json";

/// The weights that a stage starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Those in memory: they are written beside the job.
    Weights(&'a Weights),
    /// A Hugging Face folder, read where it is, and the hash of what is in it. It must stay as it is.
    Folder(&'a Path, Hash),
}

/// One stage to be trained; the counterpart of [`train::Job`].
pub struct Job<'a> {
    /// Sizes of the model.
    pub config: &'a Config,
    /// The weights to start from.
    pub start: Start<'a>,
    /// An adapter trained by an earlier stage, to be continued (LoRA only).
    pub adapter: Option<&'a Adapter>,
    /// How. `precision` and `gradient_buffers` are the native engine's and not used here.
    pub recipe: &'a Recipe,
    /// On what.
    pub parts: &'a [Part],
    /// Decides the order of rows and a fresh adapter's start.
    pub seed: u64,
    /// Where the job, its checkpoints and its result go: a folder of its own, which every node of a cluster sees.
    pub dir: &'a Path,
    /// How it is spread.
    pub settings: &'a TorchSettings,
}

/// What `job.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobFile {
    /// Hash of everything that decides the result.
    pub id: Hash,
    pub engine_version: u32,
    pub method: String,
    pub dtype: String,
    pub seed: u64,
    pub steps: u64,
    /// Packed rows a step.
    pub rows: usize,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub clip: f64,
    pub guard: GuardRule,
    pub shards: Vec<Shard>,
    /// Of every step.
    pub learning_rates: Vec<f64>,
    pub tokens: Vec<u64>,
    pub targets: Vec<u64>,
}

/// When a loss counts as diverged: the native engine's rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct GuardRule {
    pub window: usize,
    pub factor: f64,
    pub margin: f64,
}

/// A job whose files are written.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) dir: PathBuf,
    /// The folder with `config.json` and the weights.
    pub(crate) model: PathBuf,
    pub(crate) id: Hash,
    pub(crate) steps: u64,
    pub(crate) method: Method,
    pub(crate) config: Config,
    pub(crate) settings: TorchSettings,
}

impl Prepared {
    /// Hash of everything that decides the result.
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The job's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Writes a job's files to `<dir>/job`, unless they are there.
///
/// # Errors
/// Settings or a recipe that make no sense, rows longer than the model's positions, a corpus without targets; another
/// job's files in the folder; files that cannot be written.
pub fn prepare(job: &Job) -> Result<Prepared, TorchError> {
    job.settings.check()?;
    train::plan(job.recipe, job.parts, job.config, job.seed)?;
    check_vocabulary(job)?;
    let schedule = Schedule::new(job.recipe, job.parts, job.seed)?;
    let adapter = first_adapter(job)?;
    let folder = job.dir.join(JOB);
    let staged = StagedDir::create(&folder)?;
    let file = describe(job, adapter.as_ref(), shards::write(&staged, job.recipe, job.parts, &schedule)?);
    let prepared = Prepared {
        dir: job.dir.to_owned(),
        model: match job.start {
            Start::Weights(_) => folder.join("model"),
            Start::Folder(path, _) => path.to_owned(),
        },
        id: file.id,
        steps: file.steps,
        method: job.recipe.method.clone(),
        config: job.config.clone(),
        settings: job.settings.clone(),
    };
    store::update(job.dir.join("train.py"), SCRIPT.as_bytes())?;
    if store::read_done(&folder)?.is_some() {
        store::verify_done(&folder)?;
        let present: JobFile = store::read_json(folder.join(FILE))?;
        return if present.id == file.id { Ok(prepared) } else { Err(TorchError::OtherJob { path: folder }) };
    }
    if let Some(adapter) = &adapter {
        adapter.save(job.config, None, None, &staged.path().join("adapter"))?;
    }
    if let Start::Weights(weights) = job.start {
        let model = staged.path().join("model");
        store::write_json(model.join("config.json"), &job.config.to_json(None, None, None))?;
        store::write_atomic(model.join("model.safetensors"), &weights.to_safetensors()?)?;
    }
    store::write_json(staged.path().join(FILE), &file)?;
    staged.commit()?;
    Ok(prepared)
}

/// The adapter that training starts from, by the native engine's rules.
fn first_adapter(job: &Job) -> Result<Option<Adapter>, TorchError> {
    let refuse = |why: &str| Err(TorchError::Train(TrainError::Recipe(why.to_owned())));
    match (&job.recipe.method, job.adapter) {
        (Method::Full, None) => Ok(None),
        (Method::Full, Some(_)) => refuse(
            "the parent stage trained an adapter, so this stage cannot train all weights; use one method in all stages",
        ),
        (Method::Lora(shape), Some(parent)) if parent.shape == *shape => Ok(Some(parent.clone())),
        (Method::Lora(_), Some(_)) => refuse(
            "the parent stage's adapter has another rank, alpha or targets; use one LoRA shape in all stages",
        ),
        (Method::Lora(shape), None) => Ok(Some(Adapter::new(job.config, shape.clone(), job.seed))),
    }
}

/// A token that the embedding lacks would bring a GPU down with a message about an assertion.
fn check_vocabulary(job: &Job) -> Result<(), TorchError> {
    for part in job.parts {
        let tokens = part.examples.iter().flat_map(|example| &example.tokens);
        if let Some(token) = tokens.copied().find(|token| *token as usize >= job.config.vocab_size) {
            return Err(TorchError::Files(format!(
                "corpus `{}` has token {token}, but the model has {} tokens; was it tokenised for another model?",
                part.name, job.config.vocab_size
            )));
        }
    }
    Ok(())
}

fn describe(job: &Job, adapter: Option<&Adapter>, written: shards::Written) -> JobFile {
    let recipe = job.recipe;
    let start = match job.start {
        Start::Weights(weights) => floats(&weights.flat),
        Start::Folder(_, hash) => hash,
    };
    let mut id = IdBuilder::new("torch job")
        .number("engine version", ENGINE_VERSION as u64)
        .text("recipe", &serde_json::to_string(recipe).unwrap_or_default())
        .text("dtype", job.settings.dtype.name())
        .number("seed", job.seed)
        .text("config", &job.config.to_json(None, None, None).to_string())
        .hash("start", start);
    if let Some(adapter) = adapter {
        id = id.hash("adapter", floats(&adapter.flat));
    }
    for shard in &written.shards {
        id = id.hash("rows", shard.hash);
    }
    JobFile {
        id: id.finish(),
        engine_version: ENGINE_VERSION,
        method: if adapter.is_some() { "lora" } else { "full" }.to_owned(),
        dtype: job.settings.dtype.name().to_owned(),
        seed: job.seed,
        steps: recipe.steps,
        rows: recipe.rows,
        weight_decay: recipe.weight_decay,
        beta1: recipe.beta1,
        beta2: recipe.beta2,
        eps: recipe.eps,
        clip: recipe.clip,
        guard: GuardRule { window: guard::WINDOW, factor: guard::FACTOR, margin: guard::MARGIN },
        learning_rates: (0..recipe.steps).map(|step| recipe.learning_rate_at(step)).collect(),
        shards: written.shards,
        tokens: written.tokens,
        targets: written.targets,
    }
}

/// The hash of numbers, in pieces: a second copy of a large model would be the peak of the memory.
fn floats(values: &[f32]) -> Hash {
    let piece = |piece: &[f32]| {
        store::hash_bytes(&piece.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    };
    values
        .chunks(1 << 16)
        .fold(IdBuilder::new("floats"), |id, values| id.hash("piece", piece(values)))
        .finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use model::{Architecture, Example, LoraShape, Target};

    use super::*;

    /// The smallest of models.
    pub fn config() -> Config {
        Config {
            architecture: Architecture::Qwen3,
            vocab_size: 50,
            hidden_size: 8,
            ffn_size: 12,
            layers: 2,
            heads: 2,
            kv_heads: 1,
            head_dim: 4,
            max_positions: 32,
            rope_theta: 10_000.0,
            rope_scaling: None,
            norm_eps: 1e-5,
            tied: true,
            qkv_bias: false,
            qk_norm: true,
        }
    }

    pub fn parts() -> Vec<Part> {
        let example = |i: u32| Example {
            tokens: (0..5 + i % 7).map(|t| (i * 11 + t * 3) % 50).collect(),
            loss: vec![true; 5 + i as usize % 7],
        };
        vec![Part { name: "why".into(), examples: (0..20).map(example).collect(), share: 1.0 }]
    }

    pub fn recipe(method: Method) -> Recipe {
        Recipe { method, steps: 6, rows: 3, max_length: 16, ..Recipe::default() }
    }

    fn try_prepare(
        dir: &Path,
        recipe: &Recipe,
        seed: u64,
        adapter: Option<&Adapter>,
    ) -> Result<Prepared, TorchError> {
        let (config, parts) = (config(), parts());
        let weights = Weights::random(&config, 1);
        prepare(&Job {
            config: &config,
            start: Start::Weights(&weights),
            adapter,
            recipe,
            parts: &parts,
            seed,
            dir,
            settings: &TorchSettings::default(),
        })
    }

    pub fn prepared(dir: &Path, method: Method) -> Prepared {
        try_prepare(dir, &recipe(method), 1, None).unwrap()
    }

    fn lora(rank: usize) -> Method {
        Method::Lora(LoraShape { rank, alpha: 4.0, targets: Target::ALL.to_vec() })
    }

    #[test]
    fn a_job_is_written_once_found_again_and_never_taken_for_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = prepared(dir.path(), lora(2));
        let done = store::verify_done(dir.path().join("job")).unwrap();
        let names: Vec<&str> = done.files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "adapter/adapter_config.json",
                "adapter/adapter_model.safetensors",
                "job.json",
                "model/config.json",
                "model/model.safetensors",
                "rows-00000.safetensors",
            ]
        );
        assert_eq!(prepared(dir.path(), lora(2)).id, first.id);
        assert_eq!(store::verify_done(dir.path().join("job")).unwrap(), done);
        for other in
            [recipe(lora(3)), recipe(Method::Full), Recipe { learning_rate: 1e-3, ..recipe(lora(2)) }]
        {
            let error = try_prepare(dir.path(), &other, 1, None).unwrap_err();
            assert!(matches!(error, TorchError::OtherJob { .. }), "{error}");
        }
        assert!(matches!(
            try_prepare(dir.path(), &recipe(lora(2)), 2, None),
            Err(TorchError::OtherJob { .. })
        ));
    }

    #[test]
    fn a_job_says_every_number_of_the_recipe() {
        let dir = tempfile::tempdir().unwrap();
        prepared(dir.path(), Method::Full);
        let file: JobFile = store::read_json(dir.path().join("job/job.json")).unwrap();
        let recipe = recipe(Method::Full);
        assert_eq!((file.steps, file.rows, file.method.as_str()), (6, 3, "full"));
        assert_eq!(file.learning_rates, (0..6).map(|s| recipe.learning_rate_at(s)).collect::<Vec<_>>());
        assert_eq!((file.tokens.len(), file.targets.len()), (6, 6));
        assert_eq!(store::read_text(dir.path().join("train.py")).unwrap(), SCRIPT);
    }

    #[test]
    fn what_the_native_engine_refuses_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let parent =
            Adapter::new(&config(), LoraShape { rank: 2, alpha: 4.0, targets: Target::ALL.to_vec() }, 1);
        let fails = |recipe: &Recipe, adapter, why: &str| {
            let error = try_prepare(dir.path(), recipe, 1, adapter).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        fails(&recipe(Method::Full), Some(&parent), "one method");
        fails(&recipe(lora(3)), Some(&parent), "one LoRA shape");
        fails(&Recipe { max_length: 64, ..recipe(Method::Full) }, None, "64 tokens do not fit");
        fails(&Recipe { steps: 0, ..recipe(Method::Full) }, None, "steps");
        assert!(!dir.path().join("job").exists(), "nothing half-written");
    }

    #[test]
    fn a_token_beyond_the_embedding_is_found_before_a_gpu_finds_it() {
        let (config, mut parts, dir) = (config(), parts(), tempfile::tempdir().unwrap());
        parts[0].examples[3].tokens[1] = 50;
        let weights = Weights::random(&config, 1);
        let error = prepare(&Job {
            config: &config,
            start: Start::Weights(&weights),
            adapter: None,
            recipe: &recipe(Method::Full),
            parts: &parts,
            seed: 1,
            dir: dir.path(),
            settings: &TorchSettings::default(),
        })
        .unwrap_err();
        assert!(error.to_string().contains("`why` has token 50"), "{error}");
    }
}
