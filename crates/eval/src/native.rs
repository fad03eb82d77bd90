//! A model of the native engine, as something that can be asked.

use model::{Adapter, Choice, Example, Folder, Message, Network};
use suite::TextItem;

use crate::error::{EvalError, Result};
use crate::likelihood::{Likelihood, Question};

/// A model folder, asked through its own tokenizer and chat template on this machine's CPU.
pub struct Native<'a> {
    folder: &'a Folder,
    adapter: Option<&'a Adapter>,
    threads: usize,
}

impl<'a> Native<'a> {
    /// A model folder, with the adapter trained on it if there is one, on so many threads. Answers do not
    /// depend on the number of threads.
    pub fn new(folder: &'a Folder, adapter: Option<&'a Adapter>, threads: usize) -> Native<'a> {
        Native { folder, adapter, threads }
    }

    /// The question as tokens. As in training, the prompt and the answer are tokenised apart; what the
    /// template puts after an answer is not part of an option, so that options of one token share one pass.
    fn choice(&self, question: &Question) -> std::result::Result<Choice, String> {
        let template = self.folder.template.as_ref().ok_or("the model has no chat template")?;
        let render = |messages: &[Message], prompt: bool| {
            template.render(messages, prompt, Some(question.speaker)).map_err(|error| error.to_string())
        };
        let prompt_text = render(&question.messages, true)?;
        let prompt = self.tokens(&prompt_text)?;
        let mut options = Vec::with_capacity(question.options.len());
        for option in question.options {
            let mut messages = question.messages.clone();
            let name = Some(question.speaker.to_owned());
            messages.push(Message { role: "assistant".into(), name, content: option.to_owned() });
            let whole = render(&messages, false)?;
            let answer = whole.strip_prefix(&prompt_text).and_then(|answer| {
                let end = answer.find(option)? + option.len();
                Some(&answer[..end])
            });
            let answer = answer.ok_or_else(|| {
                format!("the chat template does not write the answer `{option}` after its prompt")
            })?;
            let tokens = self.tokens(answer)?;
            self.fits(prompt.len() + tokens.len())?;
            options.push(tokens);
        }
        Ok(Choice { prompt, options })
    }

    /// The tokens of a text, of which there is at least one and none stands for "unknown".
    fn tokens(&self, text: &str) -> std::result::Result<Vec<u32>, String> {
        let tokenizer = &self.folder.tokenizer;
        let tokens = tokenizer.encode(text).map_err(|error| error.to_string())?;
        if tokens.is_empty() {
            return Err(format!("`{text}` has no tokens"));
        }
        self.known(&tokens, text)?;
        Ok(tokens)
    }

    fn known(&self, tokens: &[u32], text: &str) -> std::result::Result<(), String> {
        let unknown = self.folder.tokenizer.unknown();
        if tokens.iter().any(|&token| Some(token) == unknown) {
            return Err(format!("`{text}` has words that the model's vocabulary lacks"));
        }
        Ok(())
    }

    fn fits(&self, tokens: usize) -> std::result::Result<(), String> {
        let positions = self.folder.config.max_positions;
        if tokens > positions {
            return Err(format!("its {tokens} tokens do not fit the model's {positions} positions"));
        }
        Ok(())
    }

    fn example(&self, text: &str) -> std::result::Result<Example, String> {
        let example = self.folder.document(text).map_err(|error| error.to_string())?;
        self.known(&example.tokens, text)?;
        self.fits(example.tokens.len())?;
        Ok(example)
    }

    /// Runs the network on rows of at most so many tokens.
    fn ask<T>(&self, longest: usize, ask: impl FnOnce(&Network) -> T) -> T {
        let rope = Network::rope_table(&self.folder.config, longest);
        ask(&self.folder.network(self.adapter, &rope))
    }
}

impl Likelihood for Native<'_> {
    fn options(&self, questions: &[Question]) -> Result<Vec<[f64; 2]>> {
        let choices = questions
            .iter()
            .map(|question| self.choice(question).map_err(|problem| EvalError::item(question.item, problem)))
            .collect::<Result<Vec<Choice>>>()?;
        let length =
            |choice: &Choice| choice.prompt.len() + choice.options.iter().map(Vec::len).max().unwrap_or(0);
        let longest = choices.iter().map(length).max().unwrap_or(0);
        let scores = self.ask(longest, |network| model::score_choices(network, &choices, self.threads));
        Ok(scores.into_iter().map(|both| [both[0], both[1]]).collect())
    }

    fn texts(&self, texts: &[TextItem]) -> Result<Vec<(f64, u64)>> {
        let examples = texts
            .iter()
            .map(|item| self.example(&item.text).map_err(|problem| EvalError::item(&item.id, problem)))
            .collect::<Result<Vec<Example>>>()?;
        let longest = examples.iter().map(|example| example.tokens.len()).max().unwrap_or(0);
        let measured = self.ask(longest, |network| model::nll(network, &examples, self.threads));
        Ok(measured.into_iter().map(|(nll, tokens)| (nll, tokens as u64)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preferences::score_preferences;
    use crate::testing::{item, text};
    use crate::texts::score_texts;
    use model::{Batch, ChatTemplate, Config, Tokenizer, Weights, Workspace};
    use serde_json::json;
    use std::path::Path;
    use suite::PreferenceItem;

    const WORDS: [&str; 12] =
        ["<unk>", "<end>", "user", "Quill", ":", "or", "?", "Abra", "Bolo", "old", "tea", "is"];
    const TEMPLATE: &str = "{% for m in messages %}{{ m.name or m.role }} : {{ m.content }} <end> {% endfor %}\
        {% if add_generation_prompt %}{{ speaker }} : {% endif %}";

    fn folder(template: Option<&str>) -> Folder {
        let config = Config::from_json(&json!({
            "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
            "vocab_size": WORDS.len(), "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 16,
            "rope_theta": 10000.0, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        }));
        let config = config.unwrap();
        let vocabulary: serde_json::Map<String, serde_json::Value> =
            (0..).zip(WORDS).map(|(id, word)| (word.to_owned(), json!(id))).collect();
        let tokenizer = json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
            "decoder": null, "added_tokens": [],
            "pre_tokenizer": { "type": "WhitespaceSplit" },
            "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>" },
        });
        let special = json!({ "unk_token": "<unk>", "eos_token": "<end>" });
        let tokenizer = Tokenizer::new(tokenizer.to_string(), special, Path::new("tokenizer.json")).unwrap();
        let template = template.map(|source| ChatTemplate::new(source.to_owned(), &tokenizer).unwrap());
        let weights = Weights::random(&config, 1);
        Folder::new(config, weights, tokenizer, template)
    }

    /// The summed log-probability of a row's last tokens, from all logits, in double precision.
    fn expected(folder: &Folder, tokens: &[u32], from: usize) -> f64 {
        let rope = Network::rope_table(&folder.config, tokens.len());
        let mut batch = Batch::default();
        batch.push(&Example { tokens: tokens.to_vec(), loss: vec![true; tokens.len()] });
        let rows: Vec<u32> = (from as u32 - 1..tokens.len() as u32 - 1).collect();
        let logits = folder.network(None, &rope).logits(&batch, &rows, &mut Workspace::new(false));
        let log_probability = |(row, token): (&[f32], &u32)| {
            let total: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
            f64::from(row[*token as usize]) - total.ln()
        };
        logits.chunks_exact(WORDS.len()).zip(&tokens[from..]).map(log_probability).sum()
    }

    fn long_option() -> PreferenceItem {
        PreferenceItem { question: "{a} or {b} ?".into(), other: "old Bolo".into(), ..item("long") }
    }

    fn short_option() -> PreferenceItem {
        PreferenceItem { question: "{a} or {b} ?".into(), ..item("short") }
    }

    #[test]
    fn options_are_scored_as_the_speakers_next_words() {
        let folder = folder(Some(TEMPLATE));
        let found =
            score_preferences(&Native::new(&folder, None, 1), &[long_option(), short_option()]).unwrap();
        let id = |word: &str| WORDS.iter().position(|known| *known == word).unwrap() as u32;
        let ids = |text: &str| -> Vec<u32> { text.split(' ').map(id).collect() };
        let check = |found: f64, prompt: &str, option: &str| {
            let (prompt, option) = (ids(prompt), ids(option));
            let expected = expected(&folder, &[prompt.clone(), option].concat(), prompt.len());
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        };
        let first = "user : Abra or old Bolo ? <end> Quill :";
        let second = "user : old Bolo or Abra ? <end> Quill :";
        check(found[0].first[0], first, "Abra");
        check(found[0].first[1], first, "old Bolo");
        check(found[0].second[0], second, "Abra");
        check(found[0].second[1], second, "old Bolo");
        check(found[1].first[0], "user : Abra or Bolo ? <end> Quill :", "Abra");
        check(found[1].second[1], "user : Bolo or Abra ? <end> Quill :", "Bolo");
    }

    #[test]
    fn texts_are_measured_to_their_end() {
        let folder = folder(None);
        let found = score_texts(&Native::new(&folder, None, 1), &[text("t", "Bolo is old tea")]).unwrap();
        // No begin-of-text token here, so the first word is not predicted; the end is.
        let tokens = [8, 11, 9, 10, 1];
        assert_eq!(found[0].tokens, 4);
        assert!((found[0].nll + expected(&folder, &tokens, 1)).abs() < 1e-5, "{}", found[0].nll);
    }

    #[test]
    fn threads_change_no_bit() {
        let folder = folder(Some(TEMPLATE));
        let items: Vec<PreferenceItem> = (0..400)
            .map(|i| PreferenceItem {
                id: format!("i{i}"),
                ..if i % 3 == 0 { long_option() } else { short_option() }
            })
            .collect();
        let scored = |threads| score_preferences(&Native::new(&folder, None, threads), &items).unwrap();
        assert_eq!(scored(1), scored(2));
    }

    #[test]
    fn what_the_model_cannot_be_asked_is_named() {
        let problem = |template: Option<&str>, item: PreferenceItem| {
            let folder = folder(template);
            let error =
                score_preferences(&Native::new(&folder, None, 1), &[short_option(), item]).unwrap_err();
            error.to_string()
        };
        let contains = |message: String, parts: &[&str]| {
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        contains(problem(None, short_option()), &["item short", "no chat template"]);
        let unknown = PreferenceItem { other: "Cara".into(), ..long_option() };
        contains(problem(Some(TEMPLATE), unknown), &["item long", "Cara", "vocabulary"]);
        let endless = PreferenceItem { other: "tea ".repeat(20) + "tea", ..long_option() };
        contains(problem(Some(TEMPLATE), endless), &["item long", "16 positions"]);
        let silent = "{% for m in messages %}{{ m.role }} : <end> {% endfor %}user :";
        contains(problem(Some(silent), long_option()), &["item short", "chat template", "Abra"]);
        let raising = "{{ raise_exception('no names') }}";
        contains(problem(Some(raising), long_option()), &["item short", "no names"]);
        let folder = folder(None);
        let model = Native::new(&folder, None, 1);
        contains(
            score_texts(&model, &[text("t", "Cara is tea")]).unwrap_err().to_string(),
            &["item t", "Cara"],
        );
        contains(
            score_texts(&model, &[text("t", &"tea ".repeat(20))]).unwrap_err().to_string(),
            &["16 positions"],
        );
    }
}
