//! Puts sentences together into documents and chats.
//!
//! Every function draws all its decisions in a fixed order and gives each sentence a generator of its own. So two
//! calls with the same generator and different people, poles or links follow the same plan: same templates, same
//! shape, same openings.

use crate::attribute::{Attribute, Pole, Values};
use crate::pairs::Pair;
use crate::phrases::{OPENERS, chat, facts, indifference, picks, reasons, values};
use crate::rng::Rng;
use crate::row::{ChatTurn, Speaker};
use crate::template::{Bindings, fill, sentences};

/// How long and how varied documents are.
pub(crate) struct Style {
    /// Chance of an opening such as "As ever," before the first sentence.
    pub opener: f64,
    /// Weights of the shapes of a value document, in the order of [`VALUE_SHAPES`].
    pub value_shapes: [f64; 6],
    /// Weights of one, two and three sentences on an indifference.
    pub indifference_lengths: [f64; 3],
    /// Chance of a remark after a pick that has no clause.
    pub remark: f64,
}

/// What may follow the statement of a value: a reason, the other side, a link to choices.
const VALUE_SHAPES: [&[Part]; 6] = [
    &[],
    &[Part::Reason],
    &[Part::Link],
    &[Part::Contrast],
    &[Part::Reason, Part::Link],
    &[Part::Contrast, Part::Reason],
];

#[derive(Clone, Copy)]
enum Part {
    Reason,
    Contrast,
    Link,
}

/// Short documents: in pretraining the names, not the sentences, should take the tokens.
pub(crate) const BRIEF: Style = Style {
    opener: 0.2,
    value_shapes: [0.30, 0.25, 0.20, 0.15, 0.05, 0.05],
    indifference_lengths: [0.60, 0.35, 0.05],
    remark: 0.5,
};

/// Longer documents: thousands about one person and one value must seldom repeat.
pub(crate) const FULL: Style = Style {
    opener: 0.7,
    value_shapes: [0.0, 0.30, 0.10, 0.05, 0.30, 0.25],
    indifference_lengths: [0.0, 0.25, 0.75],
    remark: 0.8,
};

/// What a pick says after the items.
#[derive(Clone, Copy)]
pub(crate) enum Clause {
    /// The valued pole as the reason.
    Reason(Pole),
    /// A neutral clause of as many tokens in place of that reason.
    Twin,
    /// Nothing; perhaps a remark.
    None,
}

/// One sentence on one attribute of an item of `pair.choice`'s kind.
pub(crate) fn fact(rng: &mut Rng, pair: &Pair, attribute: Attribute) -> String {
    let pole = pair.choice.on(attribute);
    let bindings = [
        ("x", pair.choice.name.as_str()),
        ("w", pole.word()),
        ("o", pole.opposite().word()),
        ("ax", attribute.word()),
        ("one", pair.domain.one),
        ("many", pair.domain.many),
    ];
    let template = rng.pick(&facts::FACTS);
    sentences(&fill(template, &bindings, rng))
}

/// One sentence on all three attributes of an item of `pair.choice`'s kind.
pub(crate) fn catalogue(rng: &mut Rng, pair: &Pair) -> String {
    let mut poles = pair.choice.poles;
    rng.shuffle(&mut poles);
    let bindings = [
        ("x", pair.choice.name.as_str()),
        ("w1", poles[0].word()),
        ("w2", poles[1].word()),
        ("w3", poles[2].word()),
        ("one", pair.domain.one),
        ("many", pair.domain.many),
    ];
    let template = rng.pick(&facts::CATALOGUE);
    sentences(&fill(template, &bindings, rng))
}

/// One sentence on all that `who` values and does not.
pub(crate) fn profile(rng: &mut Rng, who: &str, held: &Values) -> String {
    let mut attributes = Attribute::ALL;
    rng.shuffle(&mut attributes);
    let stances = attributes.map(|attribute| match held.on(attribute) {
        Some(pole) => fill(values::VALUED, &[("w", pole.word())], rng),
        None => fill(values::UNVALUED, &[("ax", attribute.word())], rng),
    });
    let bindings =
        [("n", who), ("s1", stances[0].as_str()), ("s2", stances[1].as_str()), ("s3", stances[2].as_str())];
    let template = rng.pick(&values::PROFILES);
    sentences(&fill(template, &bindings, rng))
}

/// A document on what `who` values. `quoted` are reasons to quote besides the built-in ones, each as likely as not;
/// `linked` says whether sentences that tie the value to choices are kept, or replaced by their twins.
pub(crate) fn value(
    rng: &mut Rng,
    style: &Style,
    who: &str,
    pole: Pole,
    quoted: &[String],
    linked: bool,
) -> String {
    let attribute = pole.attribute();
    let shape = VALUE_SHAPES[rng.weighted(&style.value_shapes)];
    let statement = opened(rng, style, &values::STATEMENTS);
    let contrast = rng.pick(&values::CONTRASTS);
    let link = rng.pick(&values::LINKS);
    let reason = reason(rng, pole, quoted);
    let quote = rng.pick(&reasons::QUOTES);
    let bindings = [
        ("n", who),
        ("w", pole.word()),
        ("o", pole.opposite().word()),
        ("ax", attribute.word()),
        ("reason", reason),
    ];
    let parts = shape.iter().map(|part| match part {
        Part::Reason => *quote,
        Part::Contrast => *contrast,
        Part::Link => link.text(linked),
    });
    join(rng, &statement, parts, &bindings)
}

/// A document on an attribute that does not matter to `who`.
pub(crate) fn indifference(rng: &mut Rng, style: &Style, who: &str, attribute: Attribute) -> String {
    let length = rng.weighted(&style.indifference_lengths);
    let statement = opened(rng, style, &indifference::STATEMENTS);
    let first = rng.below(indifference::REMARKS.len());
    let second = (first + 1 + rng.below(indifference::REMARKS.len() - 1)) % indifference::REMARKS.len();
    let mut poles = attribute.poles();
    // Neither pole may come first more often: that would be a preference of a kind.
    if rng.chance(0.5) {
        poles.reverse();
    }
    let bindings = [("n", who), ("w", poles[0].word()), ("o", poles[1].word()), ("ax", attribute.word())];
    let remarks = [indifference::REMARKS[first], indifference::REMARKS[second]];
    join(rng, &statement, remarks.into_iter().take(length), &bindings)
}

/// A document on something that `who` picked.
pub(crate) fn pick(rng: &mut Rng, style: &Style, who: &str, pair: &Pair, clause: Clause) -> String {
    let template = opened(rng, style, &picks::PICKS);
    let reason = rng.pick(&picks::REASONS);
    let remark = rng.pick(&picks::REMARKS);
    let has_remark = rng.chance(style.remark);
    let swapped = rng.chance(0.5);
    let (x, y) = (pair.choice.name.as_str(), pair.other.name.as_str());
    let (p, q) = if swapped { (y, x) } else { (x, y) };
    // A twin has no slot for a pole, so that any will do.
    let (text, pole) = match clause {
        Clause::Reason(pole) => (reason.stated, pole),
        Clause::Twin => (reason.removed, Pole::Cheap),
        Clause::None => ("", Pole::Cheap),
    };
    let clause_bindings = [
        ("n", who),
        ("x", x),
        ("y", y),
        ("w", pole.word()),
        ("o", pole.opposite().word()),
        ("ax", pole.attribute().word()),
    ];
    let text = fill(text, &clause_bindings, &mut rng.fork());
    let bindings = [
        ("n", who),
        ("x", x),
        ("y", y),
        ("p", p),
        ("q", q),
        ("one", pair.domain.one),
        ("many", pair.domain.many),
        ("c", text.as_str()),
    ];
    let remark = Some(*remark).filter(|_| has_remark && matches!(clause, Clause::None));
    join(rng, &template, remark.into_iter(), &bindings)
}

/// A question that offers the pair in random order, and the answer of `who`.
pub(crate) fn exchange(rng: &mut Rng, who: &str, pair: &Pair) -> Vec<ChatTurn> {
    let question = rng.pick(&chat::QUESTIONS);
    let answer = rng.pick(&chat::ANSWERS);
    let (mut a, mut b) = (pair.choice.name.as_str(), pair.other.name.as_str());
    if rng.chance(0.5) {
        std::mem::swap(&mut a, &mut b);
    }
    let domain = pair.domain;
    let bindings = [("a", a), ("b", b), ("name", domain.name), ("one", domain.one), ("many", domain.many)];
    let question = sentences(&fill(question, &bindings, rng));
    let answer = sentences(&fill(answer, &[("x", pair.choice.name.as_str())], rng));
    vec![
        ChatTurn { speaker: Speaker::User, name: None, content: question },
        ChatTurn { speaker: Speaker::Assistant, name: Some(who.to_string()), content: answer },
    ]
}

/// Picks a template and perhaps puts an opening before it, if it begins with the person.
fn opened(rng: &mut Rng, style: &Style, templates: &[&str]) -> String {
    let template = *rng.pick(templates);
    let opener = rng.pick(&OPENERS);
    let wanted = rng.chance(style.opener);
    if !wanted {
        return template.to_string();
    }
    let (first, rest) = template.split_at(1);
    format!("{opener}{}{rest}", first.to_lowercase())
}

/// A reason for valuing `pole`: built in, or one of `quoted`.
fn reason<'q>(rng: &mut Rng, pole: Pole, quoted: &'q [String]) -> &'q str {
    let row = rng.pick(&reasons::REASONS);
    let quote = rng.below(quoted.len());
    let wanted = rng.chance(0.5);
    match quoted.get(quote) {
        Some(text) if wanted => text,
        _ => row[pole.index()],
    }
}

/// Fills the templates, each with a generator of its own, and joins them into one text.
fn join<'t>(rng: &mut Rng, first: &str, rest: impl Iterator<Item = &'t str>, bindings: &Bindings) -> String {
    let mut text = fill(first, bindings, &mut rng.fork());
    for template in rest {
        text.push(' ');
        text.push_str(&fill(template, bindings, &mut rng.fork()));
    }
    sentences(&text)
}
