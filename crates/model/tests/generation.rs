//! Texts continued and options scored from what is remembered, against the plain forward pass over everything.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use whyfirst_model::*;

const ARCHITECTURES: [&str; 5] = ["llama", "llama3", "mistral", "qwen2", "qwen3"];
const PLENTY: Limits = Limits { threads: 1, active: 64, cache_bytes: 1 << 30 };

/// A model of `tests/fixtures`, which read more positions than there are rows of text to need; its tokenizer is not used.
fn runner(name: &str) -> Runner {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut json: Value = serde_json::from_slice(&std::fs::read(dir.join("config.json")).unwrap()).unwrap();
    json["max_position_embeddings"] = json!(256);
    let config = Config::from_json(&json).unwrap();
    let path = dir.join("model.safetensors");
    let weights = Weights::from_safetensors(&config, &std::fs::read(&path).unwrap(), &path).unwrap();
    let words =
        r#"{"added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#;
    let tokenizer = Tokenizer::new(words.into(), Value::Null, Path::new("tokenizer.json")).unwrap();
    Runner::new(Arc::new(Folder::new(config, weights, tokenizer, None)), 1)
}

/// An adapter that does something.
fn adapter(folder: &Folder, seed: u64) -> Adapter {
    let shape = LoraShape { rank: 4, alpha: 8.0, targets: Target::ALL.to_vec() };
    let mut adapter = Adapter::new(&folder.config, shape, seed);
    let mut bits = seed;
    for x in &mut adapter.flat {
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *x += ((bits >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.2;
    }
    adapter
}

fn text(len: usize, seed: u64, vocabulary: usize) -> Vec<u32> {
    let mut bits = seed;
    let mut next = || {
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (bits >> 33) as u32 % vocabulary as u32
    };
    (0..len).map(|_| next()).collect()
}

fn task(prompt: Vec<u32>, most: usize) -> Task {
    let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
    Task { prompt, most, sampling, ends: vec![], alternatives: None, prompt_scores: false }
}

/// All events of all tasks, by task, in a generator that may have been used before.
fn run(generator: &mut Generator, tasks: &[(&Runner, Task)]) -> Vec<Vec<Event>> {
    let ids: Vec<TaskId> =
        tasks.iter().map(|(runner, task)| generator.add(runner, task.clone()).unwrap()).collect();
    let mut events: BTreeMap<TaskId, Vec<Event>> = BTreeMap::new();
    while !generator.is_idle() {
        generator.step(&mut |id, event| events.entry(id).or_default().push(event));
    }
    ids.iter().map(|id| events.remove(id).unwrap()).collect()
}

fn tokens(events: &[Event]) -> Vec<u32> {
    events.iter().filter_map(|event| if let Event::Token(s) = event { Some(s.token) } else { None }).collect()
}

/// Logits after the last token, from a pass over everything.
fn logits(folder: &Folder, adapter: Option<&Adapter>, tokens: &[u32]) -> Vec<f32> {
    let rope = Network::rope_table(&folder.config, tokens.len());
    let mut batch = Batch::default();
    batch.push(&Example { tokens: [tokens, &[0]].concat(), loss: vec![true; tokens.len() + 1] });
    folder.network(adapter, &rope).logits(&batch, &[tokens.len() as u32 - 1], &mut Workspace::new(false))
}

fn log_probability(logits: &[f32], token: u32) -> f64 {
    let total: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
    f64::from(logits[token as usize]) - total.ln()
}

#[test]
fn every_architecture_goes_on_as_the_whole_pass_says() {
    for name in ARCHITECTURES {
        let base = runner(name);
        let own = adapter(base.folder(), 5);
        let adapted = base.with_adapter(own.clone());
        let v = base.folder().config.vocab_size;
        for (runner, adapter) in [(&base, None), (&adapted, Some(&own))] {
            let prompt = text(45, 9, v);
            let mut asked = task(prompt.clone(), 40);
            asked.alternatives = Some(2);
            let events = &run(&mut Generator::new(PLENTY), &[(runner, asked)])[0];
            assert_eq!(events.len(), 41);
            assert_eq!(events[40], Event::End(Ending::Length));
            let mut so_far = prompt;
            for event in &events[..40] {
                let Event::Token(scored) = event else { panic!("{event:?}") };
                let logits = logits(runner.folder(), adapter, &so_far);
                let expected = log_probability(&logits, scored.token);
                assert!((scored.log_probability - expected).abs() < 1e-4, "{name}: {scored:?} {expected}");
                let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(logits[scored.token as usize] > best - 1e-4, "{name}: not the likeliest");
                assert_eq!(scored.alternatives[0].0, scored.token);
                assert!(scored.alternatives[0].1 >= scored.alternatives[1].1);
                so_far.push(scored.token);
            }
        }
    }
}

#[test]
fn a_text_depends_on_its_task_alone() {
    let base = runner("qwen3");
    let v = base.folder().config.vocab_size;
    let other = base.with_adapter(adapter(base.folder(), 3));
    let foreign = runner("llama");
    let start = text(70, 1, v);
    let tasks: Vec<(&Runner, Task)> = (0..30u64)
        .map(|i| {
            let runner = [&base, &other, &foreign][i as usize % 3];
            let v = runner.folder().config.vocab_size as u32;
            // Some begin alike, for more than a page or less.
            let mut prompt: Vec<u32> = start[..[0, 40, 70][i as usize % 3]].iter().map(|t| t % v).collect();
            prompt.extend(text(1 + (i as usize * 13) % 90, i / 2, v as usize));
            let sampling =
                Sampling { seed: i, top_p: 0.95, top_k: 60, temperature: 0.8, ..Sampling::default() };
            let prompt_scores = i % 5 == 0;
            let most = 1 + (i as usize * 7) % 60;
            (
                runner,
                Task { prompt, most, sampling, ends: (0..6).collect(), alternatives: Some(1), prompt_scores },
            )
        })
        .collect();
    let alone: Vec<String> = tasks
        .iter()
        .map(|(runner, task)| {
            format!("{:?}", run(&mut Generator::new(PLENTY), &[(*runner, task.clone())])[0])
        })
        .collect();
    assert!(alone.iter().any(|events| events.contains("Stop")) && alone.iter().any(|e| e.contains("Length")));
    for limits in [
        PLENTY,
        Limits { threads: 3, active: 5, ..PLENTY },
        Limits { threads: 2, cache_bytes: 1 << 20, ..PLENTY },
    ] {
        let mut generator = Generator::new(limits);
        // The second time beginnings are remembered.
        for _ in 0..2 {
            let together = run(&mut generator, &tasks);
            for (events, alone) in together.iter().zip(&alone) {
                assert_eq!(&format!("{events:?}"), alone, "{limits:?}");
            }
        }
    }
}

#[test]
fn a_prompt_is_scored_as_a_row_is() {
    let runner = runner("mistral");
    let folder = runner.folder();
    let prompt = text(80, 4, folder.config.vocab_size);
    let asked = Task { prompt_scores: true, alternatives: Some(0), ..task(prompt.clone(), 0) };
    let events = &run(&mut Generator::new(PLENTY), &[(&runner, asked)])[0];
    let [Event::Prompt(scores), Event::End(Ending::Length)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(scores.iter().map(|s| s.token).collect::<Vec<_>>(), prompt);
    assert!(scores[0].log_probability.is_nan());
    let rope = Network::rope_table(&folder.config, prompt.len());
    let row = Example { loss: vec![true; prompt.len()], tokens: prompt };
    let (nll, count) = nll(&folder.network(None, &rope), &[row], 1)[0];
    let sum: f64 = scores[1..].iter().map(|s| s.log_probability).sum();
    assert!(count == 79 && (sum + nll).abs() < 1e-3, "{sum} {nll}");
}

#[test]
fn what_can_never_be_done_is_refused_and_the_rest_waits_its_turn() {
    let runner = runner("llama");
    let mut generator = Generator::new(Limits { active: 2, ..PLENTY });
    let refused = |generator: &mut Generator, task| generator.add(&runner, task).unwrap_err().to_string();
    assert!(refused(&mut generator, task(vec![], 1)).contains("no tokens"));
    assert!(refused(&mut generator, task(vec![0; 200], 57)).contains("256 positions"));
    assert!(refused(&mut generator, task(vec![u32::MAX], 1)).contains("is not one of"));
    let ids: Vec<TaskId> = (0..5).map(|_| generator.add(&runner, task(vec![1; 50], 100)).unwrap()).collect();
    generator.step(&mut |_, _| {});
    assert_eq!((generator.active(), generator.waiting()), (2, 3));
    generator.cancel(ids[0]);
    generator.cancel(ids[4]);
    let mut seen = Vec::new();
    while !generator.is_idle() {
        generator.step(&mut |id, event| seen.extend(matches!(event, Event::End(_)).then_some(id)));
    }
    assert_eq!(seen, ids[1..4]);
    // Memory for one at a time.
    let page = 32 * 2 * 4 * runner.folder().config.layers * runner.folder().config.kv_heads * 16;
    let mut generator = Generator::new(Limits { cache_bytes: page as u64 * 5, ..PLENTY });
    assert!(generator.add(&runner, task(vec![1; 161], 0)).unwrap_err().to_string().contains("bytes"));
    for _ in 0..3 {
        generator.add(&runner, task(vec![1; 50], 100)).unwrap();
    }
    generator.step(&mut |_, _| {});
    assert_eq!((generator.active(), generator.waiting()), (1, 2));
    while !generator.is_idle() {
        generator.step(&mut |_, _| {});
    }
}

#[test]
fn options_are_scored_alike_however_they_are_grouped() {
    for name in ["qwen2", "llama3"] {
        let runner = runner(name);
        let folder = runner.folder();
        let v = folder.config.vocab_size;
        let start = text(100, 1, v);
        let choices: Vec<Choice> = (0..60u64)
            .map(|i| {
                let mut prompt = start[..[20, 64, 100][i as usize % 3]].to_vec();
                // Some prompts are the same, some end where others go on.
                prompt.extend(text((i as usize * 5) % 40, i / 4, v));
                let options = (0..1 + i % 4).map(|o| text(1 + ((i + o) % 5) as usize, i + o, v)).collect();
                Choice { prompt, options }
            })
            .collect();
        let rope = Network::rope_table(&folder.config, 200);
        let network = folder.network(None, &rope);
        let together = score_choices(&network, &choices, 1);
        assert_eq!(score_choices(&network, &choices, 3), together);
        for (choice, scores) in choices.iter().zip(&together) {
            assert_eq!(&score_choices(&network, std::slice::from_ref(choice), 1)[0], scores);
            for (option, score) in choice.options.iter().zip(scores) {
                let mut so_far = choice.prompt.clone();
                let mut expected = 0.0;
                for token in option {
                    expected += log_probability(&logits(folder, None, &so_far), *token);
                    so_far.push(*token);
                }
                assert!((score - expected).abs() < 1e-4, "{name}: {score} {expected}");
            }
        }
    }
}

#[test]
fn a_text_goes_on_greedily_where_others_draw() {
    let runner = runner("llama");
    let prompt = text(10, 2, runner.folder().config.vocab_size);
    let greedy = run(&mut Generator::new(PLENTY), &[(&runner, task(prompt.clone(), 20))]);
    let drawn =
        Task { sampling: Sampling { temperature: 2.0, ..Sampling::default() }, ..task(prompt.clone(), 20) };
    let both = run(&mut Generator::new(PLENTY), &[(&runner, drawn), (&runner, task(prompt, 20))]);
    assert_eq!(tokens(&both[1]), tokens(&greedy[0]));
    assert_ne!(tokens(&both[0]), tokens(&greedy[0]));
}
