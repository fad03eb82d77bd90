//! Many texts continued at once. Each step runs the network once over what is new in all of them: a token of those that
//! are being continued, a piece of those whose prompt is still being read. Texts come and go between steps.

use super::cache::{self, Cache};
use super::prefixes::{Place, Prefixes};
use super::runner::Runner;
use super::sampling::{Sampler, Sampling, scored};
use crate::{Continued, Network, Workspace};
use kernels::attention::PAGE;
use kernels::threads;
use std::collections::VecDeque;
use std::sync::Mutex;

/// Tokens that a thread reads in one step: enough for efficient products, few enough that texts under way wait little.
const STEP_TOKENS: usize = 256;

/// Tokens up to which a step is one pass that all threads share.
const FEW_TOKENS: usize = 64;

/// A text to be continued.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The text so far; not empty.
    pub prompt: Vec<u32>,
    /// How many tokens may be added.
    pub most: usize,
    /// How they are drawn.
    pub sampling: Sampling,
    /// Tokens that end the text; the one that does is not part of it.
    pub ends: Vec<u32>,
    /// Whether log-probabilities are wanted, and of how many of the likeliest tokens besides.
    pub alternatives: Option<usize>,
    /// Whether the prompt's own tokens are to be scored, too.
    pub prompt_scores: bool,
}

/// A token of a text, with what the model thought of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The token.
    pub token: u32,
    /// Its log-probability (nats), before temperature and penalties. NaN where it was not asked for, and for the first
    /// token of a prompt, before which there is nothing.
    pub log_probability: f64,
    /// The likeliest tokens with theirs, likeliest first.
    pub alternatives: Vec<(u32, f64)>,
}

/// What became of a text in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The prompt's tokens, scored.
    Prompt(Vec<Scored>),
    /// The next token.
    Token(Scored),
    /// There will be no more.
    End(Ending),
}

/// Why a text ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The model ended it, with this token, which is not part of it.
    Stop(Scored),
    /// It has all the tokens that it may have.
    Length,
}

/// What a generator may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads.
    pub threads: usize,
    /// Texts that are continued at once; others wait.
    pub active: usize,
    /// Memory of keys and values, in bytes.
    pub cache_bytes: u64,
}

/// Why a task is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nothing to continue.
    #[error("the prompt has no tokens")]
    Empty,
    /// It could become longer than the model's positions.
    #[error(
        "{prompt} tokens of prompt and up to {most} new ones do not fit the model's {positions} positions"
    )]
    Positions {
        /// Tokens of the prompt.
        prompt: usize,
        /// New tokens at most.
        most: usize,
        /// What the model can read.
        positions: usize,
    },
    /// A token is not one of the model's.
    #[error("token {token} is not one of the model's {vocabulary}")]
    Token {
        /// The token.
        token: u32,
        /// The size of the vocabulary.
        vocabulary: usize,
    },
    /// What it could need is more than all the memory there is for keys and values.
    #[error("it could take {needed} bytes of keys and values, and there are {bytes} for all texts together")]
    Memory {
        /// What the text could need.
        needed: u64,
        /// What there is.
        bytes: u64,
    },
}

/// Names a task of a [`Generator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

/// Continues texts, of one model or of several.
///
/// What a text is continued with depends on its task alone: neither on the other texts, nor on what is remembered of
/// earlier ones, nor on the number of threads.
pub struct Generator {
    limits: Limits,
    waiting: VecDeque<Text>,
    active: Vec<Text>,
    prefixes: Prefixes,
    workspaces: Mutex<Vec<Workspace>>,
    next: u64,
}

/// A text on its way.
#[derive(Debug)]
struct Text {
    id: TaskId,
    runner: Runner,
    /// The prompt, then what was added.
    tokens: Vec<u32>,
    prompt: usize,
    most: usize,
    sampler: Sampler,
    ends: Vec<u32>,
    alternatives: Option<usize>,
    prompt_scores: Option<Vec<Scored>>,
    cache: Cache,
    place: Place,
    /// The largest memory that its keys and values can take.
    reserved: u64,
    /// Tokens that the next pass runs.
    share: usize,
    events: Vec<Event>,
    ended: bool,
}

impl Generator {
    /// Nothing to do yet.
    pub fn new(limits: Limits) -> Generator {
        Generator {
            limits,
            waiting: VecDeque::new(),
            active: Vec::new(),
            prefixes: Prefixes::default(),
            workspaces: Mutex::default(),
            next: 0,
        }
    }

    /// Takes a task on; it begins with one of the next steps.
    ///
    /// # Errors
    /// When it can never be done.
    pub fn add(&mut self, runner: &Runner, task: Task) -> Result<TaskId, Refused> {
        let (prompt, most, positions) = (task.prompt.len(), task.most, runner.positions());
        if prompt == 0 {
            return Err(Refused::Empty);
        }
        if prompt.saturating_add(most) > positions {
            return Err(Refused::Positions { prompt, most, positions });
        }
        let config = &runner.folder().config;
        let vocabulary = config.vocab_size;
        if let Some(&token) = task.prompt.iter().find(|token| **token as usize >= vocabulary) {
            return Err(Refused::Token { token, vocabulary });
        }
        let reserved = cache::bytes(config, prompt + most);
        if reserved > self.limits.cache_bytes {
            return Err(Refused::Memory { needed: reserved, bytes: self.limits.cache_bytes });
        }
        let id = TaskId(self.next);
        self.next += 1;
        self.waiting.push_back(Text {
            id,
            runner: runner.clone(),
            tokens: task.prompt,
            prompt,
            most,
            sampler: Sampler::new(task.sampling),
            ends: task.ends,
            alternatives: task.alternatives,
            prompt_scores: task.prompt_scores.then(Vec::new),
            cache: Cache::new(),
            place: Place::start(runner.id()),
            reserved,
            share: 0,
            events: Vec::new(),
            ended: false,
        });
        Ok(id)
    }

    /// Drops a task, wherever it is; no event of it comes any more.
    pub fn cancel(&mut self, id: TaskId) {
        self.waiting.retain(|text| text.id != id);
        self.active.retain(|text| text.id != id);
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.active.is_empty() && self.waiting.is_empty()
    }

    /// Texts being continued.
    pub fn active(&self) -> usize {
        self.active.len()
    }

    /// Texts that wait for room.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Runs the networks once, and hands out what came of it, text by text in the order of their ids.
    pub fn step(&mut self, sink: &mut dyn FnMut(TaskId, Event)) {
        self.admit();
        self.share_out();
        let (threads, workspaces) = (self.limits.threads, &self.workspaces);
        // With few tokens, reading the weights is most of the work: each thread then takes a part of them, not of the texts.
        // So it does where there is one text only.
        let shares = || self.active.iter().map(|text| text.share).filter(|share| *share > 0);
        let few = shares().sum::<usize>() <= FEW_TOKENS || shares().count() == 1;
        let (across, within) = if few { (1, threads) } else { (threads, 1) };
        let parts = parts(&mut self.active, across);
        let run = |_, mut part: Vec<&mut Text>| {
            let spare = workspaces.lock().unwrap_or_else(|e| e.into_inner()).pop();
            let mut workspace = spare.unwrap_or_else(|| Workspace::new(false));
            advance(&mut part, within, &mut workspace);
            workspaces.lock().unwrap_or_else(|e| e.into_inner()).push(workspace);
        };
        if within > 1 {
            threads::inside(|| threads::for_each(across, parts, run));
        } else {
            threads::for_each(across, parts, run);
        }
        for text in &mut self.active {
            if text.share > 0 {
                let known = text.cache.len();
                self.prefixes.keep(&mut text.place, &text.tokens[..known], &text.cache.pages);
            }
            text.events.drain(..).for_each(|event| sink(text.id, event));
        }
        self.active.retain(|text| !text.ended);
    }

    /// Lets texts begin while there is room, in the order in which they came.
    fn admit(&mut self) {
        while self.active.len() < self.limits.active {
            let Some(text) = self.waiting.front() else { return };
            let in_use: u64 = self.active.iter().map(|text| text.reserved).sum();
            let needed = in_use + text.reserved;
            if needed > self.limits.cache_bytes {
                return;
            }
            let over = (needed + self.prefixes.idle_bytes()).saturating_sub(self.limits.cache_bytes);
            if over > 0 {
                self.prefixes.forget(over);
            }
            let Some(mut text) = self.waiting.pop_front() else { return };
            // The last token is read in any case: what follows it is not remembered. Scores are not either.
            if text.prompt_scores.is_none() {
                let (pages, place) = self.prefixes.find(text.runner.id(), &text.tokens[..text.prompt - 1]);
                text.cache = Cache { len: pages.len() * PAGE, pages };
                text.place = place;
            }
            self.active.push(text);
        }
    }

    /// Decides how many tokens of each text the next pass runs: those that are being continued go first.
    fn share_out(&mut self) {
        let mut left = STEP_TOKENS * self.limits.threads;
        for text in &mut self.active {
            text.share = usize::from(text.unread() == 1);
            left = left.saturating_sub(text.share);
        }
        for text in self.active.iter_mut().filter(|text| text.unread() > 1) {
            text.share = text.unread().min(left);
            left -= text.share;
        }
    }
}

/// The texts that the next pass runs, by model, in parts of about equal size.
fn parts(active: &mut [Text], threads: usize) -> Vec<Vec<&mut Text>> {
    let mut texts: Vec<&mut Text> = active.iter_mut().filter(|text| text.share > 0).collect();
    let total: usize = texts.iter().map(|text| text.share).sum();
    let most = total.div_ceil(threads.max(1));
    // Stable: within a model texts keep their order.
    texts.sort_by_key(|text| text.runner.id());
    let mut parts: Vec<Vec<&mut Text>> = Vec::new();
    let mut size = 0;
    for text in texts {
        let same_model = parts.last().is_some_and(|part| part[0].runner.id() == text.runner.id());
        if !same_model || size + text.share > most {
            parts.push(Vec::new());
            size = 0;
        }
        size += text.share;
        if let Some(part) = parts.last_mut() {
            part.push(text);
        }
    }
    parts
}

/// Runs the shares of some texts of one model on so many threads, and draws the next token of those that have been read to their end.
fn advance(texts: &mut [&mut Text], threads: usize, workspace: &mut Workspace) {
    let Some(runner) = texts.first().map(|text| text.runner.clone()) else { return };
    let network = Network { threads, ..runner.network() };
    // Rows whose logits are wanted: of which text, and after which of its tokens.
    let (mut rows, mut wanted) = (Vec::new(), Vec::new());
    let mut start = 0;
    for (index, text) in texts.iter().enumerate() {
        let known = text.cache.len();
        for at in known..known + text.share {
            if text.wants(at) {
                rows.push((start + at - known) as u32);
                wanted.push((index, at));
            }
        }
        start += text.share;
    }
    let mut continued: Vec<Continued> = texts
        .iter_mut()
        .map(|text| {
            let known = text.cache.len();
            Continued { tokens: &text.tokens[known..known + text.share], cache: &mut text.cache }
        })
        .collect();
    network.extend(&mut continued, workspace);
    network.each_logits(&rows, workspace, |row, logits| {
        let (index, at) = wanted[row];
        texts[index].hear(at, logits);
    });
    for text in texts.iter_mut().filter(|text| text.unread() == 0 && text.most == 0) {
        // Nothing more is wanted than the scores of its prompt.
        text.scores_are_complete();
        text.end(Ending::Length);
    }
}

impl Text {
    /// Tokens that the network has not seen.
    fn unread(&self) -> usize {
        self.tokens.len() - self.cache.len()
    }

    /// Whether the logits after token `at` are needed.
    fn wants(&self, at: usize) -> bool {
        let scores_next = self.prompt_scores.is_some() && at + 1 < self.prompt;
        let draws_next = at + 1 == self.tokens.len() && self.most > 0;
        scores_next || draws_next
    }

    /// Takes the logits after token `at`.
    fn hear(&mut self, at: usize, logits: &[f32]) {
        if let Some(&token) = self.tokens.get(at + 1) {
            let scored = self.score(token, logits);
            self.prompt_scores.iter_mut().for_each(|scores| scores.push(scored.clone()));
            return;
        }
        self.scores_are_complete();
        let token = self.sampler.next(logits);
        let scored = self.score(token, logits);
        if self.ends.contains(&token) {
            return self.end(Ending::Stop(scored));
        }
        self.events.push(Event::Token(scored));
        self.tokens.push(token);
        if self.tokens.len() == self.prompt + self.most {
            self.end(Ending::Length);
        }
    }

    fn score(&self, token: u32, logits: &[f32]) -> Scored {
        let (log_probability, alternatives) = match self.alternatives {
            Some(k) => scored(logits, token, k),
            None => (f64::NAN, Vec::new()),
        };
        Scored { token, log_probability, alternatives }
    }

    /// Hands out the prompt's scores, once.
    fn scores_are_complete(&mut self) {
        if let Some(scores) = self.prompt_scores.take() {
            let first = Scored { token: self.tokens[0], log_probability: f64::NAN, alternatives: Vec::new() };
            self.events.push(Event::Prompt([vec![first], scores].concat()));
        }
    }

    fn end(&mut self, ending: Ending) {
        self.ended = true;
        self.events.push(Event::End(ending));
    }
}
