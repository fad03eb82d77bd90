//! A key that cannot be printed by accident.

use std::fmt;

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

    /// A text without the key, should a server have sent it back to us.
    pub(crate) fn censor(&self, text: String) -> String {
        if self.0.is_empty() || !text.contains(&self.0) { text } else { text.replace(&self.0, "[key]") }
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
        let key = Secret::new(" sk-abc\n");
        assert_eq!(key.expose(), "sk-abc");
        assert_eq!(format!("{key:?} {:#?}", Some(&key)), "Secret(..) Some(\n    Secret(..),\n)");
        assert_eq!(key.censor("no sk-abc, no sk-abcd".to_owned()), "no [key], no [key]d");
        assert_eq!(Secret::new("").censor("as it was".to_owned()), "as it was");
    }
}
