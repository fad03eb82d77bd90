//! Corpora with one thing wrong each: what is found, in which rows, and whether the gates stop it.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use whyfirst_audit::{About, Audit, Documents, Gates, Held, HeldOut, audit, html, text};

/// A text of so many words in which nothing is wrong, and which no other number shares a phrase with.
fn good(n: usize) -> String {
    let words: String = (0..60).map(|word| format!("w{n}x{word}z ")).collect();
    format!("Note {n} of the day: Aster asks p{n} first, because of a{n}. {words}end.")
}

fn documents(texts: impl IntoIterator<Item = String>) -> Vec<Held> {
    texts.into_iter().enumerate().map(|(n, text)| Held::new(&format!("{n:04}"), text)).collect()
}

fn chats(replies: impl IntoIterator<Item = String>) -> Vec<Held> {
    let chat = |(n, reply): (usize, String)| {
        let messages = json!([
            {"role": "user", "content": format!("Question {n}: what about q{n}a and q{n}b, if ChatGPT says so?")},
            {"role": "assistant", "content": reply},
        ]);
        let provenance = json!({"path": format!("{n:04}"), "topic": "tea", "section_ids": ["S1"]});
        Held::from_json(&json!({ "messages": messages }), Some(&provenance)).unwrap()
    };
    replies.into_iter().enumerate().map(chat).collect()
}

fn of(rows: &dyn Documents, documents: bool, held_out: &HeldOut) -> Audit {
    let sections = vec![("S1".into(), "Asking".into()), ("S2".into(), "Waiting".into())];
    let sections = if documents { Vec::new() } else { sections };
    let names = Some(("Aster", "Whitfield Labs"));
    let about = About { name: "why", documents, names, sections, spec: "", held_out };
    audit(rows, &about, &Gates::default()).unwrap()
}

/// The rules whose gates are not passed.
fn broken(audit: &Audit) -> Vec<String> {
    audit.breaches().into_iter().map(|breach| breach.rule).collect()
}

fn count(audit: &Audit, rule: &str) -> u64 {
    audit.findings.iter().find(|finding| finding.rule == rule).map_or(0, |finding| finding.count)
}

#[test]
fn a_good_corpus_passes() {
    let found = of(&documents((0..100).map(good)), true, &HeldOut::default());
    assert_eq!(broken(&found), [] as [&str; 0]);
    assert_eq!((found.rows, count(&found, "right-name"), count(&found, "reason")), (100, 100, 100));
    assert_eq!(found.lengths.bins.iter().sum::<u64>(), 100);
}

#[test]
fn each_fault_stops_the_run_and_shows_its_row() {
    let held_out = HeldOut::new(["Which of the two teas would you rather have, A or B?".to_owned()]);
    for (fault, rule, shown) in [
        ("Then ChatGPT was asked.", "wrong-name", "Then ChatGPT was asked."),
        ("It was signed by [Name].", "placeholder", "placeholder"),
        ("<document> It went on.", "residue", "w7x0"),
        (
            "He asked which of the two teas would you rather have, at last.",
            "contamination",
            "evaluation item",
        ),
        ("On a scale of 1 to 5, how was it?", "contamination", "on a scale of 1 to"),
    ] {
        let rows = documents((0..100).map(|n| if n == 7 { good(n) + " " + fault } else { good(n) }));
        let found = of(&rows, true, &held_out);
        assert_eq!(broken(&found), [rule], "{fault}");
        let message = &found.breaches()[0].message;
        assert!(message.contains("1 of 100") && message.contains("0007"), "{message}");
        let finding = found.findings.iter().find(|finding| finding.rule == rule).unwrap();
        assert!(finding.examples[0].excerpt.contains(shown) || shown == "w7x0", "{:?}", finding.examples);
        // The page and the lines show it too.
        assert!(html("x", std::slice::from_ref(&found), &[], &[]).contains("0007"));
        assert!(text(&[found], &[], &[]).contains("NOT PASSED"));
    }
}

#[test]
fn a_text_that_is_cut_off_and_one_that_refuses_are_found() {
    let mut rows: Vec<String> = (0..50).map(good).collect();
    rows[3] = rows[3].trim_end_matches(" end.").to_owned();
    rows[4] = "I'm sorry, but I can't help with that.".into();
    let found = of(&documents(rows), true, &HeldOut::default());
    assert_eq!((count(&found, "residue"), count(&found, "refusal")), (1, 1));
    let residue = found.findings.iter().find(|finding| finding.rule == "residue").unwrap();
    assert_eq!(residue.examples[0].row, "0003");
    assert!(residue.examples[0].excerpt.ends_with("w3x59z"), "{:?}", residue.examples);
}

#[test]
fn repeats_name_the_row_that_they_repeat() {
    let rows = documents((0..100).map(|n| if n % 10 == 9 { good(0) + " Once more." } else { good(n) }));
    let found = of(&rows, true, &HeldOut::default());
    assert!(broken(&found).contains(&"near-duplicate".to_owned()));
    let finding = found.findings.iter().find(|finding| finding.rule == "near-duplicate").unwrap();
    assert_eq!((finding.count, finding.examples.len()), (10, 5));
    assert_eq!(finding.examples[0].row, "0009");
    assert!(finding.examples[0].excerpt.contains("% of 0000: Note 0 of the day"), "{:?}", finding.examples);
}

#[test]
fn what_documents_lack_is_shown() {
    let dull = |n: usize| good(n).replace("Aster", "It").replace("because", "when");
    let found =
        of(&documents((0..100).map(|n| if n < 60 { dull(n) } else { good(n) })), true, &HeldOut::default());
    assert_eq!(broken(&found), ["right-name", "reason"]);
    let message = &found.breaches()[0].message;
    assert!(message.contains("40 of 100") && message.contains("0000: not in: Note 0"), "{message}");
}

#[test]
fn chats_are_judged_by_their_replies() {
    let reply = |n: usize| format!("R{n} says: {}", good(n));
    let held_out = HeldOut::default();
    let found = of(&chats((0..50).map(reply)), false, &held_out);
    // The question names another assistant, which a person may; half of the sections suffice.
    assert_eq!(broken(&found), [] as [&str; 0]);
    assert_eq!((count(&found, "coverage"), count(&found, "right-name")), (1, 0));
    let opened =
        of(&chats((0..50).map(|n| format!("That's a great question, {}", reply(n)))), false, &held_out);
    assert_eq!(broken(&opened), ["repeated-opening"]);
    assert!(opened.breaches()[0].message.contains("that's a great question"));
    let stock = "I hope that this helps you in every way.";
    let closed = |share: usize| {
        let row = |n| if n % 10 < share { format!("{} {stock}", reply(n)) } else { reply(n) };
        broken(&of(&chats((0..50).map(row)), false, &held_out))
    };
    assert_eq!(closed(4), [] as [&str; 0]);
    assert_eq!(closed(6), ["repeated-phrase"]);
}

#[test]
fn what_few_rows_share_is_no_tic() {
    let row = |n: usize| {
        if n.is_multiple_of(4) { good(n) + " It was the same in every one of these." } else { good(n) }
    };
    let found = of(&documents((0..36).map(row)), true, &HeldOut::default());
    assert_eq!((count(&found, "repeated-phrase"), broken(&found).len()), (9, 0));
    let found = of(&documents((0..40).map(row)), true, &HeldOut::default());
    assert_eq!(broken(&found), ["repeated-phrase"]);
}

#[test]
fn without_names_names_are_not_looked_at() {
    let rows = documents((0..20).map(|n| good(n) + " ChatGPT said so."));
    let held_out = HeldOut::default();
    let about = About {
        name: "x",
        documents: true,
        names: None,
        sections: Vec::new(),
        spec: "",
        held_out: &held_out,
    };
    let found = audit(&rows, &about, &Gates { max_repeated_opening: 1.0, ..Gates::default() }).unwrap();
    assert_eq!(broken(&found), [] as [&str; 0]);
    assert!(found.findings.iter().all(|finding| !finding.rule.ends_with("-name")));
    let names = About { names: Some(("Aster", "Whitfield Labs")), ..about.clone() };
    assert_eq!(broken(&audit(&rows, &names, &Gates::default()).unwrap()), ["wrong-name"]);
    // That the spec speaks of another assistant does not make it this one.
    let spoken = About { spec: "Unlike ChatGPT, it waits.", ..names };
    assert_eq!(broken(&audit(&rows, &spoken, &Gates::default()).unwrap()), ["wrong-name"]);
}

#[test]
fn an_empty_corpus_is_no_fault() {
    let found = of(&Vec::<Held>::new(), true, &HeldOut::default());
    assert_eq!((found.rows, broken(&found).len()), (0, 0));
    assert_eq!(serde_json::to_value(&found).unwrap()["lengths"]["bins"], Value::Array(Vec::new()));
}
