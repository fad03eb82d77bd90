//! Jobs at work: what is asked of the pipelines, and what they came to.

use std::sync::Arc;

use ledger::Ledger;
use llm::Client;
use writing::chats::{Desk, write_chats};
use writing::documents;
use writing::instructions::{Conversation, Judge, import, mix};
use writing::{Scope, Tally, WritingError};

use super::Counter;
use super::jobs::{Instructions, Job, Work};
use crate::error::Result;
use crate::library::Library;

impl Job {
    /// Rows of each corpus if all are kept.
    pub fn wanted(&self) -> u64 {
        match &self.work {
            Work::Documents(request) => request.shape.documents(),
            Work::Chats(chats) => chats.settings.rows as u64,
            // A mix is made whole: it is filtered, not written.
            Work::Instructions(_) => 1,
        }
    }

    /// Whether all its corpora are on the disk.
    pub fn is_written(&mut self, library: &Library) -> Result<bool> {
        let mut folders = Vec::new();
        for key in &self.keys {
            match library.folder_of(key)? {
                Some(folder) => folders.push(folder),
                None => return Ok(false),
            }
        }
        self.folders = folders;
        Ok(true)
    }

    /// Writes a scope of it.
    pub async fn write(
        &self,
        client: &Arc<Client>,
        ledger: &Arc<Ledger>,
        scope: Scope,
        counter: &Counter,
    ) -> std::result::Result<Vec<Tally>, WritingError> {
        match &self.work {
            Work::Documents(request) => {
                let counter = counter.clone();
                let count: Arc<dyn Fn(&str) -> u64 + Send + Sync> = Arc::new(move |text| counter.text(text));
                let mut written = documents::write(client, ledger, request, scope, &count).await?;
                if scope == Scope::Full {
                    documents::balance(ledger.as_ref(), request, &mut written).await?;
                }
                Ok(written.tallies)
            }
            Work::Chats(chats) => {
                let desk = Desk { ask: client.as_ref(), prompts: &chats.prompts, brief: &chats.brief };
                let tally = write_chats(
                    desk,
                    &chats.source,
                    &chats.preferences,
                    &chats.settings,
                    scope,
                    ledger.as_ref(),
                )
                .await?;
                Ok(vec![tally.rows])
            }
            Work::Instructions(instructions) => Ok(vec![instructions.write(client, ledger, counter).await?]),
        }
    }
}

impl Instructions {
    async fn write(
        &self,
        client: &Arc<Client>,
        ledger: &Arc<Ledger>,
        counter: &Counter,
    ) -> std::result::Result<Tally, WritingError> {
        let mut files = Vec::new();
        if let Some(file) = &self.file {
            files.push(import(file).map_err(|error| WritingError::Input(error.to_string()))?);
        }
        let judge = self.source.as_ref().map(|source| Judge {
            desk: Desk { ask: client.as_ref(), prompts: &self.prompts, brief: &self.brief },
            source,
        });
        let count = |row: &Conversation| -> std::result::Result<usize, String> {
            let row: corpus::Row = serde_json::from_str(&row.json()).map_err(|error| error.to_string())?;
            Ok(counter.row(&row) as usize)
        };
        let report = mix(&files, &self.settings, &self.brief, count, judge.as_ref(), ledger.as_ref()).await?;
        Ok(report.tally())
    }
}
