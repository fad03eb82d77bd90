//! `[gates]`: figures at which a run stops with exit code 3 instead of training on a bad corpus.

use crate::defaults::writing as defaults;
use crate::file::writing::GatesTable;
use crate::problem::{FileProblem, Source};

/// Figures at which a run stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Gates {
    /// Whether the file has the table: then the user's own files are held to it too.
    pub given: bool,
    /// The least part of asked rows that must be kept, in the probe, the pilot and the whole.
    pub min_yield: f64,
    /// The gates of the audit.
    pub audit: audit::Gates,
}

/// Reads `[gates]`.
///
/// # Errors
/// A share that is none.
pub fn read(table: Option<&GatesTable>, source: &Source) -> Result<Gates, FileProblem> {
    let Some(table) = table else {
        return Ok(Gates { given: false, min_yield: defaults::MIN_YIELD, audit: audit::Gates::default() });
    };
    if let Some(share) = table.min_yield.as_ref().filter(|share| !(0.0..=1.0).contains(share.get_ref())) {
        return Err(source.problem(
            format!("`min_yield` is {}, but it is a part of the rows", share.get_ref()),
            share.span(),
            "must be between 0 and 1",
            format!("remove the line for the default, {}", defaults::MIN_YIELD),
        ));
    }
    Ok(Gates {
        given: true,
        min_yield: table.min_yield.as_ref().map_or(defaults::MIN_YIELD, |share| *share.get_ref()),
        audit: table.audit.clone(),
    })
}
