//! Asking until an answer can be used, a few times; then giving up on this one thing, and on nothing else.

use llm::{Answer, Ask, Call, CallError, Stop};

/// Answers that a node may have before it is set aside.
pub const ATTEMPTS: u64 = 3;
/// Attempt `k` of sample `n` is sample `16 n + k`: no two ever share an answer.
const SPREAD: u64 = 16;

/// Why a node has no answer that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct SetAside {
    /// Why, attempt by attempt.
    pub reasons: Vec<String>,
    /// The answers that could not be used; they are paid for.
    pub answers: Vec<Answer>,
    /// Whether a later run may have better luck: the call failed on its way, and no answer is stored.
    pub passing: bool,
}

impl SetAside {
    /// In one line.
    pub fn reason(&self) -> String {
        self.reasons.join("; ")
    }
}

/// Why there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Nothing {
    /// The run is ending: give up quietly.
    Ending,
    /// This node is set aside; its siblings go on.
    SetAside(Box<SetAside>),
}

impl Nothing {
    /// For a prompt that cannot be rendered: the same in every run until somebody changes the template.
    pub(crate) fn unrendered(error: &crate::PromptError) -> Nothing {
        Nothing::SetAside(Box::new(SetAside {
            reasons: vec![error.to_string()],
            answers: Vec::new(),
            passing: true,
        }))
    }
}

/// Asks, and asks again with the next sample as long as the answer cannot be used: at most [`ATTEMPTS`] times.
///
/// An answer that did not end by itself is never used, not even in part. Gives what `read` made of the answer, and all
/// answers, the last of which is the one that was used.
///
/// # Errors
/// When no answer could be used, or the run is ending.
pub async fn ask_until<A: Ask, T>(
    ask: &A,
    call: &Call,
    read: impl Fn(&Answer) -> Result<T, String>,
) -> Result<(T, Vec<Answer>), Nothing> {
    let (mut answers, mut reasons) = (Vec::new(), Vec::new());
    for attempt in 0..ATTEMPTS {
        let sample = call.sample * SPREAD + attempt;
        let answer = match ask.ask(Call { sample, ..call.clone() }).await {
            Ok(answer) => answer,
            Err(CallError::Ending) => return Err(Nothing::Ending),
            Err(CallError::Failed(reason)) => {
                reasons.push(reason);
                return Err(Nothing::SetAside(Box::new(SetAside { reasons, answers, passing: true })));
            }
        };
        let used = natural_end(&answer).and_then(|()| read(&answer));
        answers.push(answer);
        match used {
            Ok(used) => return Ok((used, answers)),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Nothing::SetAside(Box::new(SetAside { reasons, answers, passing: false })))
}

fn natural_end(answer: &Answer) -> Result<(), String> {
    match answer.stop {
        Stop::End if answer.text.trim().is_empty() => Err("the answer is empty".to_owned()),
        Stop::End => Ok(()),
        Stop::Length => Err("the answer was cut at its token limit".to_owned()),
        Stop::Refusal => Err("the model refused".to_owned()),
        Stop::Other => Err("the answer did not end by itself".to_owned()),
    }
}
