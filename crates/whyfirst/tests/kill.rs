//! Killed with `kill -9` at random moments, again and again, and run again each time: in the end everything
//! is as if nothing had happened.
//!
//! An ordinary `cargo test` kills a few times. `cargo xtask kill` asks for more, with other numbers:
//! `WHYFIRST_KILLS` is how many kills, `WHYFIRST_KILL_SEED` decides their moments.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::compare::{assert_same, contents};
use common::rng::Rng;
use common::{EXPERIMENT, Project};

/// How many kills of each of the two commands, and what decides their moments.
fn asked_for(of_ten: usize, few: usize) -> (usize, u64) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = number("WHYFIRST_KILLS").map_or(few, |kills| (kills as usize * of_ten).div_ceil(10));
    (kills, number("WHYFIRST_KILL_SEED").unwrap_or(20_260))
}

/// A command that is killed.
struct Victim {
    name: &'static str,
    args: Vec<String>,
    /// The parts of its work, in order. Kills are spread over them.
    phases: &'static [&'static str],
    /// Which of them it is in, by its folder and by the last line that it printed.
    phase: fn(&Path, &str) -> usize,
    /// Makes the folder that it starts from.
    fresh: fn() -> Project,
    /// What it writes, below that folder.
    result: &'static str,
}

/// One process of a victim, with what it says.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(victim: &Victim, project: &Project, threads: &str) -> Running {
        let mut args: Vec<&str> = victim.args.iter().map(String::as_str).collect();
        args.extend(["--threads", threads]);
        let mut child = project.program(&args).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (all, stderr) = (said.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let mut all = all.lock().unwrap();
                all.push_str(&line.unwrap());
                all.push('\n');
            }
        });
        Running { child, said }
    }

    fn phase(&self, victim: &Victim, project: &Project) -> usize {
        (victim.phase)(project.root.path(), &self.said.lock().unwrap())
    }

    /// Whether it has ended, which must have been well.
    fn ended(&mut self) -> bool {
        match self.child.try_wait().unwrap() {
            None => false,
            Some(status) => {
                assert!(status.success(), "{status}:\n{}", self.said.lock().unwrap());
                true
            }
        }
    }
}

/// How often a look is taken at a running process.
const LOOK: Duration = Duration::from_micros(500);

/// Runs a victim undisturbed; says how long each of its phases takes.
fn undisturbed(victim: &Victim, project: &Project) -> Vec<Duration> {
    let mut took = vec![Duration::ZERO; victim.phases.len()];
    let mut running = Running::start(victim, project, "2");
    let mut last = Instant::now();
    while !running.ended() {
        std::thread::sleep(LOOK);
        let now = Instant::now();
        took[running.phase(victim, project)] += now - last;
        last = now;
    }
    took
}

/// Kills a victim at least `kills` times, in as many folders as that takes, and compares each with the
/// undisturbed one. Returns how many kills each phase got.
fn torment(victim: &Victim, kills: usize, seed: u64) -> BTreeMap<&'static str, usize> {
    let rng = &mut Rng(seed);
    let whole = (victim.fresh)();
    let took = undisturbed(victim, &whole);
    let expected = contents(&whole.path(victim.result));
    println!("{}: undisturbed {:?}", victim.name, victim.phases.iter().zip(&took).collect::<Vec<_>>());
    // Every phase that there is gets its share, however short it is.
    let there: Vec<usize> = (0..took.len()).filter(|phase| !took[*phase].is_zero()).collect();
    let mut targets: Vec<usize> = (0..kills).map(|kill| there[kill % there.len()]).collect();
    let mut landed = vec![0; took.len()];
    // How often a kill that was meant for a phase came after it: the next ones wait half as long.
    let mut late = vec![0; took.len()];
    let mut folders = 0;
    while !targets.is_empty() {
        folders += 1;
        assert!(folders <= 4 * kills, "kills come too late, seed {seed}: {landed:?}");
        let project = (victim.fresh)();
        // Work only moves forward within a folder, so the kills of one folder do too.
        let mut here: Vec<usize> = targets.drain(..targets.len().min(8)).collect();
        here.sort_unstable();
        let mut here = here.into_iter();
        while let Some(target) = here.next() {
            let threads = ["1", "2"][rng.below(2)];
            let mut running = Running::start(victim, &project, threads);
            while running.phase(victim, &project) < target && !running.ended() {
                std::thread::sleep(LOOK);
            }
            std::thread::sleep(took[target].mul_f64(rng.unit() * 0.5f64.powi(late[target])));
            let phase = running.phase(victim, &project);
            running.child.kill().unwrap();
            if running.child.wait().unwrap().signal() == Some(9) {
                landed[phase] += 1;
                late[target] += i32::from(phase > target);
                if landed[target] == 0 && late[target] < 4 {
                    targets.push(target);
                }
            } else {
                // It was faster. What is left is for another folder.
                late[target] += 1;
                targets.push(target);
                targets.extend(here);
                break;
            }
        }
        let args: Vec<&str> = victim.args.iter().map(String::as_str).collect();
        let when = format!("{}, folder {folders}, seed {seed}", victim.name);
        project.succeeds(&args, &when);
        assert_same(&contents(&project.path(victim.result)), &expected, &when);
        // Nothing is left beside it either.
        assert_eq!(
            project.root.path().read_dir().unwrap().count(),
            whole.root.path().read_dir().unwrap().count()
        );
    }
    let sum: usize = landed.iter().sum();
    let landed = BTreeMap::from_iter(victim.phases.iter().copied().zip(landed));
    println!("{}: killed {sum} times in {folders} folders, seed {seed}: {landed:?}; all equal", victim.name);
    landed
}

fn files_below(dir: &Path, last: &str) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), last),
            _ => usize::from(entry.file_name().to_string_lossy().ends_with(last)),
        })
        .sum()
}

/// The tiny experiment, with longer stages and checkpoints in them.
fn experiment() -> Project {
    let longer = EXPERIMENT
        .replace("seeds = [0, 1]", "seeds = [0]")
        .replace("steps = 6", "steps = 60\ncheckpoint_every = 10")
        .replace("steps = 4\n", "steps = 40\n");
    Project::with(&longer)
}

/// Distinct stages of it: per spec why, why > what, what > why, mixed; what, instructions, neutral, neutral >
/// what, what > neutral, neutral + what.
const STAGES: usize = 4 * 2 + 6;
/// Logs of it: every arm for every spec, two suites.
const LOGS: usize = 28;

fn phase_of_run(root: &Path, _: &str) -> usize {
    let runs = root.join("exp/runs");
    let stages = fs::read_dir(runs.join("stages")).into_iter().flatten().flatten();
    if !runs.join("corpora/index.json").exists() {
        0
    } else if stages.filter(|stage| stage.path().join("DONE").exists()).count() < STAGES {
        1
    } else if files_below(&runs.join("evals"), ".eval") < LOGS {
        2
    } else {
        3
    }
}

#[test]
fn killed_runs_end_as_if_nothing_had_happened() {
    let (kills, seed) = asked_for(7, 6);
    let victim = Victim {
        name: "run",
        args: ["run", "exp", "--json"].map(str::to_owned).to_vec(),
        phases: &["corpora", "stages", "evaluation", "report"],
        phase: phase_of_run,
        fresh: experiment,
        result: "exp",
    };
    let landed = torment(&victim, kills, seed);
    assert!(landed.values().sum::<usize>() >= kills && landed["stages"] > 0, "seed {seed}: {landed:?}");
}

fn phase_of_pretraining(root: &Path, said: &str) -> usize {
    let names = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let saving = names(&root.join("made.partial")).iter().any(|name| name.starts_with(".made."));
    if saving || root.join("made").exists() {
        3
    } else if said.contains("calibrating") {
        2
    } else if said.contains("training") {
        1
    } else {
        0
    }
}

#[test]
fn killed_pretraining_ends_as_if_nothing_had_happened() {
    let (kills, seed) = asked_for(3, 3);
    // The large version has a calibration too: a debug build is slow at that.
    let large = std::env::var_os("WHYFIRST_KILLS").is_some();
    let (steps, calibration) = if large { ("30", "2") } else { ("10", "0") };
    let args = [
        "lab",
        "pretrain",
        "--out",
        "made",
        "--rows",
        "500",
        "--steps",
        steps,
        "--calibration-steps",
        calibration,
    ];
    let victim = Victim {
        name: "lab pretrain",
        args: args.map(str::to_owned).to_vec(),
        phases: &["rows", "training", "calibration", "saving"],
        phase: phase_of_pretraining,
        fresh: Project::new,
        result: "made",
    };
    let landed = torment(&victim, kills, seed);
    assert!(landed.values().sum::<usize>() >= kills, "seed {seed}: {landed:?}");
}
