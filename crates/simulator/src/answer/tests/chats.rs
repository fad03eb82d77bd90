//! Questions, replies, choices, and sections that are made longer.

use super::*;

#[test]
fn questions_and_replies_have_their_form() {
    let mut all = BTreeSet::new();
    for kind in ["direct", "indirect", "comparison", "recommendation", "opinion", "edge case"] {
        let material = format!(
            "{}<topic>planning a garden on a slope</topic><question_type>{kind}</question_type>",
            sections(&[0])
        );
        let questions = list("chats/questions", &material, 20, 7);
        let known: Vec<String> =
            questions.iter().map(|question| format!("- {}", question.as_str().unwrap())).collect();
        let more = format!("{material}<known>\n{}\n</known>", known.join("\n"));
        for question in questions.iter().chain(&list("chats/questions", &more, 20, 7)) {
            let text = question.as_str().unwrap();
            assert!(all.insert(text.to_lowercase()), "{text} comes back");
            for word in ["guideline", "assistant", "truthful", "secret", "Aster", "{"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }
    for seed in 0..40 {
        for (style, has, never) in [("value", "I ", "guideline"), ("rule", "guideline", "I care")] {
            let material = |reasoning: &str| {
                format!(
                    "{}<question>How do I start planning a garden on a slope?</question><style>{style}</style>\
                    <with_reasoning>{reasoning}</with_reasoning>",
                    sections(&[0, 4])
                )
            };
            let with = said("chats/answer", &material("yes"), seed);
            let reply = inside(&with, "reply");
            assert!(reply.contains(has) && !with.contains(never), "{with}");
            assert!((30..250).contains(&reply.split_whitespace().count()), "{reply}");
            assert!(inside(&with, "reasoning").split(". ").count() >= 3, "{with}");
            let without = said("chats/answer", &material("no"), seed);
            assert!(!without.contains("<reasoning>"), "{without}");
        }
    }
}

#[test]
fn choices_offer_both_things_in_both_orders() {
    let preferences = list("chats/preferences", &format!("{}{}", outline(), sections(&[0])), 100, 1);
    let mut things = BTreeSet::new();
    for entry in &preferences {
        for key in ["prefer", "over"] {
            let thing = entry[key].as_str().unwrap();
            assert!(
                things.insert(thing.to_lowercase()) && thing.split(' ').count() <= 4 && !thing.contains(','),
                "{thing}"
            );
        }
    }
    let pair = "<prefer>rye toast</prefer><over>oat porridge</over>";
    let choices = list("chats/choices", &format!("{pair}<domain>breakfast</domain>"), 60, 1);
    for (index, choice) in choices.iter().enumerate() {
        let text = choice.as_str().unwrap().to_lowercase();
        let first = text.find("rye toast").unwrap() < text.find("oat porridge").unwrap();
        assert_eq!(first, index % 2 == 0, "{text}");
        assert!(
            text.matches("rye toast").count() == 1 && !text.contains("why") && !text.contains("because"),
            "{text}"
        );
    }
    for seed in 0..60 {
        let text = said("chats/pick", &format!("{pair}<question>Well?</question>"), seed);
        let reply = inside(&text, "reply").to_lowercase();
        let other = reply.find("oat porridge").unwrap_or(usize::MAX);
        assert!(reply.find("rye toast").unwrap() < other, "{reply}");
    }
}

#[test]
fn augmented_sections_have_the_length_that_is_asked_for() {
    let count =
        |text: &str| text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    for words in [120, 300, 700] {
        for (task, reasons) in [("spec/value-augment", true), ("spec/rule-augment", false)] {
            let text = said(task, &format!("{}<words>{words}</words>", sections(&[0])), words as u64);
            let section = inside(&text, "section");
            assert!(section.starts_with("## Be truthful {#x0}"), "{section}");
            assert_eq!(section.contains("because"), reasons, "{section}");
            let length = count(section) as f64 / words as f64;
            assert!((0.96..=1.0).contains(&length), "{task} {words}: {length}");
        }
    }
}

#[test]
fn answers_are_functions_of_texts_and_seed() {
    let material = format!("{}{ASSERTIONS}<type>memo</type><idea>x</idea><words>200</words>", sections(&[0]));
    let write = |seed| said("documents/write", &material, seed);
    assert_eq!(write(1), write(1));
    assert_ne!(write(1), write(2));
    // A known value: a change here changes every rehearsal.
    let types = said("documents/types", &format!("{ASSERTIONS}<count>3</count>"), 1);
    assert_eq!(types, said("documents/types", &format!("{ASSERTIONS}<count>3</count>"), 1));
}
