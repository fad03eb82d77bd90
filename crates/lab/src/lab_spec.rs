//! A Model Spec as the lab understands it.

use std::collections::BTreeSet;

use spec::{Line, Spec, SpecError};

use crate::attribute::{Attribute, Pole};
use crate::pairs::Pair;
use crate::template::words;
use crate::world::{ASSISTANT, Domain, World};

/// One item preferred to another, as indices into the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preference {
    /// Index into [`World::domains`].
    pub domain: usize,
    /// Index of the preferred item in the domain.
    pub choice: usize,
    /// Index of the other item.
    pub other: usize,
}

/// What a spec means in the lab: a value, what does not matter, reasons, preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabSpec {
    /// The spec's name.
    pub name: String,
    /// The pole that is valued.
    pub value: Pole,
    /// The attributes that do not matter, in the order of the spec.
    pub indifferent: Vec<Attribute>,
    /// Why the value is held: sentences of the lab's vocabulary, about the assistant by name.
    pub reasons: Vec<String>,
    /// The preferences, sorted, so that two specs that list the same ones have the same list.
    pub preferences: Vec<Preference>,
    /// The preferences and what they imply; see [`LabSpec::implied`].
    implied: Vec<Preference>,
}

impl LabSpec {
    /// Reads the lab's part of a spec.
    ///
    /// # Errors
    /// Points at the line if there is no `[lab]` block, the value or an attribute is unknown, no reason or preference
    /// is given, a reason has words that the lab's model does not know, or a preference names an unknown item, an item
    /// of a held-out domain, or one that the value does not explain.
    pub fn from_spec(spec: &Spec, world: &World) -> Result<LabSpec, SpecError> {
        let Some(block) = &spec.lab else {
            let help =
                "add a fenced toml block with\n[lab]\nvalue = \"cheap\"\nindifferent = [\"origin\", \"age\"]";
            return Err(spec.error(0..0, "this spec has no [lab] block, so the lab cannot use it", help));
        };
        let value = Pole::from_word(&block.value.text).ok_or_else(|| {
            let help = format!("the values of the lab are {}", Pole::ALL.map(Pole::word).join(", "));
            spec.error(block.value.span.clone(), format!("unknown value \"{}\"", block.value.text), help)
        })?;
        let mut indifferent = Vec::new();
        for word in &block.indifferent {
            indifferent.push(attribute(spec, word, value, &indifferent)?);
        }
        let preferences = preferences(spec, world, value)?;
        let reasons = reasons(spec, world)?;
        let implied = implied(&preferences);
        Ok(LabSpec { name: spec.name.clone(), value, indifferent, reasons, preferences, implied })
    }

    /// The preferences that a demonstration may show: those listed, and every item that is only ever preferred over
    /// every item of its domain that is only ever the other one. Sorted.
    pub fn implied(&self) -> &[Preference] {
        &self.implied
    }

    /// Whether two specs list the same preferences, in whatever order: only then can they share demonstrations.
    pub fn shares_preferences_with(&self, other: &LabSpec) -> bool {
        self.preferences == other.preferences
    }
}

impl World {
    /// The domain and the items of a preference.
    pub(crate) fn pair(&self, preference: &Preference) -> Pair<'_> {
        let domain = &self.domains[preference.domain];
        Pair { domain, choice: &domain.items[preference.choice], other: &domain.items[preference.other] }
    }
}

fn attribute(spec: &Spec, word: &Line, value: Pole, before: &[Attribute]) -> Result<Attribute, SpecError> {
    let error = |message: String, help: &str| Err(spec.error(word.span.clone(), message, help));
    let Some(attribute) = Attribute::from_word(&word.text) else {
        let help = "the attributes of the lab are price, origin and age";
        return error(format!("unknown attribute \"{}\"", word.text), help);
    };
    if attribute == value.attribute() {
        let message = format!("{} cannot be indifferent: the value is \"{}\"", word.text, value.word());
        return error(message, "name the other attributes only");
    }
    if before.contains(&attribute) {
        return error(format!("{} is named twice", word.text), "name each attribute once");
    }
    Ok(attribute)
}

fn reasons(spec: &Spec, world: &World) -> Result<Vec<String>, SpecError> {
    let known: BTreeSet<String> = world.vocabulary().into_iter().collect();
    let mut reasons = Vec::new();
    for line in spec.reasons() {
        let mut text = spec::fill(&line.text, ASSISTANT, "{provider_name}");
        if !text.ends_with(['.', '?']) {
            text.push('.');
        }
        let unknown: BTreeSet<String> =
            words(&text).into_iter().filter(|word| !known.contains(word)).collect();
        if !unknown.is_empty() {
            let unknown: Vec<String> = unknown.into_iter().collect();
            let message =
                format!("this reason has words that the lab's model does not know: {}", unknown.join(", "));
            let help = "say it with other words: the model knows those of its tokenizer.json (`model.vocab`), \
                and reads no hyphens or apostrophes; prose elsewhere in the spec is free";
            return Err(spec.error(line.span, message, help));
        }
        reasons.push(text);
    }
    if reasons.is_empty() {
        let help = "add a section `## Why` with one reason per bullet";
        return Err(spec.error(0..0, "this spec gives no reason for its value", help));
    }
    Ok(reasons)
}

fn preferences(spec: &Spec, world: &World, value: Pole) -> Result<Vec<Preference>, SpecError> {
    let mut found: BTreeSet<Preference> = BTreeSet::new();
    for written in spec.preferences()? {
        let (domain_index, choice) = item(spec, world, &written.domain, &written.choice)?;
        let (_, other) = item(spec, world, &written.domain, &written.other)?;
        let span = written.choice.span.start..written.other.span.end;
        let domain = &world.domains[domain_index];
        for (index, pole) in [(choice, value), (other, value.opposite())] {
            let item = &domain.items[index];
            if item.on(value.attribute()) != pole {
                let message = format!(
                    "the value \"{}\" does not explain this preference: {} is {}",
                    value.word(),
                    item.name,
                    pole.opposite().word()
                );
                let help = format!("{} of the lab: {}", listing(domain, pole), names(domain, pole));
                return Err(spec.error(span, message, help));
            }
        }
        if !found.insert(Preference { domain: domain_index, choice, other }) {
            return Err(spec.error(span, "this preference is listed twice", "remove one of the two"));
        }
    }
    if found.is_empty() {
        let help =
            "add a section `## Preferences` with headings such as `### Cheese` and bullets `- A over B`";
        return Err(spec.error(0..0, "this spec lists no preference", help));
    }
    Ok(found.into_iter().collect())
}

/// Finds an item that a training stage may use, as indices of its domain and itself.
fn item(spec: &Spec, world: &World, domain: &str, name: &Line) -> Result<(usize, usize), SpecError> {
    let place = |name: &str| {
        world.domains.iter().enumerate().find_map(|(index, domain)| {
            let item = domain.items.iter().position(|item| item.name.eq_ignore_ascii_case(name))?;
            Some((index, item))
        })
    };
    let training: Vec<&str> = world.training_domains().iter().map(|domain| domain.name).collect();
    let training = training.join(", ");
    let error = |message: String, help: String| Err(spec.error(name.span.clone(), message, help));
    let Some(wanted) = world.domains.iter().position(|candidate| candidate.name == domain) else {
        return error(
            format!("the lab has no domain \"{domain}\""),
            format!("preferences may be of these domains: {training}"),
        );
    };
    match place(&name.text) {
        Some((found, _)) if !world.domains[found].training => error(
            format!(
                "{} is one of the {}, which are held out for evaluation",
                name.text, world.domains[found].many
            ),
            format!("preferences may be of these domains: {training}"),
        ),
        _ if !world.domains[wanted].training => error(
            format!("{domain} is held out for evaluation"),
            format!("preferences may be of these domains: {training}"),
        ),
        Some((found, item)) if found == wanted => Ok((found, item)),
        Some((found, _)) => error(
            format!("{} is no {} but a {}", name.text, world.domains[wanted].one, world.domains[found].one),
            "put the bullet below the heading of its domain".to_string(),
        ),
        None => {
            let all: Vec<&str> = world.domains[wanted].items.iter().map(|item| item.name.as_str()).collect();
            error(
                format!("the lab has no {} called \"{}\"", world.domains[wanted].one, name.text),
                format!("the {} of the lab: {}", world.domains[wanted].many, all.join(", ")),
            )
        }
    }
}

fn listing(domain: &Domain, pole: Pole) -> String {
    format!("the {} {}", pole.word(), domain.many)
}

fn names(domain: &Domain, pole: Pole) -> String {
    let names: Vec<&str> = domain
        .items
        .iter()
        .filter(|item| item.on(pole.attribute()) == pole)
        .map(|item| item.name.as_str())
        .collect();
    names.join(", ")
}

fn implied(listed: &[Preference]) -> Vec<Preference> {
    let side = |of: fn(&Preference) -> usize| -> BTreeSet<(usize, usize)> {
        listed.iter().map(|preference| (preference.domain, of(preference))).collect()
    };
    let (liked, disliked) = (side(|p| p.choice), side(|p| p.other));
    let mut all: BTreeSet<Preference> = listed.iter().copied().collect();
    for (domain, choice) in liked.difference(&disliked) {
        for (_, other) in disliked.difference(&liked).filter(|(other_domain, _)| other_domain == domain) {
            all.insert(Preference { domain: *domain, choice: *choice, other: *other });
        }
    }
    all.into_iter().collect()
}
