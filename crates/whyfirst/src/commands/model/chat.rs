//! `model chat`: a conversation in the terminal.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Conversation, Ending, Event, Generator, Limits, Runner, Sampling, Spoken, Task};
use serde_json::{Map, Value, json};
use serve::Catalogue;

use crate::args::Chat;
use crate::commands::sources::sources;
use crate::commands::threads;
use crate::exit::Exit;
use crate::output;

/// Ends an answer under way.
static ENOUGH: AtomicBool = AtomicBool::new(false);
/// Whether an answer is under way: Ctrl-C between answers ends the program.
static ANSWERING: AtomicBool = AtomicBool::new(false);

const HELP: &str = "/new begins another conversation, /quit ends; Ctrl-C ends an answer";

/// Talks until the input ends.
pub fn run(args: &Chat) -> Exit {
    let sources = match sources(&args.models) {
        Ok(sources) => sources,
        Err(exit) => return exit,
    };
    let threads = threads(args.models.threads);
    let catalogue = Arc::new(Catalogue::new(sources, threads, u64::MAX));
    let name = args.to.as_ref().unwrap_or(&catalogue.names()[0]).clone();
    let runner = match catalogue.open(&name) {
        Ok(ready) => ready.runner,
        Err(error) => {
            eprintln!("error: {error}");
            if !catalogue.has(&name) {
                eprintln!("there are: {}", catalogue.names().join(", "));
            }
            return Exit::Invalid;
        }
    };
    if runner.folder().template.is_none() {
        eprintln!(
            "error: `{name}` has no chat template, so it cannot be talked to; `whyfirst serve` continues plain texts"
        );
        return Exit::Invalid;
    }
    let listening = ctrlc::set_handler(|| match ANSWERING.load(Ordering::SeqCst) {
        true => ENOUGH.store(true, Ordering::SeqCst),
        false => std::process::exit(Exit::Interrupted as i32),
    });
    if let Err(error) = listening {
        return output::failure(format!("cannot listen for Ctrl-C: {error}"));
    }
    let limits = Limits { threads, active: 1, cache_bytes: (args.models.cache_gb * 1e9) as u64 };
    let mut talk = Talk { args, runner, generator: Generator::new(limits), messages: Vec::new(), turns: 0 };
    talk.begin();
    let people = std::io::stdin().is_terminal() && !args.json;
    if people {
        eprintln!("{name}; {HELP}");
    }
    loop {
        if people {
            eprint!("> ");
        }
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) => return Exit::Done,
            Ok(_) => {}
            Err(error) => return output::failure(format!("cannot read the input: {error}")),
        }
        match line.trim() {
            "" => {}
            "/quit" | "/exit" => return Exit::Done,
            "/new" => talk.begin(),
            "/help" | "/?" => eprintln!("{HELP}"),
            text => {
                if let Err(problem) = talk.answer(text) {
                    eprintln!("error: {problem}");
                    if !people {
                        return Exit::Failed;
                    }
                }
            }
        }
    }
}

struct Talk<'a> {
    args: &'a Chat,
    runner: Runner,
    generator: Generator,
    messages: Vec<Value>,
    turns: u64,
}

impl Talk<'_> {
    fn begin(&mut self) {
        let system = self.args.system.iter();
        self.messages = system.map(|text| json!({ "role": "system", "content": text })).collect();
    }

    /// Asks, prints the answer as it comes, and keeps both. After an error the question is as if never asked.
    fn answer(&mut self, text: &str) -> Result<(), String> {
        self.messages.push(json!({ "role": "user", "content": text }));
        let answered = self.speak();
        match &answered {
            Ok(answer) => self.messages.push(json!({ "role": "assistant", "content": answer })),
            Err(_) => drop(self.messages.pop()),
        }
        self.turns += 1;
        answered.map(drop)
    }

    fn speak(&mut self) -> Result<String, String> {
        let folder = self.runner.folder();
        let template = folder.template.as_ref().ok_or("the model has no chat template")?;
        let conversation = Conversation {
            messages: self.messages.clone(),
            add_generation_prompt: true,
            variables: self.args.variables.iter().cloned().collect::<Map<String, Value>>(),
            ..Conversation::default()
        };
        let text = template.render_all(&conversation).map_err(|error| error.to_string())?;
        let prompt = folder.tokenizer.encode(&text).map_err(|error| error.to_string())?;
        let read = prompt.len();
        let left = self.runner.positions().saturating_sub(read);
        if left == 0 {
            let positions = self.runner.positions();
            return Err(format!(
                "the conversation has {read} tokens, and the model reads {positions}; /new begins another"
            ));
        }
        let sampling = Sampling {
            temperature: self.args.temperature,
            top_p: self.args.top_p,
            top_k: self.args.top_k,
            seed: self.args.seed.wrapping_add(self.turns),
            ..Sampling::default()
        };
        let most = left.min(self.args.max_tokens as usize);
        let task =
            Task { prompt, most, sampling, ends: folder.stops(), alternatives: None, prompt_scores: false };
        let id = self.generator.add(&self.runner, task).map_err(|error| error.to_string())?;
        let mut spoken = Spoken::new(self.runner.clone(), vec![]);
        let (mut answer, mut finish, mut problem) = (String::new(), "interrupted", None);
        ENOUGH.store(false, Ordering::SeqCst);
        ANSWERING.store(true, Ordering::SeqCst);
        while !self.generator.is_idle() && !ENOUGH.load(Ordering::SeqCst) {
            self.generator.step(&mut |_, event| {
                let piece = match event {
                    Event::Token(scored) => spoken.push(scored.token),
                    Event::End(ending) => {
                        finish = if ending == Ending::Length { "length" } else { "stop" };
                        Ok(String::new())
                    }
                    Event::Prompt(_) => Ok(String::new()),
                };
                match piece {
                    Ok(piece) => self::show(&piece, self.args.json, &mut answer),
                    Err(error) => problem = Some(error.to_string()),
                }
            });
        }
        ANSWERING.store(false, Ordering::SeqCst);
        self.generator.cancel(id);
        if let Some(problem) = problem {
            return Err(problem);
        }
        let tokens = spoken.tokens();
        let rest = spoken.finish().map_err(|error| error.to_string())?;
        show(&rest, self.args.json, &mut answer);
        if self.args.json {
            output::line(
                &json!({ "answer": answer, "finish_reason": finish, "prompt_tokens": read, "completion_tokens": tokens })
                    .to_string(),
            );
        } else {
            output::line("");
            match finish {
                "length" => eprintln!("(ended at {tokens} tokens; --max-tokens allows more)"),
                "interrupted" => eprintln!("(interrupted)"),
                _ => {}
            }
        }
        Ok(answer)
    }
}

/// Prints a piece of an answer at once, unless the whole is printed as JSON, and adds it to the answer.
fn show(piece: &str, json: bool, answer: &mut String) {
    answer.push_str(piece);
    if !json && !piece.is_empty() {
        let mut out = std::io::stdout().lock();
        // A reader that went away is no failure.
        let _ = write!(out, "{piece}").and_then(|()| out.flush());
    }
}
