//! The answers to a request as they come: tokens to text, choice by choice.

use model::{Ending, Event, Runner, Scored, Spoken};

use crate::api::error::ApiError;
use crate::engine::Events;
use crate::journal::Entry;

/// What has become sayable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Which choice it belongs to.
    pub choice: usize,
    /// New text.
    pub text: String,
    /// The tokens behind it, with the number of characters of the answer before each.
    pub tokens: Vec<(Scored, usize)>,
    /// The tokens of the prompt, where they were to be scored.
    pub prompt: Vec<Scored>,
    /// The token with which the model ended the answer, if it did.
    pub end: Option<Scored>,
    /// Why there is no more, if there is no more.
    pub finish: Option<&'static str>,
}

/// The answers to a request.
pub struct Answers {
    events: Events,
    /// Whether the token that ends an answer is one of its tokens.
    tells_end: bool,
    voices: Vec<Voice>,
    /// The line that is said of the request in the end.
    pub entry: Entry,
}

struct Voice {
    spoken: Spoken<Runner>,
    /// Characters said.
    said: usize,
    /// Tokens whose text is held back.
    waiting: Vec<(Scored, usize)>,
    ended: bool,
}

impl Answers {
    /// Of `choices` texts; `tells_end` has the token that ends one among its tokens.
    pub fn new(
        events: Events,
        choices: usize,
        runner: &Runner,
        stops: &[String],
        tells_end: bool,
        entry: Entry,
    ) -> Self {
        let voice = || Voice {
            spoken: Spoken::new(runner.clone(), stops.to_vec()),
            said: 0,
            waiting: Vec::new(),
            ended: false,
        };
        Answers { events, tells_end, voices: (0..choices).map(|_| voice()).collect(), entry }
    }

    /// The next piece; none when all is said.
    ///
    /// # Errors
    /// When the engine failed, or a token has no text.
    pub async fn next(&mut self) -> Result<Option<Piece>, ApiError> {
        while self.voices.iter().any(|voice| !voice.ended) {
            let (choice, event) = self.events.next().await.ok_or_else(ApiError::failed)?;
            let voice = &mut self.voices[choice];
            if voice.ended {
                continue;
            }
            let mut piece = Piece { choice, ..Piece::default() };
            match event {
                Event::Prompt(scores) => piece.prompt = scores,
                Event::Token(scored) => {
                    self.entry.writes();
                    let token = scored.token;
                    voice.waiting.push((scored, voice.said));
                    piece.text = voice.spoken.push(token)?;
                }
                Event::End(ending) => {
                    piece.text = voice.spoken.finish()?;
                    voice.ended = true;
                    piece.finish = Some(match ending {
                        Ending::Length => "length",
                        Ending::Stop(scored) => {
                            piece.end = Some(scored);
                            "stop"
                        }
                    });
                }
            }
            if voice.spoken.stopped() && !voice.ended {
                self.events.end(choice);
                piece.finish = Some("stop");
                voice.ended = true;
            }
            voice.said += piece.text.chars().count();
            if !piece.text.is_empty() || piece.finish.is_some() {
                piece.tokens = std::mem::take(&mut voice.waiting);
            }
            // Programs that score a text ask for one token more than they want and leave out the last that they are told:
            // in the older of the two forms the end is told, though it has no text.
            if self.tells_end {
                piece.tokens.extend(piece.end.take().map(|end| (end, voice.said)));
            }
            if piece != (Piece { choice, ..Piece::default() }) {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}
