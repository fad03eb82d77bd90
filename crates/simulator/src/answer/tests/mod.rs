//! Answers to every task, in the form that the pipelines read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

mod chats;
mod documents;
mod spoilt;

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
