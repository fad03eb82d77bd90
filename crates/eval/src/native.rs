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
