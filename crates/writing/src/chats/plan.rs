//! The plan of a corpus of chats: groups of questions, and the slots that their rows are counted by.

use std::collections::BTreeSet;

use crate::chats::opaque::Order;
use crate::chats::settings::QUESTION_TYPES;
use crate::chats::slots::{Slot, shares};

/// A topic of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// What it is, in a few words.
    pub topic: String,
    /// The sections that decide the reply.
    pub sections: Vec<String>,
}

/// One thing over another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preference {
    /// What is preferred.
    pub prefer: String,
    /// To what.
    pub over: String,
    /// What both are.
    pub domain: String,
}

/// What the questions of a group are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A topic, asked about in one of the six ways.
    Topic(usize, &'static str),
    /// A preference, offered in both orders.
    Preference(usize),
}

/// Questions that are asked for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its place in the plan.
    pub path: String,
    /// What the questions are about.
    pub subject: Subject,
    /// Its slots: one, or one for each order.
    pub slots: std::ops::Range<usize>,
}

/// Groups and slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub groups: Vec<Group>,
    pub slots: Vec<Slot>,
    /// The group of every slot.
    pub group_of: Vec<usize>,
    /// What closes together: the slots of a topic, or of a preference.
    pub topic_of: Vec<usize>,
    /// What must stay balanced: the orders.
    pub class_of: Vec<usize>,
}

/// The place of a topic or preference, counted from 0, in text order.
pub(crate) fn topic_path(index: usize) -> String {
    format!("{:04}", index + 1)
}

/// The plan for rows about topics: a group and a slot for each topic and type of question.
pub(crate) fn answers(topics: usize, rows: usize) -> Plan {
    let kinds = QUESTION_TYPES.len();
    // Where there are fewer rows than slots, neighbouring topics take turns in the types that they are asked about.
    let even = shares(rows, topics * kinds);
    let wanted = |topic: usize, kind: usize| even[topic * kinds + (kind + topic) % kinds];
    let mut plan = Plan::empty();
    for topic in 0..topics {
        for (kind, name) in QUESTION_TYPES.iter().copied().enumerate() {
            let path = format!("{}/{:04}", topic_path(topic), kind + 1);
            plan.group(path, Subject::Topic(topic, name), topic, &[(wanted(topic, kind), 0)]);
        }
    }
    plan
}

/// The plan for opaque choices: a group for each preference, a slot for each order; half of all rows have either order.
pub(crate) fn choices(preferences: usize, rows: usize) -> Plan {
    let mut plan = Plan::empty();
    let mut odd = 0;
    for (index, rows) in shares(rows, preferences).into_iter().enumerate() {
        // The odd row of a preference goes to either order in turn.
        odd += rows % 2;
        let first = rows / 2 + if odd % 2 == 1 { rows % 2 } else { 0 };
        let owed = [(first, Order::PreferredFirst as usize), (rows - first, Order::OtherFirst as usize)];
        plan.group(topic_path(index), Subject::Preference(index), index, &owed);
    }
    plan
}

impl Plan {
    fn empty() -> Plan {
        Plan {
            groups: Vec::new(),
            slots: Vec::new(),
            group_of: Vec::new(),
            topic_of: Vec::new(),
            class_of: Vec::new(),
        }
    }

    fn group(&mut self, path: String, subject: Subject, topic: usize, owed: &[(usize, usize)]) {
        let start = self.slots.len();
        for (wanted, class) in owed {
            self.slots.push(Slot::owing(*wanted));
            self.group_of.push(self.groups.len());
            self.topic_of.push(topic);
            self.class_of.push(*class);
        }
        self.groups.push(Group { path, subject, slots: start..self.slots.len() });
    }

    /// The first `rows` rows of the plan, and nothing after them.
    pub(crate) fn limit(&mut self, rows: usize) {
        let mut left = rows;
        for slot in &mut self.slots {
            slot.wanted = slot.wanted.min(left);
            left -= slot.wanted;
        }
    }
}

/// What is wrong with a list of preferences, if anything: names that are empty, too long, equal, or used twice.
pub(crate) fn preferences_fault(list: &[Preference]) -> Option<String> {
    let mut seen = BTreeSet::new();
    for preference in list {
        for name in [&preference.prefer, &preference.over] {
            let words = name.split_whitespace().count();
            if words == 0 || words > 6 || name.contains(['\n', '"', ',']) {
                return Some(format!("`{name}` is not a name of 1 to 6 words"));
            }
            if !seen.insert(name.to_lowercase()) {
                return Some(format!("`{name}` occurs twice"));
            }
        }
        if preference.domain.trim().is_empty() {
            return Some(format!("`{}` has no domain", preference.prefer));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_class(plan: &Plan, class: usize) -> usize {
        plan.slots
            .iter()
            .zip(&plan.class_of)
            .filter(|(_, of)| **of == class)
            .map(|(slot, _)| slot.wanted)
            .sum()
    }

    #[test]
    fn few_rows_are_spread_over_topics_and_types() {
        let plan = answers(10, 30);
        let mut of_type = [0; 6];
        let mut of_topic = [0; 10];
        for (index, slot) in plan.slots.iter().enumerate() {
            of_type[index % 6] += slot.wanted;
            of_topic[plan.topic_of[index]] += slot.wanted;
        }
        assert_eq!(of_topic, [3; 10]);
        assert_eq!(of_type, [5; 6]);
        assert_eq!(plan.groups[7].path, "0002/0002");
        assert_eq!(plan.groups[7].subject, Subject::Topic(1, "indirect"));
    }

    proptest! {
        #[test]
        fn orders_are_even(preferences in 1usize..40, rows in 0usize..500) {
            let plan = choices(preferences, rows);
            let (first, second) = (by_class(&plan, 0), by_class(&plan, 1));
            prop_assert_eq!(first + second, rows);
            prop_assert!(first.abs_diff(second) <= 1);
            for group in &plan.groups {
                let slots = &plan.slots[group.slots.clone()];
                prop_assert!(slots[0].wanted.abs_diff(slots[1].wanted) <= 1);
            }
        }

        #[test]
        fn a_limited_plan_is_the_beginning_of_the_whole(topics in 1usize..20, rows in 0usize..200, limit in 0usize..250) {
            let whole = answers(topics, rows);
            let mut part = whole.clone();
            part.limit(limit);
            prop_assert_eq!(part.slots.iter().map(|slot| slot.wanted).sum::<usize>(), rows.min(limit));
            let first_cut = part.slots.iter().zip(&whole.slots).position(|(part, whole)| part != whole);
            if let Some(first_cut) = first_cut {
                prop_assert!(part.slots[first_cut + 1..].iter().all(|slot| slot.wanted == 0));
            }
        }
    }
}
