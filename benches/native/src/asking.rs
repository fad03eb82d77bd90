//! Continuing texts and scoring options, timed.

use model::{
    Choice, Event, Folder, Generator, Limits, Network, Runner, Sampling, Task, TaskId, score_choices,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::training::peak_bytes;
use crate::{Options, Result};

/// Continues so many texts at once, again and again: prompts and lengths come from `benches/peers/asking.py work`.
pub fn generate(folder: &Path, work: &Path, options: &Options) -> Result<Value> {
    let work: Value = serde_json::from_slice(&std::fs::read(work)?)?;
    let prompts: Vec<Vec<u32>> = serde_json::from_value(work["prompts"].clone())?;
    let most = work["new_tokens"].as_u64().ok_or("no `new_tokens`")? as usize;
    let texts = options.texts;
    let runner = Runner::new(Arc::new(Folder::load(folder)?), options.threads);
    let (mut seconds, mut tokens, mut first) = (0.0, 0, Vec::new());
    for round in 0.. {
        // A new one each time: nothing is remembered of the last round.
        let limits = Limits { threads: options.threads, active: texts, cache_bytes: 4 << 30 };
        let mut generator = Generator::new(limits);
        let started = Instant::now();
        for prompt in &prompts[..texts] {
            let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
            let prompt = prompt.clone();
            generator.add(
                &runner,
                Task { prompt, most, sampling, ends: vec![], alternatives: None, prompt_scores: false },
            )?;
        }
        let mut texts: BTreeMap<TaskId, Vec<u32>> = BTreeMap::new();
        while !generator.is_idle() {
            generator.step(&mut |id, event| {
                if let Event::Token(scored) = event {
                    texts.entry(id).or_default().push(scored.token);
                }
            });
        }
        // The first round touches memory for the first time.
        if round > 0 {
            seconds += started.elapsed().as_secs_f64();
            tokens += texts.values().map(Vec::len).sum::<usize>();
        }
        first = texts.into_values().next().unwrap_or_default();
        if seconds >= options.seconds {
            break;
        }
    }
    Ok(json!({
        "tokens_per_second": tokens as f64 / seconds, "peak_bytes": peak_bytes(), "first": first,
    }))
}

/// Scores the options of all items, again and again.
pub fn score(folder: &Path, work: &Path, options: &Options) -> Result<Value> {
    let work: Value = serde_json::from_slice(&std::fs::read(work)?)?;
    let items: Vec<(Vec<u32>, Vec<Vec<u32>>)> = serde_json::from_value(work["items"].clone())?;
    let choices: Vec<Choice> =
        items.into_iter().map(|(prompt, options)| Choice { prompt, options }).collect();
    let folder = Folder::load(folder)?;
    let rope = Network::rope_table(&folder.config, folder.config.max_positions);
    let network = folder.network(None, &rope);
    let (mut seconds, mut scored, mut scores) = (0.0, 0, Vec::new());
    for round in 0.. {
        let started = Instant::now();
        scores = score_choices(&network, &choices, options.threads);
        if round > 0 {
            seconds += started.elapsed().as_secs_f64();
            scored += choices.len();
        }
        if seconds >= options.seconds {
            break;
        }
    }
    Ok(json!({
        "items_per_second": scored as f64 / seconds, "peak_bytes": peak_bytes(), "scores": scores,
    }))
}
