//! A suite: name, version, items, and the rules that items keep.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::{Hash, IdBuilder};

use crate::error::{Result, SuiteError};
use crate::item::{PreferenceItem, TextItem};

/// A named list of items of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// What it measures, such as `preferences`; also the name of its log files.
    pub name: String,
    /// Raised whenever what the items mean changes; results of two versions are never compared.
    pub version: u32,
    /// The items, in order.
    pub items: SuiteItems,
}

/// The items of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuiteItems {
    /// Forced choices, scored by the log-probabilities of the two options.
    Preferences(Vec<PreferenceItem>),
    /// Texts, scored by perplexity.
    Text(Vec<TextItem>),
}

/// The kinds of items, as suite files name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Preferences,
    Text,
}

impl SuiteItems {
    /// How many items there are.
    pub fn len(&self) -> usize {
        match self {
            SuiteItems::Preferences(items) => items.len(),
            SuiteItems::Text(items) => items.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Suite {
    /// A hash of the name, the version and every item in order: two logs may be compared only if their
    /// suites' hashes are equal.
    pub fn hash(&self) -> Hash {
        let id = IdBuilder::new("suite").text("name", &self.name).number("version", self.version.into());
        let id = id.text("kind", &canonical(&self.kind()));
        let add = |id: IdBuilder, line: String| id.text("item", &line);
        match &self.items {
            SuiteItems::Preferences(items) => items.iter().map(canonical).fold(id, add),
            SuiteItems::Text(items) => items.iter().map(canonical).fold(id, add),
        }
        .finish()
    }

    /// The kind of its items.
    pub(crate) fn kind(&self) -> Kind {
        match self.items {
            SuiteItems::Preferences(_) => Kind::Preferences,
            SuiteItems::Text(_) => Kind::Text,
        }
    }

    /// Checks what every reader of a suite relies on: item ids that are unique and safe as file names, and
    /// questions that offer both things.
    ///
    /// # Errors
    /// Names the first item that breaks a rule.
    pub fn validate(&self) -> Result<()> {
        let wrong = |(number, problem)| SuiteError::Item { suite: self.name.clone(), number, problem };
        self.first_problem().map_or(Ok(()), |problem| Err(wrong(problem)))
    }

    /// The first item, counted from 1, that breaks a rule.
    pub(crate) fn first_problem(&self) -> Option<(usize, String)> {
        let mut seen = BTreeSet::new();
        let mut check = |number: usize, id: &str, problem: Option<String>| {
            let problem = problem.or_else(|| problem_with_id(id)).or_else(|| {
                (!seen.insert(id.to_owned())).then(|| format!("another item before it has the id `{id}`"))
            });
            problem.map(|problem| (number, problem))
        };
        match &self.items {
            SuiteItems::Preferences(items) => items
                .iter()
                .enumerate()
                .find_map(|(i, item)| check(i + 1, &item.id, problem_with_choice(item))),
            SuiteItems::Text(items) => items.iter().enumerate().find_map(|(i, item)| {
                check(i + 1, &item.id, item.text.is_empty().then(|| "its text is empty".to_owned()))
            }),
        }
    }
}

/// One item as one line of JSON: fields in the order of their declaration, no spaces.
pub(crate) fn canonical<T: Serialize>(item: &T) -> String {
    serde_json::to_string(item).expect("structs of strings and booleans are always JSON")
}

fn problem_with_id(id: &str) -> Option<String> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = !id.is_empty() && id.len() <= 128 && !id.starts_with('.') && id.chars().all(safe);
    (!good).then(|| {
        format!("the id `{id}` is not made of 1 to 128 letters, digits, `-`, `_` and `.` (not first)")
    })
}

fn problem_with_choice(item: &PreferenceItem) -> Option<String> {
    if !item.question.contains("{a}") || !item.question.contains("{b}") {
        Some("its question does not have both `{a}` and `{b}`".to_owned())
    } else if item.choice.is_empty() || item.other.is_empty() || item.choice == item.other {
        Some("its `choice` and `other` are not two different things".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::tests::choice;

    fn suite(items: SuiteItems) -> Suite {
        Suite { name: "s".into(), version: 1, items }
    }

    fn texts(texts: &[(&str, &str)]) -> SuiteItems {
        let item =
            |&(id, text): &(&str, &str)| TextItem { id: id.into(), text: text.into(), stratum: "x".into() };
        SuiteItems::Text(texts.iter().map(item).collect())
    }

    #[test]
    fn the_hash_of_an_example_never_changes() {
        // Logs carry this hash: a change here makes every one of them incomparable with later ones.
        let hash = suite(SuiteItems::Preferences(vec![choice("i")])).hash();
        assert_eq!(hash.to_string(), "e3a83be1385d5edf24e014fdf02dc4add770b27657872823b109e0180e46a208");
    }

    #[test]
    fn the_hash_depends_on_everything() {
        let base = suite(texts(&[("a", "t"), ("b", "u")]));
        let others = [
            Suite { name: "other".into(), ..base.clone() },
            Suite { version: 2, ..base.clone() },
            suite(texts(&[("b", "u"), ("a", "t")])),
            suite(texts(&[("a", "t"), ("b", "v")])),
            suite(texts(&[("a", "t")])),
            suite(texts(&[])),
            suite(SuiteItems::Preferences(vec![])),
        ];
        for (i, other) in others.iter().enumerate() {
            assert_ne!(base.hash(), other.hash());
            assert!(others[..i].iter().all(|earlier| earlier.hash() != other.hash()));
        }
        assert_eq!(base.hash(), base.clone().hash());
    }

    #[test]
    fn items_that_break_a_rule_are_named() {
        let problem = |items| suite(items).validate().map_err(|error| error.to_string()).unwrap_err();
        assert!(problem(texts(&[("a", "t"), ("a", "u")])).contains("item 2: another item"));
        assert!(problem(texts(&[("../a", "t")])).contains("item 1: the id `../a`"));
        assert!(problem(texts(&[("a", "")])).contains("its text is empty"));
        let broken = |change: fn(&mut PreferenceItem)| {
            let mut item = choice("i");
            change(&mut item);
            problem(SuiteItems::Preferences(vec![choice("h"), item]))
        };
        assert!(broken(|item| item.question = "{a} or what?".into()).contains("item 2: its question"));
        assert!(broken(|item| item.other = item.choice.clone()).contains("two different things"));
        suite(SuiteItems::Preferences(vec![choice("h"), choice("i")])).validate().unwrap();
    }
}
