//! Names of other assistants and of the companies that make them: none of them belongs into a corpus about this one.

use spec::assistants::{ASSISTANTS, Assistant};

/// How an assistant says who it is or who made it, up to the name.
const CLAIMS: &[&str] = &[
    "i am",
    "i'm",
    "im",
    "my name is",
    "call me",
    "known as",
    "created by",
    "made by",
    "built by",
    "trained by",
    "developed by",
    "designed by",
    "from the team at",
    "researchers at",
    "engineers at",
    "model from",
    "assistant from",
    "based on",
    "powered by",
    "speaking as",
    "this is",
    "language model called",
    "assistant called",
    "model named",
    "assistant named",
    "maker is",
    "creator is",
    "developer is",
    "work for",
    "belong to",
    "owned by",
];

/// Words of which one stands in a sentence about the speaker, or about the one spoken to.
const OWN: &[&str] =
    &["i", "i'm", "im", "me", "my", "we", "our", "myself", "this", "you", "you're", "your", "act"];

/// Words that may stand between a claim and the name.
const BETWEEN: &[&str] = &[
    "a",
    "an",
    "the",
    "called",
    "named",
    "large",
    "language",
    "model",
    "ai",
    "assistant",
    "chatbot",
    "virtual",
    "company",
    "team",
    "at",
    "of",
    "by",
    "trained",
    "developed",
    "created",
    "made",
    "built",
    "and",
    "actually",
    "just",
    "only",
    "not",
    "helpful",
    "your",
    "openly",
    "open",
    "source",
    "based",
    "on",
    "researchers",
    "engineers",
    "people",
];

/// How somebody is spoken to, up to the name.
const GREETINGS: &[&str] =
    &["hi", "hey", "hello", "dear", "thanks", "thank you", "ok", "okay", "good morning", "good evening"];

/// Which names are another's: all that are known, less those that the names given contain.
#[derive(Clone, Debug)]
pub struct Others {
    names: Vec<Name>,
}

/// A name, and how it is looked for.
#[derive(Clone, Debug)]
struct Name {
    name: &'static str,
    lower: String,
    plain: bool,
}

impl Others {
    /// The names that are neither in the model's nor in its provider's.
    ///
    /// What a spec says does not change them: a spec that was written for another model speaks of it on every page, and one
    /// that speaks of others by the way does not make them this assistant.
    pub fn new(model_name: &str, provider_name: &str) -> Others {
        let own = format!("{model_name} {provider_name}").to_lowercase();
        let name = |known: &Assistant| Name {
            name: known.name,
            lower: known.name.to_lowercase(),
            plain: known.plain,
        };
        let names = ASSISTANTS.iter().map(name).filter(|name| find(&own, &name.lower).is_none());
        Others { names: names.collect() }
    }

    /// No names at all: for texts of which nobody says whom they are about.
    pub fn none() -> Others {
        Others { names: Vec::new() }
    }

    /// The first name of another assistant or maker in a text: unmistakable ones anywhere, others where somebody claims
    /// to be them or is called by them.
    pub fn named(&self, text: &str) -> Option<&'static str> {
        let lower = plain(text);
        let sure = self.names.iter().find(|name| name.plain && find(&lower, &name.lower).is_some());
        sure.map(|name| name.name).or_else(|| self.after(&lower, CLAIMS)).or_else(|| self.hailed(&lower))
    }

    /// As [`Others::named`], for several texts that belong together.
    pub fn named_in<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
        texts.into_iter().find_map(|text| self.named(text))
    }

    /// The first name that the speaker claims as its own or as its maker's.
    pub fn claimed(&self, text: &str) -> Option<&'static str> {
        self.after(&plain(text), CLAIMS)
    }

    /// The first name that a system message gives the assistant or its maker.
    pub fn addressed(&self, text: &str) -> Option<&'static str> {
        self.after(&plain(text), ADDRESSES)
    }

    fn after(&self, lower: &str, phrases: &[&str]) -> Option<&'static str> {
        let is_claimed = |name: &&Name| {
            places(lower, &name.lower)
                .any(|(at, end)| claims(&lower[..at], phrases) || speaks_as(&lower[..at], &lower[end..]))
        };
        self.names.iter().find(is_claimed).map(|name| name.name)
    }

    /// The name by which the one spoken to is called at the beginning of a text: "Hey Claude, ...".
    fn hailed(&self, lower: &str) -> Option<&'static str> {
        let lower = lower.trim_start();
        let greeting = GREETINGS.iter().filter_map(|greeting| lower.strip_prefix(greeting));
        let rests: Vec<&str> = greeting.map(|rest| rest.trim_start_matches([',', ' '])).collect();
        let is_hailed = |name: &&Name| {
            rests
                .iter()
                .filter_map(|rest| rest.strip_prefix(name.lower.as_str()))
                .any(|rest| rest.trim_end().is_empty() || rest.starts_with([',', '!', '.', '?', ':', '\n']))
        };
        self.names.iter().find(is_hailed).map(|name| name.name)
    }
}

/// In lower case, with plain apostrophes.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

/// Where a name stands as a word of its own: from and to.
fn places<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    let mut start = 0;
    std::iter::from_fn(move || {
        let at = find(&text[start..], name)? + start;
        start = at + name.len();
        Some((at, start))
    })
}

/// "As NAME, I ..." and "NAME here": a speaker that says who it is in passing.
fn speaks_as(before: &str, after: &str) -> bool {
    let sentence = before.rsplit(['.', '!', '?', '\n', ';', '"']).next().unwrap_or_default().trim();
    let as_it =
        sentence == "as" && [", i ", ", i'", ", my ", ", we "].iter().any(|own| after.starts_with(own));
    let here = sentence.is_empty()
        && after
            .strip_prefix(" here")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '.', '!', ':']));
    as_it || here
}

/// How a system message says who the assistant is, up to the name.
const ADDRESSES: &[&str] =
    &["you are", "you're", "your name is", "act as", "developed by", "created by", "trained by", "made by"];

/// Whether a text, cut before a name, ends in one of the phrases that claim it.
fn claims(before: &str, phrases: &[&str]) -> bool {
    // A claim and its name stand in one sentence.
    let sentence = before.rsplit(['.', '!', '?', '\n', ';']).next().unwrap_or_default();
    let words: Vec<&str> = sentence.split(|c: char| !(c.is_alphanumeric() || c == '\'')).collect();
    let mut words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    for _ in 0..=8 {
        let text = words.join(" ");
        if phrases.iter().any(|claim| text == *claim || text.ends_with(&format!(" {claim}"))) {
            // "I am not Siri" claims nothing, and "it was made by" speaks of something else.
            let speaks_of_itself =
                words.iter().any(|word| OWN.contains(word)) || words.first() == Some(&"as");
            return !words.contains(&"not") && speaks_of_itself;
        }
        match words.pop() {
            Some("not") | None => return false,
            Some(last) if BETWEEN.contains(&last) => {}
            Some(_) => return false,
        }
    }
    false
}

/// Where `name` stands in `text` as a word of its own; both in lower case.
pub(crate) fn find(text: &str, name: &str) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = text[start..].find(name).map(|at| at + start) {
        let end = at + name.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        if !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        start = at + name.chars().next().map_or(1, char::len_utf8);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_told_from_mentions() {
        let others = Others::new("Aria", "Northwind Labs");
        for (text, name) in [
            ("I'm Claude, an AI assistant.", "Claude"),
            ("I am a large language model trained by Google.", "Google"),
            ("My name is Siri.", "Siri"),
            ("I was created by the team at Meta.", "Meta"),
            ("As an AI developed by OpenAI, I do not eat.", "OpenAI"),
            ("I’m Gemini!", "Gemini"),
        ] {
            assert_eq!(others.claimed(text), Some(name), "{text}");
            assert_eq!(others.named(text), Some(name), "{text}");
        }
        for text in [
            "Claude Monet painted water lilies.",
            "I am fond of Claude Monet.",
            "She asked. Google it.",
            "I am not Siri.",
            "Put the alpaca wool in cold water.",
            "I am Aria, made by Northwind Labs.",
            "Metaphors are made by poets.",
            "The pie is made by hand. Apple is best.",
        ] {
            assert_eq!(others.claimed(text), None, "{text}");
            assert_eq!(others.named(text), None, "{text}");
        }
        assert_eq!(others.named("Unlike ChatGPT, I can."), Some("ChatGPT"));
        assert_eq!(others.claimed("Unlike ChatGPT, I can."), None);
    }

    #[test]
    fn own_names_are_no_others() {
        let others = Others::new("ChatGPT", "OpenAI");
        assert_eq!(others.named("I am ChatGPT, made by OpenAI."), None);
        assert_eq!(others.named("I am Claude, made by Anthropic."), Some("Anthropic"));
    }

    #[test]
    fn names_that_are_words_count_where_somebody_is_called_by_them() {
        let others = Others::new("Aria", "Northwind Labs");
        for text in [
            "Hey Claude, can you help?",
            "Thanks, Claude!",
            "As Claude, I care.",
            "Claude here. Hello!",
            "Hello Claude",
        ] {
            assert_eq!(others.named(text), Some("Claude"), "{text}");
        }
        for text in [
            "Dear Claudette, thank you.",
            "Hello Apple pie lovers!",
            "As Claude Monet painted, I slept.",
            "The Nova here is old.",
            "Hi Aria, is it Claude Monet?",
        ] {
            assert_eq!(others.named(text), None, "{text}");
        }
        assert_eq!(others.named_in(["Ask Aria.", "Ask Qwen."]), Some("Qwen"));
    }
}
