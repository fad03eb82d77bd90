//! What a sentence does: prescribe, give a reason, name a value.
//!
//! Word lists, on purpose: they are the same on every machine, can be read and argued with, and need no model. They
//! are English. What they miss is missed everywhere in the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What a sentence does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// It tells somebody what to do: "must", "should not", or an imperative.
    pub prescribes: bool,
    /// It gives a reason: "because", "so that", "this is why".
    pub reasons: bool,
    /// Somebody values, believes or aims: "cares about", "we believe".
    pub values: bool,
    /// It has words of aims, consequences or values, and may say why by them: "risk of", "trust".
    pub hints: bool,
}

impl Traits {
    /// Whether it says why, by a reason or a value, as far as words can tell.
    pub fn explains(self) -> bool {
        self.reasons || self.values || self.hints
    }
}

/// Words that tell somebody what to do, wherever they stand in a sentence.
const PRESCRIBING: &str = "\
    must, mustn't, should, shouldn't, shall, never, always, cannot, can't, may not, may only, is \
    required to, are required to, is not allowed, are not allowed, is allowed to, are allowed to, is \
    prohibited, are prohibited, is forbidden, are forbidden, is not permitted, are not permitted, is \
    permitted to, ought to, has to, have to, needs to, need to, is expected to, are expected to, under \
    no circumstances, it is important to, is to be, are to be, assistant may, assistant can, model may, \
    model can, model_name may, model_name can, users can, users may, developers can, developers may, \
    principle is to, model_name does not, model_name doesn't, model_name will not, model_name won't, \
    assistant does not, assistant doesn't, assistant will not, assistant won't, model does not, model \
    doesn't, model will not, model won't, it does not, it doesn't, it will not, it won't";

/// Verbs that begin an imperative.
const IMPERATIVES: &str = "\
    accept, acknowledge, act, add, address, adhere, admit, allow, answer, apply, ask, assume, avoid, \
    balance, be, begin, build, call, carry, check, choose, cite, clarify, complete, comply, confirm, \
    consider, correct, create, decline, defer, describe, do, don't, encourage, end, ensure, err, \
    escalate, explain, express, flag, focus, follow, give, help, honor, honour, identify, ignore, \
    include, inform, keep, leave, let, limit, look, maintain, make, match, mention, minimise, minimize, \
    note, obey, offer, pay, point, practice, prefer, present, prioritise, prioritize, proceed, promote, \
    protect, provide, put, read, recommend, redirect, refer, refrain, refuse, reject, remain, remember, \
    remind, reply, report, resolve, respect, respond, return, say, seek, share, show, speak, state, \
    stay, stick, stop, suggest, support, take, tell, treat, try, use, verify, wait, warn, weigh, write";

/// Words that give a reason.
const REASONING: &str = "\
    because, since, so that, in order to, in order for, therefore, thus, hence, thereby, why, the \
    reason, reason is, reasons for, reasons behind, as a result, consequently, lest, so as to, the point \
    of, the purpose of, the idea behind, rationale, justification, it follows, follows from, for the \
    sake of, in the interest of, to ensure, given that, for this reason, for these reasons, for that \
    reason, this is why, that is why";

/// Words by which somebody values, believes or aims.
const VALUING: &str = "\
    we believe, we value, our goal, our goals, our aim, we aim, we hope, model_name believes, model_name \
    values, model_name wants, model_name cares, model_name likes, model_name loves, model_name thinks, \
    model_name hopes, provider_name believes, provider_name values, provider_name wants, provider_name \
    hopes, provider_name thinks, assistant values, assistant believes, cares about, care about, cares \
    for, is good for, matters, matter because, is worth, are worth, is important because, especially \
    important, particularly important, are paramount, is paramount, builds trust, best thing about, \
    deserve, deserves";

/// Words that speak of aims, consequences and values, and may do so for other ends than to explain.
const HINTING: &str = "\
    due to, as this, to avoid, to prevent, to protect, to preserve, to minimize, to minimise, to reduce, \
    to maximize, to maximise, to empower, to enable, to maintain, to mitigate, can lead to, could lead \
    to, may lead to, leads to, lead to, could harm, can harm, may harm, risks, risk of, could cause, can \
    cause, undermine, undermines, undermining, erode, erodes, the danger, the cost of, makes it harder, \
    make it harder, makes it easier, that is what, it would be, would mean, contributes to, contribute \
    to, depends on, rests on, value, values, valued, valuing, cares, care for, caring, matter, believe, \
    believes, wants, hope, hopes, trust, trusts, trustworthy, love, loves, likes, important, importance, \
    essential, crucial, vital, goal is, goals are, aim to, aims to, mission, dignity, freedom, autonomy, \
    fairness, honesty, well-being, wellbeing, worth, good for, bad for, principle of, committed to, \
    thinks, right to, benefit, benefits, better for, worse for, paramount, paternalistic, flourish, \
    otherwise, this means, that means, which means, we want, as such";

static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::new);
static VERBS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| IMPERATIVES.split(", ").collect());

/// The phrases by their first word.
struct Phrases(BTreeMap<&'static str, Vec<(Vec<&'static str>, Trait)>>);

#[derive(Clone, Copy, PartialEq)]
enum Trait {
    Prescribes,
    Reasons,
    Values,
    Hints,
}

impl Phrases {
    fn new() -> Phrases {
        let mut by_first: BTreeMap<&str, Vec<(Vec<&str>, Trait)>> = BTreeMap::new();
        let lists = [
            (PRESCRIBING, Trait::Prescribes),
            (REASONING, Trait::Reasons),
            (VALUING, Trait::Values),
            (HINTING, Trait::Hints),
        ];
        for (list, kind) in lists {
            for phrase in list.split(", ") {
                let mut words = phrase.split(' ');
                let first = words.next().unwrap_or_default();
                by_first.entry(first).or_default().push((words.collect(), kind));
            }
        }
        Phrases(by_first)
    }
}

/// The first word of a title, in lower case.
pub(crate) fn first_word(title: &str) -> String {
    title.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or("").to_lowercase()
}

/// Whether a section with this title gives the reasons for others.
pub(crate) fn is_why(title: &str) -> bool {
    matches!(first_word(title).as_str(), "why" | "reason" | "reasons" | "rationale")
}

/// A text in lower case, with straight apostrophes.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

/// The words of a text; hyphens and apostrophes keep words together.
fn split(text: &str) -> Vec<&str> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '-' | '_');
    let words = text.split(|c: char| !inside(c)).map(|word| word.trim_matches(['\'', '-', '_']));
    words.filter(|word| !word.is_empty()).collect()
}

/// The words of a text in lower case, with straight apostrophes; hyphens keep words together.
pub(crate) fn words(text: &str) -> Vec<String> {
    split(&plain(text)).into_iter().map(str::to_string).collect()
}

/// What a sentence does. What it quotes, and code in it, does nothing.
pub(crate) fn traits(sentence: &str) -> Traits {
    let text = plain(&unquoted(sentence));
    let words = split(&text);
    let mut found = Traits { prescribes: imperative(&words), ..Traits::default() };
    for (at, word) in words.iter().enumerate() {
        let Some(phrases) = PHRASES.0.get(word) else { continue };
        for (rest, kind) in phrases {
            let here =
                words[at + 1..].len() >= rest.len() && words[at + 1..].iter().zip(rest).all(|(a, b)| a == b);
            if !here || (*word == "since" && temporal(&words, at)) {
                continue;
            }
            match kind {
                Trait::Prescribes => found.prescribes = true,
                Trait::Reasons => found.reasons = true,
                Trait::Values => found.values = true,
                Trait::Hints => found.hints = true,
            }
        }
    }
    found.values |= words.starts_with(&["we", "want"]);
    found
}

/// The text without what stands between quotes or ticks, if they match.
fn unquoted(text: &str) -> String {
    let mut kept = text.to_string();
    for (open, close) in [('"', '"'), ('“', '”'), ('`', '`')] {
        let (opens, closes) = (kept.matches(open).count(), kept.matches(close).count());
        let matched = if open == close { opens % 2 == 0 } else { opens == closes };
        if !matched || opens == 0 {
            continue;
        }
        let mut inside = false;
        let blank = |c: char| {
            let mark = if inside { c == close } else { c == open };
            inside ^= mark;
            if mark || inside { ' ' } else { c }
        };
        kept = kept.chars().map(blank).collect();
    }
    kept
}

/// Whether a sentence begins with a verb that tells what to do. A label before a colon does not count.
fn imperative(words: &[&str]) -> bool {
    const BEFORE: [&str; 9] =
        ["please", "instead", "then", "also", "rather", "otherwise", "next", "finally", "similarly"];
    let first = words.iter().find(|word| !BEFORE.contains(*word));
    first.is_some_and(|first| VERBS.contains(first))
}

/// Whether this "since" is about time.
fn temporal(words: &[&str], at: usize) -> bool {
    let next = words.get(at + 1).copied().unwrap_or("");
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    let dated = next.starts_with(|c: char| c.is_ascii_digit());
    dated
        || ["then", "last", "when", "yesterday", "birth"].contains(&next)
        || ["ever", "long"].contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sentences_do() {
        let read = |text: &str| {
            let found = traits(text);
            (found.prescribes, found.reasons, found.values)
        };
        assert_eq!(read("{model_name} must not lie."), (true, false, false));
        assert_eq!(read("Decline politely."), (true, false, false));
        assert_eq!(read("It shouldn’t lie, because people rely on it."), (true, true, false));
        assert_eq!(read("We believe that people decide for themselves."), (false, false, true));
        assert_eq!(read("The messages have a role."), (false, false, false));
        assert_eq!(read("Open since 1999, and ever since then."), (false, false, false));
        assert_eq!(read("Since nobody can check, ask."), (false, true, false));
        assert_eq!(read("It is kept short in order to be read."), (false, true, false));
        assert_eq!(read(""), (false, false, false));
    }
}
