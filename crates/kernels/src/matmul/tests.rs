use super::*;
use crate::finite_difference::random;

/// The product by its definition, in f64, and the same with absolute values: the scale of its rounding errors.
fn by_definition(
    a: impl Fn(usize, usize) -> f32,
    b: impl Fn(usize, usize) -> f32,
    (m, n, k): (usize, usize, usize),
) -> Vec<(f64, f64)> {
    let mut out = vec![(0.0, 0.0); m * n];
    for i in 0..m {
        for j in 0..n {
            for l in 0..k {
                let product = a(i, l) as f64 * b(l, j) as f64;
                out[i * n + j].0 += product;
                out[i * n + j].1 += product.abs();
            }
        }
    }
    out
}

fn assert_close(what: &str, got: &[f32], want: &[(f64, f64)], tolerance: f64) {
    for (i, (got, (want, scale))) in got.iter().zip(want).enumerate() {
        assert!((*got as f64 - want).abs() <= tolerance * scale + 1e-12, "{what}[{i}]: {got}, want {want}");
    }
}

/// Every loop that this CPU can run, with the error it may make relative to the sum of absolute products.
fn loops() -> Vec<(Products, f64)> {
    const BF16: f64 = 1.01 / 128.0;
    let mut loops = vec![
        (Products(Loop::Vector { rounded: false }), 1e-6),
        (Products(Loop::Vector { rounded: true }), BF16),
    ];
    #[cfg(target_arch = "x86_64")]
    if amx::available() {
        loops.push((Products(Loop::Amx { split: true }), 3.0 / 65536.0));
        loops.push((Products(Loop::Amx { split: false }), BF16));
    }
    loops
}

/// Sizes on every side of the blocks' edges: `n`, `i`, `o`.
const SIZES: [(usize, usize, usize); 10] = [
    (1, 1, 1),
    (3, 5, 7),
    (8, 20, 10),
    (17, 33, 40),
    (64, 128, 96),
    (130, 31, 65),
    (12, 32, 32),
    (32, 16, 33),
    (5, 320, 2),
    (33, 64, 129),
];

#[test]
fn three_shapes_agree_with_the_definition() {
    for (products, tolerance) in loops() {
        for (n, i, o) in SIZES {
            let (x, w, dy) = (random(n * i, 1), random(o * i, 2), random(n * o, 3));
            let (x_m, w_m, dy_m) = (Mat::new(&x, n, i), Mat::new(&w, o, i), Mat::new(&dy, n, o));
            let what = |shape: &str| format!("{products:?} {shape} {n}x{i}x{o}");
            let scaled = |want: Vec<(f64, f64)>, by: f64| {
                want.into_iter().map(|(sum, scale)| (by * sum, by * scale)).collect::<Vec<_>>()
            };

            let mut y = vec![7.0; n * o];
            products.linear(MatMut::new(&mut y, n, o), x_m, w_m, 0.5, Write::Set);
            let want = by_definition(|a, b| x[a * i + b], |a, b| w[b * i + a], (n, o, i));
            assert_close(&what("linear"), &y, &scaled(want, 0.5), tolerance);

            // Added to what is there: twice the same product.
            let mut dx = vec![0.0; n * i];
            for _ in 0..2 {
                products.linear_input(MatMut::new(&mut dx, n, i), dy_m, w_m, 1.0, Write::Add);
            }
            let want = by_definition(|a, b| dy[a * o + b], |a, b| w[a * i + b], (n, i, o));
            assert_close(&what("linear_input"), &dx, &scaled(want, 2.0), tolerance);

            let mut dw = vec![0.0; o * i];
            products.linear_weight(MatMut::new(&mut dw, o, i), dy_m, x_m, 1.0, Write::Set);
            let want = by_definition(|a, b| dy[b * o + a], |a, b| x[a * i + b], (o, i, n));
            assert_close(&what("linear_weight"), &dw, &want, tolerance);
        }
    }
}

#[test]
fn a_packed_weight_gives_the_same_bits() {
    for (products, _) in loops() {
        let (n, i, o) = (9, 40, 50);
        let (x, w, dy) = (random(n * i, 1), random(o * i, 2), random(n * o, 3));
        let (x, w, dy) = (Mat::new(&x, n, i), Mat::new(&w, o, i), Mat::new(&dy, n, o));
        let mut packed = Packed::default();
        // Its memory may hold a larger matrix from before.
        let larger = random(200 * 100, 4);
        products.pack(&mut packed, Mat::new(&larger, 200, 100), true);
        products.pack(&mut packed, w, true);
        let (mut y, mut y_packed) = (vec![0.0; n * o], vec![1.0; n * o]);
        products.linear(MatMut::new(&mut y, n, o), x, w, 1.0, Write::Set);
        products.linear(MatMut::new(&mut y_packed, n, o), x, Weight::new(w, Some(&packed)), 1.0, Write::Set);
        assert_eq!(y, y_packed);
        let (mut dx, mut dx_packed) = (vec![0.0; n * i], vec![1.0; n * i]);
        products.linear_input(MatMut::new(&mut dx, n, i), dy, w, 1.0, Write::Set);
        let w = Weight::new(w, Some(&packed));
        products.linear_input(MatMut::new(&mut dx_packed, n, i), dy, w, 1.0, Write::Set);
        assert_eq!(dx, dx_packed);
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for (products, _) in loops() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut x, w) = (random(40 * 40, 1), random(40 * 40, 2));
            x[3 * 40 + 5] = bad;
            let mut y = vec![0.0; 40 * 40];
            let (x, w) = (Mat::new(&x, 40, 40), Mat::new(&w, 40, 40));
            products.linear(MatMut::new(&mut y, 40, 40), x, w, 1.0, Write::Set);
            assert!(y[3 * 40..4 * 40].iter().all(|y| !y.is_finite()), "{products:?} {bad}");
            assert!(y[4 * 40..].iter().all(|y| y.is_finite()), "{products:?} {bad}");
        }
    }
}

/// Whatever loop rounds to bf16, the operands are the same; only the order of sums differs.
#[test]
fn bf16_means_the_same_on_every_loop() {
    let (n, i, o) = (40, 100, 70);
    let (x, w) = (random(n * i, 1), random(o * i, 2));
    let results: Vec<Vec<f32>> = loops()
        .into_iter()
        .filter(|(_, tolerance)| *tolerance > 1e-3)
        .map(|(products, _)| {
            let mut y = vec![0.0; n * o];
            let (x, w) = (Mat::new(&x, n, i), Mat::new(&w, o, i));
            products.linear(MatMut::new(&mut y, n, o), x, w, 1.0, Write::Set);
            y
        })
        .collect();
    for other in &results[1..] {
        for (a, b) in results[0].iter().zip(other) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn strides_select_columns() {
    let wide = random(4 * 10, 5);
    let w = random(2 * 3, 6);
    for (products, tolerance) in loops() {
        let mut y = [0.0; 4 * 5];
        products.linear(
            MatMut::strided(&mut y[1..], 4, 2, 5),
            Mat::strided(&wide[6..], 4, 3, 10),
            Mat::new(&w, 2, 3),
            1.0,
            Write::Set,
        );
        for r in 0..4 {
            for c in 0..2 {
                let want: f32 = (0..3).map(|k| wide[r * 10 + 6 + k] * w[c * 3 + k]).sum();
                assert!((y[1 + r * 5 + c] - want).abs() < 3.0 * tolerance as f32);
            }
            assert_eq!(y[r * 5], 0.0);
            assert_eq!(y[r * 5 + 3], 0.0);
        }
    }
}

#[test]
fn threads_take_columns_and_change_no_bit() {
    for (n, input, output) in [(1, 48, 200), (5, 33, 32), (16, 64, 97), (3, 100, 33)] {
        let (x, w) = (random(n * input, 1), random(output * input, 2));
        for products in [Products::f32(), Products::bf16(), Products::exact()] {
            let mut packed = Packed::default();
            products.pack(&mut packed, Mat::new(&w, output, input), false);
            let weight = Weight::new(Mat::new(&w, output, input), Some(&packed));
            for write in [Write::Set, Write::Add] {
                // Columns of a wider matrix, the others untouched.
                let before = random(n * (output + 3), 3);
                let run = |threads| {
                    let mut y = before.clone();
                    let to = MatMut::strided(&mut y, n, output, output + 3);
                    products.linear_on(threads, to, Mat::new(&x, n, input), weight, 0.7, write);
                    y
                };
                let mut expected = before.clone();
                let to = MatMut::strided(&mut expected, n, output, output + 3);
                products.linear(to, Mat::new(&x, n, input), weight, 0.7, write);
                for threads in [1, 2, 3, 9] {
                    assert_eq!(run(threads), expected, "{n} {input} {output} {write:?} {threads}");
                }
            }
        }
    }
}

#[test]
fn a_weight_of_bf16_numbers_takes_half_the_memory_and_changes_no_bit() {
    for (n, input, output) in [(1, 48, 200), (2, 33, 32), (5, 33, 32), (16, 64, 97), (40, 100, 33), (3, 1, 1)]
    {
        let x = random(n * input, 1);
        let w: Vec<f32> =
            random(output * input, 2).iter().map(|x| f32::from_bits(x.to_bits() & 0xffff_0000)).collect();
        for products in [Products::f32(), Products::bf16(), Products::exact()] {
            let (mut halved, mut whole) = (Packed::default(), Packed::default());
            // What was there before must not matter.
            products.pack(&mut halved, Mat::new(&random(output * input, 3), output, input), false);
            products.pack(&mut halved, Mat::new(&w, output, input), false);
            products.pack(&mut whole, Mat::new(&w, output, input), true);
            if products.0 == (Loop::Vector { rounded: false }) {
                assert_eq!(halved.bytes(), products.packed_bytes(output, input, false) / 2);
            }
            for write in [Write::Set, Write::Add] {
                for threads in [1, 3] {
                    let before = random(n * (output + 3), 4);
                    let run = |packed: &Packed| {
                        let mut y = before.clone();
                        let to = MatMut::strided(&mut y, n, output, output + 3);
                        let weight = Weight::new(Mat::new(&w, output, input), Some(packed));
                        products.linear_on(threads, to, Mat::new(&x, n, input), weight, 0.7, write);
                        y
                    };
                    assert_eq!(run(&halved), run(&whole), "{n} {input} {output} {write:?} {threads}");
                }
            }
        }
    }
}
