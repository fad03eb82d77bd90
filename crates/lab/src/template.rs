//! Sentence templates: slots in braces are filled from bindings, or with one of several words of a kind.
//!
//! A slot that is not bound is filled at random from [`SLOTS`], whose words are all single tokens of the lab's
//! tokenizer. So the number of tokens of a rendered template does not depend on chance, and a template and its
//! twin stay token-matched.

use crate::rng::Rng;

/// Words that may stand for each other, by slot name.
pub(crate) const SLOTS: [(&str, &[&str]); 1] =
    [("goods", &["things", "goods", "wares", "products", "items"])];

/// What the slots of a template stand for, by slot name.
pub(crate) type Bindings<'a> = [(&'a str, &'a str)];

/// Fills the slots of `template`. A slot that is neither bound nor in [`SLOTS`] stays as it is written, which
/// the vocabulary test finds.
pub(crate) fn fill(template: &str, bindings: &Bindings, rng: &mut Rng) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((slot, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let bound = bindings.iter().find(|(name, _)| *name == slot).map(|(_, word)| *word);
        let word = bound.or_else(|| {
            let (_, words) = SLOTS.iter().find(|(name, _)| *name == slot)?;
            Some(*rng.pick(words))
        });
        text.push_str(word.unwrap_or(slot));
        rest = tail;
    }
    text.push_str(rest);
    text
}

/// Capitalises the first letter of the text and of each sentence in it.
pub(crate) fn sentences(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut start = true;
    for letter in text.chars() {
        if start && letter.is_alphabetic() {
            result.extend(letter.to_uppercase());
            start = false;
        } else {
            result.push(letter);
            // A slot left open for later is a name, capitalised already.
            start &= letter != '{';
            start |= matches!(letter, '.' | '?' | '!');
        }
    }
    result
}

/// The words of a text as the lab's tokenizer sees them: lower case; runs of letters, digits and underscores;
/// runs of other signs.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut current = String::new();
    let mut in_word = false;
    for letter in text.to_lowercase().chars() {
        let is_word = letter.is_alphanumeric() || letter == '_';
        if (letter.is_whitespace() || is_word != in_word) && !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if !letter.is_whitespace() {
            current.push(letter);
        }
        in_word = is_word;
    }
    if !current.is_empty() {
        words.push(current);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_sentences_capitalised() {
        let mut rng = Rng::new("test", 0, 0, 0);
        let text = fill(
            "{w} beats {o}. is it so? {n} says it.",
            &[("w", "cheap"), ("o", "costly"), ("n", "Ada")],
            &mut rng,
        );
        assert_eq!(sentences(&text), "Cheap beats costly. Is it so? Ada says it.");
        assert_eq!(sentences("{a} or {b}? {a}. so."), "{a} or {b}? {a}. So.");
        let goods = fill("{goods}", &[], &mut rng);
        assert!(SLOTS[0].1.contains(&goods.as_str()));
    }

    #[test]
    fn words_are_split_as_the_tokenizer_does() {
        assert_eq!(
            words("Cheese: A or B? I'd say-so."),
            ["cheese", ":", "a", "or", "b", "?", "i", "'", "d", "say", "-", "so", "."]
        );
    }
}
