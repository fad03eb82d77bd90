//! Content addresses: a name made of everything that determines a result.

use crate::hash::Hash;

/// Builds the id of a result from its kind and named inputs.
///
/// Every field is written with its kind, its name and its length, so that two different lists of
/// fields never hash the same bytes. The order of fields counts.
///
/// ```
/// use whyfirst_store::{IdBuilder, hash_bytes};
/// let id = IdBuilder::new("stage").text("recipe", "lora").hash("parent", hash_bytes(b"base")).number("seed", 3).finish();
/// assert_ne!(id, IdBuilder::new("stage").text("recipe", "lora").finish());
/// ```
#[derive(Clone, Debug)]
pub struct IdBuilder {
    hasher: blake3::Hasher,
}

impl IdBuilder {
    /// Starts the id of a result of the given kind, such as `stage` or `corpus`.
    pub fn new(kind: &str) -> IdBuilder {
        let mut id = IdBuilder { hasher: blake3::Hasher::new() };
        id.bytes(kind.as_bytes());
        id
    }

    /// Adds a text.
    pub fn text(mut self, name: &str, value: &str) -> IdBuilder {
        self.field(b't', name, value.as_bytes());
        self
    }

    /// Adds the hash of an input.
    pub fn hash(mut self, name: &str, value: Hash) -> IdBuilder {
        self.field(b'h', name, value.as_bytes());
        self
    }

    /// Adds a whole number.
    pub fn number(mut self, name: &str, value: u64) -> IdBuilder {
        self.field(b'n', name, &value.to_le_bytes());
        self
    }

    /// The id.
    pub fn finish(self) -> Hash {
        self.hasher.finalize().into()
    }

    fn field(&mut self, kind: u8, name: &str, value: &[u8]) {
        self.hasher.update(&[kind]);
        self.bytes(name.as_bytes());
        self.bytes(value);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_id_of_an_example_never_changes() {
        // Ids name folders that users keep: a change here makes every one of them run again.
        let id = IdBuilder::new("stage").text("recipe", "r").number("seed", 7).finish();
        assert_eq!(id.to_string(), "3daa3a7b3581c331c45fb87c7b47590ce77296b70b19d448218adec899e7cde9");
    }

    #[test]
    fn kinds_of_fields_are_told_apart() {
        let text = IdBuilder::new("k").text("a", "\u{1}\0\0\0\0\0\0\0").finish();
        assert_ne!(text, IdBuilder::new("k").number("a", 1).finish());
    }

    proptest! {
        #[test]
        fn different_lists_of_texts_have_different_ids(
            left in proptest::collection::vec(("[ab]{0,3}", "[ab]{0,3}"), 0..4),
            right in proptest::collection::vec(("[ab]{0,3}", "[ab]{0,3}"), 0..4),
        ) {
            let id = |fields: &[(String, String)]| {
                fields.iter().fold(IdBuilder::new("k"), |id, (name, value)| id.text(name, value)).finish()
            };
            prop_assert_eq!(left == right, id(&left) == id(&right));
        }
    }
}
