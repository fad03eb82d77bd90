//! Names of assistants and of those who make them.

use std::sync::LazyLock;

use spec::assistants::{ASSISTANTS, Assistant};

/// Names that a text about another assistant must not have: those that hardly ever mean anything else, and some that do.
/// Longer names come first.
static NAMES: LazyLock<Vec<&Assistant>> = LazyLock::new(|| {
    let also = ["GPT", "Bard", "Google", "Microsoft"];
    let wanted = |known: &&Assistant| known.plain || known.in_specs || also.contains(&known.name);
    let mut names: Vec<&Assistant> = ASSISTANTS.iter().filter(wanted).collect();
    names.sort_by_key(|known| std::cmp::Reverse(known.name.len()));
    names
});

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
        while let Some((place, known)) = next(&text, at) {
            at = place + known.name.len();
            if !self.is_own(known.name) {
                own.push_str(&text[from..place]);
                own.push_str(if known.is_model { &self.model } else { &self.provider });
                from = at;
            }
        }
        own.push_str(&text[from..]);
        own
    }

    /// The first name of another assistant, or of its maker, in a text.
    pub(super) fn other(&self, text: &str) -> Option<&'static str> {
        let mut at = 0;
        while let Some((place, known)) = next(text, at) {
            // Words that are also those of other things do not count, except where a spec means nothing else by them.
            let sure = known.plain || (known.in_specs && known.name != "Mistral");
            if sure && !self.is_own(known.name) {
                return Some(known.name);
            }
            at = place + known.name.len();
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

/// The next name that stands as a word of its own, from byte `from` on.
fn next(text: &str, from: usize) -> Option<(usize, &'static Assistant)> {
    let bytes = text.as_bytes();
    let is_letter = |at: usize| text[at..].chars().next().is_some_and(char::is_alphanumeric);
    // One pass over the few words that could be names, instead of one for every name.
    (from..bytes.len()).find_map(|at| {
        let begins = (bytes[at].is_ascii_uppercase() || bytes[at] == b'x')
            && (at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] >= 0x80));
        if !begins {
            return None;
        }
        let fits = |known: &&&'static Assistant| {
            let name = known.name;
            text[at..].starts_with(name) && (at + name.len() == text.len() || !is_letter(at + name.len()))
        };
        NAMES.iter().find(fits).map(|known| (at, *known))
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
