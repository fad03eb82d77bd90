//! Whether a spec is one that something can be written from.

use std::path::Path;

use spec::Spec;

use crate::error::{ExperimentError, Result};

/// The text of a spec's file.
///
/// # Errors
/// When it cannot be read, or is not text; with the place of the first bad byte.
pub fn text(path: &Path) -> Result<String> {
    spec::text_of(store::read(path)?).map_err(|error| ExperimentError::Writing {
        message: format!("{}: {error}", path.display()),
        help: error.help().to_owned(),
        invalid: true,
    })
}

/// Refuses a spec without text, without headings, or far too large: before anything is planned from it, or paid for.
///
/// # Errors
/// When it is one.
pub fn check(spec: &Spec) -> Result<()> {
    match spec::unusable(spec) {
        None => Ok(()),
        Some(problem) => Err(ExperimentError::Writing {
            message: format!("{}:{}: {}", spec.path.display(), problem.line, problem.message),
            help: problem.help,
            invalid: true,
        }),
    }
}
