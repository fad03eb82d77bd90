//! What a client is told: models by role, limits, patience, the cap on money.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ledger::Dollars;
use serde::{Deserialize, Serialize};

use crate::call::Role;
use crate::price::Prices;
use crate::secret::Secret;

/// How a model is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Messages and Message Batches: `{base}/v1/messages`.
    Anthropic,
    /// Chat completions and Batches: `{base}/chat/completions`; the base URL usually ends in `/v1`.
    OpenAi,
}

impl Protocol {
    /// As files and the store write it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Anthropic => "anthropic",
            Protocol::OpenAi => "openai",
        }
    }

    /// The environment variable of the key, unless the user names another.
    pub fn key_env(self) -> &'static str {
        match self {
            Protocol::Anthropic => "ANTHROPIC_API_KEY",
            Protocol::OpenAi => "OPENAI_API_KEY",
        }
    }

    /// The provider's own address.
    pub fn default_base_url(self) -> &'static str {
        match self {
            Protocol::Anthropic => "https://api.anthropic.com",
            Protocol::OpenAi => "https://api.openai.com/v1",
        }
    }
}

/// Whether and how a model reasons before it answers. Models differ in what they accept, and refuse the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reasoning {
    /// It does not; a call's budget for planning is not asked for.
    #[default]
    None,
    /// It does, and the budgets for planning and text are added. `anthropic`: `thinking` is `enabled` with the planning
    /// budget (Claude up to 4.6). `openai`: nothing else is said; reasoning tokens count as output there.
    Budget,
    /// As `Budget`, but `anthropic` models decide for themselves how much (`thinking` is `adaptive`; Claude from 4.6).
    Adaptive,
}

/// Which field names the limit on output tokens in the `openai` protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_completion_tokens` for api.openai.com, whose reasoning models refuse the other; `max_tokens` elsewhere, because
    /// not all other servers know the new name.
    #[default]
    Auto,
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Whether calls are sent one by one or in batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One by one.
    #[default]
    Direct,
    /// Through the provider's batch interface: cheaper, and hours later.
    Batch,
}

/// The provider's limits per minute; `None` for no limit of our own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests.
    pub requests: Option<u64>,
    /// Input tokens, estimated at four bytes each.
    pub input_tokens: Option<u64>,
    /// Output tokens: each call's budget until its answer is there.
    pub output_tokens: Option<u64>,
}

/// How many calls may be in flight to one model. The number doubles per round trip until the provider first slows us down
/// (429, 529), which halves it; from then on it grows by one per round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Concurrency {
    /// At first.
    pub start: u32,
    /// At most.
    pub max: u32,
}

impl Default for Concurrency {
    fn default() -> Concurrency {
        Concurrency { start: 16, max: 200 }
    }
}

/// A model and how to reach it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Where it is, as the user wrote it.
    pub base_url: String,
    /// What stands for the base URL in the hash of a request, if not the URL: `simulated` for a server whose port differs
    /// in every run.
    pub base_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The key; `None` for servers that need none.
    pub key: Option<Secret>,
    /// The environment variable of the key, for errors about it.
    pub key_env: String,
    /// What it costs.
    pub prices: Prices,
    /// Whether it reasons.
    pub reasoning: Reasoning,
    /// How hard it reasons, in the provider's words (`low`, `high`): `reasoning_effort`, or `output_config.effort`.
    pub effort: Option<String>,
    /// Whether it takes a temperature; some reasoning models refuse one.
    pub temperature: bool,
    /// How the limit on output is called.
    pub max_tokens_field: MaxTokensField,
    /// The provider's limits.
    pub limits: Limits,
    /// How many calls may be in flight.
    pub concurrency: Concurrency,
    /// One by one, or in batches.
    pub mode: Mode,
}

impl Model {
    /// A model that costs nothing, does not reason and has no key yet.
    pub fn new(protocol: Protocol, base_url: &str, name: &str) -> Model {
        Model {
            protocol,
            base_url: base_url.to_owned(),
            base_id: None,
            name: name.to_owned(),
            key: None,
            key_env: protocol.key_env().to_owned(),
            prices: Prices::default(),
            reasoning: Reasoning::None,
            effort: None,
            temperature: true,
            max_tokens_field: MaxTokensField::Auto,
            limits: Limits::default(),
            concurrency: Concurrency::default(),
            mode: Mode::Direct,
        }
    }

    /// The base URL without a slash at its end.
    pub fn base(&self) -> &str {
        self.base_url.trim().trim_end_matches('/')
    }

    /// What stands for the base URL in the hash of a request.
    pub fn base_in_hash(&self) -> &str {
        self.base_id.as_deref().unwrap_or_else(|| self.base())
    }

    /// Whether its server is on this machine (a loopback address): such servers need neither key nor prices.
    pub fn is_local(&self) -> bool {
        let Ok(url) = reqwest::Url::parse(self.base()) else { return false };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// What can be known to be wrong before anything is sent.
    ///
    /// # Errors
    /// When the base URL or the name cannot be used.
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |problem: &str| SettingsError::BaseUrl {
            // Whatever may be secret in it stays out of the message.
            url: without_secrets(self.base()).to_owned(),
            problem: problem.to_owned(),
        };
        let url = reqwest::Url::parse(self.base()).map_err(|error| {
            wrong(&format!("{error}; it should look like {}", self.protocol.default_base_url()))
        })?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it should begin with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "a name or password in it would be written down; use the key's environment variable",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it may not have a `?` or `#` part"));
        }
        if self.name.trim().is_empty() {
            return Err(SettingsError::NoModelName { url: self.base().to_owned() });
        }
        Ok(())
    }
}

/// A URL without its query and without a name and password.
fn without_secrets(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    url.rsplit('@').next().unwrap_or_default()
}

/// What may be tried again, how often and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts per call and run, the first included.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from then on, and 0 to 50% are taken off, the same for the same
    /// request and attempt.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { attempts: 8, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(60) }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For one attempt, to the last byte of its answer.
    pub attempt: Duration,
    /// For all attempts of a call together, from when the first one is sent.
    pub total: Duration,
    /// For calls in flight when the run is ending.
    pub grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(20),
            attempt: Duration::from_secs(600),
            total: Duration::from_secs(3600),
            grace: Duration::from_secs(10),
        }
    }
}

/// How calls are gathered into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// The most calls in a batch.
    pub calls: usize,
    /// The most bytes in a batch.
    pub bytes: usize,
    /// A batch is handed in when no call has come for so long.
    pub quiet: Duration,
    /// How often the provider is asked whether it is done; more often at first.
    pub poll: Duration,
}

impl Default for Batching {
    fn default() -> Batching {
        Batching {
            calls: 10_000,
            bytes: 100 << 20,
            quiet: Duration::from_secs(5),
            poll: Duration::from_secs(60),
        }
    }
}

/// Everything a client is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The model of each role that is used.
    pub models: BTreeMap<Role, Model>,
    /// The corpora in the order in which their calls go first.
    pub corpora: Vec<String>,
    /// The most that this store may ever have cost, calls in flight included.
    pub max_cost: Option<Dollars>,
    /// What may be tried again.
    pub retry: Retry,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How batches are gathered.
    pub batching: Batching,
}

/// Why a client cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The base URL cannot be one.
    #[error("the base URL `{url}` cannot be used: {problem}")]
    BaseUrl {
        /// As written, without what may be secret.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// No model is named.
    #[error("no model is named for {url}")]
    NoModelName {
        /// The base URL.
        url: String,
    },
    /// Connections cannot be made at all.
    #[error("cannot set up connections: {0}")]
    Connections(String),
    /// The store cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<(), SettingsError> {
        Model::new(Protocol::OpenAi, url, "m").check()
    }

    #[test]
    fn servers_on_this_machine_are_told_from_others() {
        let local = |url: &str| Model::new(Protocol::OpenAi, url, "m").is_local();
        for url in
            ["http://127.0.0.1:1/v1", "http://localhost:11434/v1/", "http://[::1]:80", "https://127.9.9.9"]
        {
            assert!(local(url), "{url}");
        }
        for url in
            ["https://api.openai.com/v1", "http://127.0.0.1.example.com", "localhost", "http://10.0.0.1"]
        {
            assert!(!local(url), "{url}");
        }
    }

    #[test]
    fn base_urls_are_checked_before_anything_is_sent() {
        checked("https://api.openai.com/v1/").unwrap();
        checked("http://127.0.0.1:8000").unwrap();
        let message = |url: &str| checked(url).unwrap_err().to_string();
        assert!(message("api.openai.com/v1").contains("should look like https://api.openai.com/v1"));
        assert!(message("ftp://example.com").contains("begin with https://"));
        assert!(message("").contains("the base URL ``"));
        for secret in ["https://u:sk-1@example.com", "https://example.com/v1?key=sk-1"] {
            let error = checked(secret).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("sk-1"), "{error}");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        let model = Model::new(Protocol::OpenAi, "https://h/v1/", "m");
        assert_eq!((model.base(), model.base_in_hash()), ("https://h/v1", "https://h/v1"));
    }
}
