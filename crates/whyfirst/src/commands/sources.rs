//! The models that `serve` and `model chat` are given, by name.

use std::path::Path;
use std::sync::Arc;

use experiment::base::{Base, BaseSource, NotFound};
use serve::Source;

use crate::args::Models;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::output;

/// The name of an experiment's base, and of the model in PATH if it has no better one.
const BASE: &str = "base";

/// The models, the base first.
pub fn sources(args: &Models) -> Result<Vec<(String, Source)>, Exit> {
    let mut sources = match args.path.as_deref() {
        None => vec![("lab".to_owned(), loaded(&BaseSource::Lab)?)],
        Some(path) if Path::new(path).join(experiment::FILE).is_file() => of_experiment(Path::new(path))?,
        Some(path) if Path::new(path).is_dir() => {
            let name =
                Path::new(path).file_name().map_or(BASE.into(), |name| name.to_string_lossy().into_owned());
            vec![(name, Source::Folder(path.into()))]
        }
        Some(path) => {
            let found = BaseSource::find(path, Path::new(""), &mut |text| eprintln!("{text}"));
            let source = found.map_err(|error| {
                let why = match error {
                    NotFound::Hub(problem) => format!(", and cannot be had from the hub: {problem}"),
                    NotFound::Folder => "; it is no hub id either".to_owned(),
                };
                eprintln!("error: `{path}` is neither an experiment nor a model folder{why}");
                Exit::Invalid
            })?;
            vec![(path.to_owned(), loaded(&source)?)]
        }
    };
    let base = sources[0].0.clone();
    for (name, folder) in &args.models {
        sources.push((name.clone(), Source::Folder(folder.clone())));
    }
    for (name, folder) in &args.adapters {
        let adapter = Source::Adapter { base: base.clone(), adapter: folder.clone(), merged: None };
        sources.push((name.clone(), adapter));
    }
    let mut names: Vec<&String> = sources.iter().map(|(name, _)| name).collect();
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        eprintln!("error: two models are called `{}`; give one of them another name", twice[0]);
        return Err(Exit::Invalid);
    }
    Ok(sources)
}

fn loaded(source: &BaseSource) -> Result<Source, Exit> {
    match Base::load(source, SHIPPED) {
        Ok(base) => Ok(Source::Here(Arc::new(base.folder))),
        Err(error) => {
            eprintln!("error: {error}");
            Err(Exit::Invalid)
        }
    }
}

/// The base of an experiment and its finished models. Adapters that were trained on the base itself share its weights.
fn of_experiment(dir: &Path) -> Result<Vec<(String, Source)>, Exit> {
    let experiment = experiment::open(dir, SHIPPED).map_err(|error| output::error(&error))?;
    let prepared = experiment::prepare(&experiment).map_err(|error| output::error(&error))?;
    let mut sources = vec![(BASE.to_owned(), Source::Here(Arc::new(experiment.base.folder.clone())))];
    for model in experiment::finished(&prepared) {
        let name = model.name();
        let source = match model.adapter {
            Some(adapter) => Source::Adapter { base: BASE.to_owned(), adapter, merged: Some(model.folder) },
            None => Source::Folder(model.folder),
        };
        sources.push((name, source));
    }
    if sources.len() == 1 {
        eprintln!(
            "note: no arm is finished, so there is only the base; `whyfirst run {}` trains them",
            output::typed(dir)
        );
    }
    Ok(sources)
}
