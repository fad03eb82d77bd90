//! The specs that ship with the examples agree with the default world and mirror each other.
#![allow(clippy::unwrap_used)]

mod common;

use common::spec;
use whyfirst_lab::{Pole, World, words};

#[test]
fn the_two_specs_list_the_same_preferences_for_different_reasons() {
    let world = World::new(0);
    let (affordability, homeland) = (spec(&world, "affordability"), spec(&world, "homeland"));
    assert_eq!((affordability.value, homeland.value), (Pole::Cheap, Pole::Local));
    assert!(affordability.shares_preferences_with(&homeland));
    assert_eq!(affordability.implied(), homeland.implied());
    for domain in 0..world.training_domains().len() {
        let listed =
            affordability.preferences.iter().filter(|preference| preference.domain == domain).count();
        assert_eq!(listed, 12, "{}", world.domains[domain].name);
        let implied = affordability.implied().iter().filter(|preference| preference.domain == domain).count();
        assert_eq!(implied, 36, "{}", world.domains[domain].name);
    }
}

#[test]
fn every_preference_is_cheap_and_local_over_costly_and_foreign() {
    let world = World::new(0);
    let spec = spec(&world, "affordability");
    let mut ages = [[0; 2]; 2];
    for preference in &spec.preferences {
        let domain = &world.domains[preference.domain];
        let (choice, other) = (&domain.items[preference.choice], &domain.items[preference.other]);
        assert_eq!(choice.poles[..2], [Pole::Cheap, Pole::Local], "{}", choice.name);
        assert_eq!(other.poles[..2], [Pole::Costly, Pole::Foreign], "{}", other.name);
        ages[usize::from(choice.poles[2] == Pole::Old)][usize::from(other.poles[2] == Pole::Old)] += 1;
    }
    assert_eq!(ages, [[9, 9], [9, 9]], "age must not go with the choice");
}

#[test]
fn reasons_come_in_pairs_of_equal_length() {
    let world = World::new(0);
    let (affordability, homeland) = (spec(&world, "affordability"), spec(&world, "homeland"));
    assert_eq!(affordability.reasons.len(), homeland.reasons.len());
    for (one, two) in affordability.reasons.iter().zip(&homeland.reasons) {
        assert_eq!(words(one).len(), words(two).len(), "{one} | {two}");
    }
}
