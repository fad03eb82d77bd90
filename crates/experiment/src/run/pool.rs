//! A pool of workers over jobs that wait for each other.
//!
//! Small models train faster side by side, one thread each, than one after the other on all threads; when
//! fewer jobs are ready than threads are idle, each gets several. Results depend on neither.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A job of the pool.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The jobs that must be done before it, by index; all smaller than its own.
    pub after: Vec<usize>,
    /// How much work it is, in any unit: what has the longest way to go starts first.
    pub work: u64,
}

/// What one job came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed, or a job it waits for did; why.
    Failed(String),
    /// It was stopped before its end, or never started because of that.
    Stopped,
}

struct State {
    /// Ready jobs: the longest way to the end first, then the order of the list.
    ready: BTreeSet<(std::cmp::Reverse<u64>, usize)>,
    /// For each job, how many others it still waits for.
    waiting: Vec<usize>,
    outcomes: Vec<Option<Outcome>>,
    idle_threads: usize,
}

/// Runs all jobs; `work(job, threads)` does one. No job starts once `stopped` says so. A job that fails (or
/// panics) takes those that wait for it with it; the others go on.
pub fn run(
    jobs: &[Job],
    threads: usize,
    stopped: &(dyn Fn() -> bool + Sync),
    work: &(dyn Fn(usize, usize) -> Outcome + Sync),
) -> Vec<Outcome> {
    let mut children = vec![Vec::new(); jobs.len()];
    for (index, job) in jobs.iter().enumerate() {
        job.after.iter().for_each(|parent| children[*parent].push(index));
    }
    let mut way = vec![0; jobs.len()];
    for index in (0..jobs.len()).rev() {
        let longest = children[index].iter().map(|child| way[*child]).max().unwrap_or_default();
        way[index] = longest + jobs[index].work;
    }
    let key = |index: usize| (std::cmp::Reverse(way[index]), index);
    let state = Mutex::new(State {
        ready: (0..jobs.len()).filter(|index| jobs[*index].after.is_empty()).map(key).collect(),
        waiting: jobs.iter().map(|job| job.after.len()).collect(),
        outcomes: vec![None; jobs.len()],
        idle_threads: threads.max(1),
    });
    let changed = Condvar::new();
    let worker = || {
        let mut guard = lock(&state);
        loop {
            if guard.outcomes.iter().all(Option::is_some) {
                return;
            }
            if stopped() {
                let running = running(&guard);
                for index in (0..jobs.len()).filter(|index| !running.contains(index)) {
                    guard.outcomes[index].get_or_insert(Outcome::Stopped);
                }
                guard.ready.clear();
                changed.notify_all();
                if running.is_empty() {
                    return;
                }
            } else if guard.idle_threads > 0 && !guard.ready.is_empty() {
                let share = (guard.idle_threads / guard.ready.len()).max(1);
                let Some((_, index)) = guard.ready.pop_first() else { continue };
                guard.idle_threads -= share;
                // `running` tells a job at work by its being neither ready nor waiting nor finished.
                guard.waiting[index] = RUNNING;
                drop(guard);
                let outcome = catch_unwind(AssertUnwindSafe(|| work(index, share))).unwrap_or_else(|panic| {
                    Outcome::Failed(format!("a bug in Whyfirst: {}", text_of(panic.as_ref())))
                });
                guard = lock(&state);
                guard.idle_threads += share;
                guard.waiting[index] = 0;
                finish(&mut guard, index, outcome, &children, &key);
                changed.notify_all();
                continue;
            }
            guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(worker);
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Stopped)).collect()
}

/// In place of the number of jobs that a job waits for: it is being worked on.
const RUNNING: usize = usize::MAX;

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn running(state: &State) -> BTreeSet<usize> {
    (0..state.waiting.len()).filter(|index| state.waiting[*index] == RUNNING).collect()
}

/// Notes what a job came to and what that means for those that wait for it.
fn finish(
    state: &mut State,
    index: usize,
    outcome: Outcome,
    children: &[Vec<usize>],
    key: &dyn Fn(usize) -> (std::cmp::Reverse<u64>, usize),
) {
    let passed_on = match &outcome {
        Outcome::Done => None,
        other => Some(other.clone()),
    };
    state.outcomes[index] = Some(outcome);
    for &child in &children[index] {
        match &passed_on {
            None => {
                state.waiting[child] -= 1;
                if state.waiting[child] == 0 && state.outcomes[child].is_none() {
                    state.ready.insert(key(child));
                }
            }
            // A child is not running: it waited for this job.
            Some(outcome) if state.outcomes[child].is_none() => {
                finish(state, child, outcome.clone(), children, key)
            }
            Some(_) => {}
        }
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    match panic.downcast_ref::<String>() {
        Some(text) => text,
        None => panic.downcast_ref::<&str>().copied().unwrap_or("it stopped without a message"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    fn job(after: &[usize]) -> Job {
        Job { after: after.to_vec(), work: 1 }
    }

    #[test]
    fn every_job_runs_once_and_after_its_parents() {
        let jobs: Vec<Job> =
            (0..60).map(|i| job(&(0..i).filter(|j| (i * 7 + j * 3) % 11 == 0).collect::<Vec<_>>())).collect();
        for threads in [1, 2, 5] {
            let done: Vec<AtomicBool> = jobs.iter().map(|_| AtomicBool::new(false)).collect();
            let busy = AtomicUsize::new(0);
            let outcomes = run(&jobs, threads, &|| false, &|index, share| {
                assert!(busy.fetch_add(share, SeqCst) + share <= threads, "more threads than there are");
                assert!(jobs[index].after.iter().all(|parent| done[*parent].load(SeqCst)));
                std::thread::yield_now();
                assert!(!done[index].swap(true, SeqCst), "twice");
                busy.fetch_sub(share, SeqCst);
                Outcome::Done
            });
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
        }
    }

    #[test]
    fn a_single_job_gets_all_threads() {
        let seen = AtomicUsize::new(0);
        run(&[job(&[])], 6, &|| false, &|_, threads| {
            seen.store(threads, SeqCst);
            Outcome::Done
        });
        assert_eq!(seen.into_inner(), 6);
    }

    #[test]
    fn a_failure_takes_those_that_wait_for_it_and_no_others() {
        let jobs = [job(&[]), job(&[]), job(&[0]), job(&[1]), job(&[2, 3])];
        let outcomes = run(&jobs, 2, &|| false, &|index, _| match index {
            0 => panic!("boom"),
            _ => Outcome::Done,
        });
        let failed = Outcome::Failed("a bug in Whyfirst: boom".into());
        assert_eq!(outcomes, [failed.clone(), Outcome::Done, failed.clone(), Outcome::Done, failed]);
    }

    #[test]
    fn nothing_starts_after_a_stop() {
        let stop = AtomicBool::new(false);
        let jobs = vec![job(&[]); 20];
        let started = AtomicUsize::new(0);
        let outcomes = run(&jobs, 2, &|| stop.load(SeqCst), &|_, _| {
            started.fetch_add(1, SeqCst);
            stop.store(true, SeqCst);
            Outcome::Stopped
        });
        assert!(started.into_inner() <= 2);
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Stopped));
    }

    #[test]
    fn the_longest_way_starts_first() {
        let jobs = [job(&[]), job(&[]), Job { after: vec![1], work: 9 }];
        let order = Mutex::new(Vec::new());
        run(&jobs, 1, &|| false, &|index, _| {
            order.lock().unwrap().push(index);
            Outcome::Done
        });
        assert_eq!(order.into_inner().unwrap(), [1, 2, 0]);
    }
}
