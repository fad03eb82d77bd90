//! Sending bytes and receiving all of them, or saying how that failed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode, redirect};
use tokio::time::timeout;

use crate::date;
use crate::settings::{Model, SettingsError};

/// The largest body that is read; answers are a thousand times smaller.
const LARGEST: usize = 32 << 20;

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    /// How long the server asks us to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Whether it says that it sent a web page.
    pub(crate) is_page: bool,
    pub(crate) body: Vec<u8>,
}

/// Why nothing, or not all, came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// There is no such host.
    NoHost(String),
    /// Nobody listens there, or TLS does not work out. Nothing was sent.
    NoConnection(String),
    /// It took too long. Something may have been sent.
    Timeout,
    /// The connection ended early. Something may have been sent.
    Cut(String),
    /// More than is ever needed.
    TooLarge,
}

#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: reqwest::Client,
    headers: HeaderMap,
}

impl Transport {
    pub(crate) fn new(
        model: &Model,
        connect: Duration,
        headers: HeaderMap,
    ) -> Result<Transport, SettingsError> {
        // A second installation is refused, and does not matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("whyfirst/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            // A redirect would take the key along.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            // One connection per call in flight: when one breaks, one call is lost, not all of them.
            .http1_only()
            .pool_max_idle_per_host(usize::MAX)
            // Shorter than what servers usually allow, so that they do not close a connection just as it is used.
            .pool_idle_timeout(Duration::from_secs(30));
        if model.is_local() {
            builder = builder.no_proxy();
        }
        if model.base().starts_with("http://") {
            // No certificate is looked at, so a machine without any will do.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| SettingsError::Connections(whole(&error)))?;
        Ok(Transport { client, headers })
    }

    fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url).headers(self.headers.clone())
    }

    /// Sends JSON and receives the answer to its last byte.
    pub(crate) async fn post(
        &self,
        url: &str,
        body: Bytes,
        extra: Option<(&'static str, String)>,
        limit: Duration,
    ) -> Result<Received, Broken> {
        let mut request = self.request(Method::POST, url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some((name, value)) = extra {
            request = request.header(name, value);
        }
        receive(request, limit).await
    }

    /// Sends something else than JSON.
    pub(crate) async fn post_as(
        &self,
        url: &str,
        content_type: String,
        body: Bytes,
        limit: Duration,
    ) -> Result<Received, Broken> {
        receive(self.request(Method::POST, url).header(CONTENT_TYPE, content_type).body(body), limit).await
    }

    pub(crate) async fn get(&self, url: &str, limit: Duration) -> Result<Received, Broken> {
        receive(self.request(Method::GET, url), limit).await
    }

    /// Receives the head of an answer; the body is read by [`crate::lines::Lines`].
    pub(crate) async fn open(&self, url: &str, limit: Duration) -> Result<reqwest::Response, Broken> {
        let sent = timeout(limit, self.request(Method::GET, url).send()).await;
        sent.map_err(|_| Broken::Timeout)?.map_err(broken)
    }
}

async fn receive(request: reqwest::RequestBuilder, limit: Duration) -> Result<Received, Broken> {
    timeout(limit, async {
        let response = request.send().await.map_err(broken)?;
        whole_of(response).await
    })
    .await
    .unwrap_or(Err(Broken::Timeout))
}

/// Reads a body to its end.
pub(crate) async fn whole_of(mut response: reqwest::Response) -> Result<Received, Broken> {
    let headers = response.headers();
    let page = |value: &str| value.to_ascii_lowercase().starts_with("text/html");
    let is_page = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(page);
    let retry_after = retry_after(headers);
    let status = response.status();
    let expected = response.content_length().unwrap_or(0).min(LARGEST as u64) as usize;
    let mut body = Vec::with_capacity(expected);
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > LARGEST {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Received { status, retry_after, is_page, body })
}

pub(crate) fn broken(error: reqwest::Error) -> Broken {
    let text = whole(&error);
    if error.is_connect() {
        // The resolver's errors have no kind of their own in all cases.
        return if error.is_dns() || text.contains("dns error") {
            Broken::NoHost(text)
        } else {
            Broken::NoConnection(text)
        };
    }
    if error.is_timeout() { Broken::Timeout } else { Broken::Cut(text) }
}

/// An error with all its causes, and without the URL, which the caller knows.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        let part = part.split(" for url (").next().unwrap_or_default();
        if !text.contains(part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(part);
        }
        next = error.source();
    }
    text
}

/// Seconds, or a date; `retry-after-ms` is what OpenAI's own clients look at first.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let amount = |text: &str, unit: f64| {
        let amount = text.trim().parse::<f64>().ok()?;
        Duration::try_from_secs_f64(amount.max(0.0) * unit).ok()
    };
    if let Some(wait) = text("retry-after-ms").and_then(|text| amount(text, 1e-3)) {
        return Some(wait);
    }
    let after = text(RETRY_AFTER.as_str())?;
    amount(after, 1.0).or_else(|| {
        let wait = date::seconds(after)? - date::seconds(text(DATE.as_str())?)?;
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn wait(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        retry_after(&headers)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(wait(&[("retry-after", "0.25")]), Some(Duration::from_millis(250)));
        assert_eq!(
            wait(&[("retry-after", "7"), ("retry-after-ms", "1500")]),
            Some(Duration::from_millis(1500))
        );
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let later = ("retry-after", "Sun, 06 Nov 1994 08:51:07 GMT");
        assert_eq!(wait(&[date, later]), Some(Duration::from_secs(90)));
        assert_eq!(wait(&[later]), None, "without the server's clock nothing is known");
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
    }
}
