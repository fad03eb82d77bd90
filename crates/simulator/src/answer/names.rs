//! Names of assistants and of those who make them.

/// Assistants that a text about another one must not name. Longer names come first.
const ASSISTANTS: &[&str] = &[
    "ChatGPT", "GPT-3.5", "GPT-4o", "GPT-4", "GPT-5", "GPT-3", "Copilot", "DeepSeek", "Claude", "Gemini",
    "Grok", "Llama", "LLaMA", "Mistral", "Qwen", "Bard", "GPT",
];

/// Their makers.
const MAKERS: &[&str] = &[
    "OpenAI",
    "Anthropic",
    "Google DeepMind",
    "DeepMind",
    "Meta AI",
    "Mistral AI",
    "xAI",
    "Alibaba Cloud",
    "Cohere",
    "Microsoft",
    "Google",
];

/// The names of the assistant that a text is about, and of who makes it.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) model: String,
    pub(super) provider: String,
}

impl Names {
    pub(super) fn new(model: &str, provider: &str) -> Names {
        Names { model: model.to_owned(), provider: provider.to_owned() }
    }

    /// A text in which these names stand for all others.
    pub(super) fn own(&self, text: &str) -> String {
        let text = text.replace("{model_name}", &self.model).replace("{provider_name}", &self.provider);
        let mut own = String::with_capacity(text.len());
        let (mut from, mut at) = (0, 0);
        while let Some((place, name, is_maker)) = next(&text, at) {
            at = place + name.len();
            if !self.is_own(name) {
                own.push_str(&text[from..place]);
                own.push_str(if is_maker { &self.provider } else { &self.model });
                from = at;
            }
        }
        own.push_str(&text[from..]);
        own
    }

    /// The first name of another assistant, or of its maker, in a text.
    pub(super) fn other(&self, text: &str) -> Option<&'static str> {
        // Words that are also those of other things do not count.
        let plain =
            |name: &&str| !matches!(*name, "Google" | "Microsoft" | "Bard" | "GPT" | "Mistral" | "Cohere");
        let mut at = 0;
        while let Some((place, name, _)) = next(text, at) {
            if !self.is_own(name) && plain(&name) {
                return Some(name);
            }
            at = place + name.len();
        }
        None
    }

    /// A name that is certainly another's.
    pub(super) fn wrong(&self) -> &'static str {
        ["ChatGPT", "DeepSeek", "Qwen"].into_iter().find(|name| !self.is_own(name)).unwrap_or("Copilot")
    }

    fn is_own(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.model.to_lowercase().contains(&name) || self.provider.to_lowercase().contains(&name)
    }
}

/// The next name that stands as a word of its own, from byte `from` on: where, which, and whether it is a maker's.
fn next(text: &str, from: usize) -> Option<(usize, &'static str, bool)> {
    let bytes = text.as_bytes();
    let is_letter = |at: usize| text[at..].chars().next().is_some_and(char::is_alphanumeric);
    // One pass over the few words that could be names, instead of one for every name.
    (from..bytes.len()).find_map(|at| {
        let begins = (bytes[at].is_ascii_uppercase() || bytes[at] == b'x')
            && (at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] >= 0x80));
        if !begins {
            return None;
        }
        let fits = |name: &&&'static str| {
            text[at..].starts_with(**name) && (at + name.len() == text.len() || !is_letter(at + name.len()))
        };
        let maker = MAKERS.iter().find(fits).map(|name| (at, *name, true));
        maker.or_else(|| ASSISTANTS.iter().find(fits).map(|name| (at, *name, false)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_give_way() {
        let names = Names::new("Aster", "Whitfield");
        let text = "OpenAI's ChatGPT, GPT-4 and {model_name} of {provider_name}; Bards and Claudette are no assistants.";
        assert_eq!(
            names.own(text),
            "Whitfield's Aster, Aster and Aster of Whitfield; Bards and Claudette are no assistants."
        );
        assert_eq!(names.other("Ask Claude."), Some("Claude"));
        assert_eq!(names.other("Ask Google or Aster, Claudette."), None);
        let own = Names::new("ChatGPT", "OpenAI");
        assert_eq!(own.own("ChatGPT by OpenAI"), "ChatGPT by OpenAI");
        assert_eq!((own.other("ChatGPT"), own.wrong()), (None, "DeepSeek"));
    }
}
