//! The suites of an experiment. All arms, specs and seeds answer the same items.

use suite::Suite;

use crate::validate::Experiment;

/// Forced choices of the assistant between two items.
pub const PREFERENCES: &str = "preferences";
/// Held-out text of the lab: what training cost.
pub const CAPABILITY: &str = "capability";

/// The suites that the file names, in its order.
pub fn build(experiment: &Experiment) -> Vec<Suite> {
    let evals = &experiment.evals;
    evals
        .suites
        .iter()
        .filter_map(|name| match name.as_str() {
            PREFERENCES => {
                Some(experiment.world.preference_suite(&experiment.model_name, evals.pairs as usize))
            }
            CAPABILITY => Some(experiment.world.capability_suite(evals.texts as usize)),
            _ => None,
        })
        .collect()
}
