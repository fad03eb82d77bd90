//! Every durable write fails, one at a time, in every way it can: a clear error, and a run without the fault
//! that ends as if nothing had happened.
//!
//! The program under test is built with `store`'s feature `faults`, as only tests are. An ordinary `cargo
//! test` takes a sample; `cargo xtask kill` takes every operation (`WHYFIRST_FAULTS=all`).
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use common::compare::{assert_same, contents};
use common::rng::Rng;
use common::{PRETRAIN, Project, refusal, small};

/// One operation of `store`: what it did to which path.
#[derive(Clone)]
struct Operation {
    verb: String,
    path: String,
}

/// How an operation can fail.
fn kinds(verb: &str) -> &'static [&'static str] {
    match verb {
        "create" => &["no-space", "full", "denied", "kill"],
        "write" => &["no-space", "short", "full", "kill"],
        "sync" => &["broken", "kill"],
        "rename" => &["broken", "denied", "kill"],
        "remove" | "lock" => &["denied", "kill"],
        other => panic!("{other}"),
    }
}

/// A command whose writes fail.
struct Victim {
    args: &'static [&'static str],
    fresh: fn() -> Project,
    result: &'static str,
}

impl Victim {
    /// The command. One thread, so that its operations come in the same order every time.
    fn command(&self, project: &Project) -> Command {
        let mut command = project.program(self.args);
        command.args(["--threads", "1"]);
        command
    }

    /// Every operation of an undisturbed run.
    fn operations(&self, project: &Project) -> Vec<Operation> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let output = self.command(project).env("WHYFIRST_FAULT_LOG", log.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let operation = |line: &str| {
            let (verb, path) = line.split_once(' ').unwrap();
            Operation { verb: verb.to_owned(), path: path.to_owned() }
        };
        fs::read_to_string(log.path()).unwrap().lines().map(operation).collect()
    }

    /// One fault, then the same command again without it.
    fn suffers(
        &self,
        number: usize,
        kind: &str,
        operation: &Operation,
        expected: &BTreeMap<String, Vec<u8>>,
    ) {
        let project = (self.fresh)();
        let Operation { verb, path } = operation;
        let when = format!("{kind} at operation {number}: {verb} {path}");
        let mut command = self.command(&project);
        command.env("WHYFIRST_FAULT", format!("{kind} {number}"));
        if kind == "kill" {
            let status = command.output().unwrap().status;
            assert!(status.signal().is_some(), "{when}: {status}");
        } else {
            let error = refusal(command, 1, &when);
            let shown = error.replace(' ', "");
            assert!(shown.contains(&format!("cannot{verb}")), "{when}:\n{error}");
            assert!(shown.contains(&visible(path).replace(' ', "")), "{when}:\n{error}");
            assert!(error.contains("run the same command again"), "{when}:\n{error}");
        }
        let again = self.command(&project).output().unwrap();
        assert!(again.status.success(), "{when}, again:\n{}", String::from_utf8_lossy(&again.stderr));
        assert_same(&contents(&project.path(self.result)), expected, &when);
    }
}

/// The end of a path that a message must show: temporary names have a random part.
fn visible(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap();
    match name.strip_prefix('.') {
        Some(hidden) if hidden.contains('.') => format!(".{}.", hidden.split('.').next().unwrap()),
        _ => name.to_owned(),
    }
}

/// Goes through all cases, or a sample of them in which every pair of verb and kind occurs.
fn try_all(name: &str, victim: &Victim, sample: usize) {
    let whole = (victim.fresh)();
    let operations = victim.operations(&whole);
    let expected = contents(&whole.path(victim.result));
    let case = |(index, operation): (usize, &Operation)| {
        let cases = kinds(&operation.verb).iter();
        cases.map(|kind| (index + 1, *kind, operation.clone())).collect::<Vec<_>>()
    };
    let mut cases: Vec<(usize, &str, Operation)> = operations.iter().enumerate().flat_map(case).collect();
    let all = cases.len();
    if std::env::var("WHYFIRST_FAULTS").is_ok_and(|wanted| wanted == "all") {
        println!("{name}: {} durable operations, {all} faults", operations.len());
    } else {
        let rng = &mut Rng(7);
        let mut drawn = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while !cases.is_empty() && drawn.len() < sample {
            let case = cases.swap_remove(rng.below(cases.len()));
            if seen.insert((case.2.verb.clone(), case.1)) || seen.len() >= 15 {
                drawn.push(case);
            }
        }
        cases = drawn;
    }
    for (done, (number, kind, operation)) in cases.iter().enumerate() {
        if done > 0 && done % 100 == 0 {
            println!("{name}: {done} of {}", cases.len());
        }
        victim.suffers(*number, kind, operation, &expected);
    }
    println!("{name}: {} of {all} faults at {} operations met; all equal", cases.len(), operations.len());
}

#[test]
fn a_run_survives_every_fault() {
    let victim = Victim { args: &["run", "exp"], fresh: small, result: "exp" };
    try_all("run", &victim, 24);
}

#[test]
fn pretraining_survives_every_fault() {
    let victim = Victim { args: &PRETRAIN, fresh: Project::new, result: "made" };
    try_all("lab pretrain", &victim, 6);
}

/// A run that continues after a kill cleans up first: that may fail too.
#[test]
fn faults_after_kills() {
    let rng = &mut Rng(8);
    let victim = Victim { args: &["run", "exp"], fresh: small, result: "exp" };
    let whole = small();
    let operations = victim.operations(&whole).len();
    let expected = contents(&whole.path("exp"));
    let rounds = if std::env::var_os("WHYFIRST_FAULTS").is_some() { 40 } else { 3 };
    for _ in 0..rounds {
        let project = small();
        let killed = 1 + rng.below(operations);
        let output =
            victim.command(&project).env("WHYFIRST_FAULT", format!("kill {killed}")).output().unwrap();
        assert!(output.status.signal().is_some(), "{}", output.status);
        // Whatever comes of this one, it does not end well and say so, or ends well.
        let (kind, at) = (["broken", "denied", "full", "kill"][rng.below(4)], 1 + rng.below(operations));
        let when = format!("kill at operation {killed}, then {kind} at {at}");
        let second = victim.command(&project).env("WHYFIRST_FAULT", format!("{kind} {at}")).output().unwrap();
        assert!([None, Some(0), Some(1)].contains(&second.status.code()), "{when}: {}", second.status);
        project.succeeds(victim.args, &when);
        assert_same(&contents(&project.path("exp")), &expected, &when);
    }
}
