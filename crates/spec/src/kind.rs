//! Whether a spec explains itself or only prescribes.

use crate::language::{Traits, traits};
use crate::sentences::sentences;
use crate::{Spec, pieces};

/// The kind of a spec. It chooses how documents about it are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It says what to do and why.
    Prose,
    /// It says what to do.
    Rules,
}

impl Kind {
    /// The kind by its name, `prose` or `rules`.
    pub fn from_name(name: &str) -> Option<Kind> {
        match name {
            "prose" => Some(Kind::Prose),
            "rules" => Some(Kind::Rules),
            _ => None,
        }
    }

    /// `prose` or `rules`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Prose => "prose",
            Kind::Rules => "rules",
        }
    }
}

/// The kind that a spec seems to have, and why.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Detected {
    /// The kind.
    pub kind: Kind,
    /// Sentences outside examples, code and comments.
    pub sentences: usize,
    /// Sentences that prescribe and do not say why.
    pub bare_rules: usize,
    /// Sentences that give a reason or name a value.
    pub explaining: usize,
}

/// In a spec of rules at most one sentence in so many explains.
const SPARSE: usize = 25;

/// So many bare rules outweigh a single sentence that explains.
const MANY: usize = 10;

/// Detects the kind of a spec.
///
/// Every sentence outside of code, examples and comments is looked at. It *explains* if it gives a reason ("because", "so
/// that", "this is why") or says what somebody values, believes or aims at ("we believe", "cares about"). It is a *bare rule* if it
/// prescribes ("must", "never", an imperative) and does not explain. A spec is of kind `rules` if it has bare rules, and at
/// most one in 25 of all its sentences explains; a single one that explains is forgiven where ten bare rules stand
/// beside it. All others are `prose`. The word lists are English.
pub fn kind(spec: &Spec) -> Detected {
    detect(&all_traits(spec))
}

/// As [`kind`], from what the sentences do.
pub(crate) fn detect(parts: &[Vec<Traits>]) -> Detected {
    let mut found = Detected { kind: Kind::Prose, sentences: 0, bare_rules: 0, explaining: 0 };
    for traits in parts.iter().flatten() {
        found.sentences += 1;
        let explains = traits.reasons || traits.values;
        found.explaining += usize::from(explains);
        found.bare_rules += usize::from(traits.prescribes && !explains);
    }
    let sparse = found.explaining * SPARSE <= found.sentences;
    let forgiven = found.explaining <= 1 && found.bare_rules >= MANY;
    if found.bare_rules > 0 && (sparse || forgiven) {
        found.kind = Kind::Rules;
    }
    found
}

/// What the sentences of every part do, by number.
pub(crate) fn all_traits(spec: &Spec) -> Vec<Vec<Traits>> {
    (0..=spec.sections.len()).map(|number| traits_of(spec, number)).collect()
}

/// What the sentences of a part's own prose do.
fn traits_of(spec: &Spec, number: usize) -> Vec<Traits> {
    let mut found = Vec::new();
    for piece in pieces::of_part(spec, number) {
        if piece.kind.is_prose() && !piece.announces_example(spec) {
            let text = piece.text(spec);
            found.extend(sentences(text).into_iter().map(|range| traits(&text[range])));
        }
    }
    found
}
