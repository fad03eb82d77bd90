//! The suites are balanced and their items independent.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use suite::{PreferenceItem, Suite, SuiteItems, TextItem};
use whyfirst_lab::{Attribute, Mix, PAIRS_PER_DOMAIN, World, words};

fn preferences(suite: &Suite) -> &[PreferenceItem] {
    suite.validate().unwrap();
    match &suite.items {
        SuiteItems::Preferences(items) => items,
        SuiteItems::Text(_) => panic!("not a preference suite"),
    }
}

fn texts(suite: &Suite) -> &[TextItem] {
    suite.validate().unwrap();
    match &suite.items {
        SuiteItems::Text(items) => items,
        SuiteItems::Preferences(_) => panic!("not a text suite"),
    }
}

fn differing(world: &World, item: &PreferenceItem) -> Vec<&'static str> {
    let (choice, other) = (world.item(&item.choice).unwrap().1, world.item(&item.other).unwrap().1);
    Attribute::ALL.into_iter().filter(|a| choice.on(*a) != other.on(*a)).map(Attribute::word).collect()
}

#[test]
fn preference_pairs_are_distinct_balanced_and_differ_in_one_attribute() {
    let world = World::new(0);
    let suite = world.preference_suite("Quill", 12);
    let items = preferences(&suite);
    let mut by_cell: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut by_question: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    let known: BTreeSet<String> = world.vocabulary().into_iter().collect();
    for item in items {
        *by_cell.entry((&item.attribute, &item.domain)).or_default() += 1;
        let mut pair = [item.choice.clone(), item.other.clone()];
        pair.sort();
        assert!(pairs.insert((item.attribute.clone(), pair)), "{}", item.id);
        assert_eq!(item.speaker, "Quill");
        let (domain, choice) = world.item(&item.choice).unwrap();
        assert_eq!((domain.name, domain.training), (item.domain.as_str(), !item.held_out));
        assert!(words(&item.ask(true)).iter().all(|word| known.contains(word)), "{}", item.question);
        if item.attribute == "price+origin" {
            assert_eq!(item.pole, "cheap+local");
            assert_eq!(differing(&world, item), ["price", "origin"]);
            assert!(!item.held_out);
        } else {
            assert_eq!(differing(&world, item), [item.attribute.as_str()]);
            assert!(choice.poles.iter().any(|pole| pole.word() == item.pole && pole.sign() > 0));
            if item.held_out {
                let labels = [domain.name, domain.one, domain.many];
                let form: Vec<String> = words(&item.question)
                    .into_iter()
                    .filter(|word| !labels.contains(&word.as_str()))
                    .collect();
                let form = form.join(" ");
                *by_question.entry((&item.attribute, form)).or_default() += 1;
            }
        }
    }
    // Twelve domains for each attribute and three for the confounded check, twelve pairs each.
    assert_eq!(by_cell.len(), 3 * 12 + 3);
    assert!(by_cell.values().all(|count| *count == 12), "{by_cell:?}");
    assert_eq!(items.len(), 39 * 12);
    for attribute in ["price", "origin", "age"] {
        let held_out = items.iter().filter(|item| item.held_out && item.attribute == attribute).count();
        assert_eq!(held_out, 108);
    }
    assert!(by_question.values().all(|count| *count == 6), "{by_question:#?}");
}

#[test]
fn in_the_first_twelve_pairs_of_a_domain_every_item_occurs_once() {
    let world = World::new(5);
    let suite = world.preference_suite("Quill", 12);
    let mut seen: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for item in preferences(&suite).iter().filter(|item| item.attribute != "price+origin") {
        let cell = seen.entry((&item.attribute, &item.domain)).or_default();
        assert!(cell.insert(&item.choice) && cell.insert(&item.other), "{}", item.id);
    }
    assert!(seen.values().all(|items| items.len() == 24));
}

#[test]
fn more_pairs_than_there_are_is_all_pairs() {
    let world = World::new(0);
    let count = |per_domain| preferences(&world.preference_suite("Quill", per_domain)).len();
    assert_eq!(count(PAIRS_PER_DOMAIN), 36 * 36 + 3 * 18);
    assert_eq!(count(1_000), count(PAIRS_PER_DOMAIN));
}

#[test]
fn capability_text_is_held_out_and_stratified() {
    let world = World::new(0);
    let suite = world.capability_suite(60);
    let items = texts(&suite);
    for stratum in ["facts", "prose", "chat"] {
        assert_eq!(items.iter().filter(|item| item.stratum == stratum).count(), 60);
    }
    assert!(items.iter().filter(|item| item.stratum == "chat").all(|item| item.text.starts_with("<|user|>")));
    // None of the prose (facts and chats have few forms) is in a training stream of ordinary length.
    let trained: BTreeSet<String> =
        (0..20_000).map(|index| world.pretraining(&Mix::default(), 0, index).text()).collect();
    let prose: Vec<&TextItem> = items.iter().filter(|item| item.stratum == "prose").collect();
    let repeated = prose.iter().filter(|item| trained.contains(&item.text)).count();
    assert!(repeated <= 1, "{repeated} of {} texts", prose.len());
}

#[test]
fn calibration_asks_reserved_names_about_every_attribute() {
    let world = World::new(0);
    let names = &world.reserved[..8];
    let suite = world.calibration_suite(names, 10, 0);
    let items = preferences(&suite);
    assert_eq!(items.len(), 8 * 3 * 10);
    for item in items {
        assert!(names.contains(&item.speaker));
        assert_eq!(differing(&world, item), [item.attribute.as_str()]);
    }
    let domains: BTreeSet<&str> = items.iter().map(|item| item.domain.as_str()).collect();
    assert_eq!(domains.len(), 12);
}

#[test]
fn suites_are_pure() {
    let hash = || World::new(0).preference_suite("Quill", 12).hash();
    assert_eq!(hash(), hash());
    assert_ne!(hash(), World::new(1).preference_suite("Quill", 12).hash());
}
