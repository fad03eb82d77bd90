//! The engine against PyTorch's, against itself on other thread counts, and against its own interruption.
#![allow(clippy::unwrap_used)]

use model::{Config, Example, Folder, LoraShape, Target, Tokenizer, Weights};
use safetensors::SafeTensors;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use whyfirst_train::*;

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/fixtures/llama").join(file)
}

/// The tiny Llama of the fixtures, with a tokenizer of numbers (training never asks it anything).
fn tiny() -> Folder {
    let json = serde_json::from_slice(&std::fs::read(fixture("config.json")).unwrap()).unwrap();
    let config = Config::from_json(&json).unwrap();
    let path = fixture("model.safetensors");
    let weights = Weights::from_safetensors(&config, &std::fs::read(&path).unwrap(), &path).unwrap();
    let vocab: Vec<String> = (0..config.vocab_size).map(|i| format!("\"{i}\":{i}")).collect();
    let tokenizer = format!(
        r#"{{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{{"type":"Whitespace"}},"post_processor":null,"decoder":null,"model":{{"type":"WordLevel","vocab":{{{}}},"unk_token":"0"}}}}"#,
        vocab.join(",")
    );
    let tokenizer = Tokenizer::new(tokenizer, serde_json::json!({}), Path::new("tokenizer.json")).unwrap();
    Folder::new(config, weights, tokenizer, None)
}

/// Rows in which half of the tokens follow from the one before.
fn rows(count: usize, seed: u32) -> Vec<Example> {
    (0..count as u32)
        .map(|i| {
            let len = 4 + (i * 7 + seed) % 21;
            let mut tokens = vec![(i * 31 + seed * 17) % 97];
            for k in 1..len {
                let last = tokens[k as usize - 1];
                tokens.push(if (i + k) % 2 == 0 {
                    (3 * last + 1) % 97
                } else {
                    (i * 13 + k * 29 + seed) % 97
                });
            }
            Example { loss: (0..len).map(|k| k % 3 != 1).collect(), tokens }
        })
        .collect()
}

fn recipe() -> Recipe {
    Recipe {
        steps: 30,
        rows: 6,
        max_length: 48,
        learning_rate: 3e-3,
        gradient_buffers: 3,
        ..Recipe::default()
    }
}

fn lora() -> Recipe {
    let shape = LoraShape { rank: 4, alpha: 8.0, targets: Target::ALL.to_vec() };
    Recipe { method: Method::Lora(shape), learning_rate: 1e-2, ..recipe() }
}

/// With one gradient buffer, which the threads share, and enough rows for several passes.
fn shared() -> Recipe {
    Recipe { gradient_buffers: 1, rows: 40, ..recipe() }
}

struct StopAt(u64, u64);
impl Observer for StopAt {
    fn step(&mut self, progress: &Progress) {
        self.1 = progress.metrics.step;
    }
    fn interrupted(&self) -> bool {
        self.1 == self.0
    }
}

fn run(base: &Folder, recipe: &Recipe, dir: &Path, threads: usize, every: u64, stop: u64) -> Outcome {
    let parts = [
        Part { name: "why".into(), examples: rows(40, 1), share: 0.7 },
        Part { name: "instructions".into(), examples: rows(25, 2), share: 0.3 },
    ];
    let weights = Cow::Borrowed(&base.weights);
    let job = Job {
        config: &base.config,
        weights,
        adapter: None,
        recipe,
        parts: &parts,
        seed: 5,
        dir,
        checkpoint_every: every,
        threads,
    };
    train(job, &mut StopAt(stop, 0)).unwrap()
}

fn finished(outcome: Outcome) -> (Vec<u32>, Vec<StepMetrics>) {
    let Outcome::Finished(f) = outcome else { panic!("not finished") };
    let flat = match f.trained {
        Trained::Full(w) => w.flat,
        Trained::Lora(a) => a.flat,
    };
    (flat.iter().map(|x| x.to_bits()).collect(), f.metrics)
}

#[test]
fn twenty_steps_agree_with_torch() {
    let bytes = std::fs::read(fixture("steps.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let i64s = |name: &str| -> Vec<i64> {
        file.tensor(name)
            .unwrap()
            .data()
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
            .collect()
    };
    let f32s = |name: &str| -> Vec<f32> {
        file.tensor(name)
            .unwrap()
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    };
    let (tokens, mask, lengths) =
        (i64s("tokens"), file.tensor("loss_mask").unwrap().data().to_vec(), i64s("lengths"));
    let rates: Vec<f64> = file
        .tensor("learning_rate")
        .unwrap()
        .data()
        .chunks_exact(8)
        .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let per_step = tokens.len() / 20;
    let base = tiny();
    let recipe = Recipe {
        steps: 20,
        rows: 4,
        max_length: 64,
        learning_rate: 5e-3,
        warmup: 0.1,
        weight_decay: 0.01,
        gradient_buffers: 2,
        ..Recipe::default()
    };
    for (step, rate) in rates.iter().enumerate() {
        assert!((recipe.learning_rate_at(step as u64) - rate).abs() < 1e-12);
    }
    // The engine chooses its own order of rows, so each of torch's steps is replayed through a one-step schedule.
    let mut at = 0;
    let mut steps = Vec::new();
    for step in 0..20 {
        let mut batch = Vec::new();
        for n in &lengths[step * 4..step * 4 + 4] {
            let range = at..at + *n as usize;
            at = range.end;
            batch.push(Example {
                tokens: tokens[range.clone()].iter().map(|t| *t as u32).collect(),
                loss: mask[range].iter().map(|m| *m == 1).collect(),
            });
        }
        assert_eq!(at, (step + 1) * per_step);
        steps.push(batch);
    }
    let (weights, losses, norms) = replay(&base, &recipe, &steps);
    for (step, (got, want)) in losses.iter().zip(f32s("loss")).enumerate() {
        assert!((got - want as f64).abs() < 1e-3 * want as f64, "step {step}: loss {got}, torch {want}");
    }
    for (got, want) in norms.iter().zip(f32s("grad_norm")) {
        assert!((got - want as f64).abs() < 1e-2 * want as f64, "gradient norm {got}, torch {want}");
    }
    for tensor in &weights.layout.tensors {
        let want = f32s(&format!("weight.{}", tensor.name));
        let scale = want.iter().fold(0f32, |m, x| m.max(x.abs()));
        for (got, want) in weights.flat[tensor.range.clone()].iter().zip(want) {
            assert!((got - want).abs() < 2e-3 * scale, "{}: {got}, torch {want}", tensor.name);
        }
    }
}

#[test]
fn thread_counts_give_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let base = tiny();
    for recipe in [recipe(), lora(), shared()] {
        let one = finished(run(&base, &recipe, dir.path(), 1, 0, 0));
        for threads in [2, 3, 8] {
            assert!(one == finished(run(&base, &recipe, dir.path(), threads, 0, 0)), "{threads} threads");
        }
        assert!(one.1.last().unwrap().loss < one.1[0].loss);
    }
}

#[test]
fn a_shared_gradient_is_the_sum_of_separate_ones() {
    let dir = tempfile::tempdir().unwrap();
    let base = tiny();
    let one = finished(run(&base, &shared(), dir.path(), 3, 0, 0)).1;
    let many = Recipe { gradient_buffers: 5, ..shared() };
    let many = finished(run(&base, &many, dir.path(), 3, 0, 0)).1;
    // Steps drift apart by rounding; the first have no steps before them.
    for (step, (one, many)) in one.iter().zip(&many).take(5).enumerate() {
        assert!((one.loss - many.loss).abs() < 1e-5 * many.loss, "step {step}: {one:?} {many:?}");
        assert!(
            (one.grad_norm - many.grad_norm).abs() < 1e-4 * many.grad_norm,
            "step {step}: {one:?} {many:?}"
        );
    }
}

#[test]
fn resumed_equals_never_stopped() {
    let base = tiny();
    for recipe in [recipe(), lora(), shared()] {
        let whole = finished(run(&base, &recipe, tempfile::tempdir().unwrap().path(), 2, 0, 0));
        for stop in [1, 14, 29] {
            let dir = tempfile::tempdir().unwrap();
            // Stopped twice, and resumed on another number of threads.
            assert!(
                matches!(run(&base, &recipe, dir.path(), 1, 0, stop), Outcome::Interrupted { step } if step == stop)
            );
            if stop == 14 {
                assert!(matches!(
                    run(&base, &recipe, dir.path(), 2, 4, 23),
                    Outcome::Interrupted { step: 23 }
                ));
            }
            assert!(finished(run(&base, &recipe, dir.path(), 3, 0, 0)) == whole, "stopped at {stop}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_job_or_a_damaged_one_is_refused() {
    let base = tiny();
    let dir = tempfile::tempdir().unwrap();
    run(&base, &recipe(), dir.path(), 1, 0, 3);
    let parts = [Part { name: "why".into(), examples: rows(40, 1), share: 1.0 }];
    let recipe = recipe();
    let other = || Job {
        config: &base.config,
        weights: Cow::Borrowed(&base.weights),
        adapter: None,
        recipe: &recipe,
        parts: &parts,
        seed: 5,
        dir: dir.path(),
        checkpoint_every: 0,
        threads: 1,
    };
    assert!(matches!(train(other(), &mut Silent), Err(TrainError::OtherJob { .. })));
    let file = dir.path().join("checkpoint/m.f32");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = train(other(), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("m.f32"), "{error}");
}

#[test]
fn golden_losses() {
    // Recorded from this engine after it had agreed with torch; any change of bits beyond rounding shows here.
    let (_, metrics) = finished(run(&tiny(), &recipe(), tempfile::tempdir().unwrap().path(), 2, 0, 0));
    let got: Vec<f64> = metrics.iter().step_by(6).map(|m| m.loss).collect();
    let want = GOLDEN;
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() < 1e-4, "losses {got:?}, recorded {want:?}");
    }
}
const GOLDEN: [f64; 5] = [8.018_702_81, 5.018_121_57, 3.533_952_999, 2.794_475_152, 2.360_931_422];

#[test]
fn a_learning_rate_that_is_far_too_high_stops_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe { learning_rate: 1e3, warmup: 0.0, steps: 300, ..recipe() };
    let parts = [Part { name: "why".into(), examples: rows(40, 1), share: 1.0 }];
    let base = tiny();
    let job = Job {
        config: &base.config,
        weights: Cow::Borrowed(&base.weights),
        adapter: None,
        recipe: &recipe,
        parts: &parts,
        seed: 5,
        dir: dir.path(),
        checkpoint_every: 0,
        threads: 2,
    };
    let error = train(job, &mut Silent).unwrap_err();
    assert!(matches!(error, TrainError::NotANumber { .. } | TrainError::Diverged { .. }), "{error}");
}

/// Runs steps whose batches are given, by way of the public engine: one job over all batches as its rows.
fn replay(base: &Folder, recipe: &Recipe, steps: &[Vec<Example>]) -> (Weights, Vec<f64>, Vec<f64>) {
    let Finished { trained, metrics } = train_fixed(base, None, recipe, steps).unwrap();
    let Trained::Full(weights) = trained else { panic!("not all weights") };
    (weights, metrics.iter().map(|m| m.loss).collect(), metrics.iter().map(|m| m.grad_norm).collect())
}
