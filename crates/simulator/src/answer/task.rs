//! The tasks that prompts name in their first line.

use crate::wire::Asked;

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Domains,
    Subdomains,
    Assertions,
    Types,
    Ideas,
    Write,
    Critique,
    Rewrite,
    Topics,
    Questions,
    Answer,
    Filter,
    Preferences,
    Choices,
    Pick,
    PickFilter,
    Conflict,
    ValueAugment,
    RuleAugment,
}

const NAMES: [(Task, &str); 19] = [
    (Task::Domains, "documents/domains"),
    (Task::Subdomains, "documents/subdomains"),
    (Task::Assertions, "documents/assertions"),
    (Task::Types, "documents/types"),
    (Task::Ideas, "documents/ideas"),
    (Task::Write, "documents/write"),
    (Task::Critique, "documents/critique"),
    (Task::Rewrite, "documents/rewrite"),
    (Task::Topics, "chats/topics"),
    (Task::Questions, "chats/questions"),
    (Task::Answer, "chats/answer"),
    (Task::Filter, "chats/filter"),
    (Task::Preferences, "chats/preferences"),
    (Task::Choices, "chats/choices"),
    (Task::Pick, "chats/pick"),
    (Task::PickFilter, "chats/pick-filter"),
    (Task::Conflict, "instructions/conflict"),
    (Task::ValueAugment, "spec/value-augment"),
    (Task::RuleAugment, "spec/rule-augment"),
];

impl Task {
    /// As prompts name it.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(task, _)| *task == self).map_or("", |(_, name)| name)
    }

    /// Whether the answer has JSON in it.
    pub(crate) fn is_json(self) -> bool {
        use Task::*;
        matches!(
            self,
            Domains
                | Subdomains
                | Assertions
                | Types
                | Ideas
                | Critique
                | Topics
                | Questions
                | Preferences
                | Choices
        )
    }

    /// Whether the text of the answer ends up in a corpus or a spec.
    pub(crate) fn is_kept(self) -> bool {
        use Task::*;
        matches!(self, Write | Rewrite | Questions | Answer | Choices | Pick)
    }

    /// Whether it matters that answers differ.
    pub(crate) fn is_varied(self) -> bool {
        use Task::*;
        matches!(self, Ideas | Write | Rewrite | Questions | Choices)
    }
}

/// The task that a question names in the first line of one of its texts.
pub(crate) fn task(asked: &Asked<'_>) -> Option<Task> {
    asked.texts.iter().find_map(|text| {
        let line = text.trim_start().strip_prefix("Task:")?.lines().next()?.trim();
        NAMES.iter().find(|(_, name)| *name == line).map(|(task, _)| *task)
    })
}
