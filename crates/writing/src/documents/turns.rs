//! Turns: so many documents are under way at once, and of those that wait the first in the plan goes next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Hands out turns.
#[derive(Debug)]
pub(super) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Who waits, by place in the plan.
    waiting: BTreeMap<String, oneshot::Sender<Turn>>,
}

/// A turn; it goes to the next when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    /// Whether there is something to pass on.
    live: bool,
}

impl Turns {
    /// So many at once.
    pub(super) fn new(at_once: usize) -> Arc<Turns> {
        Arc::new(Turns(Mutex::new(State { free: at_once.max(1), waiting: BTreeMap::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn. `path` is a place in the plan that nobody else asks for.
    pub(super) async fn take(self: &Arc<Turns>, path: &str) -> Turn {
        let turn = || Turn { turns: self.clone(), live: true };
        let receiver = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return turn();
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.insert(path.to_owned(), sender);
            receiver
        };
        // Nobody drops a sender but to send; if it happened, going on is better than waiting for ever.
        receiver.await.unwrap_or_else(|_| Turn { turns: self.clone(), live: false })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.live {
            return;
        }
        let mut turn = Turn { turns: self.turns.clone(), live: true };
        loop {
            let next = {
                let mut state = self.turns.state();
                let next = state.waiting.pop_first();
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some((_, sender)) = next else {
                turn.live = false;
                return;
            };
            match sender.send(turn) {
                Ok(()) => return,
                // It has given up waiting.
                Err(back) => turn = back,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_in_the_plan_goes_next() {
        let turns = Turns::new(2);
        let (one, two) = (turns.take("9").await, turns.take("8").await);
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = ["5", "1", "3", "2"]
            .into_iter()
            .map(|path| {
                let (turns, order) = (turns.clone(), order.clone());
                tokio::spawn(async move {
                    let _turn = turns.take(path).await;
                    order.lock().unwrap().push(path);
                    tokio::task::yield_now().await;
                })
            })
            .collect();
        while turns.state().waiting.len() < 4 {
            tokio::task::yield_now().await;
        }
        // One that gives up is passed over.
        waiting[3].abort();
        tokio::task::yield_now().await;
        drop(one);
        for (at, task) in waiting.into_iter().enumerate() {
            assert_eq!(task.await.is_err(), at == 3);
        }
        assert_eq!(*order.lock().unwrap(), ["1", "3", "5"]);
        drop(two);
        assert_eq!(turns.state().free, 2);
    }
}
