//! What the experiment relies on: held-out domains stay out, twins match, mirrors match, repeats are rare.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{document, spec};
use proptest::prelude::*;
use whyfirst_lab::{Attribute, LabSpec, Pole, Row, Stream, WhyMix, World, words};

const SPECS: [&str; 2] = ["affordability", "homeland"];

fn rows<'a>(
    world: &'a World,
    stream: Stream,
    spec: &'a LabSpec,
    mix: &'a WhyMix,
    count: u64,
) -> impl Iterator<Item = Row> + 'a {
    (0..count).map(move |index| world.row(stream, Some(spec), mix, 7, index).unwrap())
}

#[test]
fn no_word_of_a_held_out_domain_is_in_any_stream() {
    let world = World::new(0);
    let held_out: BTreeSet<String> = world
        .held_out_domains()
        .iter()
        .flat_map(|domain| {
            let labels = [domain.name, domain.one, domain.many].map(str::to_string);
            labels.into_iter().chain(domain.items.iter().map(|item| item.name.to_lowercase()))
        })
        .collect();
    assert_eq!(
        held_out.len(),
        9 * 24 + 21,
        "labels, singular and plural of nine domains, some of them equal"
    );
    let check = |text: &str| {
        let found: Vec<String> = words(text).into_iter().filter(|word| held_out.contains(word)).collect();
        assert!(found.is_empty(), "{found:?} in {text}");
    };
    for name in SPECS {
        let spec = spec(&world, name);
        for mix in [WhyMix::default(), WhyMix { isolated: 1.0, ..WhyMix::default() }] {
            for stream in Stream::ALL {
                rows(&world, stream, &spec, &mix, 4_000).for_each(|row| check(&row.text()));
            }
        }
    }
    for index in 0..4_000 {
        check(&world.calibration_documents(Pole::ALL[index as usize % 6], &world.reserved, 0, index).text());
    }
}

#[test]
fn every_word_is_in_the_vocabulary() {
    let world = World::new(0);
    let known: BTreeSet<String> = world.vocabulary().into_iter().collect();
    for name in SPECS {
        let spec = spec(&world, name);
        for stream in Stream::ALL {
            for row in rows(&world, stream, &spec, &WhyMix::default(), 4_000) {
                let text =
                    row.text().replace("<|user|>", " ").replace("<|assistant|>", " ").replace("<eos>", " ");
                assert!(words(&text).iter().all(|word| known.contains(word)), "{text}");
                assert!(!text.contains(['{', '}']), "an unfilled slot: {text}");
            }
        }
    }
}

#[test]
fn exact_repeats_are_rare() {
    let world = World::new(0);
    for name in SPECS {
        let spec = spec(&world, name);
        for stream in [Stream::Why, Stream::Ablated, Stream::WhatDocuments, Stream::Neutral] {
            let texts: Vec<String> =
                rows(&world, stream, &spec, &WhyMix::default(), 5_000).map(|row| row.text()).collect();
            let distinct: BTreeSet<&String> = texts.iter().collect();
            let share = 1.0 - distinct.len() as f64 / texts.len() as f64;
            println!("{name} {}: {:.2}% repeats", stream.name(), 100.0 * share);
            assert!(share < 0.02, "{name} {}: {share}", stream.name());
        }
    }
}

#[test]
fn ablated_documents_are_token_matched_and_say_nothing_of_the_link() {
    let world = World::new(0);
    let mix = WhyMix::default();
    let link_words =
        ["because", "since", "hence", "why", "reason", "decides", "guides", "explains", "account"];
    for name in SPECS {
        let spec = spec(&world, name);
        let mut changed = 0;
        for index in 0..5_000 {
            let (why, ablated) = (world.why(&spec, &mix, 3, index), world.ablated(&spec, &mix, 3, index));
            assert_eq!(why.tokens(), ablated.tokens(), "{why:?}\n{ablated:?}");
            changed += usize::from(why != ablated);
            let items = |row: &Row| -> BTreeSet<String> {
                words(&row.text()).into_iter().filter(|word| world.item(word).is_some()).collect()
            };
            assert_eq!(items(&why), items(&ablated));
            for word in words(document(&ablated)) {
                assert!(!link_words.contains(&word.as_str()), "{word} in: {ablated:?}");
            }
            // Documents without a link are the very same.
            if items(&why).is_empty() && !document(&why).contains(". ") {
                assert_eq!(why, ablated);
            }
        }
        // All preferences (30%) and the value documents that have a link (14%).
        assert!((2_000..2_500).contains(&changed), "{changed}");
    }
}

#[test]
fn two_specs_give_mirrored_corpora() {
    let world = World::new(0);
    let mix = WhyMix::default();
    let (one, two) = (spec(&world, "affordability"), spec(&world, "homeland"));
    for stream in [Stream::Why, Stream::Ablated] {
        let total =
            |spec| rows(&world, stream, spec, &mix, 5_000).map(|row| row.tokens()).sum::<usize>() as f64;
        let (a, b) = (total(&one), total(&two));
        println!("{}: {a} and {b} tokens", stream.name());
        assert!((a / b - 1.0).abs() < 0.005, "{a} {b}");
    }
    // Same plan row by row: with the value words mapped onto each other, listed preferences are the same text.
    let mix = WhyMix { isolated: 0.0, ..mix };
    let swap = |text: &str| {
        let word = |word: &String| match word.as_str() {
            "cheap" => "local".to_string(),
            "costly" => "foreign".to_string(),
            "price" => "origin".to_string(),
            other => other.to_string(),
        };
        words(text).iter().map(word).collect::<Vec<_>>()
    };
    let mut same = 0;
    for index in 0..2_000 {
        let (a, b) = (world.why(&one, &mix, 0, index), world.why(&two, &mix, 0, index));
        assert_eq!(a.tokens(), b.tokens(), "{a:?}\n{b:?}");
        same += usize::from(swap(document(&a)) == words(document(&b)));
    }
    assert!(same > 900, "{same} of 2,000 documents differ in the value words only");
}

#[test]
fn streams_without_values_are_the_same_for_both_specs() {
    let world = World::new(0);
    let mix = WhyMix::default();
    let (one, two) = (spec(&world, "affordability"), spec(&world, "homeland"));
    for stream in Stream::ALL.into_iter().filter(|stream| !stream.explains()) {
        for index in 0..1_000 {
            let row = |spec| world.row(stream, Some(spec), &mix, 0, index).unwrap();
            assert_eq!(row(&one), row(&two));
        }
    }
}

#[test]
fn neutral_documents_follow_the_plan_and_nearly_its_length() {
    let world = World::new(0);
    let mix = WhyMix::default();
    let spec = spec(&world, "affordability");
    let (mut why, mut neutral, mut equal) = (0, 0, 0);
    for index in 0..5_000 {
        let (a, b) = (world.why(&spec, &mix, 0, index).tokens(), world.neutral(&mix, 0, index).tokens());
        why += a;
        neutral += b;
        equal += usize::from(a == b);
    }
    println!("why {why}, neutral {neutral} tokens; {equal} of 5,000 documents of equal length");
    assert!((why as f64 / neutral as f64 - 1.0).abs() < 0.05);
    assert!(equal > 3_500);
    for index in 0..2_000 {
        let text = world.neutral(&mix, 0, index).text();
        assert!(!words(&text).contains(&"quill".to_string()), "{text}");
    }
}

#[test]
fn the_assistant_shows_what_the_spec_lists_or_implies() {
    let world = World::new(0);
    let spec = spec(&world, "affordability");
    let mut ages = [0; 3];
    for index in 0..5_000 {
        let Row::Chat(turns) = world.chats(&spec, 0, index) else { panic!("not a chat") };
        assert_eq!(turns[1].name.as_deref(), Some("Quill"));
        let choice = words(&turns[1].content)[0].clone();
        let (domain, choice) = world.item(&choice).unwrap();
        let offered = words(&turns[0].content);
        let other =
            offered.iter().filter_map(|word| world.item(word)).find(|(_, item)| *item != choice).unwrap().1;
        assert_eq!(choice.poles[..2], [Pole::Cheap, Pole::Local]);
        assert_eq!(other.poles[..2], [Pole::Costly, Pole::Foreign]);
        assert!(domain.training);
        ages[match (choice.on(Attribute::Age), other.on(Attribute::Age)) {
            (Pole::New, Pole::Old) => 0,
            (Pole::Old, Pole::New) => 1,
            _ => 2,
        }] += 1;
        for word in words(&turns[1].content) {
            assert!(Pole::from_word(&word).is_none() && word != "because");
        }
    }
    // Age is balanced: new over old as often as old over new.
    assert!((ages[0] as f64 / (ages[0] + ages[1]) as f64 - 0.5).abs() < 0.04, "{ages:?}");
}

#[test]
fn isolated_preferences_differ_in_the_value_only() {
    let world = World::new(0);
    let mix = WhyMix { value: 0.0, indifference: 0.0, preferences: 1.0, isolated: 1.0 };
    let spec = spec(&world, "homeland");
    for index in 0..500 {
        let text = world.why(&spec, &mix, 0, index).text();
        let names: BTreeSet<String> =
            words(&text).into_iter().filter(|word| world.item(word).is_some()).collect();
        let items: Vec<_> = names.iter().map(|name| world.item(name).unwrap().1).collect();
        assert_eq!(items.len(), 2, "{text}");
        let differing: Vec<Attribute> = Attribute::ALL
            .into_iter()
            .filter(|attribute| items[0].on(*attribute) != items[1].on(*attribute))
            .collect();
        assert_eq!(differing, [Attribute::Origin], "{text}");
    }
}

#[test]
fn only_streams_that_speak_of_a_spec_need_one() {
    let world = World::new(0);
    for stream in Stream::ALL {
        let row = world.row(stream, None, &WhyMix::default(), 0, 0);
        assert_eq!(row.is_none(), stream.uses_preferences(), "{}", stream.name());
        assert_eq!(Stream::from_name(stream.name()), Some(stream));
    }
}

#[test]
fn a_spec_without_indifference_still_fills_its_corpus() {
    let world = World::new(0);
    let mut spec = spec(&world, "homeland");
    spec.indifferent.clear();
    for index in 0..200 {
        assert!(!world.why(&spec, &WhyMix::default(), 0, index).text().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn rows_are_pure(stream in 0..6usize, seed: u64, index: u64, others in prop::collection::vec(any::<u64>(), 0..4)) {
        let world = World::new(0);
        let spec = spec(&world, "affordability");
        let mix = WhyMix::default();
        let stream = Stream::ALL[stream];
        let before = world.row(stream, Some(&spec), &mix, seed, index).unwrap();
        for other in others {
            world.row(stream, Some(&spec), &mix, seed, other);
        }
        prop_assert_eq!(&before, &World::new(0).row(stream, Some(&spec), &mix, seed, index).unwrap());
        prop_assert!(before.tokens() > 5 && before.tokens() < 64, "{:?}", before);
    }
}
