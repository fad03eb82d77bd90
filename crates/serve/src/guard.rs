//! Who may ask.

use axum::http::{HeaderMap, header};
use llm::Secret;

use crate::api::error::ApiError;

/// Lets a request through that has the key, if there is one. Without a key, only this machine can ask, and browsers on it
/// only from pages of its own: a page from elsewhere must not reach a server here by a name of its own or by a script.
///
/// # Errors
/// When it may not ask.
pub fn admit(headers: &HeaderMap, key: Option<&Secret>) -> Result<(), ApiError> {
    let Some(key) = key else { return from_here(headers) };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer "))) {
        Some(given) if key.is(given.trim()) => Ok(()),
        Some(_) => Err(ApiError::key("the API key is not the one of this server")),
        None => Err(ApiError::key("an API key is needed, in the header `Authorization: Bearer KEY`")),
    }
}

fn from_here(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or_default());
    if let Some(host) = text(header::HOST).filter(|host| !is_loopback(host)) {
        return Err(ApiError::forbidden(format!(
            "`{host}` is not a name of this machine, and without a key only this machine may ask"
        )));
    }
    match text(header::ORIGIN)
        .filter(|origin| !is_loopback(origin.split_once("://").map_or("", |(_, host)| host)))
    {
        Some(origin) => Err(ApiError::forbidden(format!(
            "pages of `{origin}` may not ask a server that needs no key; start it with one"
        ))),
        None => Ok(()),
    }
}

/// Whether a host, with or without a port, is this machine by one of its own names.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(pairs: &[(&'static str, &str)], key: Option<&Secret>) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        admit(&headers.collect(), key).is_ok()
    }

    #[test]
    fn without_a_key_only_this_machine_asks() {
        for host in ["localhost:8000", "LOCALHOST", "127.0.0.1:1", "[::1]:8000", "127.1.2.3"] {
            assert!(admitted(&[("host", host)], None), "{host}");
        }
        for host in ["evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", ""] {
            assert!(!admitted(&[("host", host)], None), "{host}");
        }
        assert!(admitted(&[("host", "localhost"), ("origin", "http://localhost:3000")], None));
        for origin in ["https://evil.example", "null", "file://"] {
            assert!(!admitted(&[("host", "localhost"), ("origin", origin)], None), "{origin}");
        }
    }

    #[test]
    fn with_a_key_it_counts_and_nothing_else() {
        let key = Secret::new("sk-a");
        assert!(admitted(&[("authorization", "Bearer sk-a"), ("host", "anywhere.example")], Some(&key)));
        for given in ["Bearer sk-b", "sk-a", "Bearer ", "Bearer sk-ab"] {
            assert!(!admitted(&[("authorization", given)], Some(&key)), "{given}");
        }
        assert!(!admitted(&[("host", "localhost")], Some(&key)));
    }
}
