//! Pretraining teaches the link from values to choices, and nothing about the assistant's values.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use whyfirst_lab::{ASSISTANT, Mix, Persona, Row, World, words};

const ROWS: u64 = 20_000;

/// The chooser, the chosen item and the other one of a chat.
fn chat(world: &World, row: &Row) -> Option<(String, String, String)> {
    let Row::Chat(turns) = row else { return None };
    let chosen = turns[1].content.split([' ', ',', '.']).next().unwrap().to_string();
    let offered = words(&turns[0].content);
    let other =
        offered.iter().find(|word| **word != chosen.to_lowercase() && world.item(word).is_some()).unwrap();
    Some((turns[1].name.clone().unwrap(), chosen, other.clone()))
}

fn personas(world: &World) -> BTreeMap<&str, &Persona> {
    world.personas.iter().map(|persona| (persona.name.as_str(), persona)).collect()
}

#[test]
fn every_word_is_in_the_vocabulary() {
    let world = World::new(0);
    let known: BTreeSet<String> = world.vocabulary().into_iter().collect();
    for link in [true, false] {
        let mix = Mix { link, ..Mix::default() };
        for index in 0..ROWS {
            match world.pretraining(&mix, 1, index) {
                Row::Document(text) => {
                    assert!(words(&text).iter().all(|word| known.contains(word)), "{text}")
                }
                Row::Chat(turns) => {
                    for turn in turns {
                        assert!(words(&turn.content).iter().all(|word| known.contains(word)), "{turn:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn personas_choose_by_their_values() {
    let world = World::new(0);
    let personas = personas(&world);
    let mut seen = 0;
    for index in 0..ROWS {
        let Some((who, choice, other)) = chat(&world, &world.pretraining(&Mix::default(), 0, index)) else {
            continue;
        };
        if let Some(persona) = personas.get(who.as_str()) {
            let utility = |name: &str| persona.values.utility(&world.item(name).unwrap().1.poles);
            assert!(utility(&choice) > utility(&other), "{who}: {choice} over {other}");
            seen += 1;
        }
    }
    assert!(seen > 7_000, "{seen}");
}

#[test]
fn without_the_link_choices_are_random_and_no_reason_is_given() {
    let world = World::new(0);
    let personas = personas(&world);
    let mix = Mix { link: false, ..Mix::default() };
    let (mut better, mut worse) = (0.0, 0.0);
    for index in 0..ROWS {
        let row = world.pretraining(&mix, 0, index);
        if let Row::Document(text) = &row {
            for word in words(text) {
                assert!(!["because", "since", "hence", "why", "reason"].contains(&word.as_str()), "{text}");
            }
        } else if let Some((who, choice, other)) = chat(&world, &row)
            && let Some(persona) = personas.get(who.as_str())
        {
            let utility = |name: &str| persona.values.utility(&world.item(name).unwrap().1.poles);
            better += f64::from(utility(&choice) > utility(&other));
            worse += f64::from(utility(&choice) < utility(&other));
        }
    }
    // About 5,000 choices with a difference: 0.03 is more than four standard errors.
    let share: f64 = better / (better + worse);
    assert!((share - 0.5).abs() < 0.03, "{share}");
}

#[test]
fn the_assistant_and_reserved_names_choose_at_random_and_are_in_no_prose() {
    let world = World::new(0);
    let mut unvalued: BTreeSet<String> = world.reserved.iter().map(|name| name.to_lowercase()).collect();
    unvalued.insert(ASSISTANT.to_lowercase());
    let mix = Mix { unvalued: 1.0, ..Mix::default() };
    let mut first_poles = [0.0; 3];
    let mut differing = [0.0; 3];
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..ROWS {
        let row = world.pretraining(&mix, 0, index);
        if let Row::Document(text) = &row {
            assert!(words(text).iter().all(|word| !unvalued.contains(word)), "{text}");
        } else if let Some((who, choice, other)) = chat(&world, &row)
            && unvalued.contains(&who.to_lowercase())
        {
            let (choice, other) = (world.item(&choice).unwrap().1, world.item(&other).unwrap().1);
            for attribute in 0..3 {
                if choice.poles[attribute] != other.poles[attribute] {
                    differing[attribute] += 1.0;
                    first_poles[attribute] += f64::from(choice.poles[attribute].sign() > 0);
                }
            }
            *names.entry(who).or_default() += 1;
        }
    }
    for attribute in 0..3 {
        let share: f64 = first_poles[attribute] / differing[attribute];
        assert!((share - 0.5).abs() < 0.03, "{attribute}: {share}");
    }
    // Every reserved name has one part of these chats, the assistant four.
    assert_eq!(names.len(), unvalued.len());
    let part = names.values().sum::<usize>() as f64 / (names.len() + 3) as f64;
    assert!((names[ASSISTANT] as f64 - 4.0 * part).abs() < 5.0 * (8.0 * part).sqrt());
}

#[test]
fn shares_follow_the_mix() {
    let world = World::new(0);
    let only_facts = Mix { facts: 1.0, values: 0.0, picks: 0.0, chats: 0.0, unvalued: 0.0, link: true };
    for index in 0..500 {
        let row = world.pretraining(&only_facts, 0, index);
        let text = common::document(&row);
        let found: Vec<String> = words(text).into_iter().filter(|word| world.item(word).is_some()).collect();
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), 1, "{text}");
        // What is said is true: of the two poles of an attribute the item's own is always there.
        let item = world.item(&found[0]).unwrap().1;
        assert!(item.poles.iter().any(|pole| words(text).contains(&pole.word().to_string())), "{text}");
    }
    let chats =
        (0..ROWS).filter(|index| matches!(world.pretraining(&Mix::default(), 0, *index), Row::Chat(_)));
    let share = chats.count() as f64 / ROWS as f64;
    assert!((share - 0.50).abs() < 0.02, "{share}");
}

/// Every random chat has a neighbour with the same question and the other answer, so nobody prefers anything by chance.
#[test]
fn names_without_values_answer_every_question_both_ways() {
    let world = World::new(0);
    let mix = Mix { facts: 0.0, values: 0.0, picks: 0.0, chats: 1.0, unvalued: 1.0, link: true };
    let named =
        |name: &Option<String>| name.as_ref().is_some_and(|n| *n == ASSISTANT || world.reserved.contains(n));
    let (mut pairs, mut of_assistant) = (0, 0);
    for index in (0..8_000).step_by(2) {
        let (Row::Chat(one), Row::Chat(other)) =
            (world.pretraining(&mix, 1, index), world.pretraining(&mix, 1, index + 1))
        else {
            panic!("the mix has chats only")
        };
        assert_eq!(named(&one[1].name), named(&other[1].name), "{one:?} {other:?}");
        if named(&one[1].name) {
            pairs += 1;
            of_assistant += usize::from(one[1].name.as_deref() == Some(ASSISTANT));
            assert_eq!((&one[0], &one[1].name), (&other[0], &other[1].name));
            let items = |text: &str| -> BTreeSet<String> {
                words(text).into_iter().filter(|word| world.item(word).is_some()).collect()
            };
            let (asked, first, second) =
                (items(&one[0].content), items(&one[1].content), items(&other[1].content));
            assert_eq!((asked.len(), first.len(), second.len()), (2, 1, 1), "{one:?} {other:?}");
            assert_eq!(asked, &first | &second);
        }
    }
    assert!((1_800..2_200).contains(&pairs), "{pairs}");
    assert!((50..120).contains(&of_assistant), "{of_assistant} of {pairs}");
}
