//! Models that transformers saved: read here they say what they say there, and saved again they are the same.

use crate::python::python;
use kernels::attention::Segment;
use kernels::matmul::Products;
use model::{Batch, Folder, Network, Workspace};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;

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

/// The likeliest token, again and again, until one that ends a text.
fn greedy(network: &Network, prompt: &[u32], stops: &[u32]) -> Vec<u32> {
    let mut all = prompt.to_vec();
    for _ in 0..NEW {
        let row = [all.len() as u32 - 1];
        let logits = network.logits(&batch(&all), &row, &mut Workspace::new(false));
        let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32;
        all.push(best);
        if stops.contains(&best) {
            break;
        }
    }
    all.split_off(prompt.len())
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
    assert_eq!(greedy(&network, &prompt, &stops), tokens(&theirs, "greedy"), "{name}");

    let saved = dir.join(format!("{name}.saved"));
    folder.save(&saved).unwrap();
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
