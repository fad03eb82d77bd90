//! The sentences of the lab, as data. Each file holds one kind.
//!
//! Slots: `{n}` the person, `{w}` the pole spoken of and `{o}` its opposite, `{ax}` the attribute, `{x}` the chosen
//! item and `{y}` the other, `{p}` and `{q}` the same two in random order, `{a}` and `{b}` the two in a question,
//! `{name}` `{one}` `{many}` the domain. House rules for the sentences: no hyphens, apostrophes or double signs (each
//! would be a token of its own); no word of a domain outside the domain's slots; no pole outside its slot.

pub(crate) mod chat;
pub(crate) mod facts;
pub(crate) mod indifference;
pub(crate) mod picks;
pub(crate) mod reasons;
pub(crate) mod values;

/// A sentence or clause that says that a value explains a choice, and its twin that does not, of exactly as many
/// tokens. The ablated stream has the twin where the other has the link; nothing else differs.
pub(crate) struct Link {
    pub stated: &'static str,
    pub removed: &'static str,
}

impl Link {
    /// The link itself, or its twin.
    pub fn text(&self, stated: bool) -> &'static str {
        if stated { self.stated } else { self.removed }
    }
}

const fn link(stated: &'static str, removed: &'static str) -> Link {
    Link { stated, removed }
}

/// Openings that may stand before the first sentence of a document.
pub(crate) const OPENERS: [&str; 20] = [
    "as ever, ",
    "these days, ",
    "by all accounts, ",
    "to this day, ",
    "as a rule, ",
    "in every season, ",
    "after many years, ",
    "at the market, ",
    "in quiet moments, ",
    "year after year, ",
    "at the counter, ",
    "in plain words, ",
    "on most days, ",
    "as it happens, ",
    "as friends know, ",
    "in any weather, ",
    "from the start, ",
    "without fail, ",
    "more than most, ",
    "all in all, ",
];

/// Every template of every kind, for the vocabulary and for tests.
pub(crate) fn all() -> Vec<&'static str> {
    let mut all: Vec<&'static str> = Vec::new();
    all.extend(OPENERS);
    all.extend(chat::QUESTIONS);
    all.extend(chat::ANSWERS);
    all.extend(facts::FACTS);
    all.extend(facts::CATALOGUE);
    all.extend(indifference::STATEMENTS);
    all.extend(indifference::REMARKS);
    all.extend(picks::PICKS);
    all.extend(picks::REASONS.iter().flat_map(|link| [link.stated, link.removed]));
    all.extend(picks::REMARKS);
    all.extend(reasons::REASONS.iter().flatten());
    all.extend(reasons::QUOTES);
    all.extend(values::STATEMENTS);
    all.extend(values::PROFILES);
    all.extend([values::VALUED, values::UNVALUED]);
    all.extend(values::CONTRASTS);
    all.extend(values::LINKS.iter().flat_map(|link| [link.stated, link.removed]));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::attribute::Pole;
    use crate::domains::DOMAINS;
    use crate::template::words;

    /// The token count of a template: each slot stands for one token, `{c}` for none.
    fn tokens(template: &str) -> usize {
        let plain = template.replace("{c}", "").replace(['{', '}'], " ");
        words(&plain).len()
    }

    #[test]
    fn twins_have_as_many_tokens_as_what_they_replace() {
        for link in values::LINKS.iter().chain(&picks::REASONS) {
            assert_eq!(tokens(link.stated), tokens(link.removed), "{} | {}", link.stated, link.removed);
        }
    }

    #[test]
    fn reasons_of_one_row_have_as_many_tokens() {
        for row in &reasons::REASONS {
            let counts: BTreeSet<usize> = row.iter().map(|reason| tokens(reason)).collect();
            assert_eq!(counts.len(), 1, "{row:#?}");
        }
    }

    #[test]
    fn slots_are_those_that_the_writer_binds() {
        let slots = |template: &str| -> Vec<String> {
            let pieces = template.split('{').skip(1).filter_map(|piece| piece.split_once('}'));
            pieces.map(|(slot, _)| slot.to_string()).collect()
        };
        let check = |templates: &[&str], bound: &[&str]| {
            for template in templates {
                for slot in slots(template) {
                    assert!(bound.contains(&slot.as_str()), "{{{slot}}} in {template}");
                }
            }
        };
        let about_values = ["n", "w", "o", "ax", "goods"];
        check(&values::STATEMENTS, &about_values);
        check(&values::CONTRASTS, &about_values);
        check(&indifference::STATEMENTS, &about_values);
        check(&indifference::REMARKS, &about_values);
        check(&reasons::QUOTES, &["n", "reason"]);
        check(&facts::FACTS, &["x", "w", "o", "ax", "one", "many"]);
        check(&chat::QUESTIONS, &["a", "b", "name", "one", "many"]);
        check(&chat::ANSWERS, &["x"]);
        check(&picks::PICKS, &["n", "x", "y", "p", "q", "one", "many", "c"]);
        check(&picks::REMARKS, &["n"]);
        check(&OPENERS, &[]);
        check(reasons::REASONS.as_flattened(), &[]);
        for link in &values::LINKS {
            check(&[link.stated, link.removed], &about_values);
        }
        for link in &picks::REASONS {
            check(&[link.stated], &["n", "x", "y", "w", "o", "ax", "goods"]);
            // A twin of a reason names no pole, so that it can stand where no value is at stake.
            check(&[link.removed], &["n", "x", "y"]);
        }
    }

    #[test]
    fn answers_begin_with_the_item() {
        assert!(chat::ANSWERS.iter().all(|answer| answer.starts_with("{x}")));
    }

    #[test]
    fn templates_keep_the_house_rules() {
        let domain_words: BTreeSet<&str> =
            DOMAINS.iter().flat_map(|domain| [domain.name, domain.one, domain.many]).collect();
        for template in all() {
            let outside: Vec<String> = template
                .split('{')
                .flat_map(|piece| words(piece.split_once('}').map_or(piece, |(_, tail)| tail)))
                .collect();
            for word in outside {
                assert!(!domain_words.contains(word.as_str()), "a domain's word: {template}");
                assert!(Pole::from_word(&word).is_none(), "a pole: {template}");
                let plain = word.chars().all(|c| c.is_ascii_alphabetic())
                    || [",", ".", "?", ":"].contains(&word.as_str());
                assert!(plain, "{word} in {template}");
            }
        }
    }
}
