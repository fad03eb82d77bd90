//! How training ends when it does not simply finish, and how it goes on.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use train::{Recipe, Silent, TrainError};
use whyfirst_torch::{Outcome, TorchError, TorchSettings, command, doctor, run};

use crate::common::*;

/// The largest difference between a run that was stopped and one that was not.
const RESUMED: f64 = 1e-5;

/// Names the folder in which `helper` trains; set only in the process that is to be killed.
const HELPER: &str = "WHYFIRST_TORCH_TEST_HELPER";

/// A step that differs from run to run, so that many runs try many; the message of a failure names it.
fn some_step(from: u64, to: u64) -> u64 {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    from + (nanos as u64 / 1000) % (to - from)
}

#[test]
fn killed_at_any_step_and_rerun_is_as_if_never_stopped() {
    let case = lab();
    for recipe in [full(20), lora(20)] {
        let (_keep, dir) = scratch();
        let undisturbed = case.torch(&recipe, None, &settings());
        let prepared = case.prepare(&recipe, None, &settings(), &dir);
        let step = some_step(2, 18);
        let kill_one = || kill(workers(&dir)[step as usize % 2]);
        let mut observer = At { step, action: kill_one, stop: false, seen: Vec::new() };
        let error = run(&prepared, &python(), &mut observer).unwrap_err();
        assert!(matches!(error, TorchError::Killed { signal: 9 }), "killed at step {step}: {error}");
        let mut again = At { step: 0, action: || {}, stop: false, seen: Vec::new() };
        let rerun = finished(run(&prepared, &python(), &mut again));
        // It went on from the last checkpoint, not from the start and not from later.
        let first = again.seen[0];
        assert!(
            first % 4 == 1 && first <= step + 3 && (step < 5 || first > 1),
            "killed at {step}, went on at {first}"
        );
        let losses = loss_difference(&undisturbed.metrics, &rerun.metrics);
        let weights = weight_difference(&undisturbed.trained().unwrap(), &rerun.trained().unwrap());
        println!(
            "killed at step {step}, went on at {first}: losses differ by {losses:e}, weights by {weights:e}"
        );
        assert!(losses < RESUMED && weights < RESUMED);
    }
}

#[test]
fn an_interrupt_saves_and_another_number_of_processes_can_go_on() {
    let case = lab();
    let (_keep, dir) = scratch();
    let (recipe, settings) = (lora(16), TorchSettings { checkpoint_every: 0, ..settings() });
    let undisturbed = case.torch(&recipe, None, &settings);
    let prepared = case.prepare(&recipe, None, &settings, &dir);
    let mut observer = At { step: 3, action: || {}, stop: true, seen: Vec::new() };
    let Outcome::Interrupted { step } = run(&prepared, &python(), &mut observer).unwrap() else {
        panic!("not interrupted")
    };
    assert!((3..16).contains(&step) && dir.join(format!("checkpoint-{step:08}/DONE")).is_file());
    assert!(!dir.join("stop").exists());
    let alone = case.prepare(&recipe, None, &TorchSettings { nproc: 1, ..settings }, &dir);
    let mut again = At { step: 0, action: || {}, stop: false, seen: Vec::new() };
    let rerun = finished(run(&alone, &python(), &mut again));
    assert_eq!(again.seen[0], step + 1);
    let losses = loss_difference(&undisturbed.metrics, &rerun.metrics);
    println!("interrupted after step {step}, went on with one process: losses differ by {losses:e}");
    assert!(losses < 1e-4);
    // What is there is taken over without training.
    let mut idle = At { step: 0, action: || {}, stop: false, seen: Vec::new() };
    finished(run(&alone, &python(), &mut idle));
    assert!(idle.seen.is_empty());
}

/// Not a test by itself: what the next one starts and kills.
#[test]
fn helper() {
    let Some(dir) = std::env::var_os(HELPER).map(PathBuf::from) else { return };
    let prepared = lab().prepare(&full(400), None, &settings(), &dir);
    struct Print;
    impl train::Observer for Print {
        fn step(&mut self, progress: &train::Progress) {
            println!("\nstep {}", progress.metrics.step);
        }
    }
    finished(run(&prepared, &python(), &mut Print));
}

#[test]
fn training_ends_with_the_program_that_started_it() {
    let (_keep, dir) = scratch();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::helper", "--nocapture"])
        .env(HELPER, &dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map(Result::unwrap).find(|line| line == "step 6").unwrap();
    assert_eq!(workers(&dir).len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    while !workers(&dir).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "training goes on without its parent");
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("training ended {:.1} s after its parent was killed", begun.elapsed().as_secs_f64());
    assert!(dir.join("checkpoint-00000004/DONE").is_file() || dir.join("checkpoint-00000008/DONE").is_file());
}

#[test]
fn a_loss_that_is_not_a_number_or_diverges_stops_the_stage() {
    let case = lab();
    let stops = |recipe: Recipe| {
        let (_keep, dir) = scratch();
        let prepared = case.prepare(&recipe, None, &settings(), &dir);
        let error = run(&prepared, &python(), &mut Silent).unwrap_err();
        assert!(!dir.join("result").exists());
        println!("{error}");
        error
    };
    let error = stops(Recipe { learning_rate: 1e30, warmup: 0.0, ..full(10) });
    assert!(matches!(error, TorchError::Train(TrainError::NotANumber { .. })), "{error}");
    let error = stops(Recipe { learning_rate: 3.0, warmup: 0.9, clip: 1e9, ..full(60) });
    assert!(matches!(error, TorchError::Train(TrainError::Diverged { .. })), "{error}");
}

#[test]
fn a_wrong_number_of_processes_a_damaged_shard_and_a_missing_package_are_said() {
    let case = lab();
    let (_keep, dir) = scratch();
    let prepared = case.prepare(&full(4), None, &settings(), &dir);
    // As a user would who changed the printed command.
    let line = command(&prepared, &python());
    let arguments = line.arguments.iter().map(|a| if a == "2" { "1".into() } else { a.clone() });
    let mut arguments: Vec<_> = arguments.collect();
    let at = arguments.iter().position(|a| a == "--processes").unwrap();
    arguments[at + 1] = "2".into();
    let output = Command::new(&line.program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("torchrun started 1 processes, but the job was set up for 2"), "{said}");
    assert!(!output.status.success());

    let shard = dir.join("job/rows-00000.safetensors");
    let mut bytes = std::fs::read(&shard).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&shard, bytes).unwrap();
    let error = run(&prepared, &python(), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("rows-00000.safetensors is missing or damaged"), "{error}");

    let found = doctor(&python()).unwrap();
    assert!(found.torch.starts_with("2.") && found.gpus.len() < 1000, "{found:?}");
    println!("{found:?}");
    let bare = tempfile::tempdir().unwrap();
    let made =
        Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(bare.path()).status().unwrap();
    assert!(made.success());
    let bare = whyfirst_torch::Python { path: bare.path().join("bin/python") };
    let error = doctor(&bare).unwrap_err().to_string();
    assert!(error.contains("No module named 'torch'") && error.contains("--install torch"), "{error}");
    let error = run(&prepared, &bare, &mut Silent).unwrap_err();
    assert!(matches!(error, TorchError::NotInstalled { .. }), "{error}");
}
