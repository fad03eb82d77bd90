//! The text of a message: a string, or a list of blocks.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The texts of a message, in order. Blocks that are not text are refused.
#[derive(Debug, Default)]
pub(super) struct Texts<'a>(pub(super) Vec<Cow<'a, str>>);

#[derive(Deserialize, Serialize)]
struct Block<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Texts<'a>, D::Error> {
        from.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of text blocks")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Cow::Borrowed(text)]))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Cow::Owned(text.to_owned())]))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Cow::Owned(text)]))
    }

    fn visit_unit<E: Error>(self) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut blocks: A) -> Result<Texts<'de>, A::Error> {
        let mut texts = Vec::new();
        while let Some(block) = blocks.next_element::<Block>()? {
            match (block.r#type.as_ref(), block.text) {
                ("text", Some(text)) => texts.push(text),
                ("text", None) => return Err(A::Error::missing_field("text")),
                (other, _) => {
                    return Err(A::Error::custom(format_args!(
                        "content of type `{other}`: this server reads text only"
                    )));
                }
            }
        }
        Ok(Texts(texts))
    }
}
