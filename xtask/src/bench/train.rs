//! Training steps against PyTorch: tokens a second, memory, share of the machine's matmul rate.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::table::{count, markdown, megabytes, percent, times};
use super::{Options, THREADS, answer, compiled, folder, median, native, peer, remove};
use crate::peers;
use crate::shell::{Result, command};

/// A shape, and how many times as fast as the faster PyTorch the engine has to be at it.
const SHAPES: [(&str, f64); 4] = [("0.8M", 1.4), ("example", 1.4), ("17M", 1.1), ("17M-lora", 1.7)];
/// Precisions of the operands of matrix products. Only the same precision is compared.
const PRECISIONS: [&str; 2] = ["f32", "bf16"];
/// The part of the faster PyTorch's memory that the engine may use.
const MEMORY: f64 = 0.25;

/// One side of the comparison.
#[derive(Clone, Copy, PartialEq)]
pub struct Engine {
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Ours, with the CPU's widest instructions or without tiles: then its f32 products are f32 to the last bit.
    Native { tiles: bool },
    /// Whether PyTorch compiles, and whether glibc keeps its heap.
    Torch { compile: bool, heap: bool },
}

/// The native engine as it is used.
pub const NATIVE: Engine = Engine { name: "native", kind: Kind::Native { tiles: true } };

/// What it is compared with where all of PyTorch's variants would take too long: its two usual best.
pub const PEERS: [Engine; 2] = [
    Engine { name: "PyTorch eager, heap kept", kind: Kind::Torch { compile: false, heap: true } },
    Engine { name: "PyTorch compile, heap kept", kind: Kind::Torch { compile: true, heap: true } },
];

/// All that are measured; ours first.
const ENGINES: [Engine; 6] = [
    NATIVE,
    Engine { name: "native, without tiles", kind: Kind::Native { tiles: false } },
    Engine { name: "PyTorch eager", kind: Kind::Torch { compile: false, heap: false } },
    Engine { name: "PyTorch compile", kind: Kind::Torch { compile: true, heap: false } },
    PEERS[0],
    PEERS[1],
];
/// How many of them are ours.
const OURS: usize = 2;

/// The programs of both sides.
pub struct Programs {
    native: PathBuf,
    python: PathBuf,
    /// The example's packed rows.
    rows: PathBuf,
}

impl Programs {
    /// Builds the native one, finds the peers' Python, packs the example's rows.
    pub fn prepare() -> Result<Programs> {
        let (native, python) = (native()?, peers::environment()?);
        let rows = folder()?.join("example-rows.json");
        let mut pack = command(&native);
        pack.args(["pack", "examples/cheese"]).arg(&rows);
        eprintln!("the example's shape is that of {}", answer(pack)?["stage"]);
        remove(&compiled()?)?;
        Ok(Programs { native, python, rows })
    }

    /// Trains a shape once; `more` are further arguments, the same for both sides.
    pub fn train(&self, shape: &str, engine: Engine, seconds: f64, more: &[&str]) -> Result<Value> {
        let (seconds, rows) = (seconds.to_string(), self.rows.to_string_lossy());
        let mut words = vec![];
        match (shape, engine.kind) {
            ("example", Kind::Native { .. }) => words.extend(["packed", &*rows]),
            ("example", Kind::Torch { .. }) => words.extend(["packed", "--file", &*rows]),
            _ => words.push(shape),
        }
        words.extend(["--seconds", &*seconds]);
        words.extend(more);
        let command = match engine.kind {
            Kind::Native { tiles } => {
                let mut native = command(&self.native);
                native.arg("train").args(words).args(["--threads", THREADS]);
                if !tiles {
                    native.env("WHYFIRST_VECTORS", without_tiles());
                }
                native
            }
            Kind::Torch { compile, heap } => {
                words.extend(compile.then_some("--compile"));
                peer(&self.python, "train.py", &words, heap)?
            }
        };
        let answer = answer(command)?;
        eprintln!(
            "{shape} {}, {}: {} tokens/s",
            more.join(" "),
            engine.name,
            count(number(&answer, "tokens_per_second"))
        );
        Ok(answer)
    }

    /// The machine's f32 matmul rate: the larger of what PyTorch's library and the engine's own kernels
    /// reach, in floating-point operations a second.
    pub fn matmul_rate(&self) -> Result<f64> {
        let mut native = command(&self.native);
        native.args(["rate", "--threads", THREADS]);
        let theirs = answer(peer(&self.python, "train.py", &["rate"], false)?)?;
        let (ours, theirs) = (rate(&answer(native)?), rate(&theirs));
        eprintln!("f32 matmul: {:.0} Gflop/s ours, {:.0} Gflop/s PyTorch's", ours / 1e9, theirs / 1e9);
        Ok(ours.max(theirs))
    }
}

/// The widest instructions of this machine that are not tiles.
fn without_tiles() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        return "avx512";
    } else if std::arch::is_x86_feature_detected!("avx2") {
        return "avx2";
    }
    "baseline"
}

fn rate(answer: &Value) -> f64 {
    number(answer, "flops_per_second")
}

/// Whether a name is asked for: all are unless one is named.
fn matches(only: &Option<String>, name: &str) -> bool {
    only.as_deref().is_none_or(|only| only == name)
}

/// A number of an answer, or NaN.
pub fn number(answer: &Value, key: &str) -> f64 {
    answer[key].as_f64().unwrap_or(f64::NAN)
}

/// One shape, precision and engine over all rounds.
struct Cell {
    shape: &'static str,
    precision: &'static str,
    engine: Engine,
    runs: Vec<Value>,
}

impl Cell {
    fn over(&self, key: &str) -> Vec<f64> {
        self.runs.iter().map(|run| number(run, key)).collect()
    }

    fn speed(&self) -> f64 {
        median(self.over("tokens_per_second"))
    }

    /// How far apart the slowest and the fastest round are, as a part of the median.
    fn spread(&self) -> f64 {
        let speeds = self.over("tokens_per_second");
        let (low, high) = speeds.iter().fold((f64::INFINITY, 0f64), |(l, h), s| (l.min(*s), h.max(*s)));
        (high - low) / self.speed()
    }

    fn most(&self, key: &str) -> f64 {
        self.over(key).into_iter().fold(f64::NAN, f64::max)
    }

    fn peak(&self) -> f64 {
        self.most("peak_bytes")
    }
}

/// Measures every shape with every engine, round by round.
pub fn run(options: &Options) -> Result<Value> {
    let programs = Programs::prepare()?;
    let shapes: Vec<(&str, f64)> =
        SHAPES.into_iter().filter(|(name, _)| matches(&options.shape, name)).collect();
    if shapes.is_empty() {
        return Err("no such shape; they are 0.8M, example, 17M and 17M-lora".into());
    }
    let precisions: Vec<&str> =
        PRECISIONS.into_iter().filter(|name| matches(&options.precision, name)).collect();
    let blocks = |shape| precisions.iter().map(move |precision| (shape, *precision));
    let mut cells: Vec<Cell> = shapes
        .iter()
        .flat_map(|(shape, _)| blocks(*shape))
        .flat_map(|(shape, precision)| {
            ENGINES.map(|engine| Cell { shape, precision, engine, runs: Vec::new() })
        })
        .collect();
    let mut matmul = 0f64;
    for round in 0..options.repeats {
        eprintln!("round {} of {}", round + 1, options.repeats);
        matmul = matmul.max(programs.matmul_rate()?);
        // Back and forth, so that a machine that drifts favours nobody.
        let count = cells.len();
        for place in 0..count {
            let cell = &mut cells[if round % 2 == 0 { place } else { count - 1 - place }];
            let more = ["--precision", cell.precision];
            let run = programs.train(cell.shape, cell.engine, options.seconds, &more)?;
            cell.runs.push(run);
        }
    }
    let (mut rows, mut verdicts) = (Vec::new(), Vec::new());
    for block in cells.chunks(ENGINES.len()) {
        let (native, torch) = (&block[0], &block[OURS..]);
        let (shape, precision) = (native.shape, native.precision);
        let wanted = shapes.iter().find(|(name, _)| *name == shape).map_or(f64::NAN, |(_, wanted)| *wanted);
        let faster =
            torch.iter().fold(&torch[0], |best, cell| if cell.speed() > best.speed() { cell } else { best });
        let flops = median(native.over("flops_per_token"));
        for cell in block {
            rows.push(vec![
                if cell.engine == native.engine { format!("{shape}, {precision}") } else { String::new() },
                cell.engine.name.to_owned(),
                count(cell.speed()),
                percent(cell.spread()),
                times(cell.speed() / faster.speed()),
                megabytes(cell.peak()),
                megabytes(cell.peak() - cell.most("imported_bytes")),
                percent(cell.peak() / faster.peak()),
                percent(cell.speed() * flops / matmul),
                format!("{:.1} s", cell.most("first_step_seconds")),
            ]);
        }
        let (speed, memory) = (native.speed() / faster.speed(), native.peak() / faster.peak());
        let met = |met: bool| if met { "met" } else { "NOT MET" };
        verdicts.push(json!({
            "shape": shape,
            "precision": precision,
            "flops_per_token": flops,
            "faster_peer": faster.engine.name,
            "speed": speed, "speed_wanted": wanted, "speed_met": speed >= wanted,
            "memory": memory, "memory_wanted": MEMORY, "memory_met": memory <= MEMORY,
            "share_of_matmul_rate": native.speed() * flops / matmul,
        }));
        eprintln!(
            "{shape}, {precision}: {} of {} ({wanted}x wanted: {}), {} of its memory ({} wanted: {})",
            times(speed),
            faster.engine.name,
            met(speed >= wanted),
            percent(memory),
            percent(MEMORY),
            met(memory <= MEMORY),
        );
    }
    let header = [
        "shape",
        "engine",
        "tokens/s",
        "spread",
        "to the faster PyTorch",
        "peak memory",
        "above the import",
        "to the faster PyTorch's",
        "of the matmul rate",
        "first step",
    ];
    options.show(&markdown(&header, 2, &rows));
    let torch = cells.iter().find_map(|cell| cell.runs[0]["version"].as_str());
    let cpu = cells.iter().find_map(|cell| cell.runs[0]["cpu"].as_str());
    options.show(&format!(
        "\n{THREADS} threads of {}; f32 matmul {:.0} Gflop/s; PyTorch {}; median of {} rounds of {} s.",
        cpu.unwrap_or("?"),
        matmul / 1e9,
        torch.unwrap_or("?"),
        options.repeats,
        options.seconds,
    ));
    let all = cells.iter().map(
        |c| json!({ "shape": c.shape, "precision": c.precision, "engine": c.engine.name, "runs": c.runs }),
    );
    Ok(json!({
        "cpu": cpu, "torch": torch, "matmul_flops_per_second": matmul, "verdicts": verdicts,
        "cells": all.collect::<Vec<_>>(),
    }))
}
