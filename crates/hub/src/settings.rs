//! Where the hub and its cache are: the environment variables of Hugging Face's own programs.

use crate::HubError;
use std::fmt;
use std::path::PathBuf;

const HUB: &str = "https://huggingface.co";

/// Where to look for models.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The hub's address, without a slash at its end (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The folder of the cache (`HF_HUB_CACHE`, or `hub` in `HF_HOME`).
    pub cache: PathBuf,
    /// Who asks (`HF_TOKEN`, or what `hf auth login` stored).
    pub token: Option<Token>,
    /// Whether nothing may be asked (`HF_HUB_OFFLINE`).
    pub offline: bool,
}

/// A secret: it is sent to the hub and shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token; blanks around it are none of it.
    pub fn new(text: &str) -> Option<Token> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(text.to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

impl Settings {
    /// What the environment says.
    ///
    /// # Errors
    /// When the endpoint is no address, or there is no home folder to have a cache in.
    pub fn from_env() -> Result<Settings, HubError> {
        Settings::read(|name| std::env::var(name).ok())
    }

    /// As [`Settings::from_env`], from `variable`.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, HubError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let endpoint =
            get("HF_ENDPOINT").unwrap_or_else(|| HUB.to_owned()).trim().trim_end_matches('/').to_owned();
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            return Err(HubError::Setting(format!(
                "HF_ENDPOINT is `{endpoint}`; it must begin with https:// or http://"
            )));
        }
        let user = || get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
        let home = get("HF_HOME").map(|path| expand(&path, user())).or_else(|| {
            let caches = get("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(user()?.join(".cache")));
            Some(caches?.join("huggingface"))
        });
        let stated = get("HF_HUB_CACHE").or_else(|| get("HUGGINGFACE_HUB_CACHE"));
        let cache = stated.map(|path| expand(&path, user())).or_else(|| Some(home.as_ref()?.join("hub")));
        let Some(cache) = cache else {
            return Err(HubError::Setting(
                "no home folder is known, so HF_HOME must say where the cache is".into(),
            ));
        };
        let stored =
            get("HF_TOKEN_PATH").map(|path| expand(&path, user())).or_else(|| Some(home?.join("token")));
        let token = get("HF_TOKEN")
            .or_else(|| get("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| std::fs::read_to_string(stored?).ok())
            .and_then(|text| Token::new(&text));
        let is_on = |name: &str| {
            get(name).is_some_and(|value| {
                ["1", "ON", "YES", "TRUE"].contains(&value.trim().to_uppercase().as_str())
            })
        };
        Ok(Settings {
            endpoint,
            cache,
            token,
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
        })
    }
}

/// `~` is the user's home.
fn expand(path: &str, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, HubError> {
        Settings::read(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    #[test]
    fn variables_are_those_of_the_hubs_own_client() {
        let plain = read(&[("HOME", "/h")]).unwrap();
        assert_eq!((plain.endpoint.as_str(), plain.offline), (HUB, false));
        assert_eq!(plain.cache, Path::new("/h/.cache/huggingface/hub"));
        assert_eq!(read(&[("HF_HOME", "/x")]).unwrap().cache, Path::new("/x/hub"));
        assert_eq!(read(&[("HF_HOME", "~/x"), ("HOME", "/h")]).unwrap().cache, Path::new("/h/x/hub"));
        assert_eq!(read(&[("HF_HOME", "/x"), ("HF_HUB_CACHE", "/y")]).unwrap().cache, Path::new("/y"));
        assert_eq!(read(&[("XDG_CACHE_HOME", "/c")]).unwrap().cache, Path::new("/c/huggingface/hub"));
        let set = read(&[
            ("HOME", "/h"),
            ("HF_ENDPOINT", "http://mirror/"),
            ("HF_HUB_OFFLINE", "true"),
            ("HF_TOKEN", " t\n"),
        ]);
        let set = set.unwrap();
        assert_eq!((set.endpoint.as_str(), set.offline, set.token), ("http://mirror", true, Token::new("t")));
        assert!(!read(&[("HOME", "/h"), ("HF_HUB_OFFLINE", "0")]).unwrap().offline);
        assert!(read(&[]).unwrap_err().to_string().contains("HF_HOME"));
        assert!(
            read(&[("HOME", "/h"), ("HF_ENDPOINT", "mirror")])
                .unwrap_err()
                .to_string()
                .contains("HF_ENDPOINT")
        );
    }

    #[test]
    fn a_token_may_lie_in_a_file_and_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "secret\n").unwrap();
        let settings = read(&[("HF_HOME", dir.path().to_str().unwrap())]).unwrap();
        assert_eq!(settings.token, Token::new("secret"));
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
