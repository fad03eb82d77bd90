//! Names of assistants and of those who make them: the one list that all checks of names go by.
//!
//! A corpus about one assistant must not speak of another one as if it were that one. How sure a name is depends on the word:
//! nobody but an assistant is called ChatGPT, while Claude is also a painter and Apple also a fruit.

/// A name of an assistant, or of somebody who makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assistant {
    /// The name.
    pub name: &'static str,
    /// Who makes it; for a maker its own name.
    pub maker: &'static str,
    /// Whether it is a model or an assistant; else it is a maker.
    pub is_model: bool,
    /// Whether it means that wherever it stands. Other names are also words, people or places: they count only where
    /// somebody says that this is who they are, or who made them.
    pub plain: bool,
    /// Whether it hardly ever means anything else in a spec, so that `spec lint` speaks of it.
    pub in_specs: bool,
}

const fn model(name: &'static str, maker: &'static str) -> Assistant {
    Assistant { name, maker, is_model: true, plain: true, in_specs: false }
}

const fn maker(name: &'static str) -> Assistant {
    Assistant { name, maker: name, is_model: false, plain: true, in_specs: false }
}

impl Assistant {
    /// Of a word that means other things too.
    const fn word(self) -> Assistant {
        Assistant { plain: false, ..self }
    }

    const fn in_specs(self) -> Assistant {
        Assistant { in_specs: true, ..self }
    }
}

/// All of them. Those that `spec lint` speaks of come in the order in which it looks for them.
pub const ASSISTANTS: &[Assistant] = &[
    model("ChatGPT", "OpenAI").in_specs(),
    model("GPT-3", "OpenAI").in_specs(),
    model("GPT-3.5", "OpenAI"),
    model("GPT-4", "OpenAI").in_specs(),
    model("GPT-4o", "OpenAI").in_specs(),
    model("GPT-5", "OpenAI").in_specs(),
    model("GPT", "OpenAI").word(),
    model("Claude", "Anthropic").word().in_specs(),
    model("Gemini", "Google").word().in_specs(),
    model("Gemma", "Google").word().in_specs(),
    model("Bard", "Google").word(),
    model("PaLM", "Google").word(),
    model("LaMDA", "Google").word(),
    model("Google Assistant", "Google"),
    model("Llama", "Meta").word().in_specs(),
    model("Llama 2", "Meta"),
    model("Llama 3", "Meta"),
    model("LLaMA", "Meta"),
    model("Qwen", "Alibaba").in_specs(),
    model("Tongyi", "Alibaba"),
    model("Grok", "xAI").word().in_specs(),
    model("Mistral", "Mistral AI").word().in_specs(),
    model("Mixtral", "Mistral AI").in_specs(),
    model("DeepSeek", "DeepSeek").in_specs(),
    model("Kimi", "Moonshot AI").word().in_specs(),
    model("Copilot", "Microsoft").in_specs(),
    model("Bing", "Microsoft").word(),
    model("Cortana", "Microsoft"),
    model("Phi", "Microsoft").word(),
    model("Orca", "Microsoft").word(),
    model("Nemotron", "NVIDIA").in_specs(),
    model("OLMo", "Ai2").in_specs(),
    model("Tulu", "Ai2").word(),
    model("Siri", "Apple").word(),
    model("Alexa", "Amazon").word(),
    model("Nova", "Amazon").word(),
    model("Titan", "Amazon").word(),
    model("Bixby", "Samsung"),
    model("Pi", "Inflection AI").word(),
    model("Command R", "Cohere").word(),
    model("Falcon", "TII").word(),
    model("Alpaca", "Stanford").word(),
    model("Vicuna", "LMSYS"),
    model("Koala", "Berkeley").word(),
    model("Dolly", "Databricks").word(),
    model("Zephyr", "Hugging Face").word(),
    model("HuggingChat", "Hugging Face"),
    model("StableLM", "Stability AI"),
    model("OpenAssistant", "LAION"),
    model("Open Assistant", "LAION"),
    model("ERNIE Bot", "Baidu"),
    model("Ernie", "Baidu").word(),
    model("Yi-34B", "01.AI"),
    model("Yi", "01.AI").word(),
    model("ChatGLM", "Zhipu AI"),
    model("Baichuan", "Baichuan"),
    model("InternLM", "Shanghai AI Laboratory"),
    maker("OpenAI").in_specs(),
    maker("Anthropic").in_specs(),
    maker("DeepMind").in_specs(),
    maker("Google DeepMind"),
    maker("xAI").in_specs(),
    maker("Mistral AI"),
    maker("Meta AI"),
    maker("Google AI"),
    maker("Alibaba Cloud"),
    maker("Cohere"),
    maker("Inflection AI"),
    maker("Zhipu AI"),
    maker("Moonshot AI"),
    maker("Perplexity AI"),
    maker("Google").word(),
    maker("Microsoft").word(),
    maker("Meta").word(),
    maker("Facebook").word(),
    maker("Apple").word(),
    maker("Amazon").word(),
    maker("Alibaba").word(),
    maker("Baidu").word(),
    maker("Tencent").word(),
    maker("ByteDance").word(),
    maker("Nvidia").word(),
    maker("IBM").word(),
    maker("Hugging Face").word(),
    maker("Stability AI").word(),
    maker("LAION").word(),
    maker("EleutherAI").word(),
    maker("Moonshot").word(),
    maker("Zhipu").word(),
    maker("Inflection").word(),
    maker("LMSYS").word(),
    maker("Samsung").word(),
    maker("Huawei").word(),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let names: BTreeSet<&str> = ASSISTANTS.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), ASSISTANTS.len());
        assert!(ASSISTANTS.iter().all(|known| known.is_model || known.maker == known.name));
    }
}
