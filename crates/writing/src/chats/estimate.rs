//! What a corpus of chats would take, before anything is sent.

use std::collections::BTreeMap;

use llm::{Role, tokens_in};

use crate::chats::plan;
use crate::chats::questions::{PER_CALL, SECTION_TOKENS, SPEC_TOKENS};
use crate::chats::settings::{ChatSettings, Mode};
use crate::chats::slots::questions_for;
use crate::{Estimate, Prompts, Source};

/// Tokens of a topic, a preference, a question, a choice in a list, about.
const ENTRY: u64 = 40;
/// Tokens of a reply, and of the reasoning before it, about.
const REPLY: u64 = 220;
const REASONING: u64 = 160;
/// Tokens of a pick, about.
const PICK: u64 = 20;
/// Tokens of a verdict, about.
const VERDICT: u64 = 60;
/// The part of replies that are written again or made up for, about.
const AGAIN: f64 = 0.12;

/// Calls and tokens of a corpus of chats: calls by the plan that would be made, sizes of prompts by the templates and the
/// spec's sections, a token a quarter of a text's bytes. `own_preferences` is how many the spec lists itself.
pub fn estimate(settings: &ChatSettings, source: &Source, own_preferences: usize) -> Estimate {
    let rows = settings.rows as u64;
    let template = |name: &str| Prompts::text(name).map_or(0, tokens_in);
    let spec = tokens_in(&source.shown(SPEC_TOKENS));
    let mut sum = Estimate { rows, ..Estimate::default() };
    let written = rows + (rows as f64 * AGAIN).ceil() as u64;
    // Calls that list `count` things, by how many there are of the same size.
    let mut lists: BTreeMap<usize, u64> = BTreeMap::new();
    let (task, of_list, answer, filter) = match settings.mode {
        Mode::Answers { topics, reasoning, .. } => {
            let calls = topics.div_ceil(PER_CALL).max(1) as u64;
            sum.add(Role::Planner, calls, template("chats-topics") + spec, ENTRY * topics as u64 / calls);
            let plan = plan::answers(topics, settings.rows);
            for slot in plan.slots.iter().filter(|slot| slot.wanted > 0) {
                *lists.entry(questions_for(slot.wanted, 0, 0)).or_insert(0) += 1;
            }
            let sections =
                (tokens_in(&source.text) / topics.max(1) as u64 * 2).clamp(200, SECTION_TOKENS as u64);
            let text = if reasoning { REPLY + REASONING } else { REPLY };
            let answer = ("chats-answer", sections, text);
            ("chats-questions", sections, answer, ("chats-filter", sections + text + ENTRY))
        }
        Mode::Preferences { count } => {
            let preferences = if own_preferences > 0 { own_preferences } else { count };
            if own_preferences == 0 {
                let calls = count.div_ceil(PER_CALL).max(1) as u64;
                let read = template("chats-preferences") + spec + SECTION_TOKENS as u64 / 2;
                sum.add(Role::Planner, calls, read, ENTRY * count as u64 / calls);
            }
            let plan = plan::choices(preferences, settings.rows);
            for group in &plan.groups {
                let most = plan.slots[group.slots.clone()].iter().map(|slot| slot.wanted).max().unwrap_or(0);
                if most > 0 {
                    *lists.entry(2 * questions_for(most, 0, 0)).or_insert(0) += 1;
                }
            }
            ("chats-choices", 0, ("chats-pick", 0, PICK), ("chats-pick-filter", PICK + ENTRY))
        }
    };
    for (count, groups) in lists {
        let calls = count.div_ceil(PER_CALL) as u64;
        let entries = ENTRY * count as u64;
        // Every part shows what is there already.
        sum.add(
            Role::Planner,
            groups * calls,
            template(task) + of_list + entries * (calls - 1) / (2 * calls),
            entries / calls,
        );
    }
    let (task, shown, text) = answer;
    sum.add(Role::Writer, written, template(task) + shown + ENTRY, text);
    if settings.critic {
        sum.add(Role::Critic, written, template(filter.0) + filter.1, VERDICT);
    }
    sum
}
