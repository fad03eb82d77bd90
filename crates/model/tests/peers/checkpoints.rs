//! Models that transformers saved: read here they say what they say there, and saved again they are the same.

use crate::python::python;
use kernels::attention::Segment;
use kernels::matmul::Products;
use model::{Batch, Dtype, Event, Folder, Generator, Limits, Network, Runner, Sampling, Task, Workspace};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// What the acceptance of this program asks for.
const TOLERANCE: f64 = 1e-4;

/// The longest generation.
const NEW: usize = 24;

fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let data = file.tensor(name).unwrap().data();
    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn doubles(file: &SafeTensors, name: &str) -> Vec<f64> {
    let data = file.tensor(name).unwrap().data();
    data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn tokens(file: &SafeTensors, name: &str) -> Vec<u32> {
    let data = file.tensor(name).unwrap().data();
    data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32).collect()
}

fn batch(tokens: &[u32]) -> Batch {
    let (n, last) = (tokens.len(), tokens.len().saturating_sub(1));
    Batch {
        tokens: tokens.to_vec(),
        positions: (0..n as u32).collect(),
        segments: vec![Segment { start: 0, len: n }],
        target_rows: (0..last as u32).collect(),
        targets: tokens[1..].to_vec(),
    }
}

/// The likeliest token, again and again, until one that ends a text; the log-probabilities of the prompt's tokens with it.
fn greedy(folder: Folder, prompt: &[u32]) -> (Vec<u32>, Vec<f64>) {
    let ends = folder.stops();
    let runner = Runner::new(Arc::new(folder), 1);
    let mut generator = Generator::new(Limits { threads: 1, active: 1, cache_bytes: 1 << 30 });
    let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
    let task = Task {
        prompt: prompt.to_vec(),
        most: NEW,
        sampling,
        ends: vec![],
        alternatives: Some(0),
        prompt_scores: true,
    };
    generator.add(&runner, task).unwrap();
    let (mut tokens, mut log_probs) = (Vec::new(), Vec::new());
    while !generator.is_idle() {
        generator.step(&mut |_, event| match event {
            Event::Prompt(scores) => log_probs.extend(scores[1..].iter().map(|s| s.log_probability)),
            Event::Token(scored) => tokens.push(scored.token),
            Event::End(_) => {}
        });
    }
    let end = tokens.iter().position(|token| ends.contains(token)).map_or(tokens.len(), |at| at + 1);
    tokens.truncate(end);
    (tokens, log_probs)
}

fn furthest(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().chain(theirs).all(|x| x.is_finite()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn agrees(name: &str, dir: &Path) {
    let folder = Folder::load(&dir.join(name)).unwrap();
    let bytes = std::fs::read(dir.join(format!("{name}.safetensors"))).unwrap();
    let theirs = SafeTensors::deserialize(&bytes).unwrap();
    let rope = Network::rope_table(&folder.config, folder.config.max_positions);
    let network = Network { products: Products::exact(), ..folder.network(None, &rope) };
    let prompt = tokens(&theirs, "prompt");
    let batch = batch(&prompt);
    let rows: Vec<u32> = (0..prompt.len() as u32).collect();
    let wide = |x: Vec<f32>| x.into_iter().map(f64::from).collect::<Vec<f64>>();
    let logits = wide(network.logits(&batch, &rows, &mut Workspace::new(false)));
    let logits = furthest(&logits, &wide(floats(&theirs, "logits")));
    let log_probs = network.log_probabilities(&batch, &mut Workspace::new(false));
    let log_probs = furthest(&log_probs, &doubles(&theirs, "log_probs"));
    println!("{name}: logits within {logits:.1e}, log-probabilities within {log_probs:.1e}");
    assert!(logits < TOLERANCE && log_probs < TOLERANCE, "{name}");
    let stops = folder.stops();
    assert_eq!(stops, [1, 5, 17], "{name}: all tokens that end a text");
    let (continued, scores) = greedy(folder.clone(), &prompt);
    assert_eq!(continued, tokens(&theirs, "greedy"), "{name}");
    assert!(furthest(&scores, &doubles(&theirs, "log_probs")) < TOLERANCE, "{name}: scored while generating");

    let saved = dir.join(format!("{name}.saved"));
    // Weights that came as bf16 are saved as bf16, and transformers finds the same bits in them.
    let dtype = if name.ends_with("bf16") { Dtype::Bf16 } else { Dtype::F32 };
    folder.save_as(&saved, dtype).unwrap();
    let again = Folder::load(&saved).unwrap();
    assert_eq!((again.config, again.weights), (folder.config, folder.weights), "{name}: saved and read");
}

#[test]
fn checkpoints_say_what_they_say_in_transformers_and_are_saved_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let made = python("make_checkpoints.py", &[dir.path()], &Value::Null);
    let names: Vec<&str> = made.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert!(names.len() >= 11 && made.contains(": 1 file") && made.contains("24 tokens"), "{made}");
    names.iter().for_each(|name| agrees(name, dir.path()));
    python("make_checkpoints.py", &[dir.path().as_os_str(), "--check".as_ref()], &Value::Null);
}
