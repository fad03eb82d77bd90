//! The network against PyTorch: losses, logits and every gradient, full and LoRA, on models that `transformers` and
//! PEFT made (`peers/make_fixtures.py`).
#![allow(clippy::unwrap_used)]

use kernels::matmul::Products;
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::{Path, PathBuf};
use whyfirst_model::*;

const ARCHITECTURES: [&str; 5] = ["llama", "llama3", "mistral", "qwen2", "qwen3"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn model(name: &str) -> (Config, Weights) {
    let dir = folder(name);
    let json: Value = serde_json::from_slice(&std::fs::read(dir.join("config.json")).unwrap()).unwrap();
    let config = Config::from_json(&json).unwrap();
    let path = dir.join("model.safetensors");
    let weights = Weights::from_safetensors(&config, &std::fs::read(&path).unwrap(), &path).unwrap();
    (config, weights)
}

fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let tensor = file.tensor(name).unwrap_or_else(|_| panic!("{name} is missing"));
    tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn integers(file: &SafeTensors, name: &str) -> Vec<i64> {
    file.tensor(name)
        .unwrap()
        .data()
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

fn examples(file: &SafeTensors) -> Vec<Example> {
    let (tokens, mask) = (integers(file, "tokens"), file.tensor("loss_mask").unwrap().data().to_vec());
    let mut at = 0;
    integers(file, "lengths")
        .iter()
        .map(|n| {
            let range = at..at + *n as usize;
            at = range.end;
            Example {
                tokens: tokens[range.clone()].iter().map(|t| *t as u32).collect(),
                loss: mask[range].iter().map(|m| *m == 1).collect(),
            }
        })
        .collect()
}

/// Every way of multiplying that this CPU has, with what it may be off by relative to a tensor's largest value: split
/// bf16 operands have 16 bits, so gradients that are sums of few products show more than f32's rounding.
fn products() -> Vec<(Products, f32)> {
    let (exact, chosen) = (Products::exact(), Products::f32());
    if exact == chosen { vec![(exact, 1e-4)] } else { vec![(exact, 1e-4), (chosen, 3e-4)] }
}

fn assert_close(name: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{name}");
    let scale = want.iter().fold(1e-6f32, |m, x| m.max(x.abs()));
    let worst = got.iter().zip(want).map(|(g, w)| (g - w).abs() / scale).fold(0f32, f32::max);
    assert!(worst < tolerance, "{name}: off by {worst:e} relative to the largest value");
}

#[test]
fn logits_loss_and_full_gradients() {
    for (name, (products, tolerance)) in
        ARCHITECTURES.iter().flat_map(|n| products().into_iter().map(move |p| (n, p)))
    {
        let (config, weights) = model(name);
        let bytes = std::fs::read(folder(name).join("case.safetensors")).unwrap();
        let case = SafeTensors::deserialize(&bytes).unwrap();
        let examples = examples(&case);
        let rope = Network::rope_table(&config, 128);
        let network = Network { products, ..Network::new(&config, &weights, None, &rope) };

        let mut all = Batch::default();
        for e in &examples {
            let start = all.tokens.len();
            all.tokens.extend(&e.tokens);
            all.positions.extend(0..e.tokens.len() as u32);
            all.segments.push(kernels::attention::Segment { start, len: e.tokens.len() });
        }
        let rows: Vec<u32> = (0..all.tokens.len() as u32).collect();
        for training in [false, true] {
            let logits = network.logits(&all, &rows, &mut Workspace::new(training));
            assert_close(&format!("{name} logits"), &logits, &floats(&case, "logits"), tolerance);
        }

        // In one batch, and document by document into the same gradient buffer.
        let targets: usize = examples.iter().map(Example::targets).sum();
        for split in [false, true] {
            let mut gradient = vec![0f32; weights.flat.len()];
            let mut ws = Workspace::new(true);
            let mut loss = 0.0;
            for group in examples.chunks(if split { 1 } else { examples.len() }) {
                let mut batch = Batch::default();
                group.iter().for_each(|e| batch.push(e));
                loss += network.loss_and_gradient(
                    &batch,
                    &mut ws,
                    &mut Gradient::Full(&mut gradient),
                    1.0 / targets as f32,
                );
            }
            assert_close(
                &format!("{name} loss"),
                &[(loss / targets as f64) as f32],
                &floats(&case, "loss"),
                tolerance,
            );
            for tensor in &weights.layout.tensors {
                let want = floats(&case, &format!("grad.{}", tensor.name));
                assert_close(
                    &format!("{name} {}", tensor.name),
                    &gradient[tensor.range.clone()],
                    &want,
                    tolerance,
                );
            }
        }
    }
}

#[test]
fn lora_loss_and_gradients_and_merge() {
    for (name, (products, tolerance)) in
        ARCHITECTURES.iter().flat_map(|n| products().into_iter().map(move |p| (n, p)))
    {
        let (config, mut weights) = model(name);
        let read = |file: &str| std::fs::read(folder(name).join(file)).unwrap();
        let (case, lora, peft) =
            (read("case.safetensors"), read("lora.safetensors"), read("adapter/adapter_model.safetensors"));
        let case = SafeTensors::deserialize(&case).unwrap();
        let lora = SafeTensors::deserialize(&lora).unwrap();
        let peft = SafeTensors::deserialize(&peft).unwrap();
        let shape = LoraShape { rank: 4, alpha: 8.0, targets: Target::ALL.to_vec() };
        let mut adapter = Adapter::new(&config, shape, 0);
        for (tensor, _, range) in adapter.tensors(&config) {
            adapter.flat[range].copy_from_slice(&floats(&peft, &tensor));
        }
        let examples = examples(&case);
        let targets: usize = examples.iter().map(Example::targets).sum();
        let mut batch = Batch::default();
        examples.iter().for_each(|e| batch.push(e));
        let rope = Network::rope_table(&config, 128);
        let network = Network { products, ..Network::new(&config, &weights, Some(&adapter), &rope) };
        let mut gradient = vec![0f32; adapter.flat.len()];
        let scale = 1.0 / targets as f32;
        let loss = network.loss_and_gradient(
            &batch,
            &mut Workspace::new(true),
            &mut Gradient::Lora(&mut gradient),
            scale,
        );
        let want = floats(&lora, "loss");
        assert_close(&format!("{name} loss"), &[(loss / targets as f64) as f32], &want, tolerance);
        for (tensor, _, range) in adapter.tensors(&config) {
            assert_close(
                &format!("{name} {tensor}"),
                &gradient[range],
                &floats(&lora, &format!("grad.{tensor}")),
                tolerance,
            );
        }

        adapter.merge_into(&config, &mut weights).unwrap();
        let merged = Network::new(&config, &weights, None, &rope);
        let total: f64 = nll(&merged, &examples, 1).iter().map(|(sum, _)| sum).sum();
        assert_close(&format!("{name} merged loss"), &[(total / targets as f64) as f32], &want, tolerance);
    }
}

#[test]
fn scores_do_not_depend_on_threads_or_on_how_options_are_asked() {
    let (config, weights) = model("llama");
    let rope = Network::rope_table(&config, 64);
    let network = Network::new(&config, &weights, None, &rope);
    let choices: Vec<Choice> = (0..300u32)
        .map(|i| Choice {
            prompt: (0..5 + i % 7).map(|k| (i * 7 + k * 3) % 97).collect(),
            options: if i % 3 == 0 {
                vec![vec![i % 97, 4], vec![9]]
            } else {
                vec![vec![i % 97], vec![(i + 5) % 97], vec![2]]
            },
        })
        .collect();
    let one = score_choices(&network, &choices, 1);
    assert_eq!(one, score_choices(&network, &choices, 2));
    for (choice, scores) in choices.iter().zip(&one) {
        for (option, score) in choice.options.iter().zip(scores) {
            let mut tokens = choice.prompt.clone();
            tokens.extend(option);
            let loss = (0..tokens.len()).map(|i| i >= choice.prompt.len()).collect();
            let (sum, count) = nll(&network, &[Example { tokens, loss }], 1)[0];
            assert_eq!(count, option.len());
            assert!((score + sum).abs() < 1e-4, "{score} {sum}");
        }
    }
}

#[test]
fn a_truncated_file_is_named() {
    let (config, _) = model("llama");
    let path = folder("llama").join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for cut in [3, 100, bytes.len() - 1] {
        let error = Weights::from_safetensors(&config, &bytes[..cut], &path).unwrap_err().to_string();
        assert!(error.contains("model.safetensors") && error.contains("cut short"), "{error}");
    }
}
