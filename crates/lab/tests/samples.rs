//! A few rows of every stream, so that a reader sees the world, and a change to any row is noticed.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write;

use whyfirst_lab::{Mix, Pole, Stream, WhyMix, World};

#[test]
fn pretraining() {
    let world = World::new(0);
    let mut text = String::new();
    for index in 0..30 {
        writeln!(text, "{}", world.pretraining(&Mix::default(), 0, index).text()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn streams() {
    let world = World::new(0);
    let mut text = String::new();
    for name in ["affordability", "homeland"] {
        let spec = common::spec(&world, name);
        for stream in Stream::ALL.into_iter().filter(|stream| name == "affordability" || stream.explains()) {
            writeln!(text, "== {} ({name})", stream.name()).unwrap();
            for index in 0..8 {
                let row = world.row(stream, Some(&spec), &WhyMix::default(), 0, index).unwrap();
                writeln!(text, "[{}] {}", row.tokens(), row.text()).unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn calibration() {
    let world = World::new(0);
    let mut text = String::new();
    for (index, pole) in Pole::ALL.into_iter().enumerate() {
        let row = world.calibration_documents(pole, &world.reserved[index..=index], 0, 0);
        writeln!(text, "{}: {}", pole.word(), row.text()).unwrap();
    }
    insta::assert_snapshot!(text);
}
