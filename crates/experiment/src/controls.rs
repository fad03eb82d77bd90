//! Controls: the arms without which the others mean little, and how arms are recognised by their structure.
//!
//! An effect of reading the reasons first is only one if it is not there without reading, without
//! fine-tuning, with the same values but not the reasons, with documents about something else, and in the
//! other order. So every experiment has these arms unless its file says otherwise.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::arms::{Arm, SpecRef, Step};
use crate::corpora::{ABLATED, Corpora, INSTRUCTIONS, NEUTRAL, WHAT, WHAT_DOCUMENTS, WHY, missing_help};
use crate::engine;
use crate::file::Written;
use crate::problem::{FileProblem, Source};
use crate::record::Role;

/// A pattern of stages: the corpora of each.
type Pattern = &'static [&'static [&'static str]];

/// A control: its name, its part in the analyses, its stages.
pub struct Control {
    /// As in `without_controls`.
    pub name: &'static str,
    /// The part it plays.
    pub role: Role,
    pattern: Pattern,
}

/// The controls, in the order of tables.
pub const CONTROLS: [Control; 9] = [
    Control { name: "untouched", role: Role::Untouched, pattern: &[] },
    Control { name: "instructions only", role: Role::InstructionsOnly, pattern: &[&[INSTRUCTIONS]] },
    Control { name: "what only", role: Role::WhatOnly, pattern: &[&[WHAT]] },
    Control { name: "why only", role: Role::WhyOnly, pattern: &[&[WHY]] },
    Control { name: "ablated then what", role: Role::AblatedThenWhat, pattern: &[&[ABLATED], &[WHAT]] },
    Control {
        name: "what-documents then what",
        role: Role::WhatDocumentsThenWhat,
        pattern: &[&[WHAT_DOCUMENTS], &[WHAT]],
    },
    Control { name: "neutral then what", role: Role::NeutralThenWhat, pattern: &[&[NEUTRAL], &[WHAT]] },
    Control { name: "what then neutral", role: Role::WhatThenNeutral, pattern: &[&[WHAT], &[NEUTRAL]] },
    // The twin of mixed arms: added where there is one.
    Control { name: "neutral mixed with what", role: Role::NeutralMixed, pattern: &[&[NEUTRAL, WHAT]] },
];

/// What the arms of a file may be recognised as besides controls.
const TREATMENTS: [(Role, Pattern); 3] = [
    (Role::WhyThenWhat, &[&[WHY], &[WHAT]]),
    (Role::WhatThenWhy, &[&[WHAT], &[WHY]]),
    (Role::Mixed, &[&[WHY, WHAT]]),
];

/// The pattern that a list of stages follows. Derived corpora count as what they are derived from; a stage
/// made for one named spec belongs to no pattern, because the analyses compare arms across specs.
pub fn structure(stages: &[Vec<Step>], corpora: &Corpora) -> Option<Role> {
    if stages.iter().flatten().any(|step| matches!(step.spec, SpecRef::Named(_))) {
        return None;
    }
    let follows = |pattern: Pattern| {
        pattern.len() == stages.len()
            && pattern.iter().zip(stages).all(|(names, steps)| {
                let mut roots: Vec<&str> = steps.iter().map(|step| corpora.root(&step.corpus)).collect();
                let mut names = names.to_vec();
                roots.sort_unstable();
                names.sort_unstable();
                roots == names
            })
    };
    let controls = CONTROLS.iter().map(|control| (control.role, control.pattern));
    TREATMENTS.into_iter().chain(controls).find(|(_, pattern)| follows(pattern)).map(|(role, _)| role)
}

/// Adds the controls that the file neither has nor leaves out.
///
/// # Errors
/// An unknown name in `without_controls`; a control whose corpora are missing; an arm that has a control's
/// name but other stages.
pub fn add(
    arms: &mut Vec<Arm>,
    written: &Written,
    corpora: &Corpora,
    names: &BTreeMap<&str, Range<usize>>,
    source: &Source,
) -> Result<(), FileProblem> {
    let valid: Vec<&str> = CONTROLS.iter().map(|control| control.name).collect();
    for name in &written.top.without_controls {
        if !valid.contains(&name.get_ref().as_str()) {
            return Err(source.unknown(name.get_ref(), name.span(), "control", &valid));
        }
    }
    let without: Vec<&str> =
        written.top.without_controls.iter().map(|name| name.get_ref().as_str()).collect();
    let has = |arms: &[Arm], role| arms.iter().any(|arm| arm.structure == Some(role) && !arm.overrides());
    let has_mixed = arms.iter().any(|arm| arm.structure == Some(Role::Mixed));
    let wanted = CONTROLS.iter().filter(|control| {
        !without.contains(&control.name)
            && !has(arms, control.role)
            && (control.role != Role::NeutralMixed || has_mixed)
    });
    let (mut added, mut missing) = (Vec::new(), Vec::new());
    for control in wanted {
        if let Some(span) = names.get(control.name) {
            return Err(source.problem(
                format!("the arm `{}` has the name of a control but other stages", control.name),
                span.clone(),
                "taken by a control",
                format!(
                    "rename the arm, or leave the control out: without_controls = [\"{}\"]",
                    control.name
                ),
            ));
        }
        let absent = control.pattern.concat().into_iter().find(|name| !corpora.all.contains_key(*name));
        if let Some(corpus) = absent {
            missing.push((control.name, corpus));
            continue;
        }
        let step = |name: &&str| Step::plain(name, corpora.all[*name].per_spec);
        let stages: Vec<Vec<Step>> =
            control.pattern.iter().map(|names| names.iter().map(step).collect()).collect();
        added.push(Arm {
            name: control.name.to_owned(),
            folder: String::new(),
            control: true,
            stages,
            engine: engine::of_arm(None, written, source)?.1,
            other_engine: false,
            structure: Some(control.role),
            role: None,
        });
    }
    if let Some((control, corpus)) = missing.first() {
        return Err(source.problem(
            format!("the control `{control}` needs a corpus `{corpus}`, and there is none"),
            written.corpora.span.clone(),
            format!("no `{corpus}` here"),
            missing_help(&missing),
        ));
    }
    arms.append(&mut added);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{arms, corpora, file};

    /// The arms of a file with these lines at its end.
    fn read(rest: &str) -> Vec<Arm> {
        let text = format!(
            "name = \"x\"\nbase = \"b\"\nseeds = [0]\n{rest}\n[specs]\na = \"a.md\"\n[corpora]\nsource = \"lab\"\n\
             [corpora.why]\n[corpora.what]\n[corpora.instructions]\n[corpora.part]\nderive = \"why\"\ntokens = 9\n"
        );
        let path = Path::new("experiment.toml");
        let source = Source::new(path, &text);
        let written = file::parse(path, &text).unwrap();
        let corpora = corpora::read(&written, &source).unwrap();
        arms::read(&written, &corpora, &source).unwrap()
    }

    fn names(arms: &[Arm]) -> Vec<&str> {
        arms.iter().map(|arm| arm.name.as_str()).collect()
    }

    #[test]
    fn all_controls_are_there_by_default_and_the_mixed_twin_with_a_mixed_arm() {
        let plain = read("");
        assert_eq!(names(&plain), CONTROLS[..8].iter().map(|control| control.name).collect::<Vec<_>>());
        assert!(plain.iter().all(|arm| arm.control && arm.role == arm.structure));
        let mixed = read("arms = [{ name = \"m\", stages = [[\"what\", \"why:{spec}\"]] }]");
        assert_eq!((mixed[0].role, mixed.len()), (Some(Role::Mixed), 10));
        assert_eq!(mixed[9].role, Some(Role::NeutralMixed));
    }

    #[test]
    fn a_control_is_not_added_twice_nor_when_it_is_left_out() {
        let arms =
            read("without_controls = [\"why only\"]\narms = [{ name = \"chats\", stages = [\"what\"] }]");
        assert_eq!(arms[0].role, Some(Role::WhatOnly));
        assert!(!arms[0].control);
        assert!(!names(&arms).contains(&"what only") && !names(&arms).contains(&"why only"));
        assert_eq!(arms.len(), 1 + 6);
    }

    #[test]
    fn of_a_dose_curve_the_arm_that_follows_the_recipe_plays_the_part() {
        let arms = read(
            "arms = [\n{ name = \"30\", stages = [{ corpus = \"why:{spec}\", steps = 30 }, \"what\"] },\n\
             { name = \"all\", stages = [\"why:{spec}\", \"what\"] },\n\
             { name = \"part\", stages = [\"part:{spec}\", \"what\"] },\n]",
        );
        let structure = Some(Role::WhyThenWhat);
        assert!(arms[..3].iter().all(|arm| arm.structure == structure));
        assert_eq!([arms[0].role, arms[1].role, arms[2].role], [None, structure, None]);
        // A control at another dose is none.
        let dosed = read("arms = [{ name = \"few chats\", stages = [{ corpus = \"what\", steps = 3 }] }]");
        assert_eq!(dosed.iter().find(|arm| arm.role == Some(Role::WhatOnly)).unwrap().name, "what only");
    }

    #[test]
    fn an_arm_of_one_named_spec_has_no_part() {
        let arms = read("arms = [{ name = \"a\", stages = [\"why:a\", \"what\"] }]");
        assert_eq!((arms[0].structure, arms[0].per_spec()), (None, false));
    }

    #[test]
    fn folder_names_are_plain_and_distinct() {
        let stages = "stages = [\"what\"]";
        let named: Vec<String> = ["Vor: α/β", "vor α β", "!!", "a/../b", "CON "]
            .iter()
            .map(|n| format!("{{ name = \"{n}\", {stages} }}"))
            .collect();
        let arms = read(&format!("arms = [{}]", named.join(", ")));
        let folders: Vec<&str> = arms.iter().map(|arm| arm.folder.as_str()).collect();
        assert_eq!(folders[0], "vor-α-β");
        assert_eq!(folders[3], "a-b");
        let distinct: std::collections::BTreeSet<&str> = folders.iter().copied().collect();
        assert_eq!(distinct.len(), folders.len());
        assert!(
            folders.iter().all(|folder| !folder.is_empty() && !folder.contains(['/', '.', '\\', ' '])),
            "{folders:?}"
        );
    }
}
