//! `model`: models in and models out.

mod chat;
mod export;
mod import;
mod merge;

use std::path::{Path, PathBuf};

use experiment::ExperimentError;
use experiment::base::{Base, BaseSource, NotFound};
use model::{Dtype, Folder};
use serde_json::json;
use store::StagedDir;

use crate::args::Model as Command;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output;

/// Runs a command about models.
pub fn run(command: &Command) -> Exit {
    let done = match command {
        Command::Chat(args) => return chat::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Merge(args) => merge::run(args),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(error) => output::error(&error),
    }
}

/// What a command came to.
type Result<T> = std::result::Result<T, ExperimentError>;

/// A model that was read whole.
struct Opened {
    /// Where it was found.
    source: BaseSource,
    base: Base,
}

impl Opened {
    /// A folder, a model of the hub, or the built-in base.
    fn open(written: &str) -> Result<Opened> {
        let found = BaseSource::find(written, Path::new(""), &mut |line| eprintln!("{line}"));
        let source = found.map_err(|error| {
            let message = match error {
                NotFound::Hub(error) => format!("`{written}` is no folder here, and cannot be had from the hub: {error}"),
                NotFound::Folder => format!("`{written}` is not a folder"),
            };
            let help = "a model is a folder with config.json, model.safetensors and tokenizer.json, a hub id \
                        `org/name` or `org/name@revision`, or `lab`; HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE \
                        are honoured";
            no_model(message, help)
        })?;
        if let Some(path) = folder_of(&source)
            && path.join("adapter_config.json").is_file()
            && !path.join("config.json").exists()
        {
            let message = format!("{} holds an adapter, not a model", path.display());
            return Err(no_model(
                message,
                "`whyfirst model merge BASE ADAPTER --to DIR` makes a model of it and its base",
            ));
        }
        let base = Base::load(&source, SHIPPED)?;
        Ok(Opened { source, base })
    }

    fn folder(&self) -> Option<&PathBuf> {
        folder_of(&self.source)
    }

    /// Bytes of its weights' files, and the types of the tensors in them.
    fn stored(&self) -> Result<(u64, Vec<String>)> {
        match self.folder() {
            Some(path) => {
                let (bytes, types) = Folder::stored(path)?;
                Ok((bytes, types.into_iter().collect()))
            }
            None => {
                let weights = SHIPPED.files.iter().find(|(name, _)| name.ends_with(".safetensors"));
                Ok((weights.map_or(0, |(_, bytes)| bytes.len() as u64), vec!["f32".to_owned()]))
            }
        }
    }
}

fn folder_of(source: &BaseSource) -> Option<&PathBuf> {
    match source {
        BaseSource::Folder { path, .. } | BaseSource::Hub { path, .. } => Some(path),
        BaseSource::Lab => None,
    }
}

fn no_model(message: String, help: &str) -> ExperimentError {
    ExperimentError::NoModel { message, help: help.to_owned() }
}

/// A folder under construction that will be at `to`.
///
/// # Errors
/// When something is there already, or it cannot be made.
fn staged(to: &Path) -> Result<StagedDir> {
    let is_empty = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    if to.symlink_metadata().is_ok() && !is_empty(to) {
        return Err(ExperimentError::Occupied { folder: to.to_owned() });
    }
    Ok(StagedDir::create(to)?)
}

/// How many of a model's weights were rounded on their way into a file, for people.
fn rounded(folder: &Folder, dtype: Dtype) -> Result<u64> {
    Ok(folder.weights.changed_by(dtype)?)
}

/// Says what was written.
fn wrote(to: &Path, what: &str, rounded: u64, json: bool) {
    if json {
        output::json(&json!({ "folder": to, "kind": what, "rounded_weights": rounded }));
        return;
    }
    output::line(&format!("wrote {}: {what}", output::typed(to)));
    if rounded > 0 {
        output::line(&format!("note: {} were rounded", output::counted(rounded as usize, "weight")));
    }
}
