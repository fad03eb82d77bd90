//! How fast this machine multiplies matrices by the engine's own kernels.

use kernels::matmul::{Mat, MatMut, Products, Write};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use train::Precision;

use crate::Options;

/// Rows and columns: large enough that packing and loading do not count, as in everybody's figure for a
/// matmul.
const SIZE: usize = 1024;
/// For how long the best run is looked for.
const SECONDS: Duration = Duration::from_secs(2);

/// The best of many short runs, each thread with its own rows of one product.
pub fn measure(options: &Options) -> Value {
    let threads = options.threads;
    let products = match options.precision {
        Precision::F32 => Products::f32(),
        Precision::Bf16 => Products::bf16(),
    };
    let value = |i: usize| ((i * 7919) % 1000) as f32 / 1000.0 - 0.5;
    let (a, b): (Vec<f32>, Vec<f32>) = (0..SIZE * SIZE).map(|i| (value(i), value(i + 500))).collect();
    let mut out = vec![0f32; SIZE * SIZE];
    let rows = SIZE.div_ceil(threads);
    let mut run = || {
        std::thread::scope(|scope| {
            for (out, a) in out.chunks_mut(rows * SIZE).zip(a.chunks(rows * SIZE)) {
                let b = &b;
                scope.spawn(move || {
                    let rows = a.len() / SIZE;
                    let (a, b) = (Mat::new(a, rows, SIZE), Mat::new(b, SIZE, SIZE));
                    products.linear(MatMut::new(out, rows, SIZE), a, b, 1.0, Write::Set);
                });
            }
        });
    };
    run();
    let (mut best, started) = (f64::INFINITY, Instant::now());
    while started.elapsed() < SECONDS {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    json!({
        "engine": "native",
        "threads": threads,
        "flops_per_second": 2.0 * (SIZE as f64).powi(3) / best,
        "cpu": kernels::simd::cpu_kind(),
    })
}
