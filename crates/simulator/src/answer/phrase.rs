//! The same thought in other words: sentences of a spec as somebody else would put them.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::grammar::Pen;
use super::markdown::lower_first;
use super::names::Names;

/// Words and what may stand for them; the meaning stays.
const OTHER_WORDS: &str = "\
users=people,those who use it,people
user=person,person asking,person
important=weighty,central,important
helpful=useful,of use,helpful
harmful=damaging,hurtful,harmful
clear=plain,evident,clear
clearly=plainly,clearly
information=material,knowledge,information
response=reply,answer
responses=replies,answers
respond=reply,answer
request=question,wish,request
requests=questions,wishes,requests
instructions=directions,instructions
instruction=direction,instruction
guidance=advice,direction
context=setting,surroundings,context
behavior=conduct,behaviour
conversation=exchange,discussion,conversation
conversations=exchanges,discussions,conversations
developers=builders,developers
developer=builder,developer
content=material,content
topics=subjects,matters,topics
topic=subject,matter,topic
risk=danger,hazard,risk
risks=dangers,hazards,risks
harm=damage,harm
goals=aims,goals
goal=aim,goal
intent=purpose,intent
freedom=liberty,freedom
accurate=exact,correct,accurate
relevant=fitting,pertinent,relevant
appropriate=fitting,suitable,appropriate
explicitly=expressly,in so many words,explicitly
explicit=express,stated,explicit
typically=as a rule,commonly,mostly
generally=by and large,as a rule,generally
often=frequently,many a time,often
usually=mostly,usually
however=still,even so,yet
provide=give,offer,supply
provides=gives,offers,supplies
providing=giving,offering,supplying
avoid=steer clear of,keep from,avoid
avoiding=steering clear of,keeping from
ensure=make sure,see to it,ensure
consider=weigh,think about,consider
considering=weighing,thinking about
include=take in,cover,include
respect=honour,respect
protect=guard,shield,protect
protecting=guarding,shielding
attempt=try,attempt
express=voice,express
assume=suppose,take it,assume
strive=take pains,make an effort,strive
particularly=above all,especially,particularly
potential=possible,potential
potentially=possibly,potentially
various=several,various
example=instance,example
should=ought to,should,should
must=has to,must,must
might=may,might
difficult=hard,difficult
sufficient=enough,sufficient
additional=further,more,additional
significant=considerable,marked,significant
necessary=needed,necessary
entirely=wholly,altogether,entirely
directly=straight,without detour,directly
carefully=with care,carefully
honest=truthful,sincere,honest
transparent=open,frank,transparent
concerns=worries,concerns
perspectives=points of view,viewpoints,perspectives
values=convictions,values
assist=help,assist
assistance=help,assistance
refuse=decline,refuse
refusing=declining,refusing
sensitive=delicate,sensitive
private=personal,private
default=usual course,default
defaults=usual courses,defaults
principles=ideas,principles
principle=idea,principle
decisions=choices,decisions
decision=choice,decision
actions=steps,deeds,actions
action=step,deed,action
limits=bounds,limits
large=big,large
many=a great many,plenty of,many
regarding=about,concerning,regarding
additionally=besides,moreover,additionally
therefore=so,hence,for that reason
unless=except where,unless
whether=whether or not,whether
within=inside,within
seek=look for,seek
aims=sets out,aims
aim=set out,aim
general=broad,general
specific=particular,definite,specific
ways=manners,ways
support=back,support
people=people,men and women,people";

fn other_words() -> &'static HashMap<&'static str, Vec<&'static str>> {
    static WORDS: OnceLock<HashMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lines = OTHER_WORDS.lines().filter_map(|line| line.split_once('='));
        lines.map(|(word, others)| (word, others.split(',').collect())).collect()
    })
}

/// Verbs after which an aside can stand.
const BEFORE_ASIDE: &[&str] = &["should", "must", "can", "may", "will", "could"];
/// Words before which one can.
const AFTER_ASIDE: &[&str] = &["because", "unless", "when", "since", "even", "rather", "but"];
/// Words before which one can, if there was none for long.
const LATE_ASIDE: &[&str] = &[
    "for", "with", "from", "about", "without", "before", "after", "where", "so", "and", "who", "which", "if",
    "in", "than",
];

/// A sentence of a spec in other words, as a part of a longer sentence: without a capital and without its full stop.
pub(super) fn claim(pen: &mut Pen, sentence: &str, names: &Names) -> String {
    let plain = sentence.trim().trim_end_matches('.');
    let plain = shorter(pen, without_brackets(plain));
    let plain = turned(pen, plain, names);
    let plain = plain.replace("e.g., ", "for instance ").replace("i.e., ", "that is, ");
    let plain = plain.replace("e.g. ", "for instance ").replace("i.e. ", "that is, ");
    let mut words: Vec<String> = Vec::new();
    // An aside every now and then keeps the same run of words from standing in every document.
    let mut since = 2;
    let all: Vec<&str> = plain.split(' ').collect();
    for (index, &word) in all.iter().enumerate() {
        let core = word.trim_matches([',', ';', '.', '(', ')']);
        let is_place = since > 4 && AFTER_ASIDE.contains(&word)
            || since > 5 && LATE_ASIDE.contains(&word)
            || since > 6 && index > 0 && may_pause(all[index - 1], word);
        if is_place && pen.dice.chance(0.6) {
            aside(pen, &mut words);
            since = 0;
        }
        let changed = match other_words().get(core) {
            Some(others) if pen.dice.chance(0.7) => {
                let by = others[pen.dice.below(others.len())];
                // "They has to" would be wrong, and whether it is "they" is hard to see.
                let by = if by == "has to" { "must" } else { by };
                article(&mut words, by);
                word.replacen(core, by, 1)
            }
            _ => word.to_owned(),
        };
        words.push(changed);
        since += 1;
        let next = all.get(index + 1).copied().unwrap_or_default();
        let is_after_verb = BEFORE_ASIDE.contains(&word) && index > 0 && next != "not" && next != "also";
        let is_after_name = index == 0 && word == names.model && next.chars().all(char::is_lowercase);
        if since > 2 && (is_after_verb || is_after_name) && pen.dice.chance(0.6) {
            aside(pen, &mut words);
            since = 0;
        }
    }
    let text = words.join(" ");
    let is_name = text.starts_with(&names.model) || text.starts_with(&names.provider);
    let text = subject(pen, &if is_name { text } else { lower_first(&text) }, names);
    text.replace(",,", ",").replace(" ,", ",").replace(";,", ";")
}

/// Whether two words can stand apart: neither belongs to the other in plain sight.
fn may_pause(before: &str, after: &str) -> bool {
    const CLINGING: &[&str] = &[
        "a", "an", "the", "of", "to", "and", "or", "not", "its", "their", "this", "that", "these", "no",
        "more", "most", "is", "are", "was", "be", "should", "must", "can", "may", "will", "as", "in", "on",
        "at", "by", "for", "with", "from", "very", "other", "any",
    ];
    !CLINGING.contains(&before) && !matches!(after, "of" | "than") && after.chars().all(char::is_lowercase)
}

/// The article before a word that came instead of another.
fn article(words: &mut [String], next: &str) {
    let vowel =
        next.starts_with(['a', 'e', 'i', 'o', 'u']) && !next.starts_with("use") || next.starts_with("hon");
    if let Some(last) = words.last_mut().filter(|last| *last == "a" || *last == "an") {
        *last = if vowel { "an" } else { "a" }.to_owned();
    }
}

fn aside(pen: &mut Pen, words: &mut Vec<String>) {
    if let Some(last) = words.last_mut().filter(|last| !last.ends_with([',', ';'])) {
        last.push(',');
    }
    words.push(format!("{},", pen.phrase("manner")));
}

/// Sometimes the reason comes first, or is left for elsewhere.
fn turned(pen: &mut Pen, text: String, names: &Names) -> String {
    let Some((claim, reason)) = text.split_once(", because ") else { return text };
    if reason.contains(',') || claim.split(' ').count() < 4 {
        return text;
    }
    let keeps = claim.starts_with(&names.model) || claim.starts_with(&names.provider);
    match pen.dice.below(4) {
        0 => format!("Because {reason}, {}", if keeps { claim.to_owned() } else { lower_first(claim) }),
        1 => claim.to_owned(),
        _ => text,
    }
}

/// The assistant is called by its name, by what it is, or by a pronoun once it has been named.
fn subject(pen: &mut Pen, text: &str, names: &Names) -> String {
    let mut named = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = 0;
    while let Some(at) = rest.find("the assistant") {
        named.push_str(&rest[..at]);
        rest = &rest[at + "the assistant".len()..];
        let is_possessive = rest.starts_with('\'');
        let by = match pen.dice.below(4) {
            0 if before > 0 && !is_possessive => "it",
            1 if before > 0 => "the assistant",
            _ => &names.model,
        };
        named.push_str(by);
        before += 1;
    }
    named.push_str(rest);
    named
}

/// Without what stands in round brackets.
fn without_brackets(text: &str) -> String {
    let mut depth = 0usize;
    let kept = text.chars().filter(|&c| {
        match c {
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    });
    let kept: String = kept.collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",")
}

/// Long sentences are cut where a thought ends.
fn shorter(pen: &mut Pen, text: String) -> String {
    if text.split(' ').count() <= 24 || pen.dice.chance(0.25) {
        return text;
    }
    let ends = [
        "; ",
        ", including",
        ", such as",
        ", which",
        ", even",
        ", especially",
        ", but",
        ", unless",
        ", so",
        ", while",
    ];
    let cut = ends.iter().filter_map(|end| text.find(end)).find(|&at| text[..at].split(' ').count() >= 8);
    match cut {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// What the assistant says of itself, of a sentence about what it should do: the part after "the assistant should".
pub(super) fn deed(sentence: &str) -> Option<(bool, String)> {
    let plain = without_brackets(sentence.trim().trim_end_matches('.'));
    let start =
        ["The assistant ", "It ", "The model "].iter().find_map(|subject| plain.strip_prefix(subject))?;
    let deed = start.strip_prefix("should ").or_else(|| start.strip_prefix("must "))?;
    let (is_not, deed) = deed
        .strip_prefix("not ")
        .or_else(|| deed.strip_prefix("never "))
        .map_or((false, deed), |rest| (true, rest));
    let deed = deed.strip_prefix("also ").or_else(|| deed.strip_prefix("therefore ")).unwrap_or(deed);
    let end = ["; ", ", unless", ", including", ", such as", ", even", ", but", ", so"]
        .iter()
        .filter_map(|end| deed.find(end))
        .min();
    let deed = &deed[..end.unwrap_or(deed.len())];
    let words = deed.split(' ').count();
    let adverb =
        deed.split(' ').next().is_some_and(|first| first.ends_with("ly") || first == "be" && words < 3);
    let strange = [
        "guideline",
        "instruction",
        "polic",
        "principle",
        "the user",
        "developer",
        " its ",
        " it ",
        "assistant",
        "authority",
    ];
    if !(3..=26).contains(&words) || adverb || strange.iter().any(|word| deed.contains(word)) {
        return None;
    }
    Some((is_not, deed.replace("users", "people")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use std::collections::BTreeSet;

    #[test]
    fn claims_vary_and_keep_their_subject() {
        let names = Names::new("Aster", "Whitfield");
        let sentence = "The assistant should avoid providing private information (e.g. names) about users, unless they ask for it.";
        let mut pen = Pen::new(Dice::new(&[b"x"]));
        let claims: BTreeSet<String> = (0..50).map(|_| claim(&mut pen, sentence, &names)).collect();
        assert!(claims.len() > 30, "{claims:?}");
        for claim in claims {
            assert!(claim.starts_with("Aster") && !claim.ends_with('.') && !claim.contains('('), "{claim}");
        }
    }

    #[test]
    fn deeds_can_be_said_in_the_first_person() {
        assert_eq!(deed("The assistant should say what it does not know."), None, "speaks of `it`");
        assert_eq!(
            deed("The assistant should not keep secrets from users, even small ones."),
            Some((true, "keep secrets from people".to_owned()))
        );
        assert_eq!(deed("Users should be kind to each other at all times."), None);
    }
}
