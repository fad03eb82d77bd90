//! Why there is no answer.

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    /// No key came with the request.
    NoKey,
    /// Not this key.
    WrongKey,
    /// No `anthropic-version` header.
    NoVersion,
    /// The body is not the JSON of a request; with what is wrong.
    Malformed(String),
    /// A field is missing.
    Missing(&'static str),
    /// A field has a value that it cannot have; with what is wrong.
    Invalid(&'static str, String),
    /// There is no such model.
    UnknownModel(String),
    /// There is no such thing; with what.
    NotFound(String),
    /// There is nothing at this path.
    NoRoute(String),
    /// The path does not take this method.
    NoMethod(String),
    /// The body is larger than allowed.
    TooLarge,
    /// Too many requests; with how many milliseconds to wait, if that is said.
    RateLimited(Option<u64>),
    /// The server failed.
    Failed,
    /// The server has too much to do.
    Overloaded,
}

impl Problem {
    /// The HTTP status. `overloaded` is what the protocol has for [`Problem::Overloaded`].
    pub(super) fn status(&self, overloaded: u16) -> u16 {
        match self {
            Problem::NoKey | Problem::WrongKey => 401,
            Problem::NoVersion | Problem::Malformed(_) | Problem::Missing(_) | Problem::Invalid(..) => 400,
            Problem::UnknownModel(_) | Problem::NotFound(_) | Problem::NoRoute(_) => 404,
            Problem::NoMethod(_) => 405,
            Problem::TooLarge => 413,
            Problem::RateLimited(_) => 429,
            Problem::Failed => 500,
            Problem::Overloaded => overloaded,
        }
    }

    /// How many milliseconds the client should wait, if it is told.
    pub(crate) fn wait_ms(&self) -> Option<u64> {
        if let Problem::RateLimited(wait) = self { *wait } else { None }
    }

    /// Whether the same request may work later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Problem::RateLimited(_) | Problem::Failed | Problem::Overloaded)
    }
}
