//! Training a job on this machine: starts `torchrun`, passes its progress on, stops it when asked.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use train::{Observer, Progress};

use crate::event::{Event, Said, explain_log, parse};
use crate::{CommandLine, Finished, Prepared, Python, TorchError, command};

/// How training ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All steps are done.
    Finished(Box<Finished>),
    /// Stopped on request after `step` steps, with a checkpoint.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

/// How often the observer is asked whether to stop.
const TICK: Duration = Duration::from_millis(200);

/// Lines of standard error that are kept.
const LOG_LINES: usize = 400;

/// Trains a job, going on from its checkpoint if there is one. A result that is there already is taken over, whoever
/// trained it. The folder is the caller's to remove once the result is safe.
///
/// The observer is asked several times a second whether to stop. Training then ends after the step under way, with a
/// checkpoint. If this process dies, however it dies, the training processes end too.
///
/// # Errors
/// What stopped training, in words that say what to do; a job for several nodes that has no result yet.
pub fn run(prepared: &Prepared, python: &Python, observer: &mut dyn Observer) -> Result<Outcome, TorchError> {
    if let Some(finished) = Finished::read(prepared)? {
        return Ok(Outcome::Finished(Box::new(finished)));
    }
    let line = command(prepared, python);
    if prepared.settings.nodes > 1 {
        return Err(TorchError::Cluster { nodes: prepared.settings.nodes, command: line.to_string() });
    }
    let stop = prepared.dir.join("stop");
    store::remove(&stop)?;
    let running = Running::start(&line, python, prepared.settings.nproc)?;
    let (mut state, mut asked) = (State::default(), false);
    loop {
        match running.lines.recv_timeout(TICK) {
            Ok(text) => state.take(&text, prepared.steps, observer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !asked && observer.interrupted() {
            asked = true;
            store::write_atomic(&stop, b"")?;
        }
    }
    let (success, log) = running.finish();
    match state.end {
        Some(Event::Finished) => {
            let missing = || TorchError::Files(format!("{} has no result", prepared.dir.display()));
            Ok(Outcome::Finished(Box::new(Finished::read(prepared)?.ok_or_else(missing)?)))
        }
        Some(Event::Interrupted) => Ok(Outcome::Interrupted { step: state.step }),
        _ => Err(state.failure(success, &log, &prepared.dir)?),
    }
}

/// What was heard so far.
#[derive(Default)]
struct State {
    /// Steps done.
    step: u64,
    /// Tokens seen since the start.
    tokens: u64,
    end: Option<Event>,
    error: Option<Said>,
}

impl State {
    fn take(&mut self, line: &str, steps: u64, observer: &mut dyn Observer) {
        match parse(line) {
            Some(Event::Start { done }) => self.step = done,
            Some(Event::Step { seconds, metrics }) => {
                self.step = metrics.step;
                self.tokens += metrics.tokens;
                let tokens_per_second = self.tokens as f64 / seconds.max(1e-9);
                observer.step(&Progress { metrics, steps, tokens_per_second });
            }
            Some(end @ (Event::Finished | Event::Interrupted)) => self.end = Some(end),
            Some(Event::Error(said)) => {
                if self.error.as_ref().is_none_or(|first| said.weight() > first.weight()) {
                    self.error = Some(said);
                }
            }
            Some(Event::Checkpoint { .. }) | None => {}
        }
    }

    /// Why there is no result.
    fn failure(self, success: bool, log: &str, dir: &Path) -> Result<TorchError, TorchError> {
        let certain = self.error.as_ref().filter(|said| said.weight() > 0);
        // A killed process is the cause of what the others say about their connections.
        let explained = certain
            .and_then(Said::explain)
            .or_else(|| explain_log(log))
            .or_else(|| self.error.as_ref().and_then(Said::explain));
        if let Some(error) = explained {
            return Ok(error);
        }
        let path = dir.join("train.log");
        store::write_atomic(&path, log.as_bytes())?;
        let message = match &self.error {
            Some(said) => said.message().to_owned(),
            None if success => "it ended without a result".to_owned(),
            None => {
                log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
            }
        };
        Ok(TorchError::Crashed { message, log: path })
    }
}

/// A running `torchrun`. Dropped, it is ended.
struct Running {
    child: Child,
    lines: Receiver<String>,
    log: Option<thread::JoinHandle<String>>,
}

impl Running {
    fn start(line: &CommandLine, python: &Python, nproc: usize) -> Result<Running, TorchError> {
        let mut command = Command::new(&line.program);
        command.args(&line.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Standard input says whether we live: the script ends when it closes.
        command.env("WHYFIRST_WATCH_STDIN", "1").env("PYTHONUNBUFFERED", "1").env("HF_HUB_OFFLINE", "1");
        if std::env::var_os("OMP_NUM_THREADS").is_none() {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            command.env("OMP_NUM_THREADS", (cores / nproc).max(1).to_string());
        }
        // Ctrl-C is for us alone: we ask for a checkpoint, torchrun would end its processes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| TorchError::NotInstalled {
            looked: format!("{} cannot be started ({error})", python.path.display()),
        })?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || forward(stdout, &sender));
        }
        let log = child.stderr.take().map(|stderr| thread::spawn(move || tail(stderr)));
        Ok(Running { child, lines, log })
    }

    /// Waits for the end; says whether it was a good one, and what standard error said.
    fn finish(mut self) -> (bool, String) {
        let success = self.child.wait().is_ok_and(|status| status.success());
        let log = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        (success, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The processes that torchrun started see their standard input close.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(from: impl Read, to: &Sender<String>) {
    for line in BufReader::new(from).split(b'\n') {
        let Ok(line) = line else { return };
        if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

/// The last lines.
fn tail(from: impl Read) -> String {
    let mut kept = VecDeque::new();
    for line in BufReader::new(from).split(b'\n') {
        let Ok(line) = line else { break };
        if kept.len() == LOG_LINES {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    Vec::from(kept).join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use train::{Method, TrainError};

    use super::*;
    use crate::job::tests::prepared;

    #[derive(Default)]
    struct Seen {
        steps: Vec<u64>,
        stop_at: u64,
    }

    impl Observer for Seen {
        fn step(&mut self, progress: &Progress) {
            self.steps.push(progress.metrics.step);
        }
        fn interrupted(&self) -> bool {
            self.stop_at > 0 && self.steps.last().is_some_and(|step| *step >= self.stop_at)
        }
    }

    /// Runs a job with a shell script in the place of torchrun; `$5` is the job's folder there.
    fn with(script: &str, stop_at: u64) -> (Result<Outcome, TorchError>, Vec<u64>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let torchrun = dir.path().join("torchrun");
        let step = r#"step() { echo "{\"event\":\"step\",\"seconds\":1,\"step\":$1,\"loss\":1,\"learning_rate\":1,\"grad_norm\":1,\"tokens\":9,\"tokens_trained\":9}"; }"#;
        std::fs::write(&torchrun, format!("#!/bin/sh\n{step}\n{script}\n")).unwrap();
        std::fs::set_permissions(&torchrun, std::fs::Permissions::from_mode(0o755)).unwrap();
        let job = prepared(&dir.path().join("work"), Method::Full);
        let mut seen = Seen { stop_at, ..Seen::default() };
        let outcome = run(&job, &Python { path: dir.path().join("python") }, &mut seen);
        (outcome, seen.steps, dir)
    }

    #[test]
    fn steps_are_passed_on_and_the_reason_of_the_end_is_found() {
        let (outcome, steps, _dir) = with(
            r#"step 1; echo noise; step 2; echo '{"event":"error","kind":"communication","message":"reset"}'
               echo '{"event":"error","kind":"not_a_number","message":"m","step":3,"what":"loss","rate":0.1}'; exit 1"#,
            0,
        );
        assert_eq!(steps, [1, 2]);
        let error = outcome.unwrap_err();
        assert!(matches!(error, TorchError::Train(TrainError::NotANumber { step: 3, .. })), "{error}");
    }

    #[test]
    fn an_interrupt_asks_by_a_file_and_waits_for_the_checkpoint() {
        let script = r#"step 1; step 2; while [ ! -e "$5/stop" ]; do sleep 0.05; done; step 3; echo '{"event":"interrupted"}'"#;
        let (outcome, steps, _dir) = with(script, 2);
        assert!(matches!(outcome.unwrap(), Outcome::Interrupted { step: 3 }));
        assert_eq!(steps, [1, 2, 3]);
    }

    #[test]
    fn what_nobody_explains_is_kept_in_a_log() {
        let (outcome, _, dir) = with("echo 'Traceback' >&2; echo 'KeyError: 3' >&2; exit 1", 0);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("KeyError: 3"), "{error}");
        assert!(store::read_text(dir.path().join("work/train.log")).unwrap().contains("Traceback"));
        let (outcome, ..) = with("echo '  exitcode  : -9 (pid: 12)' >&2; exit 1", 0);
        assert!(matches!(outcome.unwrap_err(), TorchError::Killed { signal: 9 }));
        let (outcome, ..) = with("exit 0", 0);
        assert!(outcome.unwrap_err().to_string().contains("without a result"));
    }

    #[test]
    fn a_stale_stop_file_stops_nothing_and_standard_input_tells_of_our_death() {
        let (outcome, ..) = with(r#"[ -e "$5/stop" ] && exit 1; echo '{"event":"interrupted"}'"#, 0);
        assert!(matches!(outcome.unwrap(), Outcome::Interrupted { step: 0 }));
        let dir = tempfile::tempdir().unwrap();
        let line = CommandLine {
            program: "sh".into(),
            arguments: vec!["-c".into(), format!("cat; touch {}/gone", dir.path().display()).into()],
        };
        drop(Running::start(&line, &Python { path: "sh".into() }, 1).unwrap().child.stdin.take());
        let begun = Instant::now();
        while !dir.path().join("gone").exists() && begun.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn several_nodes_are_for_a_scheduler() {
        let dir = tempfile::tempdir().unwrap();
        let mut job = prepared(dir.path(), Method::Full);
        job.settings.nodes = 2;
        let error = run(&job, &Python { path: "python".into() }, &mut train::Silent).unwrap_err().to_string();
        assert!(error.contains("--nnodes 2") && error.contains("scheduler"), "{error}");
    }
}
