//! From the store to a corpus's folder: the kept rows in the order of the plan, each with where it came from.

use std::collections::BTreeMap;

use corpus::{Row, Source, Streamed, Written};
use ledger::{Item, Ledger};
use writing::WritingError;

use super::Counter;
use super::jobs::{Job, Work};
use crate::library::Library;
use crate::validate::Experiment;

impl Job {
    /// Exports its corpora and remembers their folders.
    pub fn export(
        &mut self,
        experiment: &Experiment,
        library: &Library,
        ledger: &Ledger,
        counter: &Counter,
    ) -> Result<(), WritingError> {
        let failed = |error: &dyn std::fmt::Display| WritingError::Input(error.to_string());
        let mut folders = Vec::new();
        for index in 0..self.keys.len() {
            let mut folder =
                Streamed::create(&experiment.paths().corpora(), self.kind).map_err(|error| failed(&error))?;
            let mut full = false;
            // A mix met its budget when it was made; whatever else has one ends with the last row that fits.
            let most = self.tokens.filter(|_| !matches!(self.work, Work::Instructions(_)));
            ledger.items(&self.ids[index], true, |item: Item| -> Result<(), WritingError> {
                let row: Row = serde_json::from_str(&item.row)
                    .map_err(|error| failed(&format!("row {} of the store: {error}", item.path)))?;
                let tokens = counter.row(&row);
                full = full || most.is_some_and(|most| folder.tokens() + tokens > most);
                if full {
                    return Ok(());
                }
                folder.push(&row, tokens, &item.provenance).map_err(|error| failed(&error))
            })?;
            let source = Source::Writer(Box::new(self.origin(experiment, index)));
            let (path, _) = folder.finish(&self.names[index], source).map_err(|error| failed(&error))?;
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            library.written(&self.keys[index], &name).map_err(|error| failed(&error))?;
            folders.push(name);
        }
        self.folders = folders;
        Ok(())
    }

    /// How a corpus was written. Nothing in it depends on time or on the order of things.
    fn origin(&self, experiment: &Experiment, index: usize) -> Written {
        let tally = self.tallies.get(index).cloned().unwrap_or_default();
        let source = self.sources.get(index);
        let models: BTreeMap<String, String> = experiment
            .writer
            .iter()
            .flat_map(|writer| &writer.models)
            .filter(|(role, _)| **role != llm::Role::Judge)
            .map(|(role, used)| (role.name().to_owned(), used.model.name.clone()))
            .collect();
        Written {
            spec: source.map(|source| source.name.clone()),
            spec_hash: source.map(|source| source.hash),
            writing: self.ids[index].clone(),
            model_name: experiment.model_name.clone(),
            provider_name: experiment.provider_name.clone(),
            models,
            settings: serde_json::to_value(&self.writing).unwrap_or_default(),
            asked: tally.asked,
            dropped: tally.dropped,
            cost_usd: tally.cost.dollars(),
            deviations: self.deviations(experiment),
        }
    }

    /// Where it departs from the published method, and what was not checked.
    fn deviations(&self, experiment: &Experiment) -> Vec<String> {
        let mut notes = Vec::new();
        let writer = experiment.writer.as_ref();
        if writer.is_some_and(|writer| writer.same_critic) {
            notes.push(
                "The critic is the writer: a model that judges its own drafts passes too many of them."
                    .to_owned(),
            );
        }
        if writer.is_some_and(crate::writer::Writer::is_simulated) {
            notes.push(
                "Written by the simulated writer: the text is put together from the spec and proves the machinery only."
                    .to_owned(),
            );
        }
        if !self.writing.critic && !matches!(self.work, Work::Instructions(_)) {
            notes.push("No critic read the rows.".to_owned());
        }
        match &self.work {
            Work::Documents(_) => {}
            Work::Chats(_) => notes.push(
                "Questions that are alike were found by the letters and words they share, not by sentence embeddings.".to_owned(),
            ),
            Work::Instructions(_) => {
                notes.push("Claims to be another assistant were found by names and phrases, in English only.".to_owned());
            }
        }
        if !experiment.counts_with_base() {
            notes.push(
                "Tokens are estimated: a quarter of the bytes, because no base model is given.".to_owned(),
            );
        }
        notes
    }
}
