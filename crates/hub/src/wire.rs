//! What the hub is asked, and what its answers mean.

use crate::cache::{is_commit, is_plain};
use crate::{HubError, ModelId, Settings};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE};
use reqwest::{Client, Method, Response, StatusCode, Url};
use std::time::Duration;

/// How long a connection may take, and how long a server may be silent.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(60);

/// The largest answer that is kept in memory; lists of files are a thousand times smaller.
const LARGEST: usize = 32 << 20;

/// Redirects that are followed.
const HOPS: usize = 5;

/// Tries before a server that fails is given up, and what is waited after the first.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// A hub that can be asked.
pub(crate) struct Wire<'a> {
    client: Client,
    settings: &'a Settings,
    id: &'a ModelId,
    pause: Duration,
}

/// A state of a model.
pub(crate) struct State {
    pub commit: String,
    pub files: Vec<String>,
}

/// What the hub says about a file.
pub(crate) struct About {
    /// Its entity tag, which is a plain name.
    pub tag: String,
    pub size: u64,
}

impl<'a> Wire<'a> {
    pub fn new(settings: &'a Settings, id: &'a ModelId) -> Result<Wire<'a>, HubError> {
        // A second installation is refused, and does not matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("whyfirst/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // Followed here, because a redirect must not take the token to another host.
            .redirect(reqwest::redirect::Policy::none());
        let (endpoint, mut pause) = (&settings.endpoint, PAUSE);
        let host = Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host.is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str())) {
            builder = builder.no_proxy();
            pause /= 50;
        }
        if endpoint.starts_with("http://") {
            // No certificate is looked at, so a machine without any will do.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| no_network(endpoint, &error))?;
        Ok(Wire { client, settings, id, pause })
    }

    /// The commit that the revision stands for, and the names of its files.
    pub async fn state(&self) -> Result<State, HubError> {
        let (id, revision) = (self.id.repository(), self.id.revision());
        let url = format!("{}/api/models/{id}/revision/{revision}", self.settings.endpoint);
        let mut response = self.ask(Method::GET, &url, None).await?;
        let wrong = |problem: &str| HubError::Answer { url: url.clone(), problem: problem.into() };
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.no_network(&error))? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return Err(wrong("the answer does not come to an end"));
            }
        }
        let answer: serde_json::Value =
            serde_json::from_slice(&body).map_err(|_| wrong("the answer is not JSON; is this a hub?"))?;
        let commit = answer["sha"].as_str().filter(|sha| is_commit(sha));
        let files = answer["siblings"].as_array().into_iter().flatten();
        Ok(State {
            commit: commit.ok_or_else(|| wrong("the answer names no commit"))?.to_owned(),
            files: files.filter_map(|file| Some(file["rfilename"].as_str()?.to_owned())).collect(),
        })
    }

    /// The tag and the size of a file.
    pub async fn about(&self, commit: &str, file: &str) -> Result<About, HubError> {
        let url = self.address(commit, file);
        let response = self.ask(Method::HEAD, &url, None).await?;
        let headers = response.headers();
        let wrong = |problem: &str| HubError::Answer { url: url.clone(), problem: problem.into() };
        // Large files are elsewhere: the tag and size of the redirect itself are not theirs.
        let tag = text(headers, "x-linked-etag").or_else(|| text(headers, ETAG.as_str()));
        let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
        let size = text(headers, "x-linked-size").or_else(|| text(headers, CONTENT_LENGTH.as_str()));
        Ok(About {
            tag: tag
                .filter(|tag| is_plain(tag))
                .ok_or_else(|| wrong("the answer has no usable entity tag"))?,
            size: size.and_then(|size| size.parse().ok()).ok_or_else(|| wrong("the answer has no size"))?,
        })
    }

    /// A file, from a byte on.
    pub async fn open(&self, commit: &str, file: &str, from: u64) -> Result<Response, HubError> {
        let mut url = self.address(commit, file);
        for _ in 0..HOPS {
            let response = self.ask(Method::GET, &url, (from > 0).then_some(from)).await?;
            match next(&response, &url) {
                None => return Ok(response),
                Some(next) => url = next?,
            }
        }
        Err(HubError::Answer { url, problem: "redirected again and again".into() })
    }

    fn address(&self, commit: &str, file: &str) -> String {
        format!("{}/{}/resolve/{commit}/{file}", self.settings.endpoint, self.id.repository())
    }

    /// Asks, again if the server is overloaded. Redirects within the hub are followed, others are answers.
    async fn ask(&self, method: Method, url: &str, from: Option<u64>) -> Result<Response, HubError> {
        let mut url = url.to_owned();
        let (mut tries, mut hops) = (0, 0);
        loop {
            let mut request = self.client.request(method.clone(), &url).header(ACCEPT_ENCODING, "identity");
            if let Some(token) = self.settings.token.as_ref().filter(|_| self.is_own(&url)) {
                request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
            }
            if let Some(from) = from {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            let answer = request.send().await;
            let overloaded =
                |status: StatusCode| status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            let again = answer.as_ref().map_or(true, |response| overloaded(response.status()));
            tries += 1;
            if again && tries < TRIES {
                tokio::time::sleep(self.pause * 2u32.pow(tries)).await;
                continue;
            }
            let response = answer.map_err(|error| self.no_network(&error))?;
            // A model that was renamed.
            let location = text(response.headers(), LOCATION.as_str());
            if response.status().is_redirection()
                && location.as_deref().is_some_and(|to| to.starts_with('/'))
                && hops < HOPS
            {
                let base = Url::parse(&url).ok();
                let joined = base.zip(location).and_then(|(base, to)| base.join(&to).ok());
                if let Some(joined) = joined {
                    (url, tries, hops) = (joined.to_string(), 0, hops + 1);
                    continue;
                }
            }
            return self.understood(response, &url);
        }
    }

    /// Whether an address is the hub's own, so that the token may go there.
    fn is_own(&self, url: &str) -> bool {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        origin(url).is_some() && origin(url) == origin(&self.settings.endpoint)
    }

    fn understood(&self, response: Response, url: &str) -> Result<Response, HubError> {
        let status = response.status();
        if status.is_success() || status.is_redirection() || status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(response);
        }
        let (id, endpoint) = (self.id.repository(), self.settings.endpoint.clone());
        let code = text(response.headers(), "x-error-code").unwrap_or_default();
        let with_token = self.settings.token.is_some();
        Err(match (status.as_u16(), code.as_str()) {
            (_, "GatedRepo") => HubError::Gated { id, endpoint },
            (_, "RevisionNotFound") => HubError::NoRevision { id, revision: self.id.revision().to_owned() },
            (_, "EntryNotFound") => {
                HubError::Answer { url: url.to_owned(), problem: "there is no such file".into() }
            }
            (_, "RepoNotFound") => HubError::NoModel { id, endpoint, with_token },
            (401, _) if with_token => HubError::Token { endpoint },
            // Whoever does not say who asks is not told whether there is such a model.
            (401 | 404, _) => HubError::NoModel { id, endpoint, with_token },
            (403, _) => HubError::Gated { id, endpoint },
            _ => HubError::Answer { url: url.to_owned(), problem: format!("the server answers {status}") },
        })
    }

    pub fn no_network(&self, error: &reqwest::Error) -> HubError {
        no_network(&self.settings.endpoint, error)
    }
}

/// Where a redirect leads; an insecure place is an error if the hub is not one itself.
fn next(response: &Response, url: &str) -> Option<Result<String, HubError>> {
    if !response.status().is_redirection() {
        return None;
    }
    let wrong = |problem: &str| HubError::Answer { url: url.to_owned(), problem: problem.into() };
    let location = text(response.headers(), LOCATION.as_str());
    let base = Url::parse(url).ok();
    let Some(to) = location.zip(base.as_ref()).and_then(|(to, base)| base.join(&to).ok()) else {
        return Some(Err(wrong("redirected to nowhere")));
    };
    let secure = base.is_none_or(|base| base.scheme() == "http") || to.scheme() == "https";
    Some(if secure { Ok(to.to_string()) } else { Err(wrong("redirected to an address without TLS")) })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// An error with its causes, and without the address, which may hold a signature.
fn no_network(endpoint: &str, error: &reqwest::Error) -> HubError {
    HubError::NoNetwork { endpoint: endpoint.to_owned(), problem: causes(error) }
}

pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let text = text.split(" for url (").next().unwrap_or_default().to_owned();
        if !causes.contains(&text) {
            causes.push(text);
        }
        next = error.source();
    }
    causes.join(": ")
}
