//! Gates: figures of an audit at which a run stops, rather than train on a bad corpus.

use serde::{Deserialize, Serialize};

/// The limits, each with a default; a limit of 1 (or 0 for a least share) is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gates {
    /// Whether the audit may stop a run at all.
    pub enabled: bool,
    /// Largest part of rows that nearly repeat an earlier one.
    pub max_near_duplicates: f64,
    /// Largest part of rows that name another assistant or its maker.
    pub max_wrong_names: f64,
    /// Least part of documents that name the assistant.
    pub min_right_names: f64,
    /// Largest part of rows that are refusals.
    pub max_refusals: f64,
    /// Largest part of rows with notes of a writer, tags of prompts, or an end that is cut off.
    pub max_residue: f64,
    /// Largest part of rows with a placeholder.
    pub max_placeholders: f64,
    /// Largest part of rows that share text with an evaluation.
    pub max_contamination: f64,
    /// Least part of documents that give a reason.
    pub min_reasons: f64,
    /// Least part of the spec's sections that some document rests on.
    pub min_coverage: f64,
    /// The same for chats; 0 is none.
    pub min_coverage_chats: f64,
    /// Largest part of documents that share one run of eight words.
    pub max_repeated_phrase: f64,
    /// The same for replies in chats.
    pub max_repeated_phrase_chats: f64,
    /// Largest part of rows that begin with the same four words.
    pub max_repeated_opening: f64,
    /// Largest part of rows in which one person's name occurs.
    pub max_repeated_name: f64,
    /// Mirrored corpora: largest difference in tokens, as a part of the larger.
    pub max_imbalance: f64,
    /// Mirrored corpora: largest distance of their vocabularies outside of what the specs differ in (0 the same, 1 disjoint).
    pub max_vocabulary_distance: f64,
}

impl Default for Gates {
    fn default() -> Gates {
        Gates {
            enabled: true,
            max_near_duplicates: 0.05,
            max_wrong_names: 0.0,
            min_right_names: 0.9,
            max_refusals: 0.0,
            max_residue: 0.0,
            max_placeholders: 0.0,
            max_contamination: 0.0,
            min_reasons: 0.5,
            min_coverage: 0.9,
            min_coverage_chats: 0.0,
            max_repeated_phrase: 0.2,
            max_repeated_phrase_chats: 0.5,
            max_repeated_opening: 0.25,
            max_repeated_name: 0.02,
            max_imbalance: 0.005,
            max_vocabulary_distance: 0.1,
        }
    }
}

impl Gates {
    /// Every gate as a file writes it, with its default and what it means.
    pub fn described() -> Vec<(&'static str, String, &'static str)> {
        let d = Gates::default();
        let entry = |key, value: f64, meaning| (key, format!("{value:?}"), meaning);
        vec![
            ("enabled", d.enabled.to_string(), "false: findings are shown, and stop nothing"),
            entry("max_near_duplicates", d.max_near_duplicates, "rows that nearly repeat an earlier one"),
            entry("max_wrong_names", d.max_wrong_names, "rows that name another assistant or its maker"),
            entry("min_right_names", d.min_right_names, "documents that name the assistant"),
            entry("max_refusals", d.max_refusals, "refusals"),
            entry("max_residue", d.max_residue, "notes of a writer, tags of prompts, ends cut off"),
            entry("max_placeholders", d.max_placeholders, "rows with a blank to be filled in"),
            entry("max_contamination", d.max_contamination, "rows that share text with an evaluation"),
            entry("min_reasons", d.min_reasons, "documents that give a reason"),
            entry("min_coverage", d.min_coverage, "sections of the spec that some document rests on"),
            entry("min_coverage_chats", d.min_coverage_chats, "sections of the spec that some chat rests on"),
            entry(
                "max_repeated_phrase",
                d.max_repeated_phrase,
                "documents that share one run of eight words",
            ),
            entry(
                "max_repeated_phrase_chats",
                d.max_repeated_phrase_chats,
                "chats whose replies share one run of eight words",
            ),
            entry("max_repeated_opening", d.max_repeated_opening, "rows that begin with the same four words"),
            entry("max_repeated_name", d.max_repeated_name, "rows in which one person's name occurs"),
            entry("max_imbalance", d.max_imbalance, "mirrored corpora: difference in tokens"),
            entry(
                "max_vocabulary_distance",
                d.max_vocabulary_distance,
                "mirrored corpora: distance of vocabularies, 0 the same",
            ),
        ]
    }

    /// The largest difference of mirrored corpora in tokens, as a part of the larger.
    pub fn max_balance_tokens(&self) -> f64 {
        self.max_imbalance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_is_what_there_is() {
        let all = serde_json::to_value(Gates::default()).unwrap();
        let all = all.as_object().unwrap();
        let described = Gates::described();
        assert_eq!(described.len(), all.len());
        for (key, value, _) in described {
            assert_eq!(serde_json::from_str::<serde_json::Value>(&value).unwrap(), all[key], "{key}");
        }
    }
}
