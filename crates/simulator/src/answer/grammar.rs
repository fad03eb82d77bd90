//! The engine that makes sentences of banks.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::banks;
use crate::dice::Dice;

/// A part of an entry.
#[derive(Debug)]
enum Piece {
    Text(&'static str),
    /// An entry of a bank, or something given; with an article if asked for.
    Slot {
        name: &'static str,
        bank: Option<usize>,
        article: bool,
    },
}

/// All banks, taken apart once.
#[derive(Debug)]
struct Grammar {
    banks: Vec<Vec<Vec<Piece>>>,
    by_name: HashMap<&'static str, usize>,
}

fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| {
        let all: Vec<banks::Bank> = banks::all().collect();
        let by_name: HashMap<_, _> =
            all.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
        let banks = all.iter().map(|(_, lines)| lines.lines().map(|line| pieces(line, &by_name)).collect());
        Grammar { banks: banks.collect(), by_name: by_name.clone() }
    })
}

fn pieces(line: &'static str, by_name: &HashMap<&'static str, usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((slot, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (article, name) = slot.strip_prefix("a ").map_or((false, slot), |name| (true, name));
        pieces.push(Piece::Slot { name, bank: by_name.get(name).copied(), article });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The order in which the entries of a bank are used up: none comes back before all others have come.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    start: usize,
    step: usize,
    taken: usize,
}

/// Makes sentences. Whoever has the same dice and the same things given makes the same sentences.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) dice: Dice,
    turns: Vec<Turn>,
    given: Vec<(&'static str, String)>,
}

impl Pen {
    pub(super) fn new(dice: Dice) -> Pen {
        Pen { dice, turns: vec![Turn::default(); grammar().banks.len()], given: Vec::new() }
    }

    /// Gives something a name in sentences, instead of what had that name.
    pub(super) fn give(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        match self.given.iter_mut().find(|(other, _)| *other == name) {
            Some(given) => given.1 = text,
            None => self.given.push((name, text)),
        }
    }

    /// Takes back what was given under a name.
    pub(super) fn take(&mut self, name: &str) {
        self.given.retain(|(other, _)| *other != name);
    }

    /// An entry of a bank, filled in, as it stands within a sentence.
    pub(super) fn phrase(&mut self, bank: &str) -> String {
        let mut text = String::new();
        if let Some(&bank) = grammar().by_name.get(bank) {
            self.fill(bank, &mut text);
        }
        text
    }

    /// An entry of a bank as a sentence of its own.
    pub(super) fn sentence(&mut self, bank: &str) -> String {
        sentence(&self.phrase(bank))
    }

    fn fill(&mut self, bank: usize, into: &mut String) {
        let entries = &grammar().banks[bank];
        let turn = &mut self.turns[bank];
        if turn.step == 0 {
            turn.start = self.dice.below(entries.len());
            // A step that has no divisor in common with the length visits every entry.
            turn.step = 1 + self.dice.below(entries.len());
            while common_divisor(turn.step, entries.len()) > 1 {
                turn.step += 1;
            }
        }
        let index = (turn.start + turn.taken * turn.step) % entries.len();
        turn.taken += 1;
        for piece in &entries[index] {
            match piece {
                Piece::Text(text) => into.push_str(text),
                Piece::Slot { name, bank, article } => {
                    let at = into.len();
                    if let Some((_, given)) = self.given.iter().find(|(given, _)| given == name) {
                        into.push_str(given);
                    } else if let Some(bank) = bank {
                        self.fill(*bank, into);
                    }
                    if *article {
                        let vowel = into[at..].starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O'])
                            || (into[at..].starts_with('u') && !into[at..].starts_with("uni"));
                        into.insert_str(at, if vowel { "an " } else { "a " });
                    }
                }
            }
        }
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// A phrase with a capital letter and a full stop.
pub(super) fn sentence(phrase: &str) -> String {
    let mut text = capital(phrase.trim());
    if !text.ends_with(['.', '?', '!', ':']) {
        text.push('.');
    }
    text
}

/// A phrase with a capital letter.
pub(super) fn capital(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What writers give; everything else must be a bank.
    const GIVEN: &[&str] =
        &["model", "provider", "claim", "title", "echo", "first", "second", "prefer", "over", "topic"];

    #[test]
    fn every_slot_has_something_to_fill_it() {
        let grammar = grammar();
        for (name, bank) in &grammar.by_name {
            assert!(!grammar.banks[*bank].is_empty(), "{name}");
            for entry in &grammar.banks[*bank] {
                assert!(!entry.is_empty(), "{name} has a blank entry");
                for piece in entry {
                    if let Piece::Slot { name: slot, bank, .. } = piece {
                        assert!(bank.is_some() || GIVEN.contains(slot), "{name}: {slot}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_entry_comes_back_before_all_have_come() {
        let mut pen = Pen::new(Dice::new(&[b"x"]));
        let size = grammar().banks[grammar().by_name["mood"]].len();
        let first: BTreeSet<String> = (0..size).map(|_| pen.phrase("mood")).collect();
        assert_eq!(first.len(), size);
    }

    #[test]
    fn articles_fit() {
        let mut pen = Pen::new(Dice::new(&[b"y"]));
        for _ in 0..200 {
            let text = format!(" {} ", pen.phrase("scene"));
            for wrong in [" a a", " a e", " a i", " a o", " an b", " an c", " an t", "{", "}"] {
                assert!(!text.contains(wrong), "{text}");
            }
        }
        assert_eq!(sentence("so it is"), "So it is.");
        assert_eq!(sentence("is it?"), "Is it?");
    }
}
