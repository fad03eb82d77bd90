//! From a request to the bytes of its answer.

mod batches;
mod deliver;
mod files;
mod front;
mod models;
mod multipart;
mod question;
mod ticket;

pub(crate) use front::front;
pub(crate) use question::{Question, reply};
pub(crate) use ticket::blank;

use axum::http::StatusCode;
use bytes::Bytes;

use crate::wire::{Problem, Protocol};

/// What an endpoint answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// 200, with a body.
    Good(Good),
    /// An error.
    Bad(Problem),
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Good {
    pub(crate) body: Bytes,
    pub(crate) content_type: &'static str,
    /// The batch whose results these are, and what they cost.
    pub(crate) results_of: Option<(String, u64)>,
}

impl Reply {
    /// JSON.
    pub(crate) fn json(value: &serde_json::Value) -> Reply {
        Reply::Good(Good {
            body: value.to_string().into(),
            content_type: "application/json",
            results_of: None,
        })
    }
}

impl From<Result<Reply, Problem>> for Reply {
    fn from(result: Result<Reply, Problem>) -> Reply {
        result.unwrap_or_else(Reply::Bad)
    }
}

/// The status that a problem has in a protocol.
fn status(protocol: Protocol, problem: &Problem) -> StatusCode {
    StatusCode::from_u16(protocol.status(problem)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
