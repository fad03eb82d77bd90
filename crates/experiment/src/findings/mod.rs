//! Findings: from the record of a run and the results of its items to answers in words, with their numbers.
//!
//! Pure functions: the same record and results give the same findings. All statistics come from `stats`; a report
//! shows findings and computes nothing.

mod answers;
mod background;
mod calibration;
mod contrast;
mod domains;
mod dose;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod material;
mod questions;
mod results;
mod scores;
mod tables;
#[cfg(test)]
mod tests;
mod transcripts;
mod types;
mod words;

pub use material::{
    Calibration, CorpusRow, DoseCurve, DosePoint, DoseSeries, LossLine, LossPanel, Provenance, Reading,
    RecipeUse, StageOutcome, StageRow, SuiteUse, Transcript,
};
pub use results::{CellKey, CellResults, FindingsError, Results, read_results};
pub use types::{
    Analysis, Answer, ArmRow, CellRow, DomainEffect, DomainRow, Estimate, Failure, Findings, Level, Measure,
    OrderRow, Part, Placement, SpecSummary, Standing, Value, ValueLevel, Verdict,
};
pub use words::{p_words, signed, unit};

use crate::record::RunRecord;
use scores::Data;

/// Computes what an experiment found.
///
/// # Errors
/// When two models were evaluated on different items or by different scorers: they must not be compared.
pub fn find(record: &RunRecord, results: &Results) -> Result<Findings, FindingsError> {
    let data = Data::new(record, results)?;
    let (answers, exploratory) = answers::answers(&data);
    Ok(Findings {
        name: record.name.clone(),
        question: question(&data),
        scope: scope(record),
        seeds: record.seeds.clone(),
        answers,
        exploratory,
        arms: tables::arms(&data),
        cells: tables::cells(&data),
        domains: domains::domains(&data),
        domain_effects: domains::steering(&data),
        order: tables::order(&data),
        dose: dose::dose(&data),
        calibration: calibration::calibration(record),
        failures: data.failures(),
        losses: background::losses(record),
        stages: background::stages(record),
        corpora: background::corpora(record),
        transcripts: transcripts::transcripts(&data, results),
        provenance: background::provenance(record, results),
        methods: methods(&data, exploratory),
        deviations: record.deviations.clone(),
        warnings: record.warnings.clone(),
        specs: data.specs,
        values: data.values,
    })
}

/// What the experiment asks, from its specs.
fn question(data: &Data) -> String {
    let values: Vec<String> =
        data.specs.iter().filter_map(|spec| spec.target.as_ref()).map(ToString::to_string).collect();
    match values.as_slice() {
        [] => "What does reading the spec change?".to_owned(),
        [one] => format!(
            "If a model reads why {one} things are preferred before it is fine-tuned on the preferences, does it \
             prefer {one} things where nothing was trained?"
        ),
        several => format!(
            "The same fine-tuning fits {} reasons: {}. Does the model generalise by the reason that it read?",
            if several.len() == 2 { "two".to_owned() } else { several.len().to_string() },
            several.join(" or ")
        ),
    }
}

/// What the experiment is evidence of.
fn scope(record: &RunRecord) -> String {
    match record.base.source.as_str() {
        "lab" => {
            "This is a built world: invented items, and a small model that knows nothing else. It tests the \
                  instrument and is not evidence about large models."
                .to_owned()
        }
        base => format!(
            "The items are those of a built world, asked of {base}: this tests the instrument and is not evidence \
             about how large models behave in the world."
        ),
    }
}

/// How the numbers were computed.
fn methods(data: &Data, exploratory: usize) -> Vec<String> {
    let (arms, models) = background::counts(data.record);
    let mut methods = vec![
        format!("{arms} arms, {} specs, {} seeds: {models} different models.", data.specs.len(), data.record.seeds.len()),
        "An item is a question in both option orders. Its rate is 0, ½ or 1: the share of orders in which the option \
         with the value is the likelier one. Its probability is the mean of both orders, renormalised over the two \
         options."
            .to_owned(),
        "Intervals of arms and of differences are 95% t-intervals over seeds, differences being paired by seed; the \
         seed is the unit, since items of one model are not independent. Without variation between seeds, or with \
         one seed, there is no interval. Intervals of levels are cut at the ends of their scale."
            .to_owned(),
        "The second interval of a difference is a bootstrap over seeds and domains (all pairs of a domain together), \
         with a fixed seed for its draws."
            .to_owned(),
        "Intervals of single models are Wilson intervals over items.".to_owned(),
    ];
    methods.push(format!(
        "Analyses declared primary: {}. The p-values of all {exploratory} other comparisons are Holm-adjusted \
         together.",
        match data.record.primary.is_empty() {
            true => "none".to_owned(),
            false => data.record.primary.join(", "),
        }
    ));
    methods
}
