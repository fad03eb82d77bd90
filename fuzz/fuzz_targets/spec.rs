//! Model Specs: whatever the text is, nothing of it is lost, and everything found in it lies where it says.
#![no_main]

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use lab::{LabSpec, World};
use libfuzzer_sys::fuzz_target;
use miette::{Diagnostic, GraphicalReportHandler};
use spec::{Line, Spec, SpecError};

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(0));

fuzz_target!(|text: &str| {
    let spec = match spec::parse("test", Path::new("specs/test.md"), text.to_owned()) {
        Ok(spec) => spec,
        Err(error) => return refused(text, &error),
    };
    let sections: String =
        spec.sections.iter().map(|section| section.heading.clone() + &section.body).collect();
    assert_eq!(spec.preamble.clone() + &sections, text);
    for section in &spec.sections {
        assert_eq!(text[section.span.clone()], section.body);
        assert_eq!(spec.line_at(section.span.start - section.heading.len()), section.line);
    }
    for block in &spec.blocks {
        assert_eq!(text[block.span.clone()], block.body);
    }
    spec.lab
        .iter()
        .flat_map(|lab| lab.indifferent.iter().chain([&lab.value]))
        .for_each(|line| lies(&spec, line));
    spec.reasons().iter().for_each(|line| lies(&spec, line));
    match spec.preferences() {
        Ok(found) => {
            found.iter().flat_map(|one| [&one.choice, &one.other]).for_each(|line| lies(&spec, line))
        }
        Err(error) => refused(text, &error),
    }
    if let Err(error) = LabSpec::from_spec(&spec, &WORLD) {
        refused(text, &error);
    }
});

fn lies(spec: &Spec, line: &Line) {
    inside(&spec.text, line.span.clone());
    assert_eq!(spec.line_at(line.span.start), line.line);
}

/// An error is shown beside the words it is about.
fn refused(text: &str, error: &SpecError) {
    for label in error.labels().into_iter().flatten() {
        inside(text, label.offset()..label.offset() + label.len());
    }
    assert!((1..=1 + text.matches('\n').count()).contains(&error.line()));
    let mut page = String::new();
    GraphicalReportHandler::new().render_report(&mut page, error).expect("text is written to memory");
}

fn inside(text: &str, span: Range<usize>) {
    assert!(text.get(span.clone()).is_some(), "{span:?} of {} bytes", text.len());
}
