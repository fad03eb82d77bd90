//! The five questions, each as comparisons between arms.
//!
//! Which arm plays which part is found from the structure of its stages, never from its name.

use super::contrast::{Contrast, Term, measure};
use super::scores::{Data, Quantity};
use super::types::{Analysis, Measure, SpecSummary, Value};
use crate::record::{ArmRecord, Role};

/// One comparison that a question asks for.
pub(super) struct Asked<'a> {
    pub label: String,
    pub spec: &'a SpecSummary,
    pub measure: Measure,
    /// The arms as a formula in words.
    pub arms: String,
    /// The comparison, or why it cannot be made.
    pub contrast: Result<Contrast<'a>, String>,
}

/// The comparisons of a question.
pub(super) fn asked<'a>(data: &'a Data, analysis: Analysis) -> Vec<Asked<'a>> {
    let specs = data.specs.iter();
    match analysis {
        Analysis::Steering => specs.map(|spec| steering(data, spec)).collect(),
        Analysis::Stacking => specs.map(|spec| stacking(data, spec)).collect(),
        Analysis::Explaining => specs.flat_map(|spec| explaining(data, spec)).collect(),
        Analysis::Order => specs.flat_map(|spec| order(data, spec)).collect(),
        Analysis::Cost => specs.flat_map(|spec| cost(data, spec)).collect(),
    }
}

/// Whether a question asks for one direction; the others ask for a difference either way.
pub(super) fn directed(analysis: Analysis) -> bool {
    matches!(analysis, Analysis::Steering | Analysis::Stacking | Analysis::Explaining)
}

/// The question and what is compared, in words.
pub(super) fn wording(analysis: Analysis) -> (&'static str, &'static str) {
    match analysis {
        Analysis::Steering => (
            "Does the same fine-tuning generalise towards the value whose reasons were read first?",
            "Rate of a value after reading its own reasons, then the chats, minus its rate after reading the rival's \
             reasons, then the same chats.",
        ),
        Analysis::Stacking => (
            "Does fine-tuning add more after the reasons than without them?",
            "What the chats add after the documents, minus what they add to the untouched base, in the rate of the \
             spec's value.",
        ),
        Analysis::Explaining => (
            "Does explaining beat stating?",
            "Documents that explain the preferences by the value, then the chats, minus documents that state the same \
             value and the same preferences without the link, then the chats.",
        ),
        Analysis::Order => (
            "Does the order matter?",
            "Documents first minus documents after (or mixed in), less the same difference with neutral documents \
             about others, which shows what order does by itself.",
        ),
        Analysis::Cost => (
            "What did it cost in perplexity?",
            "Perplexity on held-out text of the arms with documents, against the arm with the chats only.",
        ),
    }
}

/// What a part in the analyses is, in words.
pub(super) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Untouched => "the untouched base",
        Role::InstructionsOnly => "instructions only",
        Role::WhatOnly => "chats only",
        Role::WhyOnly => "explaining documents only",
        Role::WhyThenWhat => "explaining documents, then chats",
        Role::WhatThenWhy => "chats, then explaining documents",
        Role::Mixed => "explaining documents and chats mixed",
        Role::AblatedThenWhat => "documents without the link, then chats",
        Role::WhatDocumentsThenWhat => "documents that only state preferences, then chats",
        Role::NeutralThenWhat => "neutral documents, then chats",
        Role::WhatThenNeutral => "chats, then neutral documents",
        Role::NeutralMixed => "neutral documents and chats mixed",
    }
}

fn arm<'a>(data: &'a Data, role: Role) -> Result<&'a ArmRecord, String> {
    data.arm(role).ok_or_else(|| format!("no arm has {}", role_words(role)))
}

fn target(spec: &SpecSummary) -> Result<&Value, String> {
    spec.target
        .as_ref()
        .ok_or_else(|| format!("the spec `{}` names no value that a suite measures", spec.name))
}

fn rival(spec: &SpecSummary) -> Result<&Value, String> {
    target(spec)?;
    spec.rival
        .as_ref()
        .ok_or_else(|| format!("no other spec explains the same preferences as `{}`", spec.name))
}

/// The pole that a spec is about, or its name.
fn subject(spec: &SpecSummary) -> String {
    spec.target.as_ref().map_or_else(|| spec.name.clone(), ToString::to_string)
}

/// Fails unless the spec has what a measure needs.
fn measurable(spec: &SpecSummary, of: Measure) -> Result<(), String> {
    match of {
        Measure::Target => target(spec).map(|_| ()),
        Measure::Rival | Measure::Selectivity => rival(spec).map(|_| ()),
        Measure::Perplexity => Ok(()),
    }
}

fn steering<'a>(data: &'a Data, spec: &'a SpecSummary) -> Asked<'a> {
    let contrast = || {
        let value = rival(spec).and_then(|_| target(spec))?;
        let first = arm(data, Role::WhyThenWhat)?;
        steering_of(data, first, spec)
            .ok_or_else(|| format!("no spec of this experiment states the rival of {value}"))
    };
    let name = data.arm(Role::WhyThenWhat).map_or("?", |arm| &arm.name);
    let other = rival_spec(data, spec).map_or("?", |spec| &spec.name);
    Asked {
        label: subject(spec),
        spec,
        measure: Measure::Target,
        arms: format!("`{name}` ({}) − `{name}` ({other})", spec.name),
        contrast: contrast(),
    }
}

/// The spec that states the rival of a spec's value.
fn rival_spec<'a>(data: &'a Data, spec: &SpecSummary) -> Option<&'a SpecSummary> {
    data.specs
        .iter()
        .find(|other| other.name != spec.name && other.target.is_some() && other.target == spec.rival)
}

/// The steering of one arm: the rate of a spec's value when trained for that spec, minus the rate of the same value
/// when trained for the rival spec.
pub(super) fn steering_of<'a>(
    data: &'a Data,
    arm: &'a ArmRecord,
    spec: &'a SpecSummary,
) -> Option<Contrast<'a>> {
    let (value, other) = (spec.target.as_ref()?, rival_spec(data, spec)?);
    let rate = |weight, spec: &'a SpecSummary| Term {
        weight,
        arm,
        spec: &spec.name,
        quantity: Quantity::Rate(value.clone()),
    };
    Some(Contrast {
        terms: vec![rate(1.0, spec), rate(-1.0, other)],
        parts: vec![
            (format!("{value} after the reasons of {}", spec.name), vec![rate(1.0, spec)]),
            (format!("{value} after the reasons of {}", other.name), vec![rate(1.0, other)]),
        ],
    })
}

/// What steering towards a spec's value compares: the arm, the rival spec, the value.
pub(super) fn steering_arms<'a>(
    data: &'a Data,
    spec: &'a SpecSummary,
) -> Option<(&'a ArmRecord, &'a SpecSummary, &'a Value)> {
    Some((data.arm(Role::WhyThenWhat)?, rival_spec(data, spec)?, spec.target.as_ref()?))
}

fn stacking<'a>(data: &'a Data, spec: &'a SpecSummary) -> Asked<'a> {
    let roles = [Role::WhyThenWhat, Role::WhyOnly, Role::WhatOnly, Role::Untouched];
    let contrast = || {
        measurable(spec, Measure::Target)?;
        let [both, why, what, base] = roles.map(|role| arm(data, role));
        let (both, why, what, base) = (both?, why?, what?, base?);
        let on = |weight, arm| measure(weight, arm, spec, Measure::Target);
        Ok(Contrast {
            terms: [on(1.0, both), on(-1.0, why), on(-1.0, what), on(1.0, base)].concat(),
            parts: vec![
                ("gain from the chats after the documents".into(), [on(1.0, both), on(-1.0, why)].concat()),
                ("gain from the chats alone".into(), [on(1.0, what), on(-1.0, base)].concat()),
            ],
        })
    };
    let [both, why, what, base] = roles.map(|role| name(data, role));
    Asked {
        label: subject(spec),
        spec,
        measure: Measure::Target,
        arms: format!("({both} − {why}) − ({what} − {base})"),
        contrast: contrast(),
    }
}

/// The name of the arm that plays a part, quoted, or what is lacking.
fn name(data: &Data, role: Role) -> String {
    data.arm(role)
        .map_or_else(|| format!("({}: no such arm)", role_words(role)), |arm| format!("`{}`", arm.name))
}

fn explaining<'a>(data: &'a Data, spec: &'a SpecSummary) -> Vec<Asked<'a>> {
    let asked = |of: Measure| {
        let contrast = || {
            measurable(spec, of)?;
            let (explained, stated) = (arm(data, Role::WhyThenWhat)?, arm(data, Role::AblatedThenWhat)?);
            let on = |weight, arm| measure(weight, arm, spec, of);
            Ok(Contrast {
                terms: [on(1.0, explained), on(-1.0, stated)].concat(),
                parts: vec![("explained".into(), on(1.0, explained)), ("stated".into(), on(1.0, stated))],
            })
        };
        Asked {
            label: format!("{} · {}", spec.name, measured(spec, of)),
            spec,
            measure: of,
            arms: format!("{} − {}", name(data, Role::WhyThenWhat), name(data, Role::AblatedThenWhat)),
            contrast: contrast(),
        }
    };
    [Measure::Target, Measure::Selectivity].into_iter().map(asked).collect()
}

/// What a measure measures for a spec, in words: `cheap (target)`, `cheap − local`.
fn measured(spec: &SpecSummary, of: Measure) -> String {
    let rival = spec.rival.as_ref().map_or("rival", |value| &value.pole);
    match of {
        Measure::Target => format!("{} (target)", subject(spec)),
        Measure::Rival => format!("{rival} (rival)"),
        Measure::Selectivity => format!("{} − {rival}", subject(spec)),
        Measure::Perplexity => "perplexity".to_owned(),
    }
}

fn order<'a>(data: &'a Data, spec: &'a SpecSummary) -> Vec<Asked<'a>> {
    let placements =
        [(Role::WhatThenWhy, Role::WhatThenNeutral, "after"), (Role::Mixed, Role::NeutralMixed, "mixed")];
    let measures = [Measure::Target, Measure::Rival, Measure::Selectivity];
    placements
        .into_iter()
        .flat_map(|placement| measures.map(|measure| placed(data, spec, placement, measure)))
        .collect()
}

/// Documents first against another placement, less the same with neutral documents where both of those arms exist.
fn placed<'a>(
    data: &'a Data,
    spec: &'a SpecSummary,
    (other, neutral_other, word): (Role, Role, &str),
    of: Measure,
) -> Asked<'a> {
    let twins = data.arm(Role::NeutralThenWhat).zip(data.arm(neutral_other));
    let contrast = || {
        measurable(spec, of)?;
        let (first, other) = (arm(data, Role::WhyThenWhat)?, arm(data, other)?);
        let on = |weight, arm| measure(weight, arm, spec, of);
        let difference = |sign, (a, b): (&'a ArmRecord, &'a ArmRecord)| [on(sign, a), on(-sign, b)].concat();
        let mut terms = difference(1.0, (first, other));
        let mut parts = vec![(format!("first − {word}"), terms.clone())];
        if let Some(pair) = twins {
            terms.extend(difference(-1.0, pair));
            parts.push((format!("first − {word}, neutral documents"), difference(1.0, pair)));
        }
        Ok(Contrast { terms, parts })
    };
    let raw = format!("{} − {}", name(data, Role::WhyThenWhat), name(data, other));
    let arms = match twins {
        Some((a, b)) => format!("({raw}) − (`{}` − `{}`)", a.name, b.name),
        None => format!("{raw}, without neutral twins"),
    };
    let label = format!("{} · {}, first − {word}", spec.name, measured(spec, of));
    Asked { label, spec, measure: of, arms, contrast: contrast() }
}

fn cost<'a>(data: &'a Data, spec: &'a SpecSummary) -> Vec<Asked<'a>> {
    let placements =
        [(Role::WhyThenWhat, "first"), (Role::WhatThenWhy, "after"), (Role::Mixed, "mixed")].into_iter();
    // An experiment without a placement has nothing to pay for it.
    let present = placements.filter(|(role, _)| *role == Role::WhyThenWhat || data.arm(*role).is_some());
    let asked = |(role, word): (Role, &str)| {
        let contrast = || {
            let (with, without) = (arm(data, role)?, arm(data, Role::WhatOnly)?);
            let on = |weight, arm| measure(weight, arm, spec, Measure::Perplexity);
            let mut parts =
                vec![(format!("documents {word}"), on(1.0, with)), ("chats only".into(), on(1.0, without))];
            parts.extend(data.arm(Role::Untouched).map(|base| ("untouched base".into(), on(1.0, base))));
            Ok(Contrast { terms: [on(1.0, with), on(-1.0, without)].concat(), parts })
        };
        Asked {
            label: format!("{} · documents {word}", spec.name),
            spec,
            measure: Measure::Perplexity,
            arms: format!("{} / {}", name(data, role), name(data, Role::WhatOnly)),
            contrast: contrast(),
        }
    };
    present.map(asked).collect()
}
