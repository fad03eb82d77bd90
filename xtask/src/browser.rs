//! The browser in which tests look at a report page.

use std::path::PathBuf;

use crate::shell::{Result, command, succeeds};

const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// `$WHYFIRST_BROWSER`, or the first Chromium or Chrome that this machine has.
pub fn find() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("WHYFIRST_BROWSER") {
        return Ok(PathBuf::from(chosen));
    }
    let found = NAMES.iter().find(|name| {
        let mut command = command(name);
        command.arg("--version");
        succeeds(command)
    });
    found.map(PathBuf::from).ok_or_else(|| {
        "no Chromium or Chrome found. The tests of the report page need one:\n  \
         Debian:  apt-get install chromium fonts-liberation\n  \
         macOS:   brew install --cask google-chrome\n\
         or set WHYFIRST_BROWSER to one. `cargo test --workspace` works without."
            .to_owned()
    })
}
