//! Names of models on the hub.

use std::fmt;
use std::str::FromStr;

/// `org/name`, or `org/name@revision` for another state than the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    org: String,
    name: String,
    revision: Option<String>,
}

/// The state that is taken unless one is named.
const NEWEST: &str = "main";

impl ModelId {
    /// `org/name`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.org, self.name)
    }

    /// A branch, a tag, or the 40 digits of a commit.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(NEWEST)
    }

    /// The name of its folder in the cache.
    pub(crate) fn folder(&self) -> String {
        format!("models--{}--{}", self.org, self.name)
    }

    /// Whether a text has the form of an id. `a/b` could also be a folder; the caller looks for that first.
    pub fn is_like(text: &str) -> bool {
        text.parse::<ModelId>().is_ok()
    }
}

/// The forms that the hub allows for one part of a name.
fn is_part(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let edges = !text.starts_with(['-', '.']) && !text.ends_with(['-', '.']);
    plain && edges && !text.is_empty() && text.len() <= 96 && !text.contains("--") && !text.contains("..")
}

impl FromStr for ModelId {
    type Err = String;

    fn from_str(text: &str) -> Result<ModelId, String> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        let parts = repository.split_once('/').filter(|(org, name)| is_part(org) && is_part(name));
        // It becomes a file name in the cache and a part of an address; branches of pull requests are not asked for.
        let plain = |revision: &str| {
            !revision.is_empty() && revision.len() <= 100 && is_part(revision.trim_end_matches('-'))
        };
        match (parts, revision) {
            (Some((org, name)), revision) if revision.is_none_or(plain) => {
                Ok(ModelId { org: org.into(), name: name.into(), revision: revision.map(String::from) })
            }
            _ => {
                Err(format!("`{text}` is not a hub id; those are written `org/name` or `org/name@revision`"))
            }
        }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}/{}@{revision}", self.org, self.name),
            None => write!(f, "{}/{}", self.org, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_two_plain_parts() {
        let id: ModelId = "Qwen/Qwen3-0.6B@v1.0".parse().unwrap();
        assert_eq!((id.repository().as_str(), id.revision()), ("Qwen/Qwen3-0.6B", "v1.0"));
        assert_eq!(
            (id.folder().as_str(), id.to_string().as_str()),
            ("models--Qwen--Qwen3-0.6B", "Qwen/Qwen3-0.6B@v1.0")
        );
        for wrong in [
            "", "gpt2", "a/b/c", "../b", "a/..", "a/b@", "a/b@../x", "a/b@x/y", "a /b", "a/b--c", "/a", "a/",
            "~/b?", "a/b#c",
        ] {
            assert!(!ModelId::is_like(wrong), "{wrong}");
        }
    }
}
