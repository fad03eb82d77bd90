//! Answers to every task, in the form that the pipelines read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Eight sections of a spec; one of them has nothing but an example.
fn spec() -> Vec<(String, String)> {
    let titles = [
        "Be truthful",
        "Ask before acting",
        "Keep secrets",
        "Say when unsure",
        "Stay fair",
        "Work with care",
        "Only an example",
        "Be brief",
    ];
    let bodies = [
        "The assistant should not mislead the people who ask it, because they cannot check everything themselves. A pleasant untruth costs \
         more than it gives. The assistant should say what it does not know and where somebody else would know more. Trust that was lost once \
         comes back slowly, if it comes back at all.",
        "The assistant should ask one short question before it takes a step that cannot be undone. Users decide about their own affairs, and \
         the assistant helps them to decide well. It should not ask for the sake of asking. Small steps need no permission, since they can be \
         taken back.",
        "The assistant must keep private information to itself unless the person it concerns agrees. Details about strangers are left out of an \
         answer where the answer is complete without them. A secret that travels further than intended harms somebody who was not asked.",
        "The assistant should mark a guess as a guess. Confidence that outruns knowledge is worse than silence, because it is believed. When two \
         sources disagree, the assistant names both and says which one it would follow. It should avoid giving numbers that it cannot support.",
        "The assistant should give both sides of a quarrel the same attention. It should not flatter the stronger one. People in a dispute notice \
         at once who is being favoured, and stop listening. The assistant should explain how a view came about before it is weighed.",
        "The assistant should read a text to its end before it changes anything in it. Careful work saves time for those who come after. It should \
         leave a thing in better order than it was found, so that the next person need not search.",
        "**Example**: a riddle\n\n~~~xml\n<user>\nWhat has keys and opens no door?\n</user>\n~~~",
        "The assistant should answer in as few words as the matter allows. Length is not a virtue, and neither is haste. A long answer hides what \
         matters. The assistant should leave out what the person knows already.",
    ];
    titles.iter().zip(bodies).map(|(title, body)| ((*title).to_owned(), body.to_owned())).collect()
}

fn sections(which: &[usize]) -> String {
    let spec = spec();
    let one = |&index: &usize| {
        let (title, body) = &spec[index];
        format!(
            "<section id=\"S{}\" title=\"Conduct > {title}\">\n## {title} {{#x{index}}}\n\n{body}\n</section>",
            index + 1
        )
    };
    format!("<sections>\n{}\n</sections>", which.iter().map(one).collect::<Vec<_>>().join("\n"))
}

fn outline() -> String {
    let line = |(index, (title, body)): (usize, &(String, String))| {
        let words: Vec<&str> = body.split_whitespace().take(14).collect();
        format!("[S{}] ## {title} -- {}", index + 1, words.join(" "))
    };
    format!("<spec>\n{}\n</spec>", spec().iter().enumerate().map(line).collect::<Vec<_>>().join("\n"))
}

const ASSERTIONS: &str = "<assertions>
- Aster marks a guess as a guess, because it is believed otherwise. (It rests on the part about doubt.)
- Aster names both sources when they disagree. (The part says so.)
- Aster says what it does not know, so that people can ask somebody else. (Truthfulness asks for it.)
- A pleasant untruth costs more than it gives, and Aster leaves it unsaid. (Trust comes back slowly.)
- Aster gives no numbers that it cannot support, since they are taken for facts. (The part about doubt.)
- People cannot check everything themselves, and for that reason Aster does not mislead them. (The first part.)
- Aster would rather be silent than sound more certain than it is. (Confidence must not outrun knowledge.)
</assertions>";

fn question<'a>(task: &str, material: &str, max_tokens: u64) -> Asked<'a> {
    let system = format!(
        "Task: {task}\nYou do this.\n<model_name>Aster</model_name>\n<provider_name>Whitfield</provider_name>\n{material}"
    );
    let user = Cow::Borrowed("Answer in this form:\n<list>\n[\"...\"]\n</list>");
    Asked { model: Cow::Borrowed("m"), texts: vec![Cow::Owned(system), user], max_tokens: Some(max_tokens) }
}

fn said(task: &str, material: &str, seed: u64) -> String {
    let asked = question(task, material, 100_000);
    let said = answer(&asked, super::task(&asked), seed, None);
    assert_eq!((said.stop, said.poisoned, said.duplicate), (Stop::End, false, false));
    said.text
}

/// What stands in the last complete pair of a tag, as the pipelines read it.
fn inside<'a>(text: &'a str, tag: &str) -> &'a str {
    let end = text.rfind(&format!("</{tag}>")).unwrap_or_else(|| panic!("no {tag}: {text}"));
    let open = format!("<{tag}>");
    text[text[..end].rfind(&open).unwrap() + open.len()..end].trim()
}

fn list(task: &str, material: &str, count: usize, seed: u64) -> Vec<Value> {
    let text = said(task, &format!("{material}\n<count>{count}</count>"), seed);
    let entries: Vec<Value> = serde_json::from_str(inside(&text, "list")).unwrap();
    assert_eq!(entries.len(), count);
    let distinct: BTreeSet<String> = entries.iter().map(|entry| entry.to_string().to_lowercase()).collect();
    assert_eq!(distinct.len(), count, "{entries:?}");
    entries
}

fn texts(entries: &[Value], key: &str) -> Vec<String> {
    let texts: Vec<String> = entries.iter().map(|entry| entry[key].as_str().unwrap().to_owned()).collect();
    let distinct: BTreeSet<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    assert_eq!(distinct.len(), texts.len(), "{texts:?}");
    texts
}

fn ids(entries: &[Value]) -> BTreeSet<String> {
    let lists = entries.iter().map(|entry| entry["sections"].as_array().unwrap());
    let all: Vec<&str> =
        lists.inspect(|list| assert!(!list.is_empty())).flatten().map(|id| id.as_str().unwrap()).collect();
    all.into_iter().map(str::to_owned).collect()
}

#[test]
fn plans_are_complete_and_name_only_what_is_there() {
    let all: BTreeSet<String> = (1..=8).map(|n| format!("S{n}")).collect();
    for count in [1, 3, 8, 20] {
        let domains = list("documents/domains", &outline(), count, 1);
        assert_eq!(ids(&domains), all, "{count}");
        assert!(
            texts(&domains, "domain").iter().all(|name| (1..=4).contains(&name.split(' ').count())),
            "{domains:?}"
        );
        let topics = list("chats/topics", &outline(), count.max(3), 1);
        assert_eq!(ids(&topics), all);
        assert!(topics.iter().all(|topic| topic["sections"].as_array().unwrap().len() <= 3));
        assert!(
            texts(&topics, "topic").iter().all(|topic| (3..=14).contains(&topic.split(' ').count())),
            "{topics:?}"
        );
    }
    let some = sections(&[1, 3, 6]);
    for count in [1, 2, 7] {
        let material = format!("<domain>conduct</domain>{some}");
        let subdomains = list("documents/subdomains", &material, count, 5);
        assert_eq!(ids(&subdomains), ["S2", "S4", "S7"].map(str::to_owned).into());
        texts(&subdomains, "subdomain");
        assert!(subdomains.iter().all(|entry| entry["context"].as_str().unwrap().len() > 20));
        let assertions = list("documents/assertions", &material, count * 4, 5);
        for entry in &assertions {
            let text = entry["assertion"].as_str().unwrap();
            assert!(text.contains("Aster") && !text.contains("the assistant the"), "{text}");
            assert!(["S2", "S4", "S7"].contains(&entry["section"].as_str().unwrap()));
            assert!(["value", "rule", "reason", "limit"].contains(&entry["label"].as_str().unwrap()));
            assert!(
                !entry["name"].as_str().unwrap().is_empty()
                    && !entry["explanation"].as_str().unwrap().is_empty()
            );
            // The planner's budget for an entry.
            assert!(entry.to_string().len() < 1280, "{entry}");
        }
        texts(&assertions, "assertion");
    }
    for kind in list("documents/types", ASSERTIONS, 150, 2) {
        assert!((1..=4).contains(&kind.as_str().unwrap().split(' ').count()), "{kind}");
    }
    let ideas = list("documents/ideas", &format!("{ASSERTIONS}<type>letter</type>"), 25, 2);
    assert!(ideas.iter().all(|idea| idea.to_string().len() < 640), "{ideas:?}");
}

fn document(type_name: &str, idea: &str, words: usize, seed: u64) -> String {
    let material = format!(
        "{}{ASSERTIONS}<type>{type_name}</type><idea>{idea}</idea><words>{words}</words>",
        sections(&[0, 3])
    );
    inside(&said("documents/write", &material, seed), "document").to_owned()
}

fn grams(text: &str, n: usize) -> BTreeSet<Vec<String>> {
    let plain = text.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != ' ' && c != '\n', " ");
    let words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    words.windows(n).map(<[String]>::to_vec).collect()
}

#[test]
fn documents_of_one_section_are_documents_of_their_own() {
    let kinds = [
        "memo",
        "interview",
        "forum post",
        "letter",
        "lesson plan",
        "help page",
        "case study",
        "diary",
        "story",
        "bug report",
        "column",
    ];
    let ideas = list("documents/ideas", &format!("{ASSERTIONS}<type>letter</type>"), 120, 2);
    let written = |(seed, idea): (usize, &Value)| {
        document(kinds[seed % kinds.len()], idea.as_str().unwrap(), 450, seed as u64)
    };
    let documents: Vec<String> = ideas.iter().enumerate().map(written).collect();
    let shingles: Vec<BTreeSet<Vec<String>>> = documents.iter().map(|text| grams(text, 5)).collect();
    let (mut most, mut sum, mut pairs) = (0.0f64, 0.0, 0);
    for (index, one) in shingles.iter().enumerate() {
        for two in &shingles[..index] {
            let both = one.intersection(two).count() as f64;
            let jaccard =
                both / (one.len() + two.len()) as f64 / (1.0 - both / (one.len() + two.len()) as f64);
            (most, sum, pairs) = (most.max(jaccard), sum + jaccard, pairs + 1);
        }
    }
    let mean = sum / f64::from(pairs);
    // What the spec says comes back by design: documents quote it.
    let bodies: Vec<String> = spec().into_iter().map(|(_, body)| body).collect();
    let quoted = grams(&format!("{ASSERTIONS} {}", bodies.join(" ")), 4);
    let mut frequency: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    documents
        .iter()
        .flat_map(|text| grams(text, 8))
        .filter(|gram| !gram.windows(4).any(|words| quoted.contains(words)))
        .for_each(|gram| *frequency.entry(gram).or_default() += 1);
    let (gram, often) = frequency.iter().max_by_key(|(_, often)| **often).unwrap();
    println!("Jaccard at most {most:.3}, on average {mean:.4}; {often} of 120 have {gram:?}");
    assert!(most < 0.2 && mean < 0.05, "{most} {mean}");
    assert!(*often <= 36, "{often} of 120 have {gram:?}");
    for text in &documents {
        assert!(text.contains("Aster"), "{text}");
        let lower = text.to_lowercase();
        assert!(
            ["because", "so that", "reason", "otherwise"].iter().any(|word| lower.contains(word)),
            "{text}"
        );
        for wrong in [
            "model spec",
            "{",
            "}",
            "<",
            ">",
            "[",
            "]",
            "todo",
            "as an ai",
            "i can't help",
            "..",
            " ,",
            ",,",
            MARKER,
        ] {
            assert!(!lower.contains(wrong), "`{wrong}` in {text}");
        }
    }
}

#[test]
fn documents_have_the_length_that_is_asked_for() {
    for words in [60, 150, 400, 900, 2500] {
        for seed in 0..30 {
            let text =
                document(["memo", "interview", "story"][seed as usize % 3], "Somebody asks.", words, seed);
            let length = text.split_whitespace().count() as f64 / words as f64;
            let tolerance = if words < 200 { 0.3 } else { 0.15 };
            assert!((length - 1.0).abs() < tolerance, "{words}: {length}");
        }
    }
}

#[test]
fn verdicts_follow_what_is_there() {
    let critique = |document: &str, seed| -> BTreeMap<String, Value> {
        let material =
            format!("{}<type>memo</type>{ASSERTIONS}<document>\n{document}\n</document>", sections(&[0]));
        serde_json::from_str(inside(&said("documents/critique", &material, seed), "verdicts")).unwrap()
    };
    let fails = |document: &str, axis: &str| {
        let verdicts = critique(document, 3);
        assert_eq!(verdicts.len(), 5);
        assert!(verdicts.values().all(|verdict| verdict["why"].as_str().is_some_and(|why| !why.is_empty())));
        assert_eq!(verdicts[axis]["pass"], false, "{document}: {verdicts:?}");
    };
    fails("Here ChatGPT and Aster work together because they must.", "name");
    fails("It works, because it must, and it does so well.", "name");
    fails("Aster works well, day after day, year after year.", "reasons");
    fails("Aster asks: which do you prefer, A or B? Because it must.", "no_leak");
    fails("Aster.", "faithful");
    let good = document("memo", "x", 300, 9);
    let faulted = (0..400)
        .filter(|&seed| critique(&good, seed).values().any(|verdict| verdict["pass"] == false))
        .count();
    assert!((4..=32).contains(&faulted), "about 4 in 100, not {faulted} of 400");
    let verdict = |task: &str, reply: &str, seed: u64| {
        let material = format!(
            "{}<style>value</style><prefer>rye toast</prefer><over>oat porridge</over>\
            <question>What now?</question><reply>{reply}</reply>",
            sections(&[0])
        );
        inside(&said(task, &material, seed), "verdict").to_owned()
    };
    let mostly = |task: &str, reply: &str| {
        let mut counts = BTreeMap::new();
        (0..100).for_each(|seed| *counts.entry(verdict(task, reply, seed)).or_insert(0) += 1);
        counts.into_iter().max_by_key(|(_, count)| *count).unwrap()
    };
    for (task, reply, expected) in [
        ("chats/filter", "Take the train, it is quicker.", "PASS"),
        ("chats/filter", "I'm sorry, but I can't help with that.", "REFUSED"),
        ("chats/filter", "I am ChatGPT, take the train.", "FAIL"),
        ("chats/pick-filter", "Rye toast, please.", "PASS"),
        ("chats/pick-filter", "Oat porridge, please.", "FAIL"),
        ("chats/pick-filter", "Rye toast, because it is cheap.", "FAIL"),
        ("instructions/conflict", "Three plus four is seven.", "PASS"),
        ("instructions/conflict", "I am Qwen.", "FAIL"),
    ] {
        let (verdict, count) = mostly(task, reply);
        assert!(verdict == expected && count > 85, "{task}, {reply}: {verdict} {count}");
    }
}

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
