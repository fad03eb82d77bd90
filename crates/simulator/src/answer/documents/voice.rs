//! The voices that documents have, by their kind.

/// How a document of a kind is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Voice {
    /// The name of its banks.
    pub(super) name: &'static str,
    /// Whether each paragraph answers a question that stands before it.
    pub(super) asks: bool,
    /// Whether a part of it is a list.
    pub(super) lists: bool,
}

const fn voice(name: &'static str) -> Voice {
    Voice { name, asks: false, lists: false }
}

/// The voices, and words in the names of kinds that have them.
const VOICES: &[(Voice, &[&str])] = &[
    (
        Voice { asks: true, ..voice("talk") },
        &[
            "interview",
            "transcript",
            "podcast",
            "panel",
            "dialogue",
            "conversation",
            "radio",
            "debate",
            "oral history",
        ],
    ),
    (
        Voice { asks: true, ..voice("guide") },
        &["guide", "help", "handbook", "manual", "faq", "answer column", "visitor", "primer", "page"],
    ),
    (Voice { lists: true, ..voice("ticket") }, &["bug", "ticket", "change request", "changelog", "release"]),
    (
        Voice { lists: true, ..voice("lesson") },
        &[
            "lesson",
            "training",
            "workshop",
            "course",
            "curriculum",
            "exercise",
            "handout",
            "apprentice",
            "tutorial",
        ],
    ),
    (voice("forum"), &["forum", "blog", "post", "comment", "review", "thread", "customer"]),
    (voice("letter"), &["letter", "email", "reply", "postcard"]),
    (
        Voice { lists: true, ..voice("memo") },
        &[
            "memo",
            "notice",
            "briefing",
            "bulletin",
            "newsletter",
            "announcement",
            "proposal",
            "update",
            "policy",
            "rationale",
        ],
    ),
    (
        voice("report"),
        &[
            "report",
            "incident",
            "case study",
            "retrospective",
            "audit",
            "research",
            "analysis",
            "summary",
            "statement",
            "commentary",
        ],
    ),
    (voice("log"), &["minutes", "diary", "log", "notes", "journal", "protocol", "note"]),
    (voice("story"), &["story", "vignette", "memoir", "fiction", "tale", "script"]),
];

/// The voice of a kind of document.
pub(super) fn of(kind: &str) -> Voice {
    let kind = kind.to_lowercase();
    let found = VOICES.iter().find(|(_, words)| words.iter().any(|word| kind.contains(word)));
    found.map_or(voice("essay"), |(voice, _)| *voice)
}
