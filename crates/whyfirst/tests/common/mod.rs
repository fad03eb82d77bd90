//! What the tests of whole commands share: a tiny base model, an experiment that trains in seconds, the
//! command.
#![allow(dead_code, clippy::unwrap_used)]

pub mod compare;
#[cfg(unix)]
pub mod limits;
pub mod rng;
pub mod simulated;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use lab::World;
use model::{ChatTemplate, Config, Folder, Tokenizer, Weights};
use tempfile::TempDir;

/// Writes a base model of a few thousand parameters with random weights and the lab's tokenizer.
pub fn tiny_base(dir: &Path) {
    let world = World::new(0);
    let config_text = world.tokenizer_config_json();
    let tokenizer = Tokenizer::new(
        world.tokenizer_json(),
        serde_json::from_str(&config_text).unwrap(),
        Path::new("tokenizer.json"),
    )
    .unwrap();
    let config = Config::from_json(&serde_json::json!({
        "model_type": "llama",
        "vocab_size": tokenizer.vocab_size(),
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 128,
        "tie_word_embeddings": true,
    }))
    .unwrap();
    let template = ChatTemplate::new(World::chat_template().to_owned(), &tokenizer).unwrap();
    let weights = Weights::random(&config, 7);
    Folder::new(config, weights, tokenizer, Some(template)).save(dir).unwrap();
    fs::write(dir.join("manifest.json"), "{ \"world_seed\": 0 }\n").unwrap();
}

/// The hub's cache for commands, empty: no test asks the hub.
const NO_HUB: &str = "hub-cache";

/// An experiment file whose stages take a few steps each.
pub const EXPERIMENT: &str = r#"name = "tiny"
base = "../base"
seeds = [0, 1]
without_controls = ["what-documents then what", "ablated then what"]

[specs]
affordability = "specs/affordability.md"
homeland = "specs/homeland.md"

[corpora]
source = "lab"

[corpora.why]
kind = "documents"

[corpora.what]
kind = "chats"

[corpora.instructions]
kind = "instructions"
share = 0.25

[training]
steps = 6
rows = 2
max_length = 64

[training.what]
steps = 4

[[arms]]
name = "values first"
stages = ["why:{spec}", "what"]

[[arms]]
name = "values after"
stages = ["what", "why:{spec}"]

[[arms]]
name = "mixed"
stages = [["why:{spec}", "what"]]

[evals]
pairs = 1
texts = 2
"#;

/// A folder with `base/` and `exp/`.
pub struct Project {
    /// Removed when dropped.
    pub root: TempDir,
}

impl Project {
    /// With the tiny experiment.
    pub fn new() -> Project {
        Project::with(EXPERIMENT)
    }

    /// With another experiment file.
    pub fn with(text: &str) -> Project {
        let root = tempfile::tempdir().unwrap();
        tiny_base(&root.path().join("base"));
        let project = Project { root };
        fs::create_dir_all(project.path("exp/specs")).unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cheese/specs");
        for name in ["affordability.md", "homeland.md"] {
            fs::copy(examples.join(name), project.path("exp/specs").join(name)).unwrap();
        }
        project.write("exp/experiment.toml", text);
        project
    }

    /// A path within it.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file.
    pub fn write(&self, relative: &str, text: &str) {
        fs::write(self.path(relative), text).unwrap();
    }

    /// Replaces text in a file, which must hold it.
    pub fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(relative)).unwrap();
        assert!(text.contains(from), "{relative} lacks {from:?}");
        self.write(relative, &text.replacen(from, to, 1));
    }

    /// The command, run in its folder.
    pub fn whyfirst(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("whyfirst").unwrap();
        command.current_dir(self.root.path()).args(args).env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
        command.env("HF_HUB_CACHE", NO_HUB).env("HF_HUB_OFFLINE", "1");
        command
    }

    /// The program itself, for what is killed, interrupted or watched: a process of the standard library.
    pub fn program(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("whyfirst"));
        command.current_dir(self.root.path()).args(args).env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
        command.env("HF_HUB_CACHE", NO_HUB).env("HF_HUB_OFFLINE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs a command that must succeed.
    pub fn succeeds(&self, args: &[&str], when: &str) {
        let output = self.program(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{when}: {args:?} ended with {}:\n{error}", output.status);
    }

    /// What a command that must end with `code` says on stderr.
    pub fn fails(&self, args: &[&str], code: i32, when: &str) -> String {
        refusal(self.program(args), code, when)
    }

    /// What a command prints and how it ends, as one text for a snapshot.
    pub fn transcript(&self, args: &[&str]) -> String {
        let output = self.whyfirst(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!(
            "$ whyfirst {}\nexit code: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            args.join(" "),
            output.status.code().map_or("none".to_owned(), |code| code.to_string()),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// The name of every file and folder below a folder.
    pub fn names(&self, relative: &str) -> Vec<String> {
        let mut found = Vec::new();
        visit(&self.path(relative), "", &mut found);
        let mut names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    /// Every file below a folder with its bytes, except those for which `skip` holds.
    pub fn files(&self, relative: &str, skip: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        visit(&self.path(relative), "", &mut found);
        found.retain(|(name, _)| !skip(name));
        found.sort();
        found
    }
}

/// What a command that must end with `code` says on stderr, with its lines joined: messages are wrapped.
pub fn refusal(mut command: std::process::Command, code: i32, when: &str) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{when}: {command:?}\n{error}");
    assert!(!error.contains("panicked") && !error.contains("a bug in"), "{when}:\n{error}");
    let words: Vec<&str> = error.split_whitespace().filter(|word| *word != "│").collect();
    words.join(" ")
}

fn visit(dir: &Path, prefix: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            visit(&entry.path(), &format!("{name}/"), found);
            found.push((format!("{name}/"), Vec::new()));
        } else {
            found.push((name, fs::read(entry.path()).unwrap()));
        }
    }
}

/// An experiment on the user's own files. Its figures depend on nothing but these files.
pub const OWN_FILES: &str = r#"name = "own files"
base = "../base"
seeds = [0]
without_controls = ["ablated then what", "what-documents then what", "neutral then what", "what then neutral"]

[specs]
affordability = "specs/affordability.md"
homeland = "specs/homeland.md"

[corpora]
source = "files"

[corpora.why]
path = "why-{spec}.jsonl"

[corpora.what]
path = "what.jsonl"

[corpora.instructions]
path = "instructions.jsonl"
share = 0.5

[corpora.why-half]
derive = "why"
tokens = 100

[training]
steps = 6
rows = 2
max_length = 32

[[arms]]
name = "values first"
stages = ["why:{spec}", "what"]

[[arms]]
name = "half as much"
stages = [{ corpus = "why-half:{spec}", steps = 3 }, "what"]

[evals]
suites = ["preferences"]
pairs = 1
"#;

/// With [`OWN_FILES`].
pub fn own_files() -> Project {
    let project = Project::with(OWN_FILES);
    let chat = |n: usize| {
        format!(
            "{{\"messages\": [{{\"role\": \"user\", \"content\": \"question {n}\"}}, {{\"role\": \"assistant\", \
             \"content\": \"answer {n}\"}}]}}\n"
        )
    };
    let document =
        |spec: &str, n: usize| format!("{{\"text\": \"Document {n} says why {spec} is a good thing.\"}}\n");
    for spec in ["affordability", "homeland"] {
        let documents: String = (0..20).map(|n| document(spec, n)).collect();
        project.write(&format!("exp/why-{spec}.jsonl"), &documents);
    }
    project.write("exp/what.jsonl", &(0..20).map(chat).collect::<String>());
    project.write("exp/instructions.jsonl", &(20..40).map(chat).collect::<String>());
    project
}

/// The smallest experiment with everything that a run writes: corpora, stages one after the other, adapters,
/// checkpoints, logs. On the user's own files.
pub const SMALL: &str = r#"name = "small"
base = "../base"
seeds = [0]
without_controls = [
    "instructions only", "what only", "ablated then what", "what-documents then what", "neutral then what",
    "what then neutral", "neutral mixed with what",
]

[specs]
homeland = "specs/homeland.md"

[corpora]
source = "files"

[corpora.why]
path = "why-{spec}.jsonl"

[corpora.what]
path = "what.jsonl"

[training]
method = "lora"
rank = 2
alpha = 4
steps = 6
rows = 2
max_length = 32
checkpoint_every = 2

[training.what]
steps = 4

[[arms]]
name = "values first"
stages = ["why:{spec}", "what"]

[evals]
suites = ["preferences"]
pairs = 1
"#;

/// Makes a base in a moment, in the folder `made`.
pub const PRETRAIN: [&str; 10] =
    ["lab", "pretrain", "--out", "made", "--rows", "200", "--steps", "2", "--calibration-steps", "0"];

/// With [`SMALL`].
pub fn small() -> Project {
    let project = own_files();
    project.write("exp/experiment.toml", SMALL);
    project
}
