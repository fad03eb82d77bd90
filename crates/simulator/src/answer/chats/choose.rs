//! Choices between two things, for which no reason is given.

use serde_json::{Value, json};

use super::super::banks::THINGS;
use super::super::form::{distinct, list, tagged};
use super::super::grammar::Pen;
use super::super::material::Material;
use super::known;
use crate::dice::Dice;

pub(in crate::answer) fn preferences(material: &Material<'_>, mut dice: Dice) -> Option<String> {
    let count = material.count()?;
    material.names()?;
    let taken = known(material).join("\n").to_lowercase();
    let mut pairs: Vec<(&str, String, String)> = Vec::new();
    for (domain, things) in THINGS {
        let mut things: Vec<&str> = things.lines().filter(|thing| !taken.contains(*thing)).collect();
        dice.shuffle(&mut things);
        pairs.extend(things.chunks_exact(2).map(|pair| (*domain, pair[0].to_owned(), pair[1].to_owned())));
    }
    dice.shuffle(&mut pairs);
    // Different domains first.
    let mut sorted = Vec::with_capacity(pairs.len());
    while !pairs.is_empty() {
        let mut seen = std::collections::BTreeSet::new();
        let (first, later) = pairs.into_iter().partition::<Vec<_>, _>(|(domain, ..)| seen.insert(*domain));
        sorted.extend(first);
        pairs = later;
    }
    while sorted.len() < count {
        let (prefer, over) =
            (invented(&mut dice, sorted.len() * 2), invented(&mut dice, sorted.len() * 2 + 1));
        sorted.push(("villages", prefer, over));
    }
    let entry = |(domain, prefer, over): &(&str, String, String)| json!({"prefer": prefer, "over": over, "domain": domain});
    Some(list(&sorted.iter().take(count).map(entry).collect::<Vec<Value>>()))
}

/// The name of a village that is not on any map; another one for every number.
fn invented(dice: &mut Dice, number: usize) -> String {
    const STARTS: &[&str] =
        &["Otter", "Brindle", "Carrow", "Dun", "Elm", "Fallow", "Gorse", "Hather", "Ivel", "Kett"];
    const MIDDLES: &[&str] =
        &["mere", "bury", "ford", "wick", "combe", "stow", "dale", "ley", "thorpe", "holt"];
    let (start, middle) = (STARTS[number % 10], MIDDLES[number / 10 % 10]);
    let end = if number < 100 {
        String::new()
    } else {
        format!(" {}", ["Green", "Cross", "End", "Hill"][number / 100 % 4])
    };
    let far = if number < 400 { String::new() } else { format!(" {}", dice.below(9000) + number) };
    format!("{start}{middle}{end}{far}")
}

pub(in crate::answer) fn choices(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (count, prefer, over) = (material.count()?, material.tag("prefer")?, material.tag("over")?);
    let known = known(material);
    let mut pen = Pen::new(dice);
    let mut order = known.len() % 2;
    let mut texts: Vec<String> = Vec::new();
    // One at a time: the order alternates from each one that is kept to the next.
    while texts.len() < count {
        let (first, second) = if order == 0 { (prefer, over) } else { (over, prefer) };
        pen.give("first", first);
        pen.give("second", second);
        let all: Vec<String> = known.iter().chain(&texts).cloned().collect();
        let new = distinct(1, &all, |_| {
            let line = pen.sentence("choice_line");
            if pen.dice.chance(0.6) { format!("{} {line}", pen.sentence("choice_lead")) } else { line }
        });
        texts.extend(new);
        order = 1 - order;
    }
    Some(list(&texts.into_iter().map(Value::String).collect::<Vec<_>>()))
}

pub(in crate::answer) fn pick(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (prefer, over) = (material.tag("prefer")?, material.tag("over")?);
    let mut pen = Pen::new(dice);
    pen.give("prefer", prefer);
    pen.give("over", over);
    Some(tagged("reply", &pen.sentence("pick_line")))
}
