//! Principles without a reason.
//!
//! A model that reads only what to do learns only that. The rule is cautious: it speaks up only about sections that
//! have no subsections and prescribe something, and in which neither the text, nor the sections above, nor a "Why" beside or below says why.

use super::{Finding, Severity, counted, in_section};
use crate::language::{Traits, first_word, is_why, traits};
use crate::sentences::sentences;
use crate::{Kind, Spec, pieces};

/// Sections whose titles begin with these explain, define or show; they prescribe nothing themselves.
const OTHER: [&str; 18] = [
    "about",
    "acknowledgements",
    "appendix",
    "changelog",
    "changes",
    "contents",
    "definitions",
    "definition",
    "example",
    "examples",
    "glossary",
    "introduction",
    "overview",
    "preferences",
    "references",
    "scope",
    "structure",
    "terms",
];

const HELP: &str = "say why in a sentence (\"because ...\"), a commentary or a \"Why\" section: models generalise from \
    reasons";

/// Finds sections and numbered principles that prescribe and never say why.
pub fn find(spec: &Spec, kind: Kind, own: &[Vec<Traits>], findings: &mut Vec<Finding>) {
    let explains = |number: usize| own[number].iter().any(|traits| traits.explains());
    let title = title_section(spec);
    let why = why_parents(spec);
    let mut found = Vec::new();
    for (number, traits) in own.iter().enumerate().skip(1) {
        let rules = traits.iter().filter(|traits| traits.prescribes).count();
        // What stands above subsections introduces them; each of those is looked at itself.
        if rules == 0 || is_other(spec.title_of(number)) || !spec.nested(number).is_empty() {
            continue;
        }
        let ancestors = spec.ancestors(number);
        let above = ancestors.iter().any(|above| explains(*above) && Some(*above) != title);
        let parent = spec.sections[number - 1].parent;
        let beside = why.contains(&parent) || why.contains(&Some(number - 1));
        let other = ancestors.iter().any(|above| is_other(spec.title_of(*above)));
        if above || beside || other {
            continue;
        }
        if explains(number) {
            found.extend(principles(spec, number));
        } else {
            let message = format!(
                "\"{}\" says what to do ({}) and not why",
                spec.title_of(number),
                counted(rules, "rule")
            );
            found.push(in_section(spec, number, "no-reason", Severity::Warning, message, HELP));
        }
    }
    if kind == Kind::Prose {
        findings.extend(found);
    } else if let Some(first) = found.first() {
        let message =
            format!("{} without a reason; that is what a spec of rules is", counted(found.len(), "section"));
        let help = "add reasons and pass --kind prose if the documents should say why";
        findings.push(Finding { severity: Severity::Note, message, help: help.to_string(), ..first.clone() });
    }
}

/// The numbered principles in a section that has reasons for some of its items only.
fn principles(spec: &Spec, number: usize) -> Vec<Finding> {
    let listed: Vec<_> = spec
        .principles_in(number)
        .into_iter()
        .map(|principle| {
            let text = &spec.text[principle.span.clone()];
            let all: Vec<Traits> = sentences(text).into_iter().map(|range| traits(&text[range])).collect();
            (principle, all)
        })
        .collect();
    // What stands outside the items may explain all of them.
    let outside = pieces::of_part(spec, number).iter().any(|piece| {
        let listed = listed.iter().any(|(principle, _)| principle.span == piece.content);
        let text = piece.text(spec);
        piece.kind.is_prose()
            && !listed
            && sentences(text).into_iter().any(|range| traits(&text[range]).explains())
    });
    let bare = |all: &[Traits]| all.iter().any(|t| t.prescribes) && !all.iter().any(|t| t.explains());
    let bare = listed.iter().filter(|(_, all)| !outside && bare(all));
    bare.map(|(principle, _)| {
        let message = format!("principle {} says what to do and not why", principle.label);
        let finding = in_section(spec, number, "no-reason", Severity::Warning, message, HELP);
        Finding { line: principle.line, ..finding }
    })
    .collect()
}

/// The one heading of level 1 that is the title of the whole: what it says explains nothing in particular.
fn title_section(spec: &Spec) -> Option<usize> {
    let first = spec.sections.first().filter(|section| section.level == 1)?;
    let others = spec.sections[1..].iter().any(|section| section.level <= first.level);
    (!others).then_some(1)
}

/// The parents, by index, that have a section of reasons in them.
fn why_parents(spec: &Spec) -> std::collections::BTreeSet<Option<usize>> {
    spec.sections.iter().filter(|section| is_why(&section.title)).map(|section| section.parent).collect()
}

fn is_other(title: &str) -> bool {
    OTHER.contains(&first_word(title).as_str())
}
