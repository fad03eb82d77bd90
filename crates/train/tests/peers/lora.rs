//! LoRA in PEFT and here: the same losses step by step, adapters that load on either side, the same merged models.

use crate::python::python;
use kernels::attention::Segment;
use kernels::matmul::Products;
use model::{
    Adapter, Batch, Config, Example, Folder, LoraShape, Network, Target, Tokenizer, Weights, Workspace,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::path::Path;
use whyfirst_train::{Method, Recipe, Trained, train_fixed};

/// What the acceptance of this program asks for.
const LOSSES: f64 = 1e-3;
const LOGITS: f32 = 1e-4;

fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let data = file.tensor(name).unwrap().data();
    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn integers(file: &SafeTensors, name: &str) -> Vec<i64> {
    let data = file.tensor(name).unwrap().data();
    data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()
}

/// A folder without words: these models read numbers.
fn base(dir: &Path) -> Folder {
    let config: Value = store::read_json(dir.join("config.json")).unwrap();
    let config = Config::from_json(&config).unwrap();
    let path = dir.join("model.safetensors");
    let weights = Weights::from_safetensors(&config, &std::fs::read(&path).unwrap(), &path).unwrap();
    let tokenizer = json!({ "added_tokens": [], "model": { "type": "WordLevel", "vocab": { "a": 0 }, "unk_token": "a" } });
    let tokenizer = Tokenizer::new(tokenizer.to_string(), json!({}), Path::new("tokenizer.json")).unwrap();
    Folder::new(config, weights, tokenizer, None)
}

/// Every step's documents.
fn batches(steps: &SafeTensors) -> Vec<Vec<Example>> {
    let lengths: Vec<usize> = integers(steps, "lengths").iter().map(|n| *n as usize).collect();
    let (tokens, mask) = (integers(steps, "tokens"), steps.tensor("loss_mask").unwrap().data());
    let documents = |(tokens, mask): (&[i64], &[u8])| {
        let mut at = 0;
        let mut document = |n: &usize| {
            let range = at..at + n;
            at += n;
            Example {
                tokens: tokens[range.clone()].iter().map(|t| *t as u32).collect(),
                loss: mask[range].iter().map(|m| *m == 1).collect(),
            }
        };
        lengths.iter().map(&mut document).collect()
    };
    let n = lengths.iter().sum();
    tokens.chunks(n).zip(mask.chunks(n)).map(documents).collect()
}

fn logits(folder: &Folder, adapter: Option<&Adapter>, probe: &[u32]) -> Vec<f32> {
    let rope = Network::rope_table(&folder.config, probe.len());
    let network = Network { products: Products::exact(), ..folder.network(adapter, &rope) };
    let n = probe.len();
    let batch = Batch {
        tokens: probe.to_vec(),
        positions: (0..n as u32).collect(),
        segments: vec![Segment { start: 0, len: n }],
        ..Batch::default()
    };
    let rows: Vec<u32> = (0..n as u32).collect();
    network.logits(&batch, &rows, &mut Workspace::new(false))
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Trains as PEFT did, from its first adapter on its batches; saves `ours` and `ours-merged`, and returns our logits of
/// them.
fn train_here(name: &str, dir: &Path) -> Vec<f32> {
    let base = base(&dir.join("base"));
    let bytes = std::fs::read(dir.join("steps.safetensors")).unwrap();
    let steps = SafeTensors::deserialize(&bytes).unwrap();
    let (start, _) = Adapter::load(&dir.join("start"), &base.config).unwrap();
    let published = LoraShape { rank: 64, alpha: 128.0, targets: Target::ALL.to_vec() };
    assert_eq!(start.shape, published, "{name}: the published recipe");
    let method = Method::Lora(start.shape.clone());
    let recipe = Recipe { method, steps: 100, rows: 5, learning_rate: 2e-3, ..Recipe::default() };
    let trained = train_fixed(&base, Some(start), &recipe, &batches(&steps)).unwrap();
    let theirs = floats(&steps, "loss");
    let ours: Vec<f64> = trained.metrics.iter().map(|m| m.loss).collect();
    let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - f64::from(*b)).abs());
    let worst = differences.fold(0.0, f64::max);
    println!("{name}: {} losses from {:.3} to {:.3}, within {worst:.1e}", ours.len(), ours[0], ours[99]);
    assert!(ours.len() == 100 && theirs.len() == 100 && worst < LOSSES, "{name}: losses differ by {worst:e}");
    assert!(ours[99] < 0.8 * ours[0], "{name}: something was learnt");

    let bytes = std::fs::read(dir.join("logits.safetensors")).unwrap();
    let theirs = SafeTensors::deserialize(&bytes).unwrap();
    let probe: Vec<u32> = integers(&theirs, "probe").iter().map(|t| *t as u32).collect();
    let (loaded, _) = Adapter::load(&dir.join("trained"), &base.config).unwrap();
    let from_peft = furthest(&logits(&base, Some(&loaded), &probe), &floats(&theirs, "logits"));
    let merged =
        furthest(&logits(&self::base(&dir.join("merged")), None, &probe), &floats(&theirs, "logits"));
    println!(
        "{name}: logits of PEFT's adapter within {from_peft:.1e}, of its merged model within {merged:.1e}"
    );
    assert!(from_peft < LOGITS && merged < LOGITS, "{name}");

    let Trained::Lora(adapter) = trained.trained else { panic!("not an adapter") };
    adapter.save(&base.config, None, Some(base.weights.hash()), &dir.join("ours")).unwrap();
    assert_eq!(Adapter::load_onto(&dir.join("ours"), &base.config, &base.weights).unwrap(), adapter);
    let mut merged = base.clone();
    adapter.merge_into(&base.config, &mut merged.weights).unwrap();
    merged.save(&dir.join("ours-merged")).unwrap();
    let error = Adapter::load_onto(&dir.join("ours"), &base.config, &merged.weights).unwrap_err();
    assert!(error.to_string().contains("was trained on the weights"), "{error}");
    logits(&base, Some(&adapter), &probe)
}

#[test]
fn a_hundred_steps_are_those_of_peft_and_adapters_load_on_either_side() {
    let dir = tempfile::tempdir().unwrap();
    python("make_lora_steps.py", &[dir.path()], &Value::Null);
    let names = ["llama", "qwen2", "qwen3"];
    let ours: Vec<Vec<f32>> = names.iter().map(|name| train_here(name, &dir.path().join(name))).collect();
    python("make_lora_steps.py", &[dir.path().as_os_str(), "--check".as_ref()], &Value::Null);
    for (name, ours) in names.iter().zip(ours) {
        let bytes = std::fs::read(dir.path().join(name).join("ours.safetensors")).unwrap();
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        let [adapter, merged] = ["adapter", "merged"].map(|kind| furthest(&ours, &floats(&theirs, kind)));
        println!(
            "{name}: our adapter in PEFT within {adapter:.1e}, merged in transformers within {merged:.1e}"
        );
        assert!(adapter < LOGITS && merged < LOGITS, "{name}");
    }
}
