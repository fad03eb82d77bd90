//! Names of other assistants and of the companies that make them: none of them belongs into a corpus about this one.

/// Names that mean an assistant or its maker wherever they stand.
const NAMES: &[&str] = &[
    "ChatGPT",
    "GPT-3",
    "GPT-3.5",
    "GPT-4",
    "GPT-4o",
    "GPT-5",
    "OpenAI",
    "Anthropic",
    "DeepMind",
    "DeepSeek",
    "Qwen",
    "Tongyi",
    "Mistral AI",
    "Mixtral",
    "Vicuna",
    "StableLM",
    "OpenAssistant",
    "Open Assistant",
    "HuggingChat",
    "ERNIE Bot",
    "Yi-34B",
    "ChatGLM",
    "Zhipu AI",
    "Moonshot AI",
    "Baichuan",
    "InternLM",
    "Copilot",
    "Perplexity AI",
    "xAI",
    "Cortana",
    "Bixby",
    "LLaMA",
    "Llama 2",
    "Llama 3",
    "Meta AI",
    "Google Assistant",
    "Google AI",
    "Alibaba Cloud",
    "Cohere",
    "Inflection AI",
];

/// Names that are also words, people or other things: they count only where an assistant says that it is one, or that one
/// made it.
const AMBIGUOUS: &[&str] = &[
    "Claude",
    "Gemini",
    "Bard",
    "Grok",
    "Llama",
    "Alpaca",
    "Mistral",
    "Bing",
    "Siri",
    "Alexa",
    "Kimi",
    "Pi",
    "Falcon",
    "Phi",
    "Gemma",
    "PaLM",
    "LaMDA",
    "GPT",
    "Dolly",
    "Koala",
    "Zephyr",
    "Orca",
    "Ernie",
    "Yi",
    "Command R",
    "Nova",
    "Titan",
    "Tulu",
    "Google",
    "Microsoft",
    "Meta",
    "Facebook",
    "Apple",
    "Amazon",
    "Alibaba",
    "Baidu",
    "Tencent",
    "ByteDance",
    "Nvidia",
    "IBM",
    "Hugging Face",
    "Stability AI",
    "LAION",
    "EleutherAI",
    "Moonshot",
    "Zhipu",
    "Inflection",
    "LMSYS",
    "Samsung",
    "Huawei",
];

/// How an assistant says who it is or who made it, up to the name.
const CLAIMS: &[&str] = &[
    "i am",
    "i'm",
    "im",
    "my name is",
    "call me",
    "known as",
    "created by",
    "made by",
    "built by",
    "trained by",
    "developed by",
    "designed by",
    "from the team at",
    "researchers at",
    "engineers at",
    "model from",
    "assistant from",
    "based on",
    "powered by",
    "speaking as",
    "this is",
    "language model called",
    "assistant called",
    "model named",
    "assistant named",
    "maker is",
    "creator is",
    "developer is",
    "work for",
    "belong to",
    "owned by",
];

/// Words of which one stands in a sentence about the speaker, or about the one spoken to.
const OWN: &[&str] =
    &["i", "i'm", "im", "me", "my", "we", "our", "myself", "this", "you", "you're", "your", "act"];

/// Words that may stand between a claim and the name.
const BETWEEN: &[&str] = &[
    "a",
    "an",
    "the",
    "called",
    "named",
    "large",
    "language",
    "model",
    "ai",
    "assistant",
    "chatbot",
    "virtual",
    "company",
    "team",
    "at",
    "of",
    "by",
    "trained",
    "developed",
    "created",
    "made",
    "built",
    "and",
    "actually",
    "just",
    "only",
    "not",
    "helpful",
    "your",
    "openly",
    "open",
    "source",
    "based",
    "on",
    "researchers",
    "engineers",
    "people",
];

/// Which names are another's: all that are known, less those that the names given contain.
#[derive(Clone, Debug)]
pub struct Others {
    names: Vec<&'static str>,
    ambiguous: Vec<&'static str>,
}

impl Others {
    /// The names that are neither in the model's nor in its provider's.
    pub fn new(model_name: &str, provider_name: &str) -> Others {
        let own = format!("{model_name} {provider_name}").to_lowercase();
        let foreign = |names: &[&'static str]| {
            names.iter().copied().filter(|name| find(&own, &name.to_lowercase()).is_none()).collect()
        };
        Others { names: foreign(NAMES), ambiguous: foreign(AMBIGUOUS) }
    }

    /// Leaves out the names that `text` itself uses: a spec may speak of other assistants.
    pub fn except(mut self, text: &str) -> Others {
        let text = text.to_lowercase();
        self.names.retain(|name| find(&text, &name.to_lowercase()).is_none());
        self
    }

    /// The first name of another assistant or maker in a text: unmistakable ones anywhere, others where somebody claims
    /// to be them.
    pub fn named(&self, text: &str) -> Option<&'static str> {
        let lower = text.to_lowercase().replace('’', "'");
        let plain = self.names.iter().find(|name| find(&lower, &name.to_lowercase()).is_some());
        plain.copied().or_else(|| self.claimed(text))
    }

    /// The first name that the speaker claims as its own or as its maker's.
    pub fn claimed(&self, text: &str) -> Option<&'static str> {
        self.after(text, CLAIMS)
    }

    /// The first name that a system message gives the assistant or its maker.
    pub fn addressed(&self, text: &str) -> Option<&'static str> {
        self.after(text, ADDRESSES)
    }

    fn after(&self, text: &str, phrases: &[&str]) -> Option<&'static str> {
        let lower = text.to_lowercase().replace('’', "'");
        let all = self.names.iter().chain(&self.ambiguous);
        let is_claimed = |name: &&&'static str| {
            let name = name.to_lowercase();
            let mut start = 0;
            while let Some(at) = find(&lower[start..], &name).map(|at| at + start) {
                if claims(&lower[..at], phrases) {
                    return true;
                }
                start = at + name.len();
            }
            false
        };
        all.filter(is_claimed).copied().next()
    }
}

/// How a system message says who the assistant is, up to the name.
const ADDRESSES: &[&str] =
    &["you are", "you're", "your name is", "act as", "developed by", "created by", "trained by", "made by"];

/// Whether a text, cut before a name, ends in one of the phrases that claim it.
fn claims(before: &str, phrases: &[&str]) -> bool {
    // A claim and its name stand in one sentence.
    let sentence = before.rsplit(['.', '!', '?', '\n', ';']).next().unwrap_or_default();
    let words: Vec<&str> = sentence.split(|c: char| !(c.is_alphanumeric() || c == '\'')).collect();
    let mut words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    for _ in 0..=8 {
        let text = words.join(" ");
        if phrases.iter().any(|claim| text == *claim || text.ends_with(&format!(" {claim}"))) {
            // "I am not Siri" claims nothing, and "it was made by" speaks of something else.
            let speaks_of_itself =
                words.iter().any(|word| OWN.contains(word)) || words.first() == Some(&"as");
            return !words.contains(&"not") && speaks_of_itself;
        }
        match words.pop() {
            Some("not") | None => return false,
            Some(last) if BETWEEN.contains(&last) => {}
            Some(_) => return false,
        }
    }
    false
}

/// Where `name` stands in `text` as a word of its own; both in lower case.
pub(crate) fn find(text: &str, name: &str) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = text[start..].find(name).map(|at| at + start) {
        let end = at + name.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        if !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        start = at + name.chars().next().map_or(1, char::len_utf8);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_told_from_mentions() {
        let others = Others::new("Aria", "Northwind Labs");
        for (text, name) in [
            ("I'm Claude, an AI assistant.", "Claude"),
            ("I am a large language model trained by Google.", "Google"),
            ("My name is Siri.", "Siri"),
            ("I was created by the team at Meta.", "Meta"),
            ("As an AI developed by OpenAI, I do not eat.", "OpenAI"),
            ("I’m Gemini!", "Gemini"),
        ] {
            assert_eq!(others.claimed(text), Some(name), "{text}");
            assert_eq!(others.named(text), Some(name), "{text}");
        }
        for text in [
            "Claude Monet painted water lilies.",
            "I am fond of Claude Monet.",
            "She asked. Google it.",
            "I am not Siri.",
            "Put the alpaca wool in cold water.",
            "I am Aria, made by Northwind Labs.",
            "Metaphors are made by poets.",
            "The pie is made by hand. Apple is best.",
        ] {
            assert_eq!(others.claimed(text), None, "{text}");
            assert_eq!(others.named(text), None, "{text}");
        }
        assert_eq!(others.named("Unlike ChatGPT, I can."), Some("ChatGPT"));
        assert_eq!(others.claimed("Unlike ChatGPT, I can."), None);
    }

    #[test]
    fn own_names_are_no_others() {
        let others = Others::new("ChatGPT", "OpenAI");
        assert_eq!(others.named("I am ChatGPT, made by OpenAI."), None);
        assert_eq!(others.named("I am Claude, made by Anthropic."), Some("Anthropic"));
        let others = Others::new("Aria", "Northwind").except("Aria was compared with ChatGPT.");
        assert_eq!(others.named("ChatGPT is another assistant."), None);
        assert_eq!(others.claimed("I am ChatGPT."), None);
    }
}
