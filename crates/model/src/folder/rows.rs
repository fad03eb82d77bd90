//! Texts and conversations as training rows.

use super::Folder;
use crate::{Example, Message, ModelError};

impl Folder {
    /// A document as a training row: loss on all tokens, begin and end marked where the tokenizer has such tokens.
    pub fn document(&self, text: &str) -> Result<Example, ModelError> {
        let mut tokens: Vec<u32> = self.tokenizer.bos().into_iter().collect();
        tokens.extend(self.tokenizer.encode(text)?);
        tokens.extend(self.tokenizer.eos());
        let loss = vec![true; tokens.len()];
        let example = Example { tokens, loss };
        if example.targets() == 0 {
            return Err(ModelError::NothingTrainable("the document is empty".into()));
        }
        Ok(example)
    }

    /// A conversation as a training row: loss on the assistant's tokens only.
    ///
    /// The mask comes from rendering prefixes: everything that appears when an assistant message is added after its
    /// generation prompt is a target. (Stock templates lack `{% generation %}` marks.) An empty mask is an error,
    /// because training on it would silently learn nothing.
    pub fn chat(&self, messages: &[Message]) -> Result<Example, ModelError> {
        let template = self.template.as_ref().ok_or_else(|| {
            ModelError::Template("the model has no chat template, so it cannot be trained on chats; add chat_template.jinja to its folder".into())
        })?;
        let mut example = Example::default();
        let mut rendered = String::new();
        for (i, message) in messages.iter().enumerate() {
            if message.role != "assistant" {
                continue;
            }
            let prompt = template.render(&messages[..i], true, message.name.as_deref())?;
            let full = template.render(&messages[..=i], false, message.name.as_deref())?;
            let (Some(before), Some(answer)) = (prompt.strip_prefix(&rendered), full.strip_prefix(&prompt))
            else {
                return Err(ModelError::Template(
                    "the template renders a conversation differently once it is longer, so the assistant's tokens cannot be told apart".into(),
                ));
            };
            for (part, is_answer) in [(before, false), (answer, true)] {
                let tokens = self.tokenizer.encode(part)?;
                example.loss.extend(std::iter::repeat_n(is_answer, tokens.len()));
                example.tokens.extend(tokens);
            }
            rendered = full;
        }
        if example.targets() == 0 {
            return Err(ModelError::NothingTrainable(
                "the conversation has no assistant message with content".into(),
            ));
        }
        Ok(example)
    }
}
