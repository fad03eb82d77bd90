//! The same batches, the same losses, the same weights as the native engine; and results that load everywhere.

use std::path::Path;
use std::process::Command;

use model::{Adapter, Batch, Config, Example, Folder, Network, Workspace};
use train::{Method, Recipe, Trained};
use whyfirst_torch::{Dtype, Sharding, TorchSettings};

use crate::common::*;
use crate::transformers::{ROUNDING, TEXTS, difference, load};

/// The largest difference of a step's losses between the engines.
const ENGINES: f64 = 2e-3;

fn compare(name: &str, case: &Case, recipe: &Recipe) -> (Trained, Trained) {
    let (native, ours) = case.native(recipe, None);
    let torch = case.torch(recipe, None, &settings());
    let trained = torch.trained().unwrap();
    let losses = loss_difference(&ours, &torch.metrics);
    let norms = largest(
        ours.iter().map(|_| 1.0),
        ours.iter().zip(&torch.metrics).map(|(a, b)| b.grad_norm / a.grad_norm),
    );
    let moved =
        largest(flat(&native).iter().map(|x| *x as f64), case_start(case, recipe).iter().map(|x| *x as f64));
    let weights = weight_difference(&native, &trained);
    let (first, last) = (ours[0].loss, ours[ours.len() - 1].loss);
    println!(
        "{name}: {} steps, loss {first:.3} to {last:.3}; losses differ by at most {losses:.1e}, gradient norms by {norms:.1e} \
         (relative), weights by {weights:.1e} where training moved them by {moved:.1e}",
        ours.len()
    );
    assert!(last < first - 0.05, "{name}: nothing was learned");
    assert!(losses < ENGINES, "{name}: losses differ by {losses:e}");
    assert!(weights < 0.2 * moved, "{name}: weights differ by {weights:e}, training moved them by {moved:e}");
    for (a, b) in ours.iter().zip(&torch.metrics) {
        assert_eq!((a.step, a.tokens, a.tokens_trained), (b.step, b.tokens, b.tokens_trained));
        assert_eq!(a.learning_rate, b.learning_rate);
    }
    (native, trained)
}

fn case_start(case: &Case, recipe: &Recipe) -> Vec<f32> {
    match &recipe.method {
        Method::Full => case.weights.flat.clone(),
        Method::Lora(shape) => Adapter::new(&case.config, shape.clone(), 5).flat,
    }
}

#[test]
fn full_training_is_the_native_engines_and_loads_in_transformers() {
    let case = lab();
    let (_, trained) = compare("lab, full", &case, &full(40));
    let Trained::Full(weights) = trained else { panic!("not all weights") };
    let model = Folder { weights, ..base() };
    let dir = tempfile::tempdir().unwrap();
    model.save(dir.path()).unwrap();
    let theirs = load(dir.path(), &model);
    let rope = Network::rope_table(&model.config, model.config.max_positions);
    let ours = difference(model.network(None, &rope), &theirs);
    println!("lab, full: logits in transformers differ by {ours:e}");
    assert!(ours < ROUNDING);
}

#[test]
fn lora_training_is_the_native_engines_goes_on_and_loads_in_peft() {
    let case = lab();
    let (native, trained) = compare("lab, LoRA", &case, &lora(40));
    let (Trained::Lora(native), Trained::Lora(first)) = (native, trained) else { panic!("not adapters") };
    // The next stage carries the adapter on, in either engine.
    let recipe = Recipe { learning_rate: 2e-3, ..lora(20) };
    let (_, ours) = case.native(&recipe, Some(&native));
    let second = case.torch(&recipe, Some(&first), &settings());
    let losses = loss_difference(&ours, &second.metrics);
    println!("lab, LoRA, second stage: losses differ by at most {losses:.1e}");
    assert!(losses < ENGINES);
    let Trained::Lora(adapter) = second.trained().unwrap() else { panic!("not an adapter") };
    let base = base();
    let dir = tempfile::tempdir().unwrap();
    base.save(dir.path()).unwrap();
    let tokens = base.tokenizer.encode(TEXTS[0]).unwrap();
    let theirs = peft_logits(dir.path(), second.dir(), &tokens);
    let ours = logits(&base.config, &base, Some(&adapter), &tokens);
    let without = logits(&base.config, &base, None, &tokens);
    let (with, moved) = (difference_of(&ours, &theirs), difference_of(&without, &theirs));
    println!("lab, LoRA: logits in PEFT differ by {with:e}; training moved them by {moved}");
    assert!(with < ROUNDING as f64 && moved > 0.1);
}

/// At higher rates what rounding does in one step grows in the next ones.
#[test]
fn other_families_agree_too() {
    for (name, recipe) in
        [("qwen2", full(20)), ("qwen3", lora(20)), ("llama3", lora(20)), ("mistral", full(20))]
    {
        compare(name, &fixture(name), &Recipe { learning_rate: 3e-3, max_length: 40, ..recipe });
    }
}

#[test]
fn how_it_is_spread_changes_rounding_only() {
    let case = lab();
    let recipe = full(12);
    let plain = case.torch(&recipe, None, &settings());
    let one = TorchSettings { nproc: 1, rows_per_pass: 5, ..settings() };
    let spread = TorchSettings {
        gradient_checkpointing: true,
        sharding: Sharding::Gradients,
        rows_per_pass: 2,
        ..settings()
    };
    for (name, settings) in [("one process", one), ("checkpointed, gradients", spread)] {
        let other = case.torch(&recipe, None, &settings);
        let losses = loss_difference(&plain.metrics, &other.metrics);
        println!("{name}: losses differ by {losses:.1e}");
        assert!(losses < 1e-4, "{name}: {losses:e}");
    }
    for recipe in [full(12), lora(12)] {
        let half = case.torch(&recipe, None, &TorchSettings { dtype: Dtype::Bf16, ..settings() });
        let (_, native) = case.native(&recipe, None);
        let losses = loss_difference(&native, &half.metrics);
        println!("bf16: losses differ by {losses:.1e}");
        assert!(losses < 5e-2, "{losses:e}");
        half.trained().unwrap();
    }
}

fn logits(config: &Config, folder: &Folder, adapter: Option<&Adapter>, tokens: &[u32]) -> Vec<f32> {
    let rope = Network::rope_table(config, config.max_positions);
    let mut network = folder.network(adapter, &rope);
    network.products = kernels::matmul::Products::exact();
    let mut batch = Batch::default();
    // One more token, so that the last of `tokens` is read too.
    let with_next: Vec<u32> = tokens.iter().copied().chain([0]).collect();
    batch.push(&Example { loss: vec![true; with_next.len()], tokens: with_next });
    let rows: Vec<u32> = (0..tokens.len() as u32).collect();
    network.logits(&batch, &rows, &mut Workspace::new(false)).to_vec()
}

fn difference_of(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    largest(a.iter().map(|x| *x as f64), b.iter().map(|x| *x as f64))
}

/// Logits of a base with an adapter folder, by PEFT's own loader.
fn peft_logits(base: &Path, adapter: &Path, tokens: &[u32]) -> Vec<f32> {
    let script = "
import json, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, adapter, tokens = sys.argv[1:]
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
with torch.no_grad():
    print(json.dumps(model(torch.tensor([json.loads(tokens)])).logits[0].flatten().tolist()))
";
    let mut command = Command::new(python().path);
    command.args(["-c", script]).args([base, adapter]).arg(serde_json::to_string(tokens).unwrap());
    let output = command.env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}
