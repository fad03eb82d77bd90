//! `model export`: a trained model, out of an experiment.

use std::path::Path;

use experiment::Paths;
use experiment::trained::TrainedModel;
use model::{Adapter, BaseName, Config, Folder, ModelError};

use super::{Result, no_model, staged, wrote};
use crate::args::ModelExport;

/// The card of a folder.
const CARD: &str = "README.md";

/// Writes the model of an arm as an adapter's folder or as a whole one.
pub fn run(args: &ModelExport) -> Result<()> {
    let paths = match args.rehearsal {
        true => Paths::rehearsal(&args.experiment),
        false => Paths::new(&args.experiment),
    };
    let found = TrainedModel::find(&paths, &args.arm, args.spec.as_deref(), args.seed)?;
    let staged = staged(&args.to)?;
    let folder = Folder::load(&found.folder)?;
    let from = match (&found.adapter, args.merged) {
        (Some(adapter), false) => {
            write_adapter(&folder, adapter, found.base.as_ref(), staged.path())?;
            adapter
        }
        (None, false) if found.folder.join(experiment::trained::ADAPTER).is_dir() => {
            let message =
                format!("the adapter of {} lies on weights that an earlier stage trained", found.label);
            return Err(no_model(
                message,
                "it means nothing on the base: take the whole model with --merged",
            ));
        }
        _ => {
            folder.save(staged.path())?;
            &found.folder
        }
    };
    store::write_atomic(staged.path().join(CARD), &store::read(from.join(CARD))?)?;
    staged.commit()?;
    let what = match from == &found.folder {
        true => format!("{}, a whole model in f32", found.label),
        false => format!("{}, a PEFT adapter", found.label),
    };
    wrote(&args.to, &what, 0, args.json);
    Ok(())
}

/// The adapter again, with the name of its base.
fn write_adapter(
    folder: &Folder,
    adapter: &Path,
    base: Option<&BaseName>,
    to: &Path,
) -> std::result::Result<(), ModelError> {
    let config: &Config = &folder.config;
    let (trained, trained_on) = Adapter::load(adapter, config)?;
    trained.save(config, base, trained_on, to)?;
    folder.save_tokenizer(to)
}
