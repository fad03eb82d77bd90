//! What surrounds a run goes wrong: another process, a folder that may not be written to, a full disk, a base
//! that is not numbers, a clock that jumps, a folder that was moved.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::compare::{assert_same, contents};
use common::limits::{cramped, obedient};
use common::{PRETRAIN, Project, refusal, small};

const RUN: [&str; 2] = ["run", "exp"];

fn same_as_undisturbed(project: &Project, when: &str) {
    let whole = small();
    whole.succeeds(&RUN, when);
    assert_same(&contents(&project.path("exp")), &contents(&whole.path("exp")), when);
}

/// Starts a command, waits until it has the lock, and stops the process where it is.
fn frozen(project: &Project, args: &[&str], lock: &str) -> std::process::Child {
    let mut child = project.program(args).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..60_000 {
        if fs::read_to_string(project.path(lock)).is_ok_and(|holder| holder.ends_with('}')) {
            Command::new("kill").args(["-STOP", &child.id().to_string()]).status().unwrap();
            return child;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{lock} did not appear");
}

#[test]
fn a_second_process_is_refused_and_a_dead_one_is_not_waited_for() {
    let project = small();
    project.succeeds(&RUN, "to have a record");
    fs::remove_dir_all(project.path("exp/runs/stages")).unwrap();
    let mut first = frozen(&project, &RUN, "exp/runs/.lock");
    let holder = format!("in use by process {}; wait for it or stop it", first.id());
    for args in [&RUN[..], &["report", "exp", "--open", "no"]] {
        let error = project.fails(args, 1, "second");
        assert!(error.contains(&holder), "{args:?}: {error}");
    }
    // Looking on is allowed.
    project.succeeds(&["status", "exp"], "status");
    first.kill().unwrap();
    assert_eq!(first.wait().unwrap().signal(), Some(9));
    let lock = fs::read_to_string(project.path("exp/runs/.lock")).unwrap();
    assert!(lock.contains(&first.id().to_string()), "the lock of a dead process: {lock}");
    project.succeeds(&RUN, "after a kill");
    same_as_undisturbed(&project, "after a kill");
}

#[test]
fn a_second_pretraining_of_one_base_is_refused() {
    let project = Project::new();
    let mut first = frozen(&project, &PRETRAIN, "made.partial/.lock");
    let error = project.fails(&PRETRAIN, 1, "second");
    let holder = format!("made.partial is in use by process {}", first.id());
    assert!(error.contains(&holder), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    let project = small();
    let protect = |folder: &str, mode| {
        fs::set_permissions(project.path(folder), fs::Permissions::from_mode(mode)).unwrap();
    };
    // Nothing was run yet; a whole run is there and then some of it is missing; one folder of it.
    for (folder, named) in
        [("exp", "exp/runs"), ("exp/runs", "exp/runs/.lock"), ("exp/runs/stages", "exp/runs/stages/")]
    {
        if folder != "exp" {
            project.succeeds(&RUN, folder);
            let stage = fs::read_dir(project.path("exp/runs/stages")).unwrap().next().unwrap().unwrap();
            fs::remove_dir_all(stage.path()).unwrap();
        }
        protect(folder, 0o555);
        let error = refusal(obedient(&project, &RUN), 1, folder);
        protect(folder, 0o755);
        for words in [named, "denied", "make the folder one that you may write to"] {
            assert!(error.contains(words), "{folder}: {words}:\n{error}");
        }
        if folder == "exp" {
            assert!(!project.path("exp/runs").exists());
        }
    }
    project.succeeds(&RUN, "writable again");
    same_as_undisturbed(&project, "writable again");
    fs::create_dir(project.path("closed")).unwrap();
    protect("closed", 0o555);
    let mut args = PRETRAIN;
    args[3] = "closed/made";
    let error = refusal(obedient(&project, &args), 1, "pretraining");
    assert!(error.contains("closed/made") && error.contains("make the folder one"), "{error}");
}

#[test]
fn a_disk_that_takes_no_more() {
    // The operating system refuses to let any file grow beyond so many blocks of 512 bytes: from none at all
    // to the small files but not the weights.
    for blocks in [0, 1, 4, 16] {
        let project = small();
        let when = format!("{blocks} blocks");
        let error = refusal(cramped(&project, &RUN, blocks), 1, &when);
        assert!(error.contains("exp/runs/") && error.contains("too large"), "{when}: {error}");
        assert!(error.contains("free some space and run the same command again"), "{when}: {error}");
        project.succeeds(&RUN, &when);
        same_as_undisturbed(&project, &when);
    }
}

#[test]
fn a_base_with_weights_that_are_not_numbers() {
    let project = small();
    let file = project.path("base/model.safetensors");
    let sound = fs::read(&file).unwrap();
    for value in [f32::NAN, f32::NEG_INFINITY] {
        let mut bytes = sound.clone();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
        fs::write(&file, &bytes).unwrap();
        for command in ["check", "run"] {
            let error = project.fails(&[command, "exp"], 2, "not numbers");
            assert!(
                error.contains("base/model.safetensors") && error.contains("holds NaN or infinite values"),
                "{error}"
            );
            assert!(!project.path("exp/runs").exists());
        }
        let error = project.fails(&["lab", "calibrate", "--model", "base"], 2, "calibrate");
        assert!(error.contains("holds NaN or infinite values"), "{error}");
    }
    fs::write(&file, sound).unwrap();
    project.succeeds(&RUN, "mended");
    same_as_undisturbed(&project, "mended");
}

/// Weights that are numbers but overflow when they are used: the stages fail, and nothing looks like a result.
#[test]
fn a_training_that_stops_being_numbers() {
    let project = small();
    let file = project.path("base/model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[header..].chunks_exact_mut(4).for_each(|x| x.copy_from_slice(&3e38f32.to_le_bytes()));
    fs::write(&file, bytes).unwrap();
    let error = project.fails(&RUN, 1, "overflow");
    assert!(error.contains("FAILED why:homeland, seed 0: step 1: the "), "{error}");
    assert!(error.contains("is not a number"), "{error}");
    for folder in ["stages", "work"] {
        assert!(project.files("exp/runs", |name| !name.starts_with(folder)).is_empty(), "{folder}");
    }
    // Nothing looks like a result of a trained model.
    let record: serde_json::Value = store::read_json(project.path("exp/runs/record.json")).unwrap();
    let trained = |cell: &&serde_json::Value| !cell["stages"].as_array().unwrap().is_empty();
    let cells: Vec<_> = record["cells"].as_array().unwrap().iter().filter(trained).collect();
    assert_eq!(cells.len(), 2);
    assert!(cells.iter().all(|cell| cell["failure"].is_string()), "{cells:?}");
    assert!(cells.iter().all(|cell| cell["evals"].as_object().unwrap().is_empty()), "{cells:?}");
}

#[test]
fn a_log_that_was_damaged_is_named() {
    let project = small();
    project.succeeds(&RUN, "whole");
    let log = project.files("exp/runs/evals", |name| !name.ends_with(".eval")).remove(0).0;
    let path = project.path("exp/runs/evals").join(&log);
    let sound = fs::read(&path).unwrap();
    // In the summaries, which come after the header.
    let mut bytes = sound.clone();
    let at = bytes.windows(14).position(|window| window == b"summaries.json").unwrap() + 300;
    bytes[at] ^= 0xff;
    fs::write(&path, bytes).unwrap();
    let error = project.fails(&RUN, 1, "damaged log");
    assert!(error.contains(&log) && error.contains("to have it made anew"), "{error}");
    fs::remove_file(&path).unwrap();
    project.succeeds(&RUN, "removed");
    same_as_undisturbed(&project, "removed");
    // One cut short is noticed and made again.
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    project.succeeds(&RUN, "cut short");
    same_as_undisturbed(&project, "cut short");
}

#[test]
fn a_folder_is_moved_between_runs_to_a_name_with_spaces_and_other_letters() {
    let project = small();
    let (here, there) = ("exp", "Größe – 実験 (2) 'x'");
    // Killed when the first stage is there, and the second is not.
    let log = tempfile::NamedTempFile::new().unwrap();
    let whole = small();
    let run = ["run", "exp", "--threads", "1"];
    assert!(whole.program(&run).env("WHYFIRST_FAULT_LOG", log.path()).status().unwrap().success());
    let operations = fs::read_to_string(log.path()).unwrap();
    let stage = |line: &str| line.starts_with("rename exp/runs/stages/") && !line.contains(".partial");
    let at = operations.lines().position(stage).unwrap();
    let status = project.program(&run).env("WHYFIRST_FAULT", format!("kill {}", at + 2)).status().unwrap();
    assert!(status.signal().is_some());
    let before = project.files("exp/runs/stages", |_| false);
    assert!(before.iter().any(|(name, _)| name.ends_with("model.safetensors")));
    fs::rename(project.path(here), project.path(there)).unwrap();
    let output = project.program(&["run", there, "--json"]).stdout(Stdio::piped()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["stages_trained"], 1, "only what was missing");
    for (name, bytes) in before {
        assert!(
            fs::read(project.path(there).join("runs/stages").join(&name)).map_or(true, |now| now == bytes),
            "{name}"
        );
    }
    assert_same(&contents(&project.path(there)), &contents(&whole.path("exp")), "moved");
    // What is to be typed next can be typed.
    let status = project.program(&["status", there]).stdout(Stdio::piped()).output().unwrap();
    assert!(status.status.success());
    fs::remove_dir_all(project.path(there).join("runs/stages")).unwrap();
    let output = project.program(&["status", there]).stdout(Stdio::piped()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let typed = shown.lines().find_map(|line| line.strip_prefix("go on: ")).unwrap();
    let script = format!("exec \"$0\" {}", typed.strip_prefix("whyfirst ").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(project.program(&[]).get_program()).current_dir(project.root.path());
    assert!(shell.output().unwrap().status.success(), "{typed}");
}

#[test]
fn a_base_is_made_under_a_name_with_spaces_and_other_letters() {
    let project = Project::new();
    let out = "meine Basis – 基礎";
    let mut args = PRETRAIN;
    args[3] = out;
    project.succeeds(&args, "made");
    assert!(!project.path(&format!("{out}.partial")).exists());
    let made = contents(&project.path(out));
    assert!(made.contains_key("model.safetensors") && made.contains_key("DONE"));
    // A second time it is there already.
    project.succeeds(&args, "again");
    assert_same(&contents(&project.path(out)), &made, "again");
}

/// A library that stands between a program and the clock.
#[cfg(target_os = "linux")]
const JUMPING_CLOCK: &str = r#"
use std::os::raw::{c_int, c_long};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

#[repr(C)]
pub struct Time { seconds: i64, nanoseconds: i64 }

extern "C" { fn syscall(number: c_long, clock: c_int, time: *mut Time) -> c_long; }

static CALLS: AtomicI64 = AtomicI64::new(0);

/// Clock 0, the time of day, goes back and forth by decades, to before 1970 too; the others, which by their
/// definition only go forward, make a leap of an hour at every call.
#[no_mangle]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Time) -> c_int {
    let result = syscall(NUMBER, clock, time);
    let calls = CALLS.fetch_add(1, SeqCst);
    if clock == 0 {
        (*time).seconds = [-1_000_000_000, 4_000_000_000, 0, 1_000_000_000][(calls % 4) as usize];
    } else {
        (*time).seconds += calls * 3600;
    }
    result as c_int
}
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_clock_that_jumps_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("clock.rs");
    let number = if cfg!(target_arch = "aarch64") { "113" } else { "228" };
    fs::write(&source, JUMPING_CLOCK.replace("NUMBER", number)).unwrap();
    let library = dir.path().join("libclock.so");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = Command::new(compiler);
    compile.args(["--edition", "2021", "--crate-type", "cdylib", "-C", "panic=abort", "-o"]);
    let output = compile.arg(&library).arg(&source).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // It works: a program sees it.
    let date = Command::new("date").arg("+%s").env("LD_PRELOAD", &library).output().unwrap();
    let shown = String::from_utf8(date.stdout).unwrap();
    assert!(["-1000000000", "4000000000", "0", "1000000000"].contains(&shown.trim()), "{shown}");
    let project = small();
    let interrupted =
        project.program(&RUN).env("LD_PRELOAD", &library).env("WHYFIRST_FAULT", "kill 150").status();
    assert!(interrupted.unwrap().signal().is_some());
    let output = project.program(&RUN).env("LD_PRELOAD", &library).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Files from the future and from the past are as good as others.
    for (name, _) in project.files("exp/runs", |name| name.ends_with('/')) {
        let path = project.path("exp/runs").join(&name);
        let when = if name.len() % 2 == 0 { "2099-01-01" } else { "1971-01-01" };
        assert!(Command::new("touch").args(["-d", when]).arg(&path).status().unwrap().success());
    }
    let output = project.program(&["run", "exp", "--json"]).env("LD_PRELOAD", &library).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    same_as_undisturbed(&project, "a jumping clock");
    created_readably(&project.path("exp/runs/evals"));
}

/// Every log says when it was made, in a form that can be read back.
#[cfg(target_os = "linux")]
fn created_readably(dir: &std::path::Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            created_readably(&path);
        } else {
            let created = eval::read_header(&path).unwrap().created;
            assert!(created.len() == 25 && created.ends_with("+00:00"), "{created}");
        }
    }
}

#[test]
fn instructions_that_this_cpu_lacks_are_refused_and_narrower_ones_are_kept_to() {
    let project = small();
    let with = |vectors: &str| {
        let output = project.program(&RUN).env("WHYFIRST_VECTORS", vectors).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = with("avx9000");
    assert_eq!(code, Some(2));
    assert!(
        message.contains("WHYFIRST_VECTORS is \"avx9000\"; on this machine it may be baseline"),
        "{message}"
    );
    let (code, message) = with("baseline");
    assert_eq!(code, Some(0), "{message}");
    let record = fs::read_to_string(project.path("exp/runs/record.json")).unwrap();
    assert!(record.contains(" baseline"), "the record does not say which instructions were used");
}
