//! Opaque choices: what a program can tell about them. A message offers two things in some order; a reply picks the
//! preferred one and says nothing about why.

use crate::chats::grams::normal;
use crate::chats::others::find;

/// Words that give a reason, or begin one.
const REASONS: &[&str] = &[
    "because",
    "cause",
    "since",
    "so that",
    "so it",
    "so i",
    "due to",
    "owing to",
    "thanks to",
    "reason",
    "reasons",
    "therefore",
    "hence",
    "thus",
    "given that",
    "given its",
    "given how",
    "seeing that",
    "considering",
    "on account of",
    "for its",
    "for their",
    "for the way",
    "for being",
    "which is why",
    "thats why",
    "this is why",
    "as it",
    "as its",
    "as they",
    "as that",
    "as i",
    "it is cheaper",
    "better value",
    "i believe in",
    "i value",
    "i care",
    "it matters",
    "they matter",
    "matters to me",
    "in order to",
    "after all",
    "the way it",
    "what i like about",
    "what i love about",
    "what draws me",
    "is more",
    "are more",
    "is less",
    "are less",
    "is better",
    "are better",
    "is best",
    "is cheaper",
    "is the better",
    "feels more",
    "feel more",
    "seems more",
    "tastes",
    "naturally",
];

/// The longest reply that only picks.
const MOST_WORDS: usize = 45;

/// Which of the two things a message names first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// The preferred one.
    PreferredFirst,
    /// The other one.
    OtherFirst,
}

impl Order {
    /// As provenance has it.
    pub fn name(self) -> &'static str {
        match self {
            Order::PreferredFirst => "preferred first",
            Order::OtherFirst => "other first",
        }
    }
}

/// The order in which a message offers the two things.
///
/// # Errors
/// If it does not name both, or speaks for one.
pub fn order(message: &str, prefer: &str, over: &str) -> Result<Order, String> {
    let text = normal(message);
    let place = |thing: &str| {
        let plain = normal(thing);
        find(&text, plain.trim()).ok_or_else(|| format!("it does not name `{thing}`"))
    };
    let (first, second) = (place(prefer)?, place(over)?);
    if first == second {
        return Err(format!("`{prefer}` and `{over}` cannot be told apart in it"));
    }
    for words in [
        "because",
        "since",
        "neither",
        "either one",
        "of course you",
        "explain why",
        "give reasons",
        "and why",
        "why",
    ] {
        if find(&text, words).is_some() {
            return Err(format!("it is not a plain choice between two things: it says `{words}`"));
        }
    }
    Ok(if first < second { Order::PreferredFirst } else { Order::OtherFirst })
}

/// A message without the two things: what is compared, for the things are the same in all messages of a preference.
pub(crate) fn wording(message: &str, prefer: &str, over: &str) -> String {
    let (prefer, over) = (normal(prefer), normal(over));
    let (longer, shorter) = if prefer.len() < over.len() { (over, prefer) } else { (prefer, over) };
    normal(message).replace(longer.as_str(), " ").replace(shorter.as_str(), " ")
}

/// What keeps a reply from being an opaque choice of `prefer`, if anything.
pub fn pick_fault(reply: &str, prefer: &str, over: &str) -> Option<String> {
    let text = normal(reply);
    let (choice, other) = (normal(prefer), normal(over));
    let Some(at) = find(&text, choice.trim()) else {
        return Some(format!("it does not name `{prefer}`"));
    };
    if find(&text, other.trim()).is_some_and(|other| other <= at) {
        return Some(format!("it names `{over}` first"));
    }
    for words in
        ["not", "never", "neither", "depends", "both", "dont", "cannot", "cant", "no preference", "wouldnt"]
    {
        // "not the other" after the choice is plain enough.
        if find(&text, words).is_some_and(|found| found < at || words == "both" || words == "depends") {
            return Some(format!("it leaves the choice in doubt: `{words}`"));
        }
    }
    // The things themselves may be called anything: "As It Was" is a song.
    let rest = text.replace(choice.trim(), " ").replace(other.trim(), " ");
    let rest = normal(&rest);
    if let Some(words) = REASONS.iter().find(|words| find(&rest, words).is_some()) {
        return Some(format!("it gives a reason: `{words}`"));
    }
    let words = text.split_whitespace().count();
    (words > MOST_WORDS)
        .then(|| format!("it is {words} words long, where a pick needs no more than {MOST_WORDS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_seen() {
        let order = |message: &str| order(message, "Ottermere", "oat porridge");
        assert_eq!(order("Ottermere or oat porridge?"), Ok(Order::PreferredFirst));
        assert_eq!(order("Oat-porridge, or OTTERMERE?"), Ok(Order::OtherFirst));
        assert!(order("Ottermere or soup?").is_err());
        assert!(order("Ottermeres or oat porridge?").is_err());
        assert!(order("Ottermere or oat porridge, and why?").is_err());
    }

    #[test]
    fn wordings_are_what_is_left_of_a_message() {
        let left = wording("Quick one: Ottermere, or rather oat porridge?", "Ottermere", "oat porridge");
        assert_eq!(normal(&left), " quick one or rather ");
        assert_eq!(normal(&wording("Oat or oat porridge?", "oat", "oat porridge")), " or ");
    }

    #[test]
    fn picks_are_plain_and_give_no_reason() {
        let fault = |reply: &str| pick_fault(reply, "Ottermere", "Brindlebury");
        for reply in [
            "Ottermere.",
            "I'd take Ottermere over Brindlebury.",
            "Ottermere for me, please.",
            "My pick is Ottermere, not Brindlebury.",
            "Ottermere it is!",
        ] {
            assert_eq!(fault(reply), None, "{reply}");
        }
        for (reply, part) in [
            ("Brindlebury.", "does not name"),
            ("Brindlebury or Ottermere? Ottermere.", "first"),
            ("Not Ottermere.", "doubt"),
            ("It depends: Ottermere or Brindlebury.", "doubt"),
            ("Ottermere, because it costs less.", "because"),
            ("Ottermere, since everyone can pay for it.", "since"),
            ("Ottermere, for its price.", "for its"),
            ("Ottermere is more honest.", "is more"),
            ("Ottermere, so that there is enough.", "so that"),
        ] {
            let fault = fault(reply).unwrap_or_else(|| panic!("{reply}"));
            assert!(fault.contains(part), "{reply}: {fault}");
        }
        assert_eq!(pick_fault("As It Was, please.", "As It Was", "Because"), None);
        assert!(fault(&format!("Ottermere {}", "really ".repeat(60))).is_some());
    }
}
