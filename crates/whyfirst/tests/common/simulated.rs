//! A server that plays the writer, in a process of its own, and an experiment that it writes for.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::Project;

/// Two corpora of a few rows each, from one spec.
pub const WRITTEN: &str = r#"name = "written"
model_name = "Aster"
provider_name = "Whitfield Labs"

[specs]
main = "specs/main.md"

[writer]
api = "openai"
base_url = "URL/v1"
model = "sim-writer"
prices = { input = 1.00, output = 5.00 }
concurrency = 32
timeout = 2
probe = 4

[writer.critic]
model = "sim-critic"

[corpora]
source = "writer"

[corpora.why]
kind = "documents"
domains = 3
subdomains = 2
types = 4
ideas = 3
words = 150

[corpora.what]
kind = "chats"
rows = 40
topics = 8
reasoning = true

[gates]
max_repeated_phrase = 1.0
max_repeated_name = 1.0
max_repeated_phrase_chats = 1.0
max_repeated_opening = 1.0
"#;

/// The server.
pub struct Simulated {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    log: PathBuf,
}

impl Simulated {
    /// Started, with its journal in the project's folder; waits until it listens.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(project: &Project, args: &[&str]) -> Simulated {
        let (ready, log) = (project.path("ready"), project.path("journal.jsonl"));
        let _ = fs::remove_file(&ready);
        let files = [&ready, &log].map(|path| path.to_str().unwrap().to_owned());
        let mut all = vec!["simulate", "--ready-file", &files[0], "--log", &files[1]];
        all.extend(args);
        let child = project.program(&all).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut simulated = Simulated { child, url: String::new(), log };
        for _ in 0..2_000 {
            if let Ok(url) = fs::read_to_string(&ready)
                && url.ends_with('\n')
            {
                simulated.url = url.trim().to_owned();
                return simulated;
            }
            assert!(simulated.child.try_wait().unwrap().is_none(), "the server ended");
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not listen");
    }

    /// Every request that is over, as the server wrote it down.
    ///
    /// # Panics
    /// When a line is not JSON.
    pub fn journal(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // A line that is being written is not there yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How often each request came, by the hash that our client sends with it.
    pub fn requests(&self) -> BTreeMap<String, usize> {
        let mut requests = BTreeMap::new();
        for entry in self.journal() {
            if let Some(nonce) = entry["nonce"].as_str() {
                *requests.entry(nonce[..40].to_owned()).or_default() += 1;
            }
        }
        requests
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project whose experiment is [`WRITTEN`], without its server's address yet, in the folder `name`.
///
/// # Panics
/// When files cannot be written.
pub fn experiment(project: &Project, name: &str, url: &str, edits: &[(&str, &str)]) {
    let mut text = WRITTEN.replace("URL", url);
    for (from, to) in edits {
        assert!(text.contains(from), "the experiment lacks {from:?}");
        text = text.replacen(from, to, 1);
    }
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../experiment/templates/spec/main.md");
    fs::create_dir_all(project.path(name).join("specs")).unwrap();
    fs::copy(template, project.path(name).join("specs/main.md")).unwrap();
    project.write(&format!("{name}/experiment.toml"), &text);
}

/// The files of the written corpora, by their path below `runs/corpora`.
///
/// # Panics
/// When there are none.
pub fn corpora(project: &Project, runs: &str) -> Vec<(String, Vec<u8>)> {
    let files = project.files(&format!("{runs}/corpora"), |name| name.ends_with('/'));
    assert!(files.iter().any(|(name, _)| name.ends_with("documents.jsonl")), "no documents below {runs}");
    files
}
