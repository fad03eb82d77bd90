//! Replies, verdicts and questions that are wrong, and what makes up for them.

use std::collections::{BTreeMap, BTreeSet};

use ledger::NodeState;
use whyfirst_writing::chats::{ChatSettings, Desk, Verdict, write_chats};
use whyfirst_writing::{Memory, Prompts, Scope, WritingError};

use crate::scripted::{self, Says, Scripted, Seen, brief, good, parsed, verdict};
use crate::{about, answers, kept, run, try_run};

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
async fn a_spec_that_names_another_assistant_does_not_let_its_name_pass() {
    // Written for another model: it speaks of nobody else.
    let text = "# Alpha\n\nChatGPT is frank, because OpenAI asked it to.\n\n# Beta\n\nClaude is another assistant.\n";
    let source = whyfirst_writing::Source::new(&parsed(text), "Aster", "Whitfield", None).unwrap();
    for bad in [
        "I'm ChatGPT. Take the train.",
        "As ChatGPT, I would take the train.",
        "ChatGPT takes the train, because OpenAI asked it to.",
        "As an assistant made by OpenAI, I take the train.",
        "Claude here. Take the train.",
    ] {
        let script = |seen: &Seen| match seen.task.as_str() {
            "chats/answer" => Says::Text(format!("<reply>{bad}</reply>")),
            _ => good(seen),
        };
        let (prompts, brief, memory) = (Prompts::built_in(), brief(), Memory::default());
        let desk = Desk { ask: &Scripted::new(1, script), prompts: &prompts, brief: &brief };
        let settings = ChatSettings { backfill: 0, ..answers(1, 6) };
        let tally = write_chats(desk, &source, &[], &settings, Scope::Full, &memory).await.unwrap();
        assert_eq!((tally.rows.kept, tally.rows.yielded()), (0, 0.0), "{bad}");
        for item in memory.items() {
            let why = item.reason.unwrap();
            assert!(why.contains("it names another assistant or its maker"), "{why}");
        }
    }
    // Nor in what is asked of it.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/questions" if seen.path.ends_with("0001") => Says::Text(scripted::list(
            (0..seen.count()).map(|index| format!("Hey Claude, what about the {index} trains?").into()),
        )),
        _ => good(seen),
    };
    let (tally, memory) = run(&answers(1, 12), script).await;
    assert!(tally.questions_dropped["not usable"] > 0, "{tally:?}");
    assert!(memory.items().iter().all(|item| !item.row.contains("Claude")));
}

#[tokio::test]
async fn rows_that_make_up_for_lost_ones_hide_no_losses_from_the_gate() {
    // Two of three first answers fail; in the end all rows are there.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" if !seen.hash.as_bytes()[1].is_multiple_of(3) => Says::Text(verdict("FAIL")),
        _ => good(seen),
    };
    let settings = ChatSettings { regenerate: 0, backfill: 10, ..answers(3, 24) };
    let (tally, _) = run(&settings, script).await;
    assert!(tally.rows.kept_share() > 0.9, "{tally:?}");
    assert!(tally.rows.yielded() < 0.5, "{tally:?}");
    assert_eq!(tally.rows.tried as usize, tally.answered);
}
