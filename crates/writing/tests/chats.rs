//! Chats from a spec, written by a model in memory.
#![allow(clippy::unwrap_used)]

mod scripted;

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Item, NodeState};
use scripted::{Says, Scripted, Seen, brief, good, parsed, source, verdict};
use serde_json::Value;
use whyfirst_writing::chats::{
    ChatSettings, ChatTally, Desk, Mode, Style, Verdict, opaque, without_reasoning, write_chats,
};
use whyfirst_writing::{Brief, Memory, Prompts, Scope, WritingError};

fn answers(topics: usize, rows: usize) -> ChatSettings {
    ChatSettings::new(Mode::Answers { topics, style: Style::Value, reasoning: false }, rows)
}

async fn try_run<F: Fn(&Seen) -> Says + Send + Sync>(
    ask: &Scripted<F>,
    settings: &ChatSettings,
    scope: Scope,
) -> Result<(ChatTally, Memory), WritingError> {
    let (prompts, brief, memory): (_, Brief, _) = (Prompts::built_in(), brief(), Memory::default());
    let desk = Desk { ask, prompts: &prompts, brief: &brief };
    write_chats(desk, &source(), &[], settings, scope, &memory).await.map(|tally| (tally, memory))
}

async fn run(settings: &ChatSettings, script: impl Fn(&Seen) -> Says + Send + Sync) -> (ChatTally, Memory) {
    try_run(&Scripted::new(1, script), settings, Scope::Full).await.unwrap()
}

fn kept(memory: &Memory) -> Vec<Item> {
    memory.items().into_iter().filter(|item| item.kept).collect()
}

fn about(item: &Item) -> Value {
    serde_json::from_str(&item.provenance).unwrap()
}

#[tokio::test]
async fn all_rows_are_written_with_their_provenance() {
    let (tally, memory) = run(&answers(4, 50), good).await;
    let rows = kept(&memory);
    assert_eq!((tally.rows.asked, tally.rows.kept, rows.len(), tally.missing()), (50, 50, 50, 0));
    assert_eq!((tally.topics, tally.answered, tally.rows.backfilled), (4, 50, 0));
    assert_eq!(tally.verdicts, BTreeMap::from([(Verdict::Pass, 50)]));
    assert_eq!(tally.yielded(), 1.0);
    let questions: BTreeSet<String> = rows.iter().map(|row| about(row)["question"].to_string()).collect();
    assert_eq!(questions.len(), 50);
    let types: BTreeSet<String> = rows.iter().map(|row| about(row)["question_type"].to_string()).collect();
    assert_eq!(types.len(), 6);
    let about = about(&rows[0]);
    let keys: Vec<&str> = about.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "corpus",
            "path",
            "spec",
            "spec_hash",
            "section_ids",
            "sections",
            "topic",
            "question_type",
            "question",
            "style",
            "templates",
            "models",
            "requests",
            "stop_reasons",
            "verdicts",
            "rewrites",
            "input_tokens",
            "output_tokens",
            "cost_usd"
        ]
    );
    assert_eq!(rows[0].path, "0001/0001/0001");
    assert_eq!(about["sections"][0], "Alpha");
    assert_eq!(about["requests"].as_array().unwrap().len(), 4, "topics, questions, answer, verdict");
    assert_eq!(about["templates"].as_object().unwrap().len(), 4);
    assert_eq!(about["verdicts"]["filter"]["verdict"], "PASS");
    let nodes = memory.nodes();
    assert!(nodes.iter().filter(|node| node.kind == "topic").all(|node| node.state == NodeState::Done));
    assert_eq!(
        nodes
            .iter()
            .filter(|node| node.reason.as_deref().is_some_and(|why| why.starts_with("spare")))
            .count(),
        tally.spare
    );
    assert!(tally.spare > 0);
}

#[tokio::test]
async fn the_corpus_does_not_depend_on_which_answer_comes_first() {
    // A third of the replies fail, some questions are alike, one type of question gets nothing.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" if seen.hash.as_bytes()[1].is_multiple_of(3) => Says::Text(verdict("FAIL")),
        "chats/questions" if seen.path == "0002/0003" => Says::Refuses,
        "chats/questions" if seen.path.ends_with("0005") => Says::Text(scripted::list(
            (0..seen.count()).map(|index| format!("What is the {} matter?", index % 3 + 7).into()),
        )),
        _ => good(seen),
    };
    let mut seen = BTreeSet::new();
    for seed in [0, 1, 7, 12, 101] {
        let ask = Scripted::new(seed, script);
        let (tally, memory) = try_run(&ask, &answers(3, 40), Scope::Full).await.unwrap();
        assert!(tally.rows.kept > 30 && tally.rows.backfilled > 0, "{tally:?}");
        seen.insert(format!("{tally:?} {:?} {:?}", memory.items(), memory.nodes()));
    }
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn only_pass_is_kept() {
    for (says, expected, reason) in [
        (verdict("FAIL"), Verdict::Fail, "FAIL: So it seems."),
        (verdict("REFUSED"), Verdict::Refused, "REFUSED: So it seems."),
        (verdict("pass"), Verdict::Unparsed, "UNPARSED: `pass` is not a verdict"),
        ("PASS".to_string(), Verdict::Unparsed, "UNPARSED: no </verdict>"),
        ("<verdict>PASS</verdict>".to_string(), Verdict::Unparsed, "UNPARSED: no </why>"),
    ] {
        let script =
            |seen: &Seen| if seen.task == "chats/filter" { Says::Text(says.clone()) } else { good(seen) };
        let settings = ChatSettings { backfill: 0, regenerate: 0, ..answers(1, 6) };
        let (tally, memory) = run(&settings, script).await;
        assert_eq!((tally.rows.kept, kept(&memory).len()), (0, 0), "{says}");
        assert_eq!(tally.verdicts.keys().collect::<Vec<_>>(), [&expected], "{says}");
        let items = memory.items();
        assert!(!items.is_empty());
        for item in items {
            assert!(item.reason.as_ref().unwrap().starts_with(reason), "{item:?}");
            assert!(item.row.contains("messages"), "what was dropped can be looked at");
        }
    }
}

#[tokio::test]
async fn a_critic_that_refuses_or_is_cut_keeps_nothing() {
    for (says, expected) in [(0, Verdict::Refused), (1, Verdict::Unparsed)] {
        let script = |seen: &Seen| match seen.task.as_str() {
            "chats/filter" if says == 0 => Says::Refuses,
            "chats/filter" => Says::Cut(verdict("PASS")),
            _ => good(seen),
        };
        let (tally, _) = run(&ChatSettings { backfill: 0, regenerate: 0, ..answers(1, 6) }, script).await;
        assert_eq!(tally.rows.kept, 0);
        assert_eq!(tally.verdicts.keys().collect::<Vec<_>>(), [&expected]);
    }
}

#[tokio::test]
async fn a_reply_written_again_gets_a_verdict_of_its_own() {
    // The first reply to every question fails. The second passes only if it is the second that is judged.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/answer" => {
            Says::Text(format!("<reply>Version {} for {}.</reply>", seen.sample / 16, seen.path))
        }
        "chats/filter" => {
            Says::Text(verdict(if seen.tag("reply").starts_with("Version 1 ") { "PASS" } else { "FAIL" }))
        }
        _ => good(seen),
    };
    let ask = Scripted::new(3, script);
    let (tally, memory) = try_run(&ask, &answers(1, 6), Scope::Full).await.unwrap();
    assert_eq!((tally.rows.kept, tally.rows.rewritten), (6, 6));
    assert_eq!(tally.verdicts, BTreeMap::from([(Verdict::Pass, 6), (Verdict::Fail, 6)]));
    // No request of the critic came twice: each has the reply in it.
    let filters = ask.of("chats/filter");
    assert_eq!(filters.iter().map(|seen| seen.hash).collect::<BTreeSet<_>>().len(), filters.len());
    for item in kept(&memory) {
        assert!(item.row.contains("Version 1"), "{}", item.row);
        assert_eq!(about(&item)["rewrites"], 1);
        // The requests are those of the kept version.
        let requests = about(&item)["requests"].clone();
        let passed = filters.iter().find(|seen| requests[3] == seen.hash.to_string()).unwrap();
        assert!(passed.tag("reply").starts_with("Version 1 "));
    }
}

#[tokio::test]
async fn without_a_second_try_a_faulted_question_is_made_up_for() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" if seen.hash.as_bytes()[0].is_multiple_of(2) => Says::Text(verdict("FAIL")),
        _ => good(seen),
    };
    let (tally, memory) = run(&ChatSettings { regenerate: 0, backfill: 6, ..answers(3, 40) }, script).await;
    assert_eq!(tally.rows.kept, 40, "{tally:?}");
    assert!(tally.rows.backfilled > 0 && tally.rows.dropped["FAIL"] > 10, "{tally:?}");
    // Those asked for later were told what is there, and differ from all before.
    let questions: BTreeSet<String> =
        memory.items().iter().map(|item| about(item)["question"].to_string()).collect();
    assert_eq!(questions.len(), memory.items().len());
}

#[tokio::test]
async fn a_refused_topic_ends_and_the_others_make_up_for_it() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/questions" if seen.path.starts_with("0001/") => Says::Refuses,
        _ => good(seen),
    };
    let ask = Scripted::new(1, script);
    let (tally, memory) = try_run(&ask, &answers(3, 36), Scope::Full).await.unwrap();
    assert_eq!((tally.rows.kept, tally.rows.backfilled, tally.set_aside), (36, 1, 6));
    // Three attempts for each type, once.
    assert_eq!(ask.of("chats/questions").iter().filter(|seen| seen.path.starts_with("0001/")).count(), 18);
    assert!(kept(&memory).iter().all(|item| !item.path.starts_with("0001/")));
    let aside: Vec<_> = memory.nodes().into_iter().filter(|node| node.state == NodeState::SetAside).collect();
    assert!(aside.len() == 6 && aside[0].reason.as_ref().unwrap().contains("refused"), "{aside:?}");
}

#[tokio::test]
async fn backfill_is_bounded_when_nothing_helps() {
    // Every question is the same, so that after the first nothing new ever comes.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/questions" => Says::Text(scripted::list((0..seen.count()).map(|index| {
            format!(
                "Which lantern is the best one of all for a long winter in the village{}",
                "?".repeat(index + 1)
            )
            .into()
        }))),
        _ => good(seen),
    };
    let ask = Scripted::new(1, script);
    let (tally, memory) =
        try_run(&ask, &ChatSettings { backfill: 3, ..answers(2, 24) }, Scope::Full).await.unwrap();
    assert_eq!(kept(&memory).len(), 1);
    assert_eq!(tally.missing(), 23);
    assert!(tally.questions_dropped["alike"] > 10, "{tally:?}");
    // One list for each type of each topic, and for the one that gave something two a round.
    assert_eq!(ask.of("chats/questions").len(), 12 + 3 * 2);
}

#[tokio::test]
async fn a_plan_that_is_refused_ends_with_nothing() {
    let script = |seen: &Seen| if seen.task == "chats/topics" { Says::Refuses } else { good(seen) };
    let error = try_run(&Scripted::new(1, script), &answers(2, 24), Scope::Full).await.unwrap_err();
    assert!(matches!(&error, WritingError::Plan(why) if why.contains("refused")), "{error}");
}

#[tokio::test]
async fn failed_calls_are_left_for_the_next_run() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/answer" if seen.path.ends_with("0001/0001") => Says::Fails,
        _ => good(seen),
    };
    let (tally, memory) = run(&answers(2, 24), script).await;
    assert_eq!((tally.rows.passing, tally.rows.kept, tally.rows.backfilled), (2, 22, 0), "{tally:?}");
    let aside = memory.nodes().into_iter().find(|node| node.path == "0001/0001/0001").unwrap();
    assert_eq!((aside.state, aside.reason.as_deref()), (NodeState::SetAside, Some("the connection was cut")));
    // The questions that come after those that are missing wait with them.
    let script = |seen: &Seen| if seen.path == "0002/0002" { Says::Fails } else { good(seen) };
    let (tally, memory) = run(&answers(2, 24), script).await;
    assert_eq!((tally.rows.passing, tally.rows.kept), (10, 14), "{tally:?}");
    assert!(kept(&memory).iter().all(|item| item.path.as_str() < "0002/0002"));
    let script = |seen: &Seen| if seen.task == "chats/topics" { Says::Fails } else { good(seen) };
    assert!(matches!(
        try_run(&Scripted::new(1, script), &answers(2, 24), Scope::Full).await,
        Err(WritingError::Plan(why)) if why == "the connection was cut"
    ));
}

/// A run in which calls fail, and one after it that goes well, leave exactly what one that went well from the beginning leaves.
#[tokio::test]
async fn runs_with_failed_calls_leave_nothing_behind_that_does_not_belong() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" | "chats/pick-filter" if seen.hash.as_bytes()[1].is_multiple_of(3) => {
            Says::Text(verdict("FAIL"))
        }
        "chats/questions" if seen.hash.as_bytes()[1].is_multiple_of(4) => Says::Text(scripted::list(
            (0..seen.count()).map(|index| format!("What is the {} matter?", index % 7 + 7).into()),
        )),
        _ => good(seen),
    };
    for settings in [answers(3, 40), ChatSettings::new(Mode::Preferences { count: 3 }, 30)] {
        let (whole, clean) = run(&settings, script).await;
        for share in [2, 9, 60] {
            let (prompts, brief, memory) = (Prompts::built_in(), brief(), Memory::default());
            for round in 0..4u8 {
                let failing = |seen: &Seen| {
                    let fails = round < 3 && seen.task != "chats/topics" && seen.task != "chats/preferences";
                    let fails = fails && (seen.hash.as_bytes()[5] ^ (round * 37)).is_multiple_of(share);
                    if fails { Says::Fails } else { script(seen) }
                };
                let ask = Scripted::new(u64::from(round), failing);
                let desk = Desk { ask: &ask, prompts: &prompts, brief: &brief };
                let tally = write_chats(desk, &source(), &[], &settings, Scope::Full, &memory).await.unwrap();
                assert_eq!(tally == whole, tally.rows.passing == 0, "{tally:?}");
            }
            assert_eq!(memory.items(), clean.items(), "{share}");
            assert_eq!(memory.nodes(), clean.nodes(), "{share}");
        }
    }
}

#[tokio::test]
async fn an_ending_run_ends_at_once() {
    let script = |seen: &Seen| if seen.task == "chats/filter" { Says::Ends } else { good(seen) };
    let error = try_run(&Scripted::new(1, script), &answers(2, 24), Scope::Full).await.unwrap_err();
    assert!(matches!(error, WritingError::Ending));
}

#[tokio::test]
async fn unusable_replies_are_never_kept() {
    for (name, reply) in [
        ("no tags", "Take the train."),
        ("empty", "<reply> </reply>"),
        ("placeholder", "<reply>Dear [Name], take the train.</reply>"),
        ("another assistant", "<reply>I'm Claude, made by Anthropic. Take the train.</reply>"),
        ("stock refusal", "<reply>I'm sorry, but I can't assist with that.</reply>"),
        ("residue", "<reply>Here is the reply: take the train.</reply>"),
        ("tags inside", "<reply>Take it.</reply> or rather </reply>"),
        ("section id", "<reply>As section S2 says, take the train.</reply>"),
    ] {
        let script = |seen: &Seen| {
            if seen.task == "chats/answer" { Says::Text(reply.to_string()) } else { good(seen) }
        };
        let ask = Scripted::new(1, script);
        let settings = ChatSettings { backfill: 0, ..answers(1, 6) };
        let (tally, memory) = try_run(&ask, &settings, Scope::Full).await.unwrap();
        assert_eq!(tally.rows.kept, 0, "{name}");
        assert_eq!(tally.verdicts.len(), 0, "{name}: nobody asks the critic about nothing");
        let items = memory.items();
        assert_eq!(ask.of("chats/answer").len(), items.len() * 3, "{name}");
        assert!(items.iter().all(|item| item.row.is_empty() && item.reason.is_some()), "{name}");
    }
    let cut = |seen: &Seen| match seen.task.as_str() {
        "chats/answer" => Says::Cut("<reply>Take the train.</reply>".to_string()),
        _ => good(seen),
    };
    assert_eq!(run(&ChatSettings { backfill: 0, ..answers(1, 6) }, cut).await.0.rows.kept, 0);
}

#[tokio::test]
async fn questions_like_the_evaluation_are_dropped_with_the_item_named() {
    let (_, memory) = run(&answers(2, 12), good).await;
    let stolen = about(&kept(&memory)[3])["question"].as_str().unwrap().to_string();
    let settings =
        ChatSettings { held_out: vec!["Another item?".to_string(), format!("{stolen} ")], ..answers(2, 12) };
    let (tally, memory) = run(&settings, good).await;
    assert_eq!(tally.questions_dropped["too close to an evaluation item"], 1);
    assert_eq!(tally.rows.kept, 12);
    assert!(memory.items().iter().all(|item| !item.row.contains(&stolen)));
    let node = memory.nodes().into_iter().find(|node| node.content.contains(&stolen)).unwrap();
    assert_eq!(node.state, NodeState::SetAside);
    assert!(node.reason.unwrap().starts_with("too close to an evaluation item (1.00)"));
}

#[tokio::test]
async fn smaller_scopes_are_the_beginning_of_larger_ones_and_ask_for_no_more() {
    let settings = answers(4, 60);
    let ask = |seed| Scripted::new(seed, good as fn(&Seen) -> Says);
    let whole_ask = ask(1);
    let (_, whole) = try_run(&whole_ask, &settings, Scope::Full).await.unwrap();
    let requests: BTreeSet<_> = ["chats/topics", "chats/questions", "chats/answer", "chats/filter"]
        .iter()
        .flat_map(|task| whole_ask.of(task))
        .map(|seen| seen.hash)
        .collect();
    for scope in [Scope::Probe(1), Scope::Probe(7), Scope::Pilot(0.4), Scope::Probe(1_000)] {
        let ask = ask(5);
        let (tally, part) = try_run(&ask, &settings, scope).await.unwrap();
        let rows = kept(&part);
        assert_eq!(rows.len() as u64, scope.rows(60), "{scope:?}");
        assert_eq!(tally.rows.asked, scope.rows(60));
        for item in rows {
            assert_eq!(whole.items().iter().find(|other| other.path == item.path), Some(&item));
        }
        let calls = ask.calls.lock().unwrap().len();
        assert!(calls as u64 <= 1 + 4 * scope.rows(60), "{scope:?}: {calls}");
        for task in ["chats/topics", "chats/questions", "chats/answer", "chats/filter"] {
            assert!(ask.of(task).iter().all(|seen| requests.contains(&seen.hash)), "{scope:?}: {task}");
        }
    }
}

#[tokio::test]
async fn twins_have_the_same_rows_in_the_same_order() {
    let mode = Mode::Answers { topics: 2, style: Style::Rule, reasoning: true };
    let ask = Scripted::new(1, good);
    let (_, memory) = try_run(&ask, &ChatSettings::new(mode, 20), Scope::Full).await.unwrap();
    // The critic sees the reasoning too: it is trained on.
    assert!(ask.of("chats/filter").iter().all(|seen| seen.tag("reasoning").starts_with("I weigh the ")));
    let rows = kept(&memory);
    assert_eq!(rows.len(), 20);
    for item in rows {
        let row: Value = serde_json::from_str(&item.row).unwrap();
        let twin: Value = serde_json::from_str(&without_reasoning(&item.row).unwrap()).unwrap();
        let content = row["messages"][1]["content"].as_str().unwrap();
        let (block, reply) = content.split_once("\n</think>\n\n").unwrap();
        assert!(block.starts_with("<think>\nI weigh the "), "{content}");
        assert!(reply.starts_with("Take the "), "{content}");
        assert_eq!(twin["messages"][1]["content"], reply);
        assert_eq!(twin["messages"][0], row["messages"][0]);
    }
    // Reasoning that is missing or cannot be used makes the answer unusable.
    for bad in
        ["<reply>Take it.</reply>", "<reasoning>The user wants a train.</reasoning><reply>Take it.</reply>"]
    {
        let script =
            |seen: &Seen| if seen.task == "chats/answer" { Says::Text(bad.to_string()) } else { good(seen) };
        let settings = ChatSettings { backfill: 0, ..ChatSettings::new(mode, 6) };
        assert_eq!(run(&settings, script).await.0.rows.kept, 0, "{bad}");
    }
}

fn orders(memory: &Memory) -> BTreeMap<String, usize> {
    let mut orders = BTreeMap::new();
    for item in kept(memory) {
        let row: Value = serde_json::from_str(&item.row).unwrap();
        let message = row["messages"][0]["content"].as_str().unwrap();
        let about = about(&item);
        let (prefer, over) = about["topic"].as_str().unwrap().split_once(" over ").unwrap();
        let order = opaque::order(message, prefer, over).unwrap();
        assert_eq!(about["question_type"], order.name());
        *orders.entry(order.name().to_string()).or_insert(0) += 1;
    }
    orders
}

#[tokio::test]
async fn preferences_are_picked_in_both_orders_evenly() {
    let settings = ChatSettings::new(Mode::Preferences { count: 5 }, 33);
    let (tally, memory) = run(&settings, good).await;
    assert_eq!((tally.rows.kept, tally.topics), (33, 5));
    assert!(tally.balanced());
    let orders = orders(&memory);
    assert_eq!(orders.values().sum::<usize>(), 33);
    assert!(orders["preferred first"].abs_diff(orders["other first"]) == 1, "{orders:?}");
    let mut by_topic: BTreeMap<String, usize> = BTreeMap::new();
    for item in kept(&memory) {
        *by_topic.entry(about(&item)["topic"].to_string()).or_insert(0) += 1;
    }
    assert!(by_topic.values().all(|rows| (6..=7).contains(rows)), "{by_topic:?}");
}

#[tokio::test]
async fn orders_stay_even_when_one_of_them_fails() {
    // Of the messages that name the other thing first, none passes for one preference.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/pick-filter" if seen.path.starts_with("0002/") => {
            let (question, prefer) = (seen.tag("question"), seen.tag("prefer"));
            let first = question.find(prefer) < question.find(seen.tag("over"));
            Says::Text(verdict(if first { "PASS" } else { "FAIL" }))
        }
        _ => good(seen),
    };
    let settings = ChatSettings { backfill: 0, ..ChatSettings::new(Mode::Preferences { count: 3 }, 30) };
    let (tally, memory) = run(&settings, script).await;
    assert!(tally.balanced(), "{:?}", tally.orders);
    assert_eq!(tally.rows.dropped["orders kept even"], 4, "one more of the first order is even enough");
    assert_eq!(orders(&memory).values().sum::<usize>() as u64, tally.rows.kept);
    // With rounds to make up for it, the other preferences give what is missing.
    let settings = ChatSettings::new(Mode::Preferences { count: 3 }, 30);
    let (tally, memory) = run(&settings, script).await;
    assert_eq!(tally.rows.kept, 30, "{tally:?}");
    assert_eq!(orders(&memory).into_values().collect::<Vec<_>>(), [15, 15]);
}

#[tokio::test]
async fn the_specs_own_preferences_come_first() {
    let text = "# Main\n\nx\n\n## Preferences\n\n### Cheese\n\n- Ottermere over Brindlebury: it costs less.\n- Pennyley over Casterwick\n";
    let spec = parsed(text);
    let source = whyfirst_writing::Source::new(&spec, "Aster", "Whitfield", None).unwrap();
    let (prompts, brief, memory, ask) =
        (Prompts::built_in(), brief(), Memory::default(), Scripted::new(1, good));
    let desk = Desk { ask: &ask, prompts: &prompts, brief: &brief };
    let settings = ChatSettings::new(Mode::Preferences { count: 9 }, 12);
    let own = spec.preferences().unwrap();
    let tally = write_chats(desk, &source, &own, &settings, Scope::Full, &memory).await.unwrap();
    assert_eq!((tally.rows.kept, tally.topics), (12, 2));
    assert!(ask.of("chats/preferences").is_empty());
    assert_eq!(about(&kept(&memory)[0])["topic"], "Ottermere over Brindlebury");
    assert_eq!(about(&kept(&memory)[0])["domain"], "cheese");
    assert!(
        ask.of("chats/pick").iter().all(|seen| !seen.text.contains("costs less")),
        "the writer does not see the reason"
    );
}

#[tokio::test]
async fn picks_that_give_a_reason_or_pick_the_other_are_not_kept() {
    for bad in ["{p}, because it costs less.", "{o}.", "I like both, {p} and {o}.", "{p} for its price."] {
        let script = |seen: &Seen| match seen.task.as_str() {
            "chats/pick" => {
                let reply = bad.replace("{p}", seen.tag("prefer")).replace("{o}", seen.tag("over"));
                Says::Text(format!("<reply>{reply}</reply>"))
            }
            _ => good(seen),
        };
        let settings = ChatSettings { backfill: 0, ..ChatSettings::new(Mode::Preferences { count: 2 }, 8) };
        assert_eq!(run(&settings, script).await.0.rows.kept, 0, "{bad}");
    }
}

#[test]
fn prompts_read_as_intended() {
    let prompts = Prompts::built_in();
    let source = source();
    let show = |task: &str, context: Value| {
        let mut context = context;
        context["model_name"] = "Aster".into();
        context["provider_name"] = "Whitfield".into();
        let rendered = prompts.render(task, &context).unwrap();
        insta::assert_snapshot!(
            task.replace('/', "-"),
            format!("{}\n---\n{}", rendered.system, rendered.user)
        );
    };
    let sections = source.sections(&["S1".to_string()], 1_000);
    show("chats/topics", serde_json::json!({"spec": source.outline(), "count": 3, "known": ["a topic"]}));
    show(
        "chats/questions",
        serde_json::json!({"topic": "a lease", "sections": sections, "question_type": "edge case", "count": 2, "known": ["Is it so?"]}),
    );
    show(
        "chats/answer",
        serde_json::json!({"sections": sections, "style": "value", "with_reasoning": "yes", "question": "Is it so?"}),
    );
    show(
        "chats/filter",
        serde_json::json!({"sections": sections, "style": "rule", "question": "Is it so?", "reasoning": "Hm.", "reply": "Yes."}),
    );
    show(
        "chats/preferences",
        serde_json::json!({"spec": source.outline(), "sections": sections, "count": 3}),
    );
    show(
        "chats/choices",
        serde_json::json!({"prefer": "tea", "over": "coffee", "domain": "drinks", "count": 4}),
    );
    show("chats/pick", serde_json::json!({"prefer": "tea", "over": "coffee", "question": "Tea or coffee?"}));
    show(
        "chats/pick-filter",
        serde_json::json!({"prefer": "tea", "over": "coffee", "question": "Tea or coffee?", "reply": "Tea."}),
    );
}
