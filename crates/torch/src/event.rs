//! The lines that `train.py` prints, and what its errors mean.

use serde::Deserialize;
use train::{StepMetrics, TrainError, guard};

use crate::TorchError;

/// One line of progress.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Training is about to begin or to go on.
    Start {
        /// Steps done by earlier runs.
        done: u64,
    },
    /// A step is done.
    Step {
        /// Seconds since the start.
        seconds: f64,
        /// What it came to.
        #[serde(flatten)]
        metrics: StepMetrics,
    },
    /// A checkpoint is on the disk.
    Checkpoint {
        /// Steps done.
        step: u64,
    },
    /// The result is on the disk.
    Finished,
    /// Stopped on request, with a checkpoint.
    Interrupted,
    /// Something went wrong.
    Error(Said),
}

/// What the script says about an error.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Said {
    kind: String,
    message: String,
    rank: u64,
    step: u64,
    what: String,
    rate: f64,
    now: f64,
    best: f64,
}

/// Reads a line; `None` for what other libraries print.
pub fn parse(line: &str) -> Option<Event> {
    line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()
}

impl Said {
    /// How near the error is to the cause: where one process fails, the others fail for lack of it.
    pub fn weight(&self) -> u8 {
        match self.kind.as_str() {
            "communication" => 0,
            "crash" => 1,
            _ => 2,
        }
    }

    /// The error, for people; `None` for one that the script cannot explain.
    pub fn explain(&self) -> Option<TorchError> {
        let message = self.message.clone();
        Some(match self.kind.as_str() {
            "not_a_number" => {
                let what = if self.what == "loss" { "loss" } else { "gradient norm" };
                let (step, learning_rate) = (self.step, self.rate);
                TrainError::NotANumber { step, what, learning_rate }.into()
            }
            "diverged" => {
                let Said { step, now, best, .. } = *self;
                TrainError::Diverged { step, window: guard::WINDOW, now, best }.into()
            }
            "out_of_memory" => TorchError::OutOfMemory { rank: self.rank, message },
            "communication" => TorchError::Communication { message },
            "processes" | "devices" => TorchError::Processes(message),
            "locked" => TorchError::Locked(message),
            "damaged" | "other_job" | "model" => TorchError::Files(message),
            _ => return None,
        })
    }

    /// What was said, in short.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// What the last lines of standard error mean, where no process could explain itself.
pub fn explain_log(log: &str) -> Option<TorchError> {
    let has = |text: &str| log.contains(text);
    if let Some(at) = log.find("No module named") {
        let line = log[at..].lines().next().unwrap_or_default().trim_end_matches(['\'', '"']).to_owned();
        return Some(TorchError::NotInstalled { looked: format!("Python says: {line}") });
    }
    if has("CUDA out of memory") || has("torch.OutOfMemoryError") {
        return Some(TorchError::OutOfMemory { rank: 0, message: "CUDA out of memory".into() });
    }
    // torchrun's own report: "exitcode  : -9 (pid: 17)".
    let killed = log.lines().filter_map(|line| line.split("exitcode").nth(1)).find_map(|rest| {
        let number: String =
            rest.chars().skip_while(|c| *c != '-').skip(1).take_while(char::is_ascii_digit).collect();
        number.parse::<i32>().ok()
    });
    if let Some(signal) = killed {
        return Some(TorchError::Killed { signal });
    }
    for sign in
        ["NCCL error", "ncclSystemError", "ncclRemoteError", "DistBackendError", "Connection reset by peer"]
    {
        if let Some(line) = log.lines().rev().find(|line| line.contains(sign)) {
            return Some(TorchError::Communication { message: line.trim().chars().take(300).collect() });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_foreign_ones_passed_over() {
        let step = r#"{"event": "step", "seconds": 1.5, "step": 3, "loss": 2.25, "learning_rate": 0.001, "grad_norm": 0.5, "tokens": 90, "tokens_trained": 80}"#;
        let metrics = StepMetrics {
            step: 3,
            loss: 2.25,
            learning_rate: 0.001,
            grad_norm: 0.5,
            tokens: 90,
            tokens_trained: 80,
        };
        assert_eq!(parse(step), Some(Event::Step { seconds: 1.5, metrics }));
        assert_eq!(parse(r#"{"event": "finished"}"#), Some(Event::Finished));
        let start = r#"{"event": "start", "done": 4, "steps": 9, "device": "cpu", "processes": 2}"#;
        assert_eq!(parse(start), Some(Event::Start { done: 4 }));
        for foreign in ["", "Loading weights: 100%", "{not json", r#"{"loss": 1}"#, r#"{"event": "else"}"#] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }

    fn explained(line: &str) -> String {
        let Some(Event::Error(said)) = parse(line) else { panic!("{line}") };
        said.explain().map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn errors_say_what_to_do() {
        let nan =
            r#"{"event":"error","kind":"not_a_number","message":"m","step":7,"what":"loss","rate":0.5}"#;
        assert!(explained(nan).contains("step 7: the loss is not a number; the learning rate 5e-1"));
        let diverged = r#"{"event":"error","kind":"diverged","message":"m","step":40,"now":3.0,"best":1.0}"#;
        assert!(explained(diverged).contains("best so far 1.000"));
        let memory =
            r#"{"event":"error","kind":"out_of_memory","message":"CUDA out of memory. Tried","rank":3}"#;
        assert!(
            explained(memory).contains("process 3") && explained(memory).contains("gradient_checkpointing")
        );
        let world = r#"{"event":"error","kind":"processes","message":"torchrun started 4 processes"}"#;
        assert!(explained(world).contains("nproc"));
        assert_eq!(explained(r#"{"event":"error","kind":"crash","message":"KeyError"}"#), "");
    }

    #[test]
    fn logs_are_understood_where_nobody_explains() {
        let of = |log: &str| explain_log(log).map_or(String::new(), |error| error.to_string());
        assert!(of("/usr/bin/python3: No module named 'torch'").contains("doctor --install torch"));
        assert!(
            of("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
                .contains("out of memory")
        );
        assert!(of("  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 4711)\n").contains("signal 9"));
        assert!(of("x\n[rank1]: ncclRemoteError: A call failed\n").contains("lost each other"));
        assert_eq!(of("  exitcode  : 1 (pid: 4711)\n"), "");
    }
}
