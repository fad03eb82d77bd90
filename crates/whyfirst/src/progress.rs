//! Progress of a run: one bar and a line per finished stage at a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use experiment::progress::{Event, Progress};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows a run on stderr, so that stdout holds results only.
pub struct Watch {
    bar: ProgressBar,
    terminal: bool,
    stages: AtomicUsize,
    stages_done: AtomicUsize,
    steps: AtomicU64,
}

impl Watch {
    /// A bar if stderr is a terminal, else lines.
    pub fn new() -> Watch {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal {
            ProgressBar::new(0)
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        };
        Watch {
            bar,
            terminal,
            stages: AtomicUsize::new(0),
            stages_done: AtomicUsize::new(0),
            steps: AtomicU64::new(0),
        }
    }

    /// Takes the bar away.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        match self.terminal {
            true => self.bar.suspend(|| eprintln!("{text}")),
            false => eprintln!("{text}"),
        }
    }

    /// Calls to writers: on the bar all the time, as a line now and then where there is no bar.
    fn show_calls(&self, calls: &llm::Counters, quiet: bool) {
        let mut text = format!(
            "{} answers ({} from the store), {} of {} calls under way, {} spent",
            HumanCount(calls.answered + calls.from_store),
            HumanCount(calls.from_store),
            calls.in_flight,
            calls.concurrency,
            calls.billed,
        );
        if calls.possibly > llm::Dollars::ZERO {
            text.push_str(&format!(" (up to {} more possibly billed)", calls.possibly));
        }
        if calls.failed > 0 {
            text.push_str(&format!(", {} failed attempts", HumanCount(calls.failed)));
        }
        if !calls.paused.is_zero() {
            text.push_str(&format!(", asked to wait {:.0} s", calls.paused.as_secs_f64()));
        }
        match self.terminal {
            true => {
                if self.bar.length() == Some(0) {
                    self.bar.set_style(
                        ProgressStyle::with_template("{spinner} {elapsed} {msg}")
                            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                    );
                }
                self.bar.set_message(text);
                self.bar.tick();
            }
            false if !quiet => eprintln!("{text}"),
            false => {}
        }
    }

    fn show_stages(&self) {
        self.bar.set_message(format!(
            "stage {}/{}",
            self.stages_done.load(Relaxed),
            self.stages.load(Relaxed)
        ));
    }
}

impl Progress for Watch {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Planned { stages, stages_left, evals, evals_left, steps_left } => {
                self.stages.store(stages, Relaxed);
                self.stages_done.store(stages - stages_left, Relaxed);
                self.steps.store(steps_left, Relaxed);
                self.line(&format!(
                    "{} to train ({} steps), {} to do{}",
                    counted(stages_left, stages, "stage"),
                    HumanCount(steps_left),
                    counted(evals_left, evals, "evaluation"),
                    if stages_left < stages || evals_left < evals {
                        "; the rest is done already"
                    } else {
                        ""
                    },
                ));
                let style = "{msg}  {wide_bar}  {percent}%  {per_sec}, {eta} left";
                self.bar.set_style(
                    ProgressStyle::with_template(style)
                        .unwrap_or_else(|_| ProgressStyle::default_bar())
                        .with_key(
                            "per_sec",
                            |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                                let _ = write!(w, "{:.0} steps/s", state.per_sec());
                            },
                        ),
                );
                self.bar.set_length(steps_left);
                self.bar.reset();
                self.bar.enable_steady_tick(Duration::from_millis(200));
                self.show_stages();
            }
            Event::Note(text) => self.line(text),
            Event::Calls { counters, quiet } => self.show_calls(counters, quiet),
            Event::Warning(text) => self.line(&format!("warning: {text}")),
            Event::Started { .. } => {}
            Event::Resumed { steps } => self.bar.set_length(self.steps.fetch_sub(steps, Relaxed) - steps),
            Event::Step => self.bar.inc(1),
            Event::Finished { label, steps, tokens, trained, loss, took } => {
                self.stages_done.fetch_add(1, Relaxed);
                self.show_stages();
                self.line(&format!(
                    "{label}: {steps} steps, {} tokens trained, {} masked, loss {loss:.3}, {:.1} s",
                    HumanCount(trained),
                    HumanCount(tokens - trained),
                    took.as_secs_f64(),
                ));
            }
            Event::Evaluated => {}
            Event::Failed { label, reason } => self.line(&format!("FAILED {label}: {reason}")),
        }
    }
}

/// `12 of 40 stages`, or `40 stages` if that is all.
fn counted(some: usize, all: usize, what: &str) -> String {
    let plural = if all == 1 { "" } else { "s" };
    match some == all {
        true => format!("{all} {what}{plural}"),
        false => format!("{some} of {all} {what}{plural}"),
    }
}
