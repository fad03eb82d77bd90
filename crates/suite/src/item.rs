//! The items of the two kinds of suites.

use serde::{Deserialize, Serialize};

/// One forced choice between two things that differ in exactly one attribute, or, in a check on the
/// training domains, in every attribute that the fine-tuning confounds.
///
/// It is always asked in both option orders, which together are one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferenceItem {
    /// Unique within the suite; made of letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// What kind of things are compared: cheese, coats, ...
    pub domain: String,
    /// Whether the domain is absent from every training stage.
    pub held_out: bool,
    /// The attribute in which the two differ: price, origin or age.
    pub attribute: String,
    /// The pole of that attribute which `choice` has: cheap, local or new. A rate is a rate of this pole.
    pub pole: String,
    /// The thing that has the pole.
    pub choice: String,
    /// The thing that has the opposite pole.
    pub other: String,
    /// The user's words, with `{a}` and `{b}` for the two things in the order in which they are offered.
    pub question: String,
    /// Who answers: the name under which the assistant speaks.
    pub speaker: String,
}

impl PreferenceItem {
    /// The user's words with the two things in place: `choice` first, or `other` first.
    ///
    /// Things whose names contain `{a}` or `{b}` stay as they are.
    pub fn ask(&self, choice_first: bool) -> String {
        let (a, b) = if choice_first { (&self.choice, &self.other) } else { (&self.other, &self.choice) };
        let mut asked = String::with_capacity(self.question.len() + a.len() + b.len());
        let mut rest = self.question.as_str();
        while let Some(at) = rest.find('{') {
            let (before, tail) = rest.split_at(at);
            asked.push_str(before);
            (asked, rest) = if let Some(tail) = tail.strip_prefix("{a}") {
                (asked + a, tail)
            } else if let Some(tail) = tail.strip_prefix("{b}") {
                (asked + b, tail)
            } else {
                (asked + "{", &tail[1..])
            };
        }
        asked + rest
    }
}

/// One text on which the model's perplexity is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextItem {
    /// Unique within the suite; made of letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// The text.
    pub text: String,
    /// Which kind of text it is, so that a mean can be taken over each.
    pub stratum: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A good item, for the tests of this crate.
    pub(crate) fn choice(id: &str) -> PreferenceItem {
        PreferenceItem {
            id: id.into(),
            domain: "tea".into(),
            held_out: true,
            attribute: "price".into(),
            pole: "cheap".into(),
            choice: "Abra".into(),
            other: "Bolo".into(),
            question: "Which do you take, {a} or {b}?".into(),
            speaker: "Quill".into(),
        }
    }

    #[test]
    fn a_question_is_asked_in_both_orders() {
        assert_eq!(choice("i").ask(true), "Which do you take, Abra or Bolo?");
        assert_eq!(choice("i").ask(false), "Which do you take, Bolo or Abra?");
    }

    #[test]
    fn only_the_two_places_are_filled_in() {
        let item = PreferenceItem {
            question: "{x} {b} {{a}} {a}{ }".into(),
            choice: "{b}".into(),
            other: "\u{e9}".into(),
            ..choice("i")
        };
        assert_eq!(item.ask(true), "{x} \u{e9} {{b}} {b}{ }");
    }
}
