//! Files that an experiment rests on: the base model, and rows of the user's own.

use std::path::Path;

use crate::base::{Base, BaseSource, NotFound, ShippedBase};
use crate::corpora::written::{Rows, Writing};
use crate::corpora::{Corpora, Origin};
use crate::error::Result;
use crate::file::Written;
use crate::problem::Source;
use crate::recipes::Recipes;

/// Finds files of corpora that are not there.
pub(super) fn check_files(dir: &Path, written: &Written, corpora: &Corpora, source: &Source) -> Result<()> {
    for (name, table) in &written.corpora.named {
        let (Some(path), Some(definition)) = (&table.path, corpora.all.get(name.get_ref())) else { continue };
        let template = match &definition.origin {
            Origin::File(template) => template,
            Origin::Written(Writing { rows: Rows::Instructions { path: Some(template), .. }, .. }) => {
                template
            }
            _ => continue,
        };
        let specs: Vec<&str> = match definition.per_spec {
            true => written.specs.iter().map(|(name, _)| name.get_ref().as_str()).collect(),
            false => vec![""],
        };
        for spec in specs {
            let file = template.replace("{spec}", spec);
            if !dir.join(&file).is_file() {
                return Err(source
                    .problem(
                        format!("there is no file {}", dir.join(&file).display()),
                        path.span(),
                        "not found",
                        "paths are relative to the experiment folder; {spec} stands for each spec's name",
                    )
                    .into());
            }
        }
    }
    Ok(())
}

/// Loads the base model.
pub(super) fn base(
    dir: &Path,
    written: &Written,
    shipped: ShippedBase,
    trains: bool,
    source: &Source,
) -> Result<(BaseSource, Base)> {
    let Some(value) = &written.top.base else {
        if trains {
            return Err(source.missing_key("base").into());
        }
        let base = Base::load(&BaseSource::Lab, shipped)?;
        return Ok((BaseSource::Lab, base));
    };
    let written = value.get_ref().as_str();
    let found = BaseSource::find(written, dir, &mut |line| eprintln!("{line}"));
    let base_source = found.map_err(|error| match error {
        NotFound::Hub(error) => {
            let message =
                format!("the base `{written}` is no folder here, and cannot be had from the hub: {error}");
            let help = "a base is `lab`, a folder relative to the experiment's, or a hub id `org/name`; HF_TOKEN, \
                        HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE are honoured";
            source.problem(message, value.span(), "neither folder nor model", help)
        }
        NotFound::Folder => {
            let help = "`lab` is the model that ships with Whyfirst; anything else is a folder, relative to the \
                        experiment's, with config.json, model.safetensors and tokenizer.json, or the id of a hub \
                        model, `org/name`";
            source.problem(format!("the base `{written}` is not a folder"), value.span(), "no such folder", help)
        }
    })?;
    match Base::load(&base_source, shipped) {
        Ok(base) => Ok((base_source, base)),
        Err(error) => {
            let help = "a base is a Hugging Face folder: config.json, model.safetensors, tokenizer.json and, for chats, \
                        chat_template.jinja";
            Err(source
                .problem(format!("the base cannot be used: {error}"), value.span(), "this base", help)
                .into())
        }
    }
}

/// Finds rows that are longer than the base model was made for.
pub(super) fn check_lengths(
    written: &Written,
    recipes: &Recipes,
    base: &Base,
    source: &Source,
) -> Result<()> {
    let positions = base.folder.config.max_positions;
    let Some(recipe) = recipes.of.values().find(|recipe| recipe.max_length > positions) else {
        return Ok(());
    };
    let tables =
        std::iter::once(&written.training.all).chain(written.training.named.iter().map(|(_, table)| table));
    let culprit = tables.filter_map(|table| table.max_length.as_ref());
    let span = culprit
        .filter(|length| *length.get_ref() as usize == recipe.max_length)
        .map(|length| length.span())
        .next();
    let message = format!(
        "rows of {} tokens do not fit the base model, which has {positions} positions",
        recipe.max_length
    );
    let span = span.unwrap_or(written.training.span.clone());
    Err(source.problem(message, span, "too long", format!("write `max_length = {positions}` or less")).into())
}
