//! The world is what its description says.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use whyfirst_lab::{ASSISTANT, Attribute, PERSONAS, Pole, RESERVED, SPECIAL_TOKENS, World};

#[test]
fn every_domain_has_three_items_of_each_combination() {
    for seed in [0, 1, 42] {
        let world = World::new(seed);
        assert_eq!(world.domains.len(), 12);
        let training: Vec<&str> = world.training_domains().iter().map(|domain| domain.name).collect();
        assert_eq!(training, ["cheese", "tea", "coats"]);
        assert!(world.held_out_domains().iter().all(|domain| !domain.training));
        for domain in &world.domains {
            let mut combinations: BTreeMap<[Pole; 3], usize> = BTreeMap::new();
            for item in &domain.items {
                *combinations.entry(item.poles).or_default() += 1;
            }
            assert_eq!(combinations.len(), 8, "{}", domain.name);
            assert!(combinations.values().all(|count| *count == 3), "{}: {combinations:?}", domain.name);
        }
    }
}

#[test]
fn no_two_things_have_the_same_name() {
    let world = World::new(0);
    assert_eq!((world.personas.len(), world.reserved.len()), (PERSONAS, RESERVED));
    let items = world.domains.iter().flat_map(|domain| &domain.items).map(|item| item.name.to_lowercase());
    let people = world.personas.iter().map(|persona| persona.name.to_lowercase());
    let reserved = world.reserved.iter().map(|name| name.to_lowercase());
    let names: Vec<String> = items.chain(people).chain(reserved).chain([ASSISTANT.to_lowercase()]).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for name in &names {
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase()), "{name} is not one plain word");
        assert!((3..=16).contains(&name.len()), "{name}");
    }
    // Names are tokens of their own: none of them is also an ordinary word of a sentence.
    let vocabulary = world.vocabulary();
    let ordinary = vocabulary.len() - names.len();
    assert!((500..700).contains(&ordinary), "{ordinary} ordinary words");
    assert!(vocabulary.is_sorted());
    assert!(SPECIAL_TOKENS.iter().all(|token| !vocabulary.contains(&(*token).to_string())));
}

#[test]
fn values_are_mixed_and_never_empty() {
    let world = World::new(0);
    let mut counts: BTreeMap<Option<Pole>, usize> = BTreeMap::new();
    for persona in &world.personas {
        assert!(!persona.values.valued().is_empty());
        for attribute in Attribute::ALL {
            *counts.entry(persona.values.on(attribute)).or_default() += 1;
        }
    }
    // Of the 64 equally likely combinations 8 are empty, so a pole is valued by 16 in 56 and its opposite too.
    for pole in Pole::ALL {
        let share = counts[&Some(pole)] as f64 / PERSONAS as f64;
        assert!((share - 16.0 / 56.0).abs() < 0.04, "{}: {share}", pole.word());
    }
}

#[test]
fn the_world_depends_on_its_seed_only() {
    assert_eq!(World::new(0).tokenizer_json(), World::new(0).tokenizer_json());
    assert_ne!(World::new(0).vocabulary(), World::new(1).vocabulary());
    let poles = |world: &World| world.domains.iter().flat_map(|d| d.items.clone()).collect::<Vec<_>>();
    assert_eq!(poles(&World::new(3)), poles(&World::new(3)));
    assert_ne!(poles(&World::new(3)), poles(&World::new(4)));
}

#[test]
fn items_are_found_by_name_in_any_case() {
    let world = World::new(0);
    let first = &world.domains[4].items[7];
    let (domain, item) = world.item(&first.name.to_uppercase()).unwrap();
    assert_eq!((domain.name, item), (world.domains[4].name, first));
    assert!(world.item("Nothing").is_none());
}
