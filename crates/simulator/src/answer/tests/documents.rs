//! Documents, and verdicts on what was written.

use super::*;

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
    let mut frequency: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    documents
        .iter()
        .flat_map(|text| grams(text, 8))
        .for_each(|gram| *frequency.entry(gram).or_default() += 1);
    let (gram, often) = frequency.iter().max_by_key(|(_, often)| **often).unwrap();
    println!("Jaccard at most {most:.3}, on average {mean:.4}; {often} of 120 have {gram:?}");
    assert!(most < 0.2 && mean < 0.05, "{most} {mean}");
    // Sentences of the two sections included, which come back by design.
    assert!(*often <= 30, "{often} of 120 have {gram:?}");
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
