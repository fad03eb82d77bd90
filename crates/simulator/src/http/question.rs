//! A question to a model, alone or in a batch: what is asked, what goes wrong, and what is answered.

use store::hash_bytes;

use crate::answer::{self, Said, Task};
use crate::fault::Fault;
use crate::journal::Entry;
use crate::state::{self, State};
use crate::wire::{self, Asked, Problem, Protocol};

/// A question that was read.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    asked: Asked<'a>,
    task: Option<Task>,
    seed: u64,
    pub(crate) key: u64,
}

impl<'a> Question<'a> {
    /// Reads a question. `nonce` is what tells it from others with the same bytes.
    pub(crate) fn read(
        state: &State,
        protocol: Protocol,
        body: &'a [u8],
        nonce: &str,
        entry: &mut Entry,
    ) -> Result<Question<'a>, Problem> {
        let hash = hash_bytes(body);
        entry.body = hash.to_string();
        entry.nonce = (!nonce.is_empty()).then(|| nonce.to_owned());
        let asked = wire::parse(protocol, body)?;
        let models = &state.config.models;
        if !models.is_empty() && !models.iter().any(|model| *model == asked.model) {
            return Err(Problem::UnknownModel(asked.model.into_owned()));
        }
        let task = answer::task(&asked);
        entry.task = task.map(Task::name);
        let key = state::key("question", &hash, state::nonce(nonce));
        Ok(Question { asked, task, seed: key, key })
    }

    /// What goes wrong with it this time.
    pub(crate) fn fault(&self, state: &State, seen: u32, passing: impl Fn(Fault) -> bool) -> Option<Fault> {
        let faults = &state.config.faults;
        faults.draw(self.key, seen, |kind| kind.fits(self.task), passing)
    }

    /// The model's answer, with a fault of the answer if it has one.
    pub(crate) fn answer(&self, fault: Option<Fault>) -> Said {
        answer::answer(&self.asked, self.task, self.seed, fault)
    }

    /// The model that was asked.
    pub(crate) fn model(&self) -> &str {
        &self.asked.model
    }
}

/// Puts what an answer says and costs into its entry, and gives its body.
pub(crate) fn reply(
    state: &State,
    protocol: Protocol,
    question: &Question<'_>,
    said: &Said,
    entry: &mut Entry,
) -> serde_json::Value {
    let in_batch = entry.batch.is_some();
    entry.input_tokens = said.input_tokens;
    entry.output_tokens = said.output_tokens;
    entry.cost_pico = state.config.prices.cost(said.input_tokens, said.output_tokens, in_batch);
    entry.poisoned = said.poisoned;
    entry.duplicate = said.duplicate;
    entry.marker.clone_from(&said.marker);
    entry.text = Some(hash_bytes(said.text.as_bytes()).to_string());
    wire::answer(protocol, question.model(), said, entry.seq, in_batch)
}
