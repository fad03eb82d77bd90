//! What clients send, read to its end even where it is refused: one that is still sending when the connection closes sees
//! that it broke, and not the answer that says why.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use std::time::Duration;

use crate::api::error::ApiError;

/// How much of what is refused is read, in bytes, and for how long. After that the connection does break.
const REFUSED: (usize, Duration) = (64 << 20, Duration::from_secs(5));

/// A whole body of at most so many bytes.
///
/// # Errors
/// When it is longer, or the client goes away.
pub async fn read(body: Body, most: usize) -> Result<Bytes, ApiError> {
    let mut parts = pin!(body.into_data_stream());
    let mut whole = BytesMut::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| ApiError::invalid(format!("the request broke off: {error}")))?;
        if whole.len() + part.len() > most {
            drop(whole);
            forget(parts).await;
            return Err(ApiError::too_large(most));
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// Reads a body that nobody wants.
pub async fn discard(body: Body) {
    forget(pin!(body.into_data_stream())).await;
}

async fn forget(mut parts: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin) {
    let (most, time) = REFUSED;
    let mut left = most;
    let all = async {
        while let Some(Ok(part)) = parts.next().await
            && part.len() <= left
        {
            left -= part.len();
        }
    };
    // Whether it came to its end makes no difference to what is answered.
    let _ = tokio::time::timeout(time, all).await;
}
