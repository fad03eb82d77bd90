//! The thread that continues texts, and the way to it.

use model::{Event, Generator, Limits, Refused, Runner, Task, TaskId};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use tokio::sync::{mpsc, oneshot};

/// Continues the texts of all requests, on a thread of its own that ends with the last handle.
#[derive(Clone, Debug)]
pub struct Engine {
    orders: Sender<Order>,
    /// Texts taken on that have not ended.
    under_way: Arc<AtomicUsize>,
    most: usize,
}

/// A text to be continued, and where its events go.
struct Order {
    runner: Runner,
    task: Task,
    listener: Listener,
    taken: oneshot::Sender<Result<(), Refused>>,
}

/// Whom a text is for: a choice of a request.
struct Listener {
    choice: usize,
    events: mpsc::UnboundedSender<(usize, Event)>,
    enough: Arc<AtomicBool>,
    _place: Place,
}

/// A place among the texts under way, given back when the text is.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why the texts of a request were not taken on.
#[derive(Debug)]
pub enum Declined {
    /// As many texts as allowed are under way or wait.
    Full,
    /// More texts at once than there is ever room for.
    TooMany {
        /// What there is room for.
        most: usize,
    },
    /// One of them can never be done.
    Refused(Refused),
    /// The engine failed.
    Failed,
}

/// What comes of the texts of a request. Dropping it ends those that have not ended.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::UnboundedReceiver<(usize, Event)>,
    enough: Vec<Arc<AtomicBool>>,
}

impl Events {
    /// The next event, with the choice that it belongs to. None when all texts have ended, or the engine has failed.
    pub async fn next(&mut self) -> Option<(usize, Event)> {
        self.receiver.recv().await
    }

    /// Ends a choice.
    pub fn end(&self, choice: usize) {
        self.enough[choice].store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start(limits: Limits, queue: usize) -> std::io::Result<Engine> {
        let (orders, received) = channel();
        let run = move || {
            // What fails is one step; whoever waited for it hears that nothing more comes, and others are served.
            while catch_unwind(AssertUnwindSafe(|| serve(&received, Generator::new(limits)))).is_err() {}
        };
        std::thread::Builder::new().name("engine".into()).spawn(run)?;
        Ok(Engine { orders, under_way: Arc::default(), most: limits.active + queue })
    }

    /// Texts that are continued or wait.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Takes on the texts of a request: all of them, or none.
    ///
    /// # Errors
    /// When there are too many already, one can never be done, or the engine has failed.
    pub async fn add(&self, runner: &Runner, tasks: Vec<Task>) -> Result<Events, Declined> {
        if tasks.len() > self.most {
            return Err(Declined::TooMany { most: self.most });
        }
        let places = self.places(tasks.len()).ok_or(Declined::Full)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut events = Events { receiver, enough: Vec::new() };
        for (choice, (task, place)) in tasks.into_iter().zip(places).enumerate() {
            let enough = Arc::new(AtomicBool::new(false));
            events.enough.push(enough.clone());
            let listener = Listener { choice, events: sender.clone(), enough, _place: place };
            let (taken, answer) = oneshot::channel();
            let order = Order { runner: runner.clone(), task, listener, taken };
            self.orders.send(order).map_err(|_| Declined::Failed)?;
            answer.await.map_err(|_| Declined::Failed)?.map_err(Declined::Refused)?;
        }
        Ok(events)
    }

    /// So many places, unless that is too many.
    fn places(&self, count: usize) -> Option<Vec<Place>> {
        let more = |taken: usize| taken.checked_add(count).filter(|all| *all <= self.most);
        self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some((0..count).map(|_| Place(self.under_way.clone())).collect())
    }
}

/// Takes orders and makes steps until nobody can order any more and all is done.
fn serve(orders: &Receiver<Order>, mut generator: Generator) {
    let mut listeners: BTreeMap<TaskId, Listener> = BTreeMap::new();
    loop {
        let mut next = match generator.is_idle() {
            true => orders.recv().map_err(|_| TryRecvError::Disconnected),
            false => orders.try_recv(),
        };
        while let Ok(Order { runner, task, listener, taken }) = next {
            let id = generator.add(&runner, task);
            // Whoever does not wait for the answer any more does not listen either.
            let _ = taken.send(id.as_ref().map(|_| ()).map_err(Clone::clone));
            if let Ok(id) = id {
                listeners.insert(id, listener);
            }
            next = orders.try_recv();
        }
        if next.is_err_and(|error| error == TryRecvError::Disconnected) && generator.is_idle() {
            return;
        }
        listeners.retain(|id, listener| {
            let listens = !listener.events.is_closed() && !listener.enough.load(Ordering::Relaxed);
            if !listens {
                generator.cancel(*id);
            }
            listens
        });
        generator.step(&mut |id, event| {
            let ends = matches!(event, Event::End(_));
            if let Some(listener) = listeners.get(&id) {
                // A closed one is noticed before the next step.
                let _ = listener.events.send((listener.choice, event));
            }
            if ends {
                listeners.remove(&id);
            }
        });
    }
}
