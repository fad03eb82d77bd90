//! Training as an experiment trains, watched.

use model::{Batch, Layout};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;
use train::{Job, Method, Observer, Outcome, Plan, Progress, Schedule, Trained, train};

use crate::shape::{Work, flops};
use crate::{Options, Result};

/// Steps of a stage that are not timed: they touch memory for the first time.
const WARM_UP: u64 = 2;

/// Notes when steps end, and stops the stage when there were enough.
struct Watch {
    started: Instant,
    first_step: Option<f64>,
    /// When the timed part of this stage began.
    from: Option<Instant>,
    /// Timed so far, over all stages.
    seconds: f64,
    steps: u64,
    tokens: u64,
    wanted: f64,
    peak: Option<u64>,
}

impl Observer for Watch {
    fn step(&mut self, progress: &Progress) {
        let now = Instant::now();
        self.first_step.get_or_insert((now - self.started).as_secs_f64());
        if progress.metrics.step > WARM_UP
            && let Some(from) = self.from
        {
            self.seconds += (now - from).as_secs_f64();
            self.steps += 1;
            self.tokens += progress.metrics.tokens;
        }
        self.from = (progress.metrics.step >= WARM_UP).then_some(now);
        if self.enough() {
            self.peak = peak_bytes();
        }
    }

    fn interrupted(&self) -> bool {
        self.enough()
    }
}

impl Watch {
    fn enough(&self) -> bool {
        self.seconds >= self.wanted && self.steps >= 2
    }
}

/// Trains stages of the recipe's number of steps, one after the other, until enough of them was timed.
pub fn measure(work: Work, options: &Options) -> Result<Value> {
    let Work { mut base, mut recipe, parts, seed, uncounted } = work;
    recipe.precision = options.precision;
    let schedule = Schedule::new(&recipe, &parts, seed)?;
    let (mut counted, mut operations) = (0, 0.0);
    for row in &schedule.packed {
        let mut batch = Batch::default();
        for index in &row.examples {
            let example = &parts[row.part].examples[*index as usize];
            batch.push(example);
            counted += example.tokens.len() as u64;
        }
        operations += flops(&base.config, &recipe.method, &batch);
    }
    counted -= uncounted * recipe.steps;
    drop(schedule);
    let Plan { trainable_parameters, .. } = train::plan(&recipe, &parts, &base.config, seed)?;

    let mut watch = Watch {
        started: Instant::now(),
        first_step: None,
        from: None,
        seconds: 0.0,
        steps: 0,
        tokens: 0,
        wanted: options.seconds,
        peak: None,
    };
    // As in an experiment, a stage that trains all weights is given them, and the next one goes on from
    // there.
    let mut weights = match recipe.method {
        Method::Full => Cow::Owned(base.weights.take()),
        Method::Lora(_) => Cow::Borrowed(&base.weights),
    };
    while !watch.enough() {
        let job = Job {
            config: &base.config,
            weights,
            adapter: None,
            recipe: &recipe,
            parts: &parts,
            seed,
            dir: Path::new(""),
            checkpoint_every: 0,
            threads: options.threads,
        };
        weights = match train(job, &mut watch)? {
            Outcome::Finished(finished) => match finished.trained {
                Trained::Full(weights) => Cow::Owned(weights),
                Trained::Lora(_) => Cow::Borrowed(&base.weights),
            },
            Outcome::Interrupted { .. } => break,
        };
    }
    let tokens = watch.tokens - uncounted * watch.steps;
    Ok(json!({
        "engine": "native",
        "parameters": Layout::new(&base.config).len,
        "trained_parameters": trainable_parameters,
        "lora": matches!(recipe.method, Method::Lora(_)),
        "precision": options.precision,
        "threads": options.threads,
        "steps": watch.steps,
        "tokens_per_second": tokens as f64 / watch.seconds,
        "first_step_seconds": watch.first_step,
        "peak_bytes": watch.peak,
        "flops_per_token": operations / counted as f64,
        "cpu": kernels::simd::cpu_kind(),
    }))
}

/// The most memory this process has held so far; `None` where there is no `/proc`.
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
