//! One sample as Inspect keeps it, and back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suite::{PreferenceItem, TextItem};

use crate::preferences::PreferenceResult;
use crate::texts::TextResult;

/// A sample: a file of its own and an element of `summaries.json`.
#[derive(Serialize)]
pub(crate) struct Sample<M> {
    pub(crate) id: String,
    epoch: u32,
    input: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<[String; 2]>,
    target: String,
    metadata: M,
    pub(crate) scores: BTreeMap<&'static str, Score>,
}

/// One score of a sample.
#[derive(Clone, Serialize)]
pub(crate) struct Score {
    pub(crate) value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// What is read back of a summary.
#[derive(Deserialize)]
pub(crate) struct Summary<M> {
    id: String,
    choices: Option<[String; 2]>,
    metadata: M,
}

/// The metadata of a forced choice.
#[derive(Serialize, Deserialize)]
pub(crate) struct PreferenceMetadata {
    domain: String,
    held_out: bool,
    attribute: String,
    pole: String,
    question: String,
    speaker: String,
    p_first: f64,
    p_second: f64,
    log_probabilities_first: [f64; 2],
    log_probabilities_second: [f64; 2],
}

/// The metadata of a text.
#[derive(Serialize, Deserialize)]
pub(crate) struct TextMetadata {
    stratum: String,
    nll: f64,
    tokens: u64,
}

impl<M: Serialize> Sample<M> {
    /// The sample's JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("structs of text and finite numbers are always JSON")
    }
}

impl Sample<PreferenceMetadata> {
    pub(crate) fn preference(result: &PreferenceResult) -> Sample<PreferenceMetadata> {
        let item = &result.item;
        let answer = match result.rate() {
            1.0 => item.choice.clone(),
            0.0 => item.other.clone(),
            _ => "undecided".to_owned(),
        };
        let rate = Score { value: result.rate(), answer: Some(answer) };
        let probability = Score { value: result.probability(), answer: None };
        Sample {
            id: item.id.clone(),
            epoch: 1,
            input: item.ask(true),
            choices: Some([item.choice.clone(), item.other.clone()]),
            target: item.choice.clone(),
            metadata: PreferenceMetadata {
                domain: item.domain.clone(),
                held_out: item.held_out,
                attribute: item.attribute.clone(),
                pole: item.pole.clone(),
                question: item.question.clone(),
                speaker: item.speaker.clone(),
                p_first: result.p_first(),
                p_second: result.p_second(),
                log_probabilities_first: result.first,
                log_probabilities_second: result.second,
            },
            scores: BTreeMap::from([("rate", rate), ("probability", probability)]),
        }
    }
}

impl Sample<TextMetadata> {
    pub(crate) fn text(item: &TextItem, result: &TextResult) -> Sample<TextMetadata> {
        let value = result.nll / result.tokens as f64;
        Sample {
            id: item.id.clone(),
            epoch: 1,
            input: item.text.clone(),
            choices: None,
            target: String::new(),
            metadata: TextMetadata { stratum: item.stratum.clone(), nll: result.nll, tokens: result.tokens },
            scores: BTreeMap::from([("nll_per_token", Score { value, answer: None })]),
        }
    }
}

impl Summary<PreferenceMetadata> {
    /// The result; `None` when the sample is not a choice between two things.
    pub(crate) fn preference(self) -> Option<PreferenceResult> {
        let Summary { id, choices, metadata } = self;
        let [choice, other] = choices?;
        let PreferenceMetadata { domain, held_out, attribute, pole, question, speaker, .. } = metadata;
        let item = PreferenceItem { id, domain, held_out, attribute, pole, choice, other, question, speaker };
        let (first, second) = (metadata.log_probabilities_first, metadata.log_probabilities_second);
        Some(PreferenceResult { item, first, second })
    }
}

impl From<Summary<TextMetadata>> for TextResult {
    fn from(Summary { id, metadata, .. }: Summary<TextMetadata>) -> TextResult {
        TextResult { id, stratum: metadata.stratum, nll: metadata.nll, tokens: metadata.tokens }
    }
}
