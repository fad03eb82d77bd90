//! A text as hashes of its words: letters and digits in lower case, nothing else. Texts that differ in case, spaces and
//! punctuation only are the same words.

use xxhash_rust::xxh3::xxh3_64;

/// The words of one text. Kept and filled anew for each, so that nothing is allocated for most.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// One hash a word.
    pub hashes: Vec<u64>,
    /// Where each stands in the text.
    pub places: Vec<(u32, u32)>,
    lower: Vec<u8>,
}

/// What a byte of ASCII is to a word: its lower case, [`END`] or [`SKIP`].
const CLASSES: [u8; 128] = classes();
const END: u8 = 0;
const SKIP: u8 = 1;

const fn classes() -> [u8; 128] {
    let mut classes = [END; 128];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            classes[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    // "don't" is one word, "dont".
    classes[b'\'' as usize] = SKIP;
    classes
}

impl Words {
    /// The words of `text`.
    pub fn of(text: &str) -> Words {
        let mut words = Words::default();
        words.read(text);
        words
    }

    /// Takes the words of `text` in place of those before.
    pub fn read(&mut self, text: &str) {
        self.hashes.clear();
        self.places.clear();
        self.lower.clear();
        let bytes = text.as_bytes();
        let (mut at, mut start) = (0, 0);
        while at < bytes.len() {
            let byte = bytes[at];
            if byte < 128 {
                match CLASSES[byte as usize] {
                    END => self.end(start, at),
                    SKIP => {}
                    letter => {
                        if self.lower.is_empty() {
                            start = at;
                        }
                        self.lower.push(letter);
                    }
                }
                at += 1;
                continue;
            }
            let Some(c) = text[at..].chars().next() else { break };
            let next = at + c.len_utf8();
            if is_alone(c) {
                self.end(start, at);
                self.push(c);
                self.end(at, next);
            } else if c.is_alphanumeric() {
                if self.lower.is_empty() {
                    start = at;
                }
                c.to_lowercase().for_each(|c| self.push(c));
            } else if c != '\u{2019}' {
                self.end(start, at);
            }
            at = next;
        }
        self.end(start, at);
    }

    fn push(&mut self, c: char) {
        self.lower.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    #[inline]
    fn end(&mut self, start: usize, end: usize) {
        if !self.lower.is_empty() {
            self.hashes.push(xxh3_64(&self.lower));
            self.places.push((start as u32, end as u32));
            self.lower.clear();
        }
    }

    /// Appends the hash of every `n` words in a row; of a text with fewer words, that of all of them.
    pub fn grams(&self, n: usize, into: &mut Vec<u64>) {
        let n = n.min(self.hashes.len());
        if n == 0 {
            return;
        }
        let (first, rest) = self.hashes.split_at(n);
        let lead = (0..n).fold(1u64, |power, _| power.wrapping_mul(BASE));
        let mut sum = first.iter().fold(0u64, |sum, word| sum.wrapping_mul(BASE).wrapping_add(*word));
        into.reserve(rest.len() + 1);
        into.push(mixed(sum));
        for (new, old) in rest.iter().zip(&self.hashes) {
            sum = sum.wrapping_mul(BASE).wrapping_add(*new).wrapping_sub(old.wrapping_mul(lead));
            into.push(mixed(sum));
        }
    }

    /// The text of `n` words from word `at` on.
    pub fn slice<'a>(&self, text: &'a str, at: usize, n: usize) -> &'a str {
        let end = (at + n).min(self.places.len());
        match (self.places.get(at), end.checked_sub(1).and_then(|last| self.places.get(last))) {
            (Some((start, _)), Some((_, end))) => {
                text.get(*start as usize..*end as usize).unwrap_or_default()
            }
            _ => "",
        }
    }
}

/// An odd number with no pattern in its bits.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads what differs over all bits (the end of MurmurHash3).
fn mixed(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// Scripts without spaces: each character is a word.
fn is_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        let words = Words::of(text);
        (0..words.hashes.len()).map(|at| words.slice(text, at, 1)).collect()
    }

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(
            texts("It's 3 o\u{2019}clock -- \u{c9}t\u{e9}! x"),
            ["It's", "3", "o\u{2019}clock", "\u{c9}t\u{e9}", "x"]
        );
        assert_eq!(texts("\u{6f22}\u{5b57} ab"), ["\u{6f22}", "\u{5b57}", "ab"]);
        assert_eq!(Words::of("It's \u{c9}T\u{c9}").hashes, Words::of("its, \u{e9}t\u{e9}.").hashes);
        assert_ne!(Words::of("ab c").hashes, Words::of("a bc").hashes);
        assert!(Words::of(" -- \u{2014} ").hashes.is_empty());
    }

    proptest! {
        /// What rolls on equals what is computed from its words alone.
        #[test]
        fn grams_depend_on_their_words_only(text in "([a-c]{1,2} ){0,20}", n in 1usize..7) {
            let words = Words::of(&text);
            let mut grams = Vec::new();
            words.grams(n, &mut grams);
            let parts: Vec<&str> = text.split_whitespace().collect();
            let size = n.min(parts.len());
            prop_assert_eq!(grams.len(), if size == 0 { 0 } else { parts.len() - size + 1 });
            for (at, gram) in grams.iter().enumerate() {
                let mut alone = Vec::new();
                Words::of(&parts[at..at + size].join(" ")).grams(n, &mut alone);
                prop_assert_eq!(&alone, &[*gram]);
            }
            for (one, a) in parts.windows(size.max(1)).zip(&grams) {
                for (other, b) in parts.windows(size.max(1)).zip(&grams) {
                    prop_assert_eq!(one == other, a == b);
                }
            }
        }
    }
}
