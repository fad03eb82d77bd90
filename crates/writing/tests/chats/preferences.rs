//! Opaque choices, in both orders evenly.

use std::collections::BTreeMap;

use serde_json::Value;
use whyfirst_writing::chats::{ChatSettings, Desk, Mode, opaque, write_chats};
use whyfirst_writing::{Memory, Prompts, Scope};

use crate::scripted::{Says, Scripted, Seen, brief, good, parsed, verdict};
use crate::{about, kept, run};

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
