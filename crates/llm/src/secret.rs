//! A key that cannot be printed by accident.

use std::fmt;

/// The length from which a key is taken for one. Those of providers have 30 characters and more.
const SHORTEST: usize = 12;

/// An API key. It has no `Display` and no `Serialize`; `Debug` shows that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a key, without the blanks around it.
    pub fn new(key: &str) -> Secret {
        Secret(key.trim().to_owned())
    }

    /// For the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the key, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let differs =
            own.iter().zip(given.iter().chain(std::iter::repeat(&0))).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differs) == 0 && own.len() == given.len() && !own.is_empty()
    }

    /// A text without the key, should a server have sent it back to us. A short one is the word that servers without keys
    /// are given ("none", "EMPTY", "ollama"): it is no secret, and taking it out of answers would spoil them.
    pub(crate) fn censor(&self, text: String) -> String {
        if self.0.len() < SHORTEST || !text.contains(&self.0) { text } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown_and_is_taken_out_of_texts() {
        let key = Secret::new(" sk-abcdefghi\n");
        assert_eq!(key.expose(), "sk-abcdefghi");
        assert_eq!(format!("{key:?} {:#?}", Some(&key)), "Secret(..) Some(\n    Secret(..),\n)");
        assert_eq!(key.censor("no sk-abcdefghi, no sk-abcdefghij".to_owned()), "no [key], no [key]j");
        assert_eq!(Secret::new("none").censor("none of it".to_owned()), "none of it", "a word is no secret");
        assert!(
            key.is("sk-abcdefghi")
                && !key.is("sk-abcdefghj")
                && !key.is("sk-abcdefgh")
                && !key.is("sk-abcdefghij")
                && !key.is("")
        );
        assert!(!Secret::new("").is(""), "no key is no key");
        assert_eq!(Secret::new("").censor("as it was".to_owned()), "as it was");
    }
}
