//! Work shared out over threads, one index at a time. Results never depend on which thread took what.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work(index, item)` once for every item, on up to `threads` threads (at least one).
///
/// Items are handed out in order to whichever thread is free. A panic in `work` is passed on to the caller.
pub fn for_each<T: Send>(threads: usize, items: Vec<T>, work: impl Fn(usize, T) + Sync) {
    if threads <= 1 || items.len() <= 1 {
        items.into_iter().enumerate().for_each(|(i, item)| work(i, item));
        return;
    }
    let count = items.len();
    let slots: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let next = AtomicUsize::new(0);
    let run = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return;
            }
            let item = slots[i].lock().unwrap_or_else(|e| e.into_inner()).take();
            if let Some(item) = item {
                work(i, item);
            }
        }
    };
    // Rayon's long-lived threads: starting new ones several times a step costs more than a small step's work.
    rayon::scope(|scope| {
        for _ in 1..threads.min(count) {
            scope.spawn(|_| run());
        }
        run();
    });
}

/// Runs `work` on one of the long-lived threads and waits for it: for work that calls [`for_each`] again and again. From
/// outside, each call would wake first one thread and then another, and at its end the caller.
pub fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// As [`for_each`], with what `work` returned for every item, in their order.
pub fn map<T: Send, U: Send>(threads: usize, items: Vec<T>, work: impl Fn(usize, T) -> U + Sync) -> Vec<U> {
    let results: Vec<Mutex<Option<U>>> = items.iter().map(|_| Mutex::new(None)).collect();
    for_each(threads, items, |i, item| {
        let result = work(i, item);
        *results[i].lock().unwrap_or_else(|e| e.into_inner()) = Some(result);
    });
    results.into_iter().filter_map(|r| r.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [1, 2, 5] {
            let mut out = vec![0usize; 33];
            for_each(threads, out.iter_mut().collect(), |i, slot: &mut usize| *slot += i + 1);
            assert_eq!(out, (1..=33).collect::<Vec<_>>());
        }
    }
}
