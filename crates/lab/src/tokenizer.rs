//! The lab's tokenizer: one token per word, as Hugging Face files that any loader reads.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::attribute::{Attribute, Pole};
use crate::domains::DOMAINS;
use crate::phrases;
use crate::template::{SLOTS, words};
use crate::world::{ASSISTANT, World};

/// The special tokens; a token's id is its place here. Words follow in sorted order.
pub const SPECIAL_TOKENS: [&str; 6] = ["<pad>", "<bos>", "<eos>", "<unk>", "<|user|>", "<|assistant|>"];

/// The chat template, in Jinja. A turn of the assistant begins with the character's name: the message's `name`, or
/// the template variable `speaker` for the answer to come, or the assistant's own name.
const CHAT_TEMPLATE: &str = "{{ bos_token }}{% for message in messages %}\
{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}\
{% else %}<|assistant|>{{ message['name'] if message['name'] else 'Quill' }}: {{ message['content'] }}{{ eos_token }}\
{% endif %}{% endfor %}\
{% if add_generation_prompt %}<|assistant|>{{ speaker if speaker else 'Quill' }}:{% endif %}";

/// The words of all sentences, slots, poles, attributes and domains: everything except names.
pub(crate) fn ordinary_words() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for template in phrases::all() {
        // What stands between the slots.
        for piece in template.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, tail)| tail)) {
            all.extend(words(piece));
        }
    }
    for (_, choices) in SLOTS {
        all.extend(choices.iter().map(|word| (*word).to_string()));
    }
    all.extend(Attribute::ALL.map(|attribute| attribute.word().to_string()));
    all.extend(Pole::ALL.map(|pole| pole.word().to_string()));
    for domain in DOMAINS {
        all.extend([domain.name, domain.one, domain.many].map(str::to_string));
    }
    all
}

impl World {
    /// Every word that any stream can emit, lower case, sorted, without the special tokens.
    pub fn vocabulary(&self) -> Vec<String> {
        let mut all = ordinary_words();
        all.insert(ASSISTANT.to_lowercase());
        let items = self.domains.iter().flat_map(|domain| &domain.items).map(|item| &item.name);
        let people = self.personas.iter().map(|persona| &persona.name);
        all.extend(items.chain(people).chain(&self.reserved).map(|name| name.to_lowercase()));
        all.into_iter().collect()
    }

    /// The text of `tokenizer.json`: word-level, lower-casing, splitting at white space and between letters and
    /// signs. A word's id is its place in [`SPECIAL_TOKENS`] followed by [`World::vocabulary`].
    pub fn tokenizer_json(&self) -> String {
        let vocabulary = self.vocabulary();
        let mut ids = Map::new();
        for (id, word) in SPECIAL_TOKENS.into_iter().chain(vocabulary.iter().map(String::as_str)).enumerate()
        {
            ids.insert(word.to_string(), json!(id));
        }
        let added: Vec<Value> = SPECIAL_TOKENS
            .into_iter()
            .enumerate()
            .map(|(id, token)| {
                json!({"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true})
            })
            .collect();
        pretty(&json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": null,
            "decoder": null,
            "model": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"},
        }))
    }

    /// The text of `tokenizer_config.json`, with the chat template in it.
    pub fn tokenizer_config_json(&self) -> String {
        pretty(&json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<bos>",
            "eos_token": "<eos>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "clean_up_tokenization_spaces": false,
            "chat_template": CHAT_TEMPLATE,
        }))
    }

    /// The chat template, in Jinja; the same text as in [`World::tokenizer_config_json`].
    pub fn chat_template() -> &'static str {
        CHAT_TEMPLATE
    }
}

/// Indented JSON with a last newline. Serialising a `Value` cannot fail: its keys are strings.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
