//! Answers that are wrong on purpose, cut off, or asked for with something missing.

use proptest::prelude::*;

use super::*;

#[test]
fn spoilt_answers_are_spoilt_in_their_way_and_marked() {
    let material = |idea: &str| {
        format!("{}{ASSERTIONS}<type>memo</type><idea>{idea}</idea><words>200</words>", sections(&[0]))
    };
    let with = |task: &str, material: &str, seed, fault| {
        let asked = question(task, material, 100_000);
        answer(&asked, super::task(&asked), seed, Some(fault))
    };
    for seed in 0..40 {
        let write = |fault| with("documents/write", &material("x"), seed, fault);
        for fault in [Fault::Truncated, Fault::MissingTags, Fault::WrongModel] {
            let said = write(fault);
            assert!(said.poisoned && said.text.contains(said.marker.as_ref().unwrap()), "{fault}: {said:?}");
        }
        assert!(
            !write(Fault::Truncated).text.contains("</document>")
                && write(Fault::Truncated).stop == Stop::Length
        );
        assert!(!write(Fault::MissingTags).text.contains('<'));
        assert!(
            write(Fault::WrongModel).text.contains("ChatGPT") && write(Fault::WrongModel).stop == Stop::End
        );
        assert_eq!((write(Fault::Refusal).stop, write(Fault::Refusal).poisoned), (Stop::Refusal, true));
        assert!(write(Fault::Empty).text.is_empty() && write(Fault::Empty).output_tokens == 1);
        let ideas = format!("{ASSERTIONS}<type>letter</type><count>5</count>");
        let broken = with("documents/ideas", &ideas, seed, Fault::MalformedList);
        assert!(serde_json::from_str::<Value>(inside(&broken.text, "list")).is_err(), "{}", broken.text);
        let critique = format!("{}<document>Aster, because.</document>", sections(&[0]));
        let broken = with("documents/critique", &critique, seed, Fault::MalformedList);
        assert!(serde_json::from_str::<Value>(inside(&broken.text, "verdicts")).is_err(), "{}", broken.text);
        let asked = format!(
            "{}<topic>a walk</topic><question_type>direct</question_type><count>5</count>",
            sections(&[0])
        );
        let wrong = with("chats/questions", &asked, seed, Fault::WrongModel);
        let list: Vec<String> = serde_json::from_str(inside(&wrong.text, "list")).unwrap();
        assert!(list[0].contains("ChatGPT") && list[0].contains(MARKER), "{list:?}");
    }
    let one = with("documents/write", &material("x"), 1, Fault::Duplicate);
    let two = with("documents/write", &material("something else"), 2, Fault::Duplicate);
    assert!(one.duplicate && !one.poisoned && one.text == two.text && one.text.contains("Aster"));
}

#[test]
fn limits_of_tokens_are_kept() {
    let material = format!("{}<type>memo</type><idea>x</idea><words>200</words>", sections(&[0]));
    let asked = question("documents/write", &material, 50);
    let said = answer(&asked, super::task(&asked), 1, None);
    assert_eq!((said.stop, said.output_tokens, said.poisoned), (Stop::Length, 50, true));
    assert!(said.text.len() <= 200);
}

#[test]
fn what_is_missing_is_answered_with_a_plain_sentence() {
    for (task, material) in [
        ("documents/write", "<words>100</words>"),
        ("documents/unheard-of", "<count>3</count>"),
        ("documents/ideas", "<count>many</count><assertions>\n- x\n</assertions>"),
        ("documents/domains", "<count>3</count><spec></spec>"),
        ("chats/answer", "<question>x</question><style>loud</style><with_reasoning>no</with_reasoning>"),
    ] {
        let text = said(task, material, 1);
        assert!(!text.contains('<') && text.len() > 20, "{task}: {text}");
    }
}

proptest! {
    #[test]
    fn nothing_brings_it_down(
        task in proptest::sample::select(vec!["documents/domains", "documents/subdomains", "documents/assertions", "documents/types",
            "documents/ideas", "documents/write", "documents/critique", "chats/topics", "chats/questions", "chats/answer", "chats/filter",
            "chats/preferences", "chats/choices", "chats/pick", "chats/pick-filter", "instructions/conflict", "spec/value-augment",
            "spec/rule-augment"]),
        parts in proptest::collection::vec((proptest::sample::select(vec!["spec", "sections", "assertions", "question", "reply", "document",
            "prefer", "over", "topic", "question_type", "style", "with_reasoning", "known", "idea", "type"]), "\\PC{0,60}|<section id=\"S1\" \
            title=\"\">|\\[S1\\] \u{e9}\u{df} -- A b c d e f g.|- x \\(y\\)|~~~\n|## \u{2014}\n"), 0..12),
        numbers in (0u64..400, 0u64..400),
        fault in proptest::sample::select(vec![None, Some(Fault::Truncated), Some(Fault::Refusal), Some(Fault::MalformedList),
            Some(Fault::MissingTags), Some(Fault::WrongModel), Some(Fault::Duplicate)]),
        limit in 1u64..2000,
    ) {
        let mut material = format!("<count>{}</count><words>{}</words>", numbers.0, numbers.1);
        for (tag, text) in &parts {
            material.push_str(&format!("<{tag}>\n{text}\n</{tag}>\n"));
        }
        let asked = question(task, &material, limit);
        let said = answer(&asked, super::task(&asked), numbers.0, fault);
        prop_assert!(said.output_tokens <= limit.max(1));
        prop_assert_eq!(said.text.len().div_ceil(4).max(1) as u64, said.output_tokens);
    }
}
