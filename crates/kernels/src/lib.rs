//! The numeric core: each piece of a transformer as a `forward`/`backward` pair on plain `f32` slices.
//!
//! Why by hand: training small models on a CPU is dominated by overheads that general frameworks cannot
//! avoid (allocation, graph bookkeeping, unfused element-wise passes). Here every buffer is laid out by the
//! caller once, matrices are row-major slices, and the loops are shaped so that one vector unit stays busy.
//! The vector width is chosen when the program runs ([`simd`]), so an ordinary build is a fast build.
//!
//! Nothing here knows what a model is. Everything is deterministic: no function splits a sum across threads.
//!
//! Shape letters in names: `n` tokens, `d` width, `f` feed-forward width, `h` heads, `v` vocabulary.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attention;
pub mod cross_entropy;
pub mod matmul;
pub mod norm;
pub mod optimizer;
pub mod rope;
pub mod simd;
pub mod swiglu;
pub mod threads;

#[cfg(test)]
mod finite_difference;
