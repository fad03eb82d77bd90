//! Where keys come from: the environment, or the file `.env` in the experiment's folder. Never from the experiment file,
//! which people share.

use std::path::{Path, PathBuf};

use crate::secret::Secret;
use crate::settings::Model;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is nowhere.
    #[error("no key for {model}: {variable} is neither in the environment nor in {}", file.display())]
    Missing {
        /// The model that needs it.
        model: String,
        /// The environment variable.
        variable: String,
        /// The file that was looked into.
        file: PathBuf,
    },
    /// The file cannot be used. What is in it is not shown.
    #[error("cannot use {}: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be sent.
    #[error(
        "the key in {variable} has characters that cannot be sent in a header; it may have been copied badly"
    )]
    Unusable {
        /// The environment variable.
        variable: String,
    },
}

/// The key in an environment variable, or in the `.env` of a folder; the environment wins. An empty one is none.
///
/// # Errors
/// When the file is there and cannot be used, or the key cannot be sent.
pub fn find_key(variable: &str, folder: &Path) -> Result<Option<Secret>, KeyError> {
    let found = match std::env::var(variable) {
        Ok(value) if !value.trim().is_empty() => Some(value),
        _ => in_file(variable, &folder.join(".env"))?,
    };
    let Some(key) = found.map(|value| Secret::new(&value)) else { return Ok(None) };
    if !key.expose().chars().all(|c| c.is_ascii_graphic()) {
        return Err(KeyError::Unusable { variable: variable.to_owned() });
    }
    Ok(Some(key))
}

/// As [`find_key`] for a model's variable; a model that needs a key must have one. Servers on this machine need none.
///
/// # Errors
/// As [`find_key`], and when there is none.
pub fn require_key(model: &Model, folder: &Path) -> Result<Option<Secret>, KeyError> {
    let key = find_key(&model.key_env, folder)?;
    if key.is_none() && !model.is_local() {
        return Err(KeyError::Missing {
            model: model.name.clone(),
            variable: model.key_env.clone(),
            file: folder.join(".env"),
        });
    }
    Ok(key)
}

fn in_file(variable: &str, file: &Path) -> Result<Option<String>, KeyError> {
    // The library's own errors repeat the line, and with it the key.
    let unusable = |problem: String| KeyError::File { file: file.to_owned(), problem };
    let lines = match dotenvy::from_path_iter(file) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(None),
        Err(dotenvy::Error::Io(error)) => return Err(unusable(error.to_string())),
        Err(_) => return Err(unusable("it is not a list of NAME=VALUE lines".to_owned())),
    };
    for (number, line) in lines.enumerate() {
        match line {
            Ok((name, value)) if name == variable && !value.trim().is_empty() => return Ok(Some(value)),
            Ok(_) => {}
            Err(_) => return Err(unusable(format!("entry {} is not of the form NAME=VALUE", number + 1))),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Protocol;
    use std::fs;

    #[test]
    fn a_key_is_found_in_the_file_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find_key("WHYFIRST_TEST_NO_SUCH_KEY", dir.path()).unwrap(), None);
        fs::write(dir.path().join(".env"), "# ours\nOTHER=1\nexport WHYFIRST_TEST_NO_SUCH_KEY='sk-1'\n")
            .unwrap();
        let key = find_key("WHYFIRST_TEST_NO_SUCH_KEY", dir.path()).unwrap().unwrap();
        assert_eq!(key.expose(), "sk-1");
        assert!(std::env::var("WHYFIRST_TEST_NO_SUCH_KEY").is_err(), "the environment stays as it is");
    }

    #[test]
    fn the_environment_wins() {
        let dir = tempfile::tempdir().unwrap();
        let home = std::env::var("PATH").unwrap();
        fs::write(dir.path().join(".env"), "PATH=other\n").unwrap();
        assert_eq!(find_key("PATH", dir.path()).unwrap().unwrap().expose(), home);
    }

    #[test]
    fn a_missing_key_is_an_error_that_says_where_it_was_looked_for_except_on_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::new(Protocol::Anthropic, "https://api.anthropic.com", "some-model");
        model.key_env = "WHYFIRST_TEST_NO_SUCH_KEY".to_owned();
        let error = require_key(&model, dir.path()).unwrap_err().to_string();
        let file = dir.path().join(".env");
        assert_eq!(
            error,
            format!(
                "no key for some-model: WHYFIRST_TEST_NO_SUCH_KEY is neither in the environment nor in {}",
                file.display()
            )
        );
        model.base_url = "http://127.0.0.1:8000/v1".to_owned();
        assert_eq!(require_key(&model, dir.path()).unwrap(), None);
    }

    #[test]
    fn a_broken_file_is_an_error_that_does_not_repeat_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".env"), "A=1\nsk secret = 'half\n").unwrap();
        let error = find_key("WHYFIRST_TEST_NO_SUCH_KEY", dir.path()).unwrap_err().to_string();
        assert!(error.contains(".env") && error.contains("entry 2") && !error.contains("secret"), "{error}");
        fs::write(dir.path().join(".env"), "WHYFIRST_TEST_NO_SUCH_KEY=\"sk-ä\"\n").unwrap();
        let error = find_key("WHYFIRST_TEST_NO_SUCH_KEY", dir.path()).unwrap_err().to_string();
        assert!(error.contains("WHYFIRST_TEST_NO_SUCH_KEY") && !error.contains("sk-"), "{error}");
    }
}
