//! What goes wrong, and when.
//!
//! Faults of the transport are drawn anew each time a request comes: the second attempt may get through. Faults of the answer are
//! a function of the request alone: the same request gets the same poor answer however often it is sent, so that a run that
//! was killed and repeated ends as one that was not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::answer::Task;
use crate::dice::Dice;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429, and no word of how long to wait.
    RateLimit,
    /// 429 with `Retry-After`.
    RateLimitRetryAfter,
    /// 500.
    ServerError,
    /// 529, or 503 for the `openai` protocol.
    Overloaded,
    /// No answer until the client gives up.
    Hang,
    /// The answer comes whole, but slowly.
    Drip,
    /// The connection is cut before anything is answered. What was asked for is done and billed all the same.
    CutBefore,
    /// The connection is cut in the middle of the answer, which is billed.
    CutMiddle,
    /// 200, and a body that is no JSON; billed.
    MalformedBody,
    /// The answer is cut off, and says so: it ran into a token limit.
    Truncated,
    /// The model, or its provider, refuses, and says so.
    Refusal,
    /// The JSON inside the answer is broken.
    MalformedList,
    /// The answer has no tags.
    MissingTags,
    /// The answer is empty.
    Empty,
    /// The answer names another assistant.
    WrongModel,
    /// The answer is the one that other requests of this task get too.
    Duplicate,
    /// The batch expires before all of it is done.
    BatchExpires,
    /// A request of a batch comes back as an error.
    BatchItemErrored,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 18] = [
        Fault::RateLimit,
        Fault::RateLimitRetryAfter,
        Fault::ServerError,
        Fault::Overloaded,
        Fault::Hang,
        Fault::Drip,
        Fault::CutBefore,
        Fault::CutMiddle,
        Fault::MalformedBody,
        Fault::Truncated,
        Fault::Refusal,
        Fault::MalformedList,
        Fault::MissingTags,
        Fault::Empty,
        Fault::WrongModel,
        Fault::Duplicate,
        Fault::BatchExpires,
        Fault::BatchItemErrored,
    ];

    /// As files and command lines write it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::RateLimit => "rate_limit",
            Fault::RateLimitRetryAfter => "rate_limit_retry_after",
            Fault::ServerError => "server_error",
            Fault::Overloaded => "overloaded",
            Fault::Hang => "hang",
            Fault::Drip => "drip",
            Fault::CutBefore => "cut_before",
            Fault::CutMiddle => "cut_middle",
            Fault::MalformedBody => "malformed_body",
            Fault::Truncated => "truncated",
            Fault::Refusal => "refusal",
            Fault::MalformedList => "malformed_list",
            Fault::MissingTags => "missing_tags",
            Fault::Empty => "empty",
            Fault::WrongModel => "wrong_model",
            Fault::Duplicate => "duplicate",
            Fault::BatchExpires => "batch_expires",
            Fault::BatchItemErrored => "batch_item_errored",
        }
    }

    /// Whether it is about how an answer travels, not about what it says.
    pub fn is_of_transport(self) -> bool {
        matches!(
            self,
            Fault::RateLimit
                | Fault::RateLimitRetryAfter
                | Fault::ServerError
                | Fault::Overloaded
                | Fault::Hang
                | Fault::Drip
                | Fault::CutBefore
                | Fault::CutMiddle
                | Fault::MalformedBody
        )
    }

    /// Whether an answer to this task can have it.
    pub(crate) fn fits(self, task: Option<Task>) -> bool {
        match self {
            Fault::Truncated | Fault::Refusal | Fault::Empty => true,
            Fault::MissingTags => task.is_some(),
            Fault::MalformedList => task.is_some_and(Task::is_json),
            Fault::WrongModel => task.is_some_and(Task::is_kept),
            Fault::Duplicate => task.is_some_and(Task::is_varied),
            _ => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no fault has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a fault; there are {}", Fault::ALL.map(Fault::name).join(", "))]
pub struct UnknownFault {
    name: String,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Fault, UnknownFault> {
        let plain = name.trim().replace('-', "_");
        let found = Fault::ALL.into_iter().find(|fault| fault.name() == plain);
        found.ok_or_else(|| UnknownFault { name: name.to_owned() })
    }
}

/// A schedule of faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Which part of the requests is hit, from 0 to 1. Of the kinds that can happen to a request all are equally likely.
    pub share: f64,
    /// The kinds that happen.
    pub kinds: Vec<Fault>,
    /// Another seed hits other requests.
    pub seed: u64,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults { share: 0.0, kinds: Fault::ALL.to_vec(), seed: 0 }
    }
}

impl Faults {
    /// All kinds, this often.
    pub fn all(share: f64) -> Faults {
        Faults { share, ..Faults::default() }
    }

    /// What happens to a request. `key` is the request, `seen` how often it came before; `lasting` says which faults are a
    /// function of the request alone, `passing` which ones are drawn anew each time.
    pub(crate) fn draw(
        &self,
        key: u64,
        seen: u32,
        lasting: impl Fn(Fault) -> bool,
        passing: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        if self.share <= 0.0 {
            return None;
        }
        let among = |wanted: &dyn Fn(Fault) -> bool| -> Vec<Fault> {
            self.kinds.iter().copied().filter(|&kind| wanted(kind)).collect()
        };
        let (lasting, passing) = (among(&lasting), among(&passing));
        let all = (lasting.len() + passing.len()) as f64;
        if all == 0.0 {
            return None;
        }
        let first = self.share * lasting.len() as f64 / all;
        let mut dice = Dice::new(&[b"lasting", &self.seed.to_le_bytes(), &key.to_le_bytes()]);
        if dice.chance(first) {
            return Some(lasting[dice.below(lasting.len())]);
        }
        // What is left of the share, among the requests that are left.
        let second = self.share * passing.len() as f64 / all / (1.0 - first).max(1e-9);
        let seed = self.seed.to_le_bytes();
        let mut dice = Dice::new(&[b"passing", &seed, &key.to_le_bytes(), &seen.to_le_bytes()]);
        dice.chance(second).then(|| passing[dice.below(passing.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn names_are_those_of_the_files() {
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_string(&fault).unwrap(), format!("\"{fault}\""));
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        assert_eq!("batch-expires".parse(), Ok(Fault::BatchExpires));
        assert!("earthquake".parse::<Fault>().unwrap_err().to_string().contains("rate_limit, "));
        let faults: Faults = serde_json::from_str(r#"{"share": 0.2, "kinds": ["hang"]}"#).unwrap();
        assert_eq!(faults, Faults { share: 0.2, kinds: vec![Fault::Hang], seed: 0 });
    }

    #[test]
    fn all_kinds_are_equally_likely_and_together_make_the_share() {
        let faults = Faults::all(0.2);
        let task = Some(Task::Write);
        let mut counts = BTreeMap::new();
        for key in 0..40_000u64 {
            *counts
                .entry(faults.draw(key, 0, |kind| kind.fits(task), Fault::is_of_transport))
                .or_insert(0) += 1;
        }
        let none = counts.remove(&None).unwrap();
        assert!((31_500..32_500).contains(&none), "{none}");
        // Nine of the transport, six of the answer.
        assert_eq!(counts.len(), 15, "{counts:?}");
        for (kind, count) in counts {
            assert!((430..640).contains(&count), "{kind:?}: {count}");
        }
    }

    #[test]
    fn a_poor_answer_stays_poor_and_a_cut_connection_does_not() {
        let faults = Faults::all(0.5);
        let draw =
            |key, seen| faults.draw(key, seen, |kind| kind.fits(Some(Task::Ideas)), Fault::is_of_transport);
        let mut differ = 0;
        for key in 0..2000 {
            match draw(key, 0) {
                Some(kind) if !kind.is_of_transport() => {
                    (1..5).for_each(|seen| assert_eq!(draw(key, seen), Some(kind)))
                }
                first => differ += usize::from(draw(key, 1) != first),
            }
        }
        assert!(differ > 500, "{differ}");
        assert_eq!(Faults::default().draw(1, 0, |_| true, |_| true), None);
    }
}
