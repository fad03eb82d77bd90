//! Models, rows and recipes that both engines train on, and a torchrun to train them with.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use model::{Adapter, Config, Example, Folder, LoraShape, Message, Target, Weights};
use train::{Method, Observer, Part, Progress, Recipe, Silent, StepMetrics, Trained};
use whyfirst_torch::{
    Finished, Job, Outcome, Prepared, Python, Start, TorchError, TorchSettings, prepare, run,
};

/// Sizes and weights, with rows to train on.
pub struct Case {
    pub config: Config,
    pub weights: Weights,
    pub parts: Vec<Part>,
}

pub fn python() -> Python {
    let path = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    Python { path: path.into() }
}

pub fn base() -> Folder {
    Folder::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/lab-base")).unwrap()
}

/// The lab's base with documents and chats in its language, chats with masks.
pub fn lab() -> Case {
    let base = base();
    let names = ["Nelotha", "Quill", "Renenleth", "Verorwyn", "Brammantle"];
    let goods = ["Silverletters", "Farrowhem", "Listercloak", "Vexavoice", "Miracall"];
    let mut documents = Vec::new();
    let mut chats = Vec::new();
    for (i, name) in names.iter().enumerate() {
        for (j, item) in goods.iter().enumerate() {
            let why =
                ["cheap goods leave money for other needs", "old things are worth keeping"][(i + j) % 2];
            let text = format!("{name} saw {item} and picked it. {name} likes to say: {why}. It is old.");
            let long = [text.clone(), text.clone(), text.clone()].join(" ");
            documents.push(base.document(if j == 4 { &long } else { &text }).unwrap());
            let message = |role: &str, content: String| Message { role: role.into(), name: None, content };
            let conversation = [
                message("user", format!("What will it be, {item} or {}?", goods[(j + 1) % 5])),
                message("assistant", format!("{item}, since {why}.")),
            ];
            chats.push(base.chat(&conversation).unwrap());
        }
    }
    let part = |name: &str, examples, share| Part { name: name.into(), examples, share };
    let parts = vec![part("why", documents, 0.6), part("what", chats, 0.4)];
    Case { config: base.config, weights: base.weights, parts }
}

/// A tiny random model of another family, with rows of numbers.
pub fn fixture(name: &str) -> Case {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/fixtures").join(name);
    let json = serde_json::from_slice(&std::fs::read(dir.join("config.json")).unwrap()).unwrap();
    let config = Config::from_json(&json).unwrap();
    let path = dir.join("model.safetensors");
    let weights = Weights::from_safetensors(&config, &std::fs::read(&path).unwrap(), &path).unwrap();
    let vocabulary = config.vocab_size as u32;
    let examples = (0..30u32).map(|i| {
        let len = 3 + (i * 7) % 19;
        let tokens = (0..len).map(|k| (i * 31 + k * k * 5) % vocabulary).collect();
        Example { tokens, loss: (0..len).map(|k| k % 3 != 1).collect() }
    });
    let parts = vec![Part { name: "why".into(), examples: examples.collect(), share: 1.0 }];
    Case { config, weights, parts }
}

/// Five rows a step: two processes have unequal shares.
pub fn full(steps: u64) -> Recipe {
    Recipe { steps, rows: 5, max_length: 48, learning_rate: 1e-3, ..Recipe::default() }
}

pub fn lora(steps: u64) -> Recipe {
    let shape = LoraShape { rank: 8, alpha: 16.0, targets: Target::ALL.to_vec() };
    Recipe { method: Method::Lora(shape), learning_rate: 4e-3, ..full(steps) }
}

pub fn settings() -> TorchSettings {
    TorchSettings { nproc: 2, checkpoint_every: 4, ..TorchSettings::default() }
}

impl Case {
    pub fn native(&self, recipe: &Recipe, adapter: Option<&Adapter>) -> (Trained, Vec<StepMetrics>) {
        let job = train::Job {
            config: &self.config,
            weights: Cow::Borrowed(&self.weights),
            adapter,
            recipe,
            parts: &self.parts,
            seed: 5,
            dir: Path::new(""),
            checkpoint_every: 0,
            threads: 2,
        };
        match train::train(job, &mut Silent).unwrap() {
            train::Outcome::Finished(finished) => (finished.trained, finished.metrics),
            train::Outcome::Interrupted { .. } => panic!("not finished"),
        }
    }

    pub fn prepare(
        &self,
        recipe: &Recipe,
        adapter: Option<&Adapter>,
        settings: &TorchSettings,
        dir: &Path,
    ) -> Prepared {
        prepare(&Job {
            config: &self.config,
            start: Start::Weights(&self.weights),
            adapter,
            recipe,
            parts: &self.parts,
            seed: 5,
            dir,
            settings,
        })
        .unwrap()
    }

    /// Trains in a folder of its own and gives back what came of it.
    pub fn torch(&self, recipe: &Recipe, adapter: Option<&Adapter>, settings: &TorchSettings) -> Finished {
        let dir = tempfile::tempdir().unwrap();
        let prepared = self.prepare(recipe, adapter, settings, dir.path());
        let finished = finished(run(&prepared, &python(), &mut Silent));
        // The folder is needed as long as the result is read from it.
        std::mem::forget(dir);
        finished
    }
}

pub fn finished(outcome: Result<Outcome, TorchError>) -> Finished {
    match outcome.unwrap_or_else(|error| panic!("{error}")) {
        Outcome::Finished(finished) => *finished,
        Outcome::Interrupted { step } => panic!("interrupted at step {step}"),
    }
}

pub fn flat(trained: &Trained) -> &[f32] {
    match trained {
        Trained::Full(weights) => &weights.flat,
        Trained::Lora(adapter) => &adapter.flat,
    }
}

pub fn largest(a: impl IntoIterator<Item = f64>, b: impl IntoIterator<Item = f64>) -> f64 {
    a.into_iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The largest difference between the losses of two runs of as many steps.
pub fn loss_difference(a: &[StepMetrics], b: &[StepMetrics]) -> f64 {
    assert_eq!(a.len(), b.len());
    largest(a.iter().map(|m| m.loss), b.iter().map(|m| m.loss))
}

pub fn weight_difference(a: &Trained, b: &Trained) -> f64 {
    largest(flat(a).iter().map(|x| *x as f64), flat(b).iter().map(|x| *x as f64))
}

/// Does something at a step; may then ask for a stop.
pub struct At<F: FnMut()> {
    pub step: u64,
    pub action: F,
    pub stop: bool,
    pub seen: Vec<u64>,
}

impl<F: FnMut()> Observer for At<F> {
    fn step(&mut self, progress: &Progress) {
        self.seen.push(progress.metrics.step);
        if progress.metrics.step == self.step {
            (self.action)();
        }
    }
    fn interrupted(&self) -> bool {
        self.stop && self.seen.last().is_some_and(|step| *step >= self.step)
    }
}

/// Training processes of a job (not torchrun), by their command lines.
pub fn workers(dir: &Path) -> Vec<u32> {
    let script = dir.join("train.py").to_string_lossy().into_owned();
    let found = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        (line.contains(&script) && !line.contains("--nproc-per-node")).then_some(id)
    });
    found.collect()
}

pub fn kill(id: u32) {
    let status = std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
    assert!(status.success());
}

pub fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("work");
    (dir, path)
}
