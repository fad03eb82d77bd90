//! Cutting the reason off a sentence, so that what is left is a sentence.
//!
//! It is done by words and marks, without a grammar, and so it is cautious: where the rest might not be a sentence, or
//! might say something else, the sentence is left alone and the caller is told.

use super::clause::{
    DANGLING, MODALS, NEGATIONS, SUBJECTS, Word, bare_end, capital, is_one_of, terminal, words,
};
use crate::language::traits;

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// No word links a reason to anything here.
    Nothing,
    /// There is such a word, but no safe way to cut.
    Stuck,
    /// The reason was cut off.
    Off {
        /// The sentence without it.
        main: String,
        /// The reason on its own, without the word that linked it; may be empty.
        reason: String,
        /// What the reason is.
        part: Part,
    },
}

/// What a reason is in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A phrase without a subject: "to protect people".
    Phrase,
    /// A clause that can be a sentence: "because people differ".
    Clause,
    /// A sentence before the rule: "people differ, so ask".
    Sentence,
}

/// Words after which a clause follows.
const BEFORE_CLAUSE: &str = "\
    because, since, so that, in order that, given that, lest, on the grounds that";

/// Words after which a reason follows, wherever they stand.
const BEFORE_REASON: &str = "\
    because of, because, since, so that, in order to, in order that, given that, lest, so as to, for the \
    sake of, on the grounds that";

/// Words at the beginning of a sentence that refer to a reason before it.
const REFERRING: &str = "\
    therefore, thus, hence, consequently, accordingly, as a result, for this reason, for these reasons, \
    for that reason, that is why, this is why, which is why, as such";

/// Verbs of purposes: "To protect people, ask first" and "ask first, to protect people".
const PURPOSES: &str = "\
    ensure, avoid, prevent, protect, preserve, minimize, minimise, maximize, maximise, reduce, empower, \
    enable, maintain, mitigate, help, keep, support, make";

/// Words before "because" that make it part of what is said.
const BINDING: &str = "\
    just, only, simply, merely, not, is, are, was, were, be, it's, that's, whether, or, and, if, even, \
    perhaps, than, rather, but, solely";

/// Words before "because" that go with it.
const HEDGING: &str = "\
    largely, partly, mainly, mostly, especially, particularly, precisely, primarily";

/// Sentences above this length, in bytes, are none.
const LONGEST: usize = 2000;

/// Cuts the reason off a sentence.
pub(crate) fn cut(sentence: &str) -> Cut {
    let Some(words) = Some(sentence).filter(|text| text.len() <= LONGEST).and_then(words) else {
        let links = BEFORE_REASON.split(", ").any(|link| sentence.contains(link));
        return if links { Cut::Stuck } else { Cut::Nothing };
    };
    let text = Text { sentence, words };
    let attempts =
        [Text::parenthesis, Text::referring, Text::leading, Text::trailing, Text::consequence, Text::adverb];
    for attempt in attempts {
        let found = attempt(&text);
        if found != Cut::Nothing {
            return found;
        }
    }
    Cut::Nothing
}

struct Text<'a> {
    sentence: &'a str,
    words: Vec<Word>,
}

impl Text<'_> {
    /// How many words the phrase is, if it stands at word `at`.
    fn phrase(&self, at: usize, phrase: &str) -> Option<usize> {
        let mut count = 0;
        for expected in phrase.split(' ') {
            if self.words.get(at + count)?.lower != expected {
                return None;
            }
            count += 1;
        }
        Some(count)
    }

    fn any_phrase(&self, at: usize, phrases: &str) -> Option<usize> {
        phrases.split(", ").find_map(|phrase| self.phrase(at, phrase))
    }

    /// `(because it is so)`
    fn parenthesis(&self) -> Cut {
        for link in ["(because ", "(since ", "(so that ", "(in order to ", "(given that "] {
            let Some(start) = self.sentence.find(link) else { continue };
            let Some(length) = self.sentence[start..].find(')') else { continue };
            let inside = &self.sentence[start + link.len()..start + length];
            if inside.contains('(') {
                return Cut::Stuck;
            }
            let before = self.sentence[..start].trim_end();
            let main = format!("{before}{}", &self.sentence[start + length + 1..]);
            return self.off(main, inside.to_string(), self.part_of(link.trim_matches(['(', ' '])));
        }
        Cut::Nothing
    }

    /// `Therefore, the rule.` and `This is why the rule.`
    fn referring(&self) -> Cut {
        let Some(count) = self.any_phrase(0, REFERRING) else { return Cut::Nothing };
        let Some(next) = self.words.get(count) else { return Cut::Stuck };
        let between = &self.sentence[self.words[count - 1].end..next.start];
        if between.contains([';', ':', '.']) {
            return Cut::Stuck;
        }
        self.off(self.sentence[next.start..].to_string(), String::new(), Part::Phrase)
    }

    /// `Because of the reason, the rule.` and `To protect people, the rule.`
    fn leading(&self) -> Cut {
        let link = match self.any_phrase(0, BEFORE_REASON) {
            Some(count) if !self.temporal(0) => count,
            _ if self.is_purpose(0) => 1,
            _ => return Cut::Nothing,
        };
        let is_purpose = self.is_purpose(0);
        // The clause with the rule begins at the last comma before its first word that prescribes.
        let starts = (link + 1..self.words.len()).filter(|at| {
            let between = &self.sentence[self.words[at - 1].end..self.words[*at].start];
            between.trim_start_matches(['*', '_', '”', '"']).starts_with(',')
                && self.begins_clause(*at)
                && traits(&self.sentence[self.words[*at].start..]).prescribes
        });
        let starts: Vec<usize> = starts.collect();
        let prescribing = |at: &usize| traits(&self.words[*at].lower).prescribes;
        let rule = starts.first().map(|first| (*first..self.words.len()).find(prescribing).unwrap_or(*first));
        if let Some(at) = starts.iter().rfind(|at| rule.is_some_and(|rule| **at <= rule)) {
            let reason = self.sentence[self.words[link].start..self.words[at - 1].end].to_string();
            let part = self.part_of(&self.phrase_text(0, link));
            return self.off(self.sentence[self.words[*at].start..].to_string(), reason, part);
        }
        // "To help someone is good" is no purpose at all.
        if is_purpose { Cut::Nothing } else { Cut::Stuck }
    }

    /// `The rule, because of the reason.`
    fn trailing(&self) -> Cut {
        let mut stuck = false;
        for at in 2..self.words.len() {
            let (_, marked) = self.head(at);
            let link = match self.any_phrase(at, BEFORE_REASON) {
                Some(count) if !self.temporal(at) => count,
                _ if marked && self.is_purpose(at) => 1,
                _ => continue,
            };
            match self.cut_at(at, link, marked) {
                Cut::Off { main, reason, part } => return Cut::Off { main, reason, part },
                _ => stuck = true,
            }
        }
        if stuck { Cut::Stuck } else { Cut::Nothing }
    }

    fn cut_at(&self, at: usize, link: usize, marked: bool) -> Cut {
        let hedged = is_one_of(HEDGING, self.word(at - 1)) && at > 1;
        let last = if hedged { at - 2 } else { at - 1 };
        let (head, _) = self.head(last + 1);
        let Some(first) = self.words.get(at + link) else { return Cut::Stuck };
        let word = self.words[last].lower.as_str();
        let negated = self.words[..=last]
            .iter()
            .any(|word| is_one_of(NEGATIONS, word.lower.as_str()) || word.lower.ends_with("n't"));
        // "must not refuse because ..." may deny the reason and not the deed.
        if last < 1 || is_one_of(BINDING, word) || is_one_of(DANGLING, word) || (negated && !marked) {
            return Cut::Stuck;
        }
        let mut reason_end = self.sentence.len();
        let mut tail = "";
        for next in at + link + 1..self.words.len() {
            let between = &self.sentence[self.words[next - 1].end..self.words[next].start];
            if between.contains(';') {
                reason_end = self.words[next - 1].end;
                tail = &self.sentence[reason_end..];
                break;
            }
            let turns =
                ["but", "while", "unless", "except", "although", "though", "and", "or", "so", "yet", "nor"];
            let turned = between.contains(',') && turns.contains(&self.words[next].lower.as_str());
            if turned && traits(&self.sentence[self.words[next].start..]).prescribes {
                return Cut::Stuck;
            }
        }
        let reason = bare_end(&self.sentence[first.start..reason_end]).to_string();
        let ending = if tail.is_empty() { terminal(self.sentence) } else { tail };
        let part = self.part_of(&self.phrase_text(at, link));
        self.off(format!("{head}{ending}"), reason, part)
    }

    /// `The reason, so the rule.` and `The reason; therefore the rule.`
    fn consequence(&self) -> Cut {
        for at in 2..self.words.len() {
            let (head, marked) = self.head(at);
            let count = match self.word(at) {
                "so" => 1,
                "and" => match self.any_phrase(at + 1, "so, therefore, thus, hence, as a result") {
                    Some(count) => 1 + count,
                    None => continue,
                },
                _ => match self.any_phrase(at, REFERRING) {
                    Some(count) => count,
                    None => continue,
                },
            };
            let modal = is_one_of(MODALS, self.words[at - 1].lower.as_str());
            if !marked || modal || !self.begins_clause(at + count) {
                continue;
            }
            let rest = self.sentence[self.words[at + count].start..].to_string();
            return self.off(rest, format!("{head}."), Part::Sentence);
        }
        Cut::Nothing
    }

    /// `The rule should therefore be kept.`
    fn adverb(&self) -> Cut {
        let adverbs = ["therefore", "thus", "hence", "consequently", "accordingly"];
        let found = (1..self.words.len()).find(|at| adverbs.contains(&self.words[*at].lower.as_str()));
        let Some(at) = found else { return Cut::Nothing };
        let before = self.sentence[..self.words[at].start].trim_end();
        let after = &self.sentence[self.words[at].end..];
        // ", therefore," goes with both its commas.
        let (before, after) = match (before.strip_suffix(','), after.strip_prefix(',')) {
            (Some(before), Some(after)) => (before, after),
            (Some(_), None) | (None, Some(_)) => return Cut::Stuck,
            (None, None) => (before, after),
        };
        self.off(format!("{before}{after}"), String::new(), Part::Phrase)
    }

    fn is_purpose(&self, at: usize) -> bool {
        self.word(at) == "to" && is_one_of(PURPOSES, self.word(at + 1))
    }

    /// Whether a "since" is about time.
    fn temporal(&self, at: usize) -> bool {
        let (before, next) = (at.checked_sub(1).map_or("", |before| self.word(before)), self.word(at + 1));
        let dated = next.starts_with(|c: char| c.is_ascii_digit());
        self.word(at) == "since"
            && (dated || is_one_of("ever, long", before) || is_one_of("then, last, when, birth", next))
    }

    /// What stands before a word, without the mark between them; and whether there is one.
    fn head(&self, at: usize) -> (&str, bool) {
        let end = self.words.get(at).map_or(self.sentence.len(), |word| word.start);
        let before = self.sentence[..end].trim_end();
        let marked = before.ends_with([',', ';', '—', '–']) || before.ends_with("--");
        (before.trim_end_matches(|c: char| c.is_whitespace() || ",;—–-".contains(c)), marked)
    }

    /// The words from `at`, with one space between them.
    fn phrase_text(&self, at: usize, count: usize) -> String {
        self.words[at..at + count].iter().map(|word| word.lower.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What follows this link.
    fn part_of(&self, link: &str) -> Part {
        if is_one_of(BEFORE_CLAUSE, link) { Part::Clause } else { Part::Phrase }
    }

    /// A word in lower case; nothing behind the last one.
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| &word.lower)
    }

    /// Whether a clause with a subject, or an imperative, may begin at this word.
    fn begins_clause(&self, at: usize) -> bool {
        let Some(word) = self.words.get(at) else { return false };
        let named = self.sentence[word.start..].starts_with(char::is_uppercase)
            || self.sentence[..word.start].ends_with(['{', '*', '`']);
        let lower = word.lower.as_str();
        named || is_one_of(SUBJECTS, lower) || (traits(lower).prescribes && !is_one_of(MODALS, lower))
    }

    /// What is left, if that is a sentence.
    fn off(&self, main: String, reason: String, part: Part) -> Cut {
        let mut main = main.trim().to_string();
        // A name in braces lost its opening brace if it was the first word.
        if main.starts_with("model_name}") || main.starts_with("provider_name}") {
            main.insert(0, '{');
        }
        let main = capital(&main);
        let words = main.split_whitespace().count();
        let even = |text: &str, sign: &str| text.matches(sign).count().is_multiple_of(2);
        let balanced = ["**", "`", "\""].iter().all(|sign| even(&main, sign))
            && main.matches('(').count() == main.matches(')').count()
            && main.matches('[').count() == main.matches(']').count()
            && even(&main.replace("**", ""), "*");
        // If it was a rule, the rule must be in what is left.
        let keeps_rule = !traits(self.sentence).prescribes || traits(&main).prescribes;
        let whole =
            words >= 2 && balanced && keeps_rule && !main.trim_end_matches(['.', '!']).ends_with([':', ',']);
        if whole { Cut::Off { main, reason, part } } else { Cut::Stuck }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_of(sentence: &str) -> String {
        match cut(sentence) {
            Cut::Nothing => "nothing".to_string(),
            Cut::Stuck => "stuck".to_string(),
            Cut::Off { main, reason, .. } => format!("{main} | {reason}"),
        }
    }

    #[test]
    fn reasons_are_cut_off() {
        for (sentence, expected) in [
            ("It should ask, because nobody knows.", "It should ask. | nobody knows"),
            ("It should ask because nobody knows.", "It should ask. | nobody knows"),
            ("It should ask --- because nobody knows!", "It should ask! | nobody knows"),
            ("It should ask so that\n  people know.[^a1]", "It should ask. | people know.[^a1]"),
            ("It should ask (because nobody knows) and wait.", "It should ask and wait. | nobody knows"),
            ("Because people differ, the assistant should ask.", "The assistant should ask. | people differ"),
            ("Since A, B and C differ, {model_name} must ask.", "{model_name} must ask. | A, B and C differ"),
            ("To protect people, ask first.", "Ask first. | protect people"),
            ("Ask first, to protect people.", "Ask first. | protect people"),
            ("Therefore, it must ask.", "It must ask. | "),
            ("This is why it must ask.", "It must ask. | "),
            ("It must not lie, because people rely on it.", "It must not lie. | people rely on it"),
            ("Nobody can check, so the assistant must ask.", "The assistant must ask. | Nobody can check."),
            ("It should therefore ask.", "It should ask. | "),
            ("It should, therefore, ask.", "It should ask. | "),
            ("Ask, largely because nobody knows; then wait.", "stuck"),
            ("It must ask because nobody knows; it may wait.", "It must ask; it may wait. | nobody knows"),
            ("Brindlewick over Castermere, because it is cheap", "Brindlewick over Castermere | it is cheap"),
        ] {
            assert_eq!(main_of(sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn what_might_change_the_meaning_is_left_alone() {
        for sentence in [
            "It must not refuse because the topic is hard.",
            "It must not refuse, just because the topic is hard.",
            "It is because nobody knows.",
            "It must ask because nobody knows, and must wait.",
            "**It must ask because nobody knows.**",
            "It should do what is needed in order to help.",
        ] {
            assert_eq!(main_of(sentence), "stuck", "{sentence}");
        }
        for sentence in [
            "It must ask.",
            "Open since 1999, it must ask.",
            "It says \"I did it because I could\" and stops.",
            "To help someone is good.",
            "It takes steps to protect people.",
            "So far it must ask.",
        ] {
            assert_eq!(main_of(sentence), "nothing", "{sentence}");
        }
    }
}
