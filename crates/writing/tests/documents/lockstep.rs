//! How much is under way: a model with slots that answers in steps, lowest place in the plan first, as the client does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ledger::{Item, LedgerError, Node, NodeState};
use llm::{Answer, Ask, Call, CallError};
use tokio::sync::oneshot;
use whyfirst_writing::documents::{Shape, write};
use whyfirst_writing::{Record, Scope};

use crate::scripted::{Says, Scripted, Seen, good};
use crate::{SHAPE, request, spec_of};

#[derive(Default)]
struct State {
    /// Calls that wait, by place; the number keeps apart those of one place.
    waiting: BTreeMap<(String, u64), oneshot::Sender<()>>,
    arrived: u64,
    /// Documents that were begun and are not in the record, subdomains that are begun and not done.
    under_way: BTreeSet<String>,
    open: BTreeSet<String>,
    most_under_way: usize,
    most_open: usize,
    /// The highest subdomain that was done, and whether one before it was done after it.
    last_done: String,
    in_order: bool,
}

struct Lockstep {
    model: Scripted<fn(&Seen) -> Says>,
    state: Mutex<State>,
}

impl Ask for Lockstep {
    async fn ask(&self, call: Call) -> Result<Answer, CallError> {
        let receiver = {
            let mut state = self.state.lock().unwrap();
            let (sender, receiver) = oneshot::channel();
            state.arrived += 1;
            let key = (call.path.clone(), state.arrived);
            state.waiting.insert(key, sender);
            if call.role == llm::Role::Writer {
                state.under_way.insert(call.path.clone());
                state.most_under_way = state.most_under_way.max(state.under_way.len());
            }
            receiver
        };
        receiver.await.unwrap();
        self.model.ask(call).await
    }
}

impl Record for Lockstep {
    async fn node(&self, node: Node) -> Result<(), LedgerError> {
        let mut state = self.state.lock().unwrap();
        if node.kind == "subdomain" && node.state == NodeState::Done {
            state.open.remove(&node.path);
            state.in_order &= state.last_done < node.path;
            state.last_done = node.path;
        } else if node.kind == "subdomain" {
            state.open.insert(node.path);
            state.most_open = state.most_open.max(state.open.len());
        }
        Ok(())
    }

    async fn item(&self, item: Item) -> Result<(), LedgerError> {
        self.state.lock().unwrap().under_way.remove(&item.path);
        Ok(())
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    fn find(&self, _: &str, _: &str) -> Result<Option<Item>, LedgerError> {
        Ok(None)
    }
}

/// Writes all documents. Gives what part of the slots was used, over all steps but the first few and the last few, in which
/// there is not enough to do, and the state in the end.
async fn busy(shape: Shape) -> (f64, Arc<Lockstep>) {
    const SLOTS: usize = 8;
    let request = request(&[&spec_of(20, 20)], shape);
    assert_eq!(request.briefs[0].concurrency, SLOTS);
    let state = Mutex::new(State { in_order: true, ..State::default() });
    let lockstep = Arc::new(Lockstep { model: Scripted::new(0, good), state });
    let count: Arc<dyn Fn(&str) -> u64 + Send + Sync> = Arc::new(|text: &str| text.len() as u64);
    let work = {
        let (ask, request) = (lockstep.clone(), request.clone());
        tokio::spawn(async move { write(&ask, &ask, &request, Scope::Full, &count).await })
    };
    let mut steps = Vec::new();
    while !work.is_finished() {
        // Until nobody has anything more to ask.
        let mut before = 0;
        let mut quiet = 0;
        while quiet < 30 && !work.is_finished() {
            tokio::task::yield_now().await;
            let arrived = lockstep.state.lock().unwrap().arrived;
            quiet = if arrived == before { quiet + 1 } else { 0 };
            before = arrived;
        }
        let mut state = lockstep.state.lock().unwrap();
        let mut used = 0;
        while used < SLOTS
            && let Some((_, sender)) = state.waiting.pop_first()
        {
            sender.send(()).unwrap();
            used += 1;
        }
        if used > 0 {
            steps.push(used);
        }
    }
    let written = work.await.unwrap().unwrap();
    assert_eq!(written.tallies[0].kept, shape.documents());
    let middle = &steps[8..steps.len() - 8];
    (middle.iter().sum::<usize>() as f64 / (middle.len() * SLOTS) as f64, lockstep)
}

#[tokio::test]
async fn slots_stay_busy_and_no_more_is_begun_than_that_needs() {
    for (subdomains, types, ideas) in [(10, 1, 2), (5, 2, 3), (5, 5, 5), (2, 6, 20), (25, 1, 1)] {
        let shape = Shape { domains: 4, subdomains, types, ideas, ..SHAPE };
        let (busy, lockstep) = busy(shape).await;
        let state = lockstep.state.lock().unwrap();
        assert!(busy > 0.95, "{subdomains}/{types}/{ideas}: {busy:.3} of the slots were used");
        assert!(state.most_under_way <= 16, "{} documents under way", state.most_under_way);
        let most = 32usize.div_ceil(types * ideas) + 1;
        // One that is finished is still open until those before it are.
        assert!(
            state.most_open <= 2 * most,
            "{subdomains}/{types}/{ideas}: {} of {most} open",
            state.most_open
        );
        assert!(state.in_order, "subdomains are done one after the other");
    }
}
