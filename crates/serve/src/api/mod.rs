//! The API: what is asked, checked and understood, and what is answered.

mod asked;
pub mod error;
mod fields;
mod prompts;
mod scores;
mod shape;

pub use shape::Kind;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use model::{Scored, Task};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

use self::asked::Asked;
use self::error::ApiError;
use self::fields::Fields;
use self::prompts::Prompts;
use self::shape::{Choice, Shape};
use crate::answer::{Answers, Piece};
use crate::catalogue::Catalogue;
use crate::engine::Engine;
use crate::journal::Entry;

/// What answers are made with.
pub struct Kitchen {
    pub catalogue: Arc<Catalogue>,
    pub engine: Engine,
    /// The most answers to one prompt.
    pub choices: usize,
}

/// Answers a request for texts. `stamp` is its name, and the second at which it came.
///
/// # Errors
/// When it is not one that can be answered.
pub async fn texts(
    kitchen: &Kitchen,
    kind: Kind,
    body: &[u8],
    stamp: (String, u64),
    mut entry: Entry,
) -> Result<Response, (ApiError, Entry)> {
    match prepare(kitchen, kind, body, stamp, &mut entry).await {
        Err(error) => Err((error, entry)),
        Ok(prepared) => {
            let Prepared { shape, asked, prompts, events } = prepared;
            let choices = prompts.prompts.len() * asked.choices;
            let answers = {
                let tells_end = kind == Kind::Completion && shape.scored;
                Answers::new(events, choices, &shape.runner, &asked.stops, tells_end, entry)
            };
            let echoes = prompts.echoes(&asked, &shape);
            let prompt_tokens = prompts.tokens();
            if asked.streams {
                let order = Stage { shape, answers, echoes, usage: asked.streams_usage, prompt_tokens };
                Ok(Sse::new(order.stream(choices)).into_response())
            } else {
                whole(shape, answers, echoes, choices, prompt_tokens).await
            }
        }
    }
}

struct Prepared {
    shape: Shape,
    asked: Asked,
    prompts: Prompts,
    events: crate::engine::Events,
}

async fn prepare(
    kitchen: &Kitchen,
    kind: Kind,
    body: &[u8],
    (id, created): (String, u64),
    entry: &mut Entry,
) -> Result<Prepared, ApiError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))?;
    let asked = Asked::read(Fields::of(&body)?, kitchen.choices)?;
    entry.asks(&asked.model);
    let ready = kitchen.catalogue.get(&asked.model).await?;
    let runner = ready.runner.clone();
    // A long text takes a while to become tokens: others go on meanwhile.
    let reading = tokio::task::spawn_blocking(move || {
        let fields = Fields::of(&body)?;
        match kind {
            Kind::Chat => prompts::of_chat(fields, &runner),
            Kind::Completion => prompts::of_completion(fields, &runner),
        }
    });
    let prompts = reading.await.map_err(|_| ApiError::failed())??;
    entry.reads(prompts.tokens());
    let tasks = prompts.tasks(&asked, &ready.runner.folder().stops());
    let field = if kind == Kind::Chat { "messages" } else { "prompt" };
    let events = kitchen.engine.add(&ready.runner, tasks).await;
    let events = events.map_err(|declined| match declined {
        crate::engine::Declined::Refused(refused) => ApiError::from(refused).of(field),
        too_many @ crate::engine::Declined::TooMany { .. } => ApiError::from(too_many).of(field),
        other => other.into(),
    })?;
    let shape = Shape {
        kind,
        id,
        created,
        model: asked.model.clone(),
        fingerprint: format!("fp_{}", ready.fingerprint.short()),
        runner: ready.runner,
        scored: prompts.alternatives.is_some(),
    };
    Ok(Prepared { shape, asked, prompts, events })
}

impl Prompts {
    /// Tokens of all prompts.
    fn tokens(&self) -> usize {
        self.prompts.iter().map(|(tokens, _)| tokens.len()).sum()
    }

    /// A task for every answer: all answers to the first prompt, then those to the second.
    fn tasks(&self, asked: &Asked, ends: &[u32]) -> Vec<Task> {
        let task = |(prompt, most): &(Vec<u32>, usize), choice: usize| Task {
            prompt: prompt.clone(),
            most: *most,
            sampling: asked.sampling_of(choice),
            ends: ends.to_vec(),
            alternatives: self.alternatives,
            prompt_scores: self.echo && self.alternatives.is_some(),
        };
        self.prompts.iter().flat_map(|prompt| (0..asked.choices).map(move |i| task(prompt, i))).collect()
    }

    /// For every answer the prompt that it is to begin with.
    fn echoes(&self, asked: &Asked, shape: &Shape) -> Vec<Option<Echo>> {
        let echo = |(tokens, _): &(Vec<u32>, usize)| {
            let tokenizer = &shape.runner.folder().tokenizer;
            // Where each token begins, in characters of the text that it is a part of.
            let mut spoken = model::Spoken::new(tokenizer, vec![]);
            let (mut text, mut places) = (String::new(), Vec::with_capacity(tokens.len()));
            for token in tokens {
                places.push(text.chars().count());
                text.push_str(&spoken.push(*token).unwrap_or_default());
            }
            text.push_str(&spoken.finish().unwrap_or_default());
            Echo { text, places }
        };
        let one = |prompt| (0..asked.choices).map(move |_| self.echo.then(|| echo(prompt)));
        self.prompts.iter().flat_map(one).collect()
    }
}

/// A prompt as the beginning of an answer.
#[derive(Clone)]
struct Echo {
    text: String,
    places: Vec<usize>,
}

/// Puts the prompt before an answer's first piece.
fn echoed(mut piece: Piece, echo: &mut Option<Echo>, shift: &mut usize) -> Piece {
    if let Some(Echo { text, places }) = echo.take() {
        let scores = std::mem::take(&mut piece.prompt);
        let prompt: Vec<(Scored, usize)> = scores.into_iter().zip(places).collect();
        *shift = text.chars().count();
        piece.text.insert_str(0, &text);
        piece.tokens.iter_mut().for_each(|(_, at)| *at += *shift);
        piece.tokens.splice(0..0, prompt);
    } else {
        piece.tokens.iter_mut().for_each(|(_, at)| *at += *shift);
    }
    piece
}

/// The answer when all of it is there.
async fn whole(
    shape: Shape,
    mut answers: Answers,
    mut echoes: Vec<Option<Echo>>,
    count: usize,
    prompt_tokens: usize,
) -> Result<Response, (ApiError, Entry)> {
    let (mut choices, mut shifts) = (vec![Choice::default(); count], vec![0; count]);
    loop {
        match answers.next().await {
            Err(error) => return Err((error, answers.entry)),
            Ok(None) => break,
            Ok(Some(piece)) => {
                let at = piece.choice;
                choices[at].add(echoed(piece, &mut echoes[at], &mut shifts[at]));
            }
        }
    }
    answers.entry.ends(200);
    let answer = shape.whole(&choices, prompt_tokens, answers.entry.written());
    Ok(axum::Json(answer).into_response())
}

/// A stream under way.
struct Stage {
    shape: Shape,
    answers: Answers,
    echoes: Vec<Option<Echo>>,
    usage: bool,
    prompt_tokens: usize,
}

/// What comes next in a stream.
enum Next {
    Piece,
    Usage,
    Done,
    Over,
}

impl Stage {
    fn stream(self, choices: usize) -> impl Stream<Item = Result<Event, Infallible>> {
        let begun = vec![false; choices];
        let shifts = vec![0usize; choices];
        stream::unfold(
            (self, begun, shifts, Next::Piece),
            |(mut stage, mut begun, mut shifts, next)| async move {
                let (data, next) = match next {
                    Next::Piece => match stage.answers.next().await {
                        Ok(Some(piece)) => {
                            let at = piece.choice;
                            let piece = echoed(piece, &mut stage.echoes[at], &mut shifts[at]);
                            let first = !std::mem::replace(&mut begun[at], true);
                            (stage.shape.piece(&piece, first).to_string(), Next::Piece)
                        }
                        Ok(None) if stage.usage => {
                            let written = stage.answers.entry.written();
                            (stage.shape.usage(stage.prompt_tokens, written).to_string(), Next::Usage)
                        }
                        Ok(None) => ("[DONE]".to_owned(), Next::Done),
                        Err(error) => {
                            stage.answers.entry.ends(error.status.as_u16());
                            (error.body().to_string(), Next::Over)
                        }
                    },
                    Next::Usage => ("[DONE]".to_owned(), Next::Done),
                    Next::Done => {
                        stage.answers.entry.ends(200);
                        return None;
                    }
                    Next::Over => return None,
                };
                Some((Ok(Event::default().data(data)), (stage, begun, shifts, next)))
            },
        )
    }
}

/// `GET /v1/models`.
pub fn models(catalogue: &Catalogue, created: u64) -> Value {
    let models: Vec<Value> = catalogue.names().iter().map(|name| model(name, created)).collect();
    json!({ "object": "list", "data": models })
}

/// One of them.
pub fn model(name: &str, created: u64) -> Value {
    json!({ "id": name, "object": "model", "created": created, "owned_by": "whyfirst" })
}
