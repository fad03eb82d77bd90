//! How an answer travels: at once, drop by drop, or not to its end.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use futures_util::stream;

use super::ticket::Ticket;
use crate::fault::Fault;

/// In how many pieces a dripping answer comes.
const DROPS: usize = 50;

/// Sends an answer; the ticket closes when its last byte was handed over, or when the client is gone.
pub(super) fn deliver(
    mut ticket: Ticket,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    fault: Option<Fault>,
    drip_for: Duration,
) -> Response<Body> {
    ticket.note(|entry| entry.status = status.as_u16());
    let length = body.len();
    let body = match fault {
        Some(Fault::CutBefore) => {
            ticket.note(|entry| entry.status = 0);
            cut(ticket, Bytes::new())
        }
        Some(Fault::CutMiddle) => cut(ticket, body.slice(..length / 2)),
        Some(Fault::Drip) => drip(ticket, body, drip_for),
        _ => whole(ticket, body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    // Announced, so that a client can tell a cut answer from a whole one.
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn whole(ticket: Ticket, body: Bytes) -> Body {
    let once = stream::unfold(Some((ticket, body)), |state| async move {
        let (mut ticket, body) = state?;
        ticket.finish();
        Some((Ok::<_, Infallible>(body), None))
    });
    Body::from_stream(once)
}

/// The connection ends with an error after these bytes, and without a head if there are none.
fn cut(ticket: Ticket, start: Bytes) -> Body {
    let pieces = stream::unfold((ticket, Some(start)), |(ticket, start)| async move {
        match start {
            Some(start) if !start.is_empty() => Some((Ok(start), (ticket, None))),
            start => {
                if start.is_none() {
                    // What was said before gets on its way meanwhile.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Some((Err(io::Error::other("cut on purpose")), (ticket, None)))
            }
        }
    });
    Body::from_stream(pieces)
}

fn drip(ticket: Ticket, body: Bytes, over: Duration) -> Body {
    let size = body.len().div_ceil(DROPS).max(1);
    let pause = over / DROPS as u32;
    let drops = stream::unfold((ticket, body), move |(mut ticket, mut body)| async move {
        if body.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = body.split_to(size.min(body.len()));
        if body.is_empty() {
            ticket.finish();
        }
        Some((Ok::<_, Infallible>(drop), (ticket, body)))
    });
    Body::from_stream(drops)
}
