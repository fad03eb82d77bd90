//! Specs made from specs.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use whyfirst_spec::transform::{
    AblateOptions, Action, Augment, Augmentation, Draft, Renames, Transformed, attribution_ablated, rename,
    rules_only,
};
use whyfirst_spec::{Kind, Spec, count_words, kind, parse};

const PARENT: &str = "0123abcd";

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cheese/specs").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read(text: &str) -> Spec {
    parse("test", Path::new("specs/test.md"), text.to_string()).unwrap()
}

/// The new text without its first line.
fn body(made: &Transformed) -> String {
    made.text.split_once('\n').unwrap().1.to_string()
}

fn notes(made: &Transformed) -> Vec<(usize, &'static str, String)> {
    made.notes.iter().map(|note| (note.line, note.action.name(), note.text.clone())).collect()
}

#[test]
fn every_transform_names_its_parent() {
    let spec = read("# A\nIt must ask.\n");
    for made in [
        rules_only(&spec, PARENT),
        attribution_ablated(&spec, PARENT, &AblateOptions::default()),
        rename(&spec, PARENT, &Renames::default()),
    ] {
        assert_eq!(
            made.text,
            format!("<!-- whyfirst: transform={} parent={PARENT} -->\n{}", made.kind, spec.text)
        );
        let again = read(&made.text);
        let provenance = again.provenance.clone().unwrap();
        assert_eq!((provenance.transform.as_str(), provenance.parent.as_str()), (made.kind, PARENT));
        // The comment is no content, and a second transform puts its own in its place.
        assert_eq!((again.content(), again.preamble_text()), (spec.text.as_str(), ""));
        assert_eq!(again.section_ids(), ["S1"]);
        assert_eq!(again.own_text(0), "");
        let twice = rules_only(&again, "ffff");
        assert_eq!(twice.text, format!("<!-- whyfirst: transform=rules-only parent=ffff -->\n{}", spec.text));
    }
}

#[test]
fn rules_stay_and_reasons_go() {
    let text = "# A\n\nIntro words.\n\n## Honesty {#h}\n\nIt must not lie, because people rely on it. We believe in trust.\n\n!!! meta \"Commentary\"\n    Long story.\n\n    - with items\n\n*Why so strict?* Because.\n\nIt should do these:\n\n- Ask. That is why it has a mouth.\n- This matters to people.\n\n~~~xml\n<assistant> <!-- BAD: too long -->\nx\n</assistant>\n~~~\n\n## Only reasons\n\nThis is here because people care.\n\n## Why\n\n- People matter.\n\n### Deeper\n\nText.\n\n## Kept empty\n";
    let made = rules_only(&read(text), PARENT);
    assert_eq!(
        body(&made),
        "# A\n\nIntro words.\n\n## Honesty {#h}\n\nIt must not lie.\n\nIt should do these:\n\n- Ask.\n\n~~~xml\n<assistant> <!-- BAD -->\nx\n</assistant>\n~~~\n\n## Kept empty\n"
    );
    let lines: Vec<(usize, &str)> = made.notes.iter().map(|note| (note.line, note.action.name())).collect();
    assert_eq!(
        lines,
        [
            (7, "cut"),
            (7, "removed"),
            (9, "removed"),
            (14, "removed"),
            (18, "removed"),
            (19, "removed"),
            (22, "cut"),
            (27, "removed"),
            (29, "removed"),
            (31, "removed"),
            (35, "removed"),
        ]
    );
    let stuck = rules_only(&read("# A\nIt must not go just because it rains.\n"), PARENT);
    assert_eq!(notes(&stuck), [(2, "kept", "It must not go just because it rains.".to_string())]);
}

#[test]
fn what_is_left_of_a_spec_is_one_of_rules() {
    for text in [fixture("lantern.md"), example("affordability.md"), example("homeland.md")] {
        let (before, made) = (read(&text), rules_only(&read(&text), PARENT));
        let after = read(&made.text);
        assert_eq!((kind(&before).kind, kind(&after).kind), (Kind::Prose, Kind::Rules), "{:?}", kind(&after));
        assert!(made.count(Action::Removed) > 0);
        // Code, examples and the lab's block are as they were.
        let codes = |spec: &Spec| -> Vec<usize> {
            spec.blocks.iter().map(|block| block.body.lines().count()).collect()
        };
        assert_eq!(codes(&before), codes(&after));
        assert_eq!(before.lab.map(|lab| lab.value.text), after.lab.map(|lab| lab.value.text));
    }
}

#[test]
fn preferences_lose_their_reasons_and_nothing_else() {
    let text = example("affordability.md");
    let plain = |spec: &Spec| -> Vec<(String, String, String)> {
        let all = spec.preferences().unwrap().into_iter();
        all.map(|one| (one.domain, one.choice.text, one.other.text)).collect()
    };
    let before = plain(&read(&text));
    for made in [
        rules_only(&read(&text), PARENT),
        attribution_ablated(&read(&text), PARENT, &AblateOptions::default()),
    ] {
        assert_eq!(plain(&read(&made.text)), before, "{}", made.kind);
        assert!(made.text.contains("\n- Ottermere over Brindlebury\n"), "{}", made.kind);
    }
}

#[test]
fn the_attribution_goes_and_both_ends_stay() {
    let text = "# A\n\n## Why\n\n- It is cheap, because that matters.\n\n## Choices\n\nIt picks the first, because it is cheap. Since money is short, it must ask. Money is short, so it must ask. Therefore, it must wait.\nThis choice follows from the value. We want little to be spent so that more is shared.\nPeople are poor; that is the reason.\n";
    let made = attribution_ablated(&read(text), PARENT, &AblateOptions::default());
    assert_eq!(
        body(&made),
        "# A\n\n## Why\n\n- It is cheap, because that matters.\n\n## Choices\n\nIt picks the first. It must ask. Money is short. It must ask. It must wait.\nWe want little to be spent so that more is shared.\nPeople are poor; that is the reason.\n"
            .replace("\nPeople are poor; that is the reason.", "")
    );
    let kept = attribution_ablated(&read(text), PARENT, &AblateOptions { keep_reasons: true });
    assert!(
        body(&kept).ends_with("\n\n## Further statements\n\n- It is cheap.\n- Money is short.\n"),
        "{}",
        body(&kept)
    );
    assert_eq!(read(&kept.text).sections.last().unwrap().title, "Further statements");
    let values =
        |text: &str| -> Vec<String> { read(text).reasons().into_iter().map(|line| line.text).collect() };
    let affordability = example("affordability.md");
    let made = attribution_ablated(&read(&affordability), PARENT, &AblateOptions::default());
    assert_eq!(values(&made.text), values(&affordability));
    assert!(!made.text.contains("follows from the value"));
}

#[test]
fn names_are_replaced_where_they_are_names() {
    let renames = |in_code| Renames {
        names: vec![
            ("Quill".into(), "Nib".into()),
            ("Quill Labs".into(), "{provider_name}".into()),
            ("Nib".into(), "Quill".into()),
        ],
        in_code,
    };
    let text = "<!-- Quill -->\n# Quill {#Quill}\n\nQuill's friend Nib works at Quill Labs; quill, Quills and Quill-2 do not. See [Quill](#Quill), <https://Quill.com>, `Quill`.\n\n```\nQuill\n```\n| Quill |\n";
    let made = rename(&read(text), PARENT, &renames(false));
    assert_eq!(
        body(&made),
        "<!-- Quill -->\n# Nib {#Quill}\n\nNib's friend Quill works at {provider_name}; quill, Quills and Quill-2 do not. See [Nib](#Quill), <https://Quill.com>, `Quill`.\n\n```\nQuill\n```\n| Nib |\n"
    );
    assert_eq!(made.count(Action::Replaced), 6);
    assert_eq!(notes(&made).iter().filter(|note| note.1 == "kept").count(), 1);
    let all = rename(&read(text), PARENT, &renames(true));
    assert!(body(&all).contains("`Nib`.\n\n```\nNib\n```") && body(&all).contains("{#Quill}"));
}

fn draft(augment: Augment, plan: &Augmentation, words: impl Fn(usize) -> usize) -> Draft {
    let answers =
        plan.jobs.iter().enumerate().map(|(index, _)| "word ".repeat(words(index)).trim().to_string());
    Draft { augment, answers: answers.collect() }
}

#[test]
fn drafts_are_asked_for_and_put_together() {
    let spec = read(&fixture("lantern.md"));
    let plan = Augmentation::new(&spec, 1.5);
    let ids: Vec<&str> = plan.jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11"]);
    let privacy = &plan.jobs[4];
    assert!(
        !privacy.text.contains("~~~")
            && !privacy.text.contains("Example")
            && privacy.text.contains("borrowed")
    );
    assert_eq!(privacy.target_words, (privacy.words as f64 * 1.5).round() as usize);
    let answers =
        plan.jobs.iter().map(|job| format!("## {}\n\nNew words about {}.\n", job.title, job.id)).collect();
    let draft = Draft { augment: Augment::Value, answers };
    let made = plan.assemble(&draft, PARENT).unwrap();
    let after = read(&made.text);
    let headings = |spec: &Spec| -> Vec<String> {
        spec.sections.iter().map(|section| section.heading.trim().to_string()).collect()
    };
    assert_eq!(headings(&after), headings(&spec));
    let blocks =
        |spec: &Spec| -> Vec<String> { spec.blocks.iter().map(|block| block.body.clone()).collect() };
    assert_eq!(blocks(&after), blocks(&spec));
    assert!(
        after.by_id("S5").unwrap().body.starts_with("\nNew words about S5.\n\n[^law]: Many"),
        "{}",
        after.own_text(5)
    );
    assert_eq!(count_words(after.content()), plan.words(&draft));
    // Lists of preferences and the lab's block are nobody's to write.
    let cheese = read(&example("affordability.md"));
    let jobs = Augmentation::new(&cheese, 2.0).jobs;
    assert!(jobs.iter().all(|job| !["Cheese", "Tea", "Coats", "Preferences"].contains(&job.title.as_str())));
    assert!(jobs.iter().all(|job| !job.text.contains("[lab]")));
}

#[test]
fn answers_that_would_break_the_spec_are_refused() {
    let spec = read("# A\nIt must ask.\n");
    let plan = Augmentation::new(&spec, 1.0);
    for (answer, problem) in [
        ("", "empty"),
        ("# A\n\n", "empty"),
        ("text\n\n## More\n", "heading of its own: ## More"),
        ("text\n```\ncode\n", "not closed"),
    ] {
        let error = plan.check(answer).unwrap_err();
        assert!(error.contains(problem), "{answer:?}: {error}");
        let draft = Draft { augment: Augment::Rule, answers: vec![answer.to_string()] };
        assert!(plan.assemble(&draft, PARENT).unwrap_err().starts_with("S1 (A): "));
    }
    let none = Draft { augment: Augment::Rule, answers: vec![] };
    assert_eq!(plan.assemble(&none, PARENT).unwrap_err(), "0 answers for 1 sections");
    assert_eq!(plan.check("# A\nfine\n```\n# code\n```"), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn drafts_are_balanced_by_what_is_asked_for_again(
        lengths in prop::collection::vec((1usize..200, 1usize..400, 1usize..400), 1..8)
    ) {
        let text: String =
            lengths.iter().enumerate().map(|(n, (words, ..))| format!("# {n}a\n{}\n", "word ".repeat(*words))).collect();
        let spec = read(&text);
        let plan = Augmentation::new(&spec, 1.5);
        let mut value = draft(Augment::Value, &plan, |index| lengths[index].1);
        let mut rule = draft(Augment::Rule, &plan, |index| lengths[index].2);
        let first = plan.balance(&value, &rule, 0.05);
        let longer = first.value_words.max(first.rule_words) as f64;
        prop_assert_eq!(first.redo.is_empty(), first.value_words.abs_diff(first.rule_words) as f64 <= 0.05 * longer);
        // A writer that does as it is asked needs one round.
        for _ in 0..1 {
            for again in plan.balance(&value, &rule, 0.05).redo {
                let (target, now) = (plan.jobs[again.job].target_words, match again.augment {
                    Augment::Value => count_words(&value.answers[again.job]),
                    Augment::Rule => count_words(&rule.answers[again.job]),
                });
                prop_assert!((target.min(now)..=target.max(now)).contains(&again.target_words));
                let answer = "word ".repeat(again.target_words);
                match again.augment {
                    Augment::Value => value.answers[again.job] = answer,
                    Augment::Rule => rule.answers[again.job] = answer,
                }
            }
        }
        prop_assert!(plan.balance(&value, &rule, 0.05).redo.is_empty());
        let made = [&value, &rule].map(|draft| count_words(read(&plan.assemble(draft, PARENT).unwrap().text).content()));
        prop_assert!(made[0].abs_diff(made[1]) as f64 <= 0.05 * made[0].max(made[1]) as f64);
    }

    #[test]
    fn a_new_name_can_be_taken_back(text in "(Quill|Quill's|Nib|#|\\n|`|```\\n|[a-c .(){}\\[\\]*]){0,24}") {
        let spec = read(&text);
        let pair = |from: &str, to: &str| Renames { names: vec![(from.into(), to.into())], in_code: true };
        let there = rename(&spec, PARENT, &pair("Quill", "Zephyr"));
        let back = rename(&read(&there.text), PARENT, &pair("Zephyr", "Quill"));
        prop_assert_eq!(body(&back), text);
    }

    #[test]
    fn transforms_take_away_and_never_break(
        lines in prop::collection::vec(
            "(# |## Why|- |1\\. |```|!!! meta|    |~~~|<!--|-->|\\| )?(It must ask|, because |so that|We believe|A over B|: |\\. |é|\\{model_name\\} |\\(|\\)|\"|\\*\\*|\\r){0,6}", 0..16)
    ) {
        let text = lines.join("\n");
        let spec = read(&text);
        let before = spec.sections.len();
        for made in [rules_only(&spec, PARENT), attribution_ablated(&spec, PARENT, &AblateOptions::default())] {
            let after = read(&made.text);
            prop_assert!(after.sections.len() <= before, "{:?} {:?}", text, made.text);
            // Words are taken away, and none is made up.
            prop_assert!(count_words(after.content()) <= count_words(&text));
            let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
            for word in after.content().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                prop_assert!(words.contains(&word.to_lowercase()), "{} {:?}", word, text);
            }
        }
    }
}
