//! Prompt templates: files that ship with the program, each of which an experiment may replace.
//!
//! A template has two parts, parted by a line `---`: the system message, which many calls share, and the user message. It is
//! a minijinja template; a name that it uses and nobody gives is an error. Its hash is in every row that was made with it.

mod files;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use store::{Hash, IdBuilder};

use files::{overrides, parts};

/// A template that ships with the program: its name, its text.
macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../prompts/", $name, ".md")))),*]
    };
}

/// All of them. A name is the task's with a dash for the slash.
const BUILT_IN: &[(&str, &str)] = templates![
    "documents-domains",
    "documents-subdomains",
    "documents-assertions",
    "documents-types",
    "documents-ideas",
    "documents-write",
    "documents-critique",
    "documents-rewrite",
    "documents-rules-domains",
    "documents-rules-subdomains",
    "documents-rules-assertions",
    "documents-rules-types",
    "documents-rules-ideas",
    "documents-rules-write",
    "documents-rules-critique",
    "documents-rules-rewrite",
    "chats-topics",
    "chats-questions",
    "chats-answer",
    "chats-filter",
    "chats-preferences",
    "chats-choices",
    "chats-pick",
    "chats-pick-filter",
    "instructions-conflict",
    "spec-value-augment",
    "spec-rule-augment",
];

/// The line between the two parts.
const RULE: &str = "---";
/// Steps that rendering may take: a template that goes round for ever ends here.
const FUEL: u64 = 2_000_000;

/// What can be wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// It is not a template.
    #[error("{}:{line}: {problem}", path.display())]
    Template {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A file in the folder of overrides has a name that no template has.
    #[error("{}: no prompt has this name; the names are: {valid}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// All names.
        valid: String,
    },
    /// It cannot be read.
    #[error("{0}")]
    File(String),
}

/// A rendered prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The system message.
    pub system: String,
    /// The user message.
    pub user: String,
    /// The hash of the template.
    pub template: Hash,
}

/// The templates of a run.
#[derive(Debug)]
pub struct Prompts {
    environment: Environment<'static>,
    hashes: BTreeMap<&'static str, Hash>,
    /// Where each text came from, for messages.
    origins: BTreeMap<&'static str, Origin>,
}

/// Where a template came from.
#[derive(Debug)]
struct Origin {
    path: PathBuf,
    text: String,
    /// Lines before those of the user message.
    before_user: usize,
}

impl Prompts {
    /// The templates that ship with the program.
    ///
    /// # Panics
    /// Never: a test loads them all.
    pub fn built_in() -> Prompts {
        Prompts::load(None).expect("the templates that ship with the program are valid")
    }

    /// As [`Prompts::built_in`], with those of a folder in their place. A folder that is not there has none.
    ///
    /// # Errors
    /// A file with another name than a template's, or one that is no template of its task. Every template is rendered in
    /// every way that it can be used, so that nothing is paid for before all of them are known to work.
    pub fn with_overrides(folder: &Path) -> Result<Prompts, PromptError> {
        let prompts = Prompts::load(folder.is_dir().then_some(folder))?;
        let built_in = Prompts::load(None)?;
        for name in Prompts::names() {
            trial::run(&prompts, name, Some(&built_in))?;
        }
        Ok(prompts)
    }

    fn load(folder: Option<&Path>) -> Result<Prompts, PromptError> {
        let mut texts: BTreeMap<&'static str, (PathBuf, String)> = BUILT_IN
            .iter()
            .map(|(name, text)| (*name, (PathBuf::from(format!("(built in) {name}.md")), (*text).to_owned())))
            .collect();
        for (name, path, text) in folder.map(overrides).transpose()?.unwrap_or_default() {
            texts.insert(name, (path, text));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        let (mut hashes, mut origins) = (BTreeMap::new(), BTreeMap::new());
        for (name, (path, text)) in texts {
            let text = text.replace("\r\n", "\n");
            let (system, user) = parts(name, &path, &text)?;
            let before_user = system.matches('\n').count() + 2;
            for (part, source, offset) in [("system", system, 0), ("user", user, before_user)] {
                let added = environment.add_template_owned(format!("{name}/{part}"), source);
                added.map_err(|error| broken(&path, offset, &error))?;
            }
            hashes.insert(
                name,
                IdBuilder::new("prompt template").text("name", name).text("text", &text).finish(),
            );
            origins.insert(name, Origin { path, text, before_user });
        }
        Ok(Prompts { environment, hashes, origins })
    }

    /// The prompt of a task, such as `documents/ideas`.
    ///
    /// # Errors
    /// A task that there is not, a name that the template uses and `context` lacks.
    pub fn render(&self, task: &str, context: impl Serialize) -> Result<Rendered, PromptError> {
        let name = task.replace('/', "-");
        let Some((name, template)) = self.hashes.get_key_value(name.as_str()) else {
            return Err(PromptError::File(format!("there is no prompt `{name}`")));
        };
        let context = minijinja::Value::from(minijinja::value::Serde(context));
        let origin = &self.origins[name];
        let part = |part: &str, offset: usize| {
            let template = self.environment.get_template(&format!("{name}/{part}"));
            let text = template.and_then(|template| template.render(&context));
            text.map(|text| text.trim().to_owned()).map_err(|error| broken(&origin.path, offset, &error))
        };
        Ok(Rendered {
            system: part("system", 0)?,
            user: part("user", origin.before_user)?,
            template: *template,
        })
    }

    /// As [`Prompts::render`], for a pipeline: what it gives is what templates were tried with.
    pub(crate) fn render_as_tried(
        &self,
        task: &str,
        context: &serde_json::Value,
    ) -> Result<Rendered, PromptError> {
        debug_assert!(trial::is_as_promised(&task.replace('/', "-"), context), "{task}: {context}");
        self.render(task, context)
    }

    /// For a template that does not show what it must.
    fn faulty(&self, name: &str, what: &str) -> PromptError {
        let origin = self.origins.get(name);
        let line = origin.and_then(|origin| origin.text.lines().position(|line| line.contains(what)));
        PromptError::Template {
            path: origin.map_or_else(PathBuf::new, |origin| origin.path.clone()),
            line: line.map_or(1, |line| line + 1),
            problem: format!(
                "{what} is not always in the prompt, and it must be: what stands there is for the model"
            ),
        }
    }

    /// The hash of a task's template.
    pub fn hash(&self, task: &str) -> Option<Hash> {
        self.hashes.get(task.replace('/', "-").as_str()).copied()
    }

    /// The hashes of all templates whose name begins with `prefix`, by name.
    pub fn hashes(&self, prefix: &str) -> impl Iterator<Item = (&'static str, Hash)> {
        self.hashes
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, hash)| (*name, *hash))
    }

    /// The names of all templates.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The text of a template that ships with the program.
    pub fn text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }
}

fn broken(path: &Path, offset: usize, error: &minijinja::Error) -> PromptError {
    let problem = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    PromptError::Template { path: path.to_owned(), line: offset + error.line().unwrap_or(1), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn every_built_in_template_names_its_task() {
        let prompts = Prompts::built_in();
        for (name, text) in BUILT_IN {
            trial::run(&prompts, name, Some(&prompts)).unwrap();
            let task = text.lines().next().unwrap().strip_prefix("Task: ").unwrap();
            let family = task.split('/').next().unwrap();
            assert!(
                name.starts_with(family) && name.ends_with(task.split('/').nth(1).unwrap()),
                "{name}: {task}"
            );
        }
    }

    #[test]
    fn an_override_takes_the_place_of_a_template_and_changes_its_hash() {
        let text = Prompts::text("chats-topics").unwrap();
        let dir =
            folder(&[("chats-topics.md", &text.replace("List topics", "Name topics")), (".hidden", "x")]);
        let (own, built_in) = (Prompts::with_overrides(dir.path()).unwrap(), Prompts::built_in());
        let context = serde_json::json!({ "model_name": "A", "provider_name": "B", "spec": "S", "count": 3 });
        let rendered = own.render("chats/topics", &context).unwrap();
        assert!(rendered.user.starts_with("Name topics"));
        assert_ne!(rendered.template, built_in.hash("chats/topics").unwrap());
        assert_eq!(own.hash("chats/answer"), built_in.hash("chats/answer"));
        assert_eq!(
            Prompts::with_overrides(&dir.path().join("none")).unwrap().hash("chats/topics"),
            built_in.hash("chats/topics")
        );
    }

    #[test]
    fn what_is_wrong_with_an_override_is_said_with_its_line() {
        let text = Prompts::text("chats-topics").unwrap();
        let error = |name: &str, text: &str| {
            let dir = folder(&[(name, text)]);
            Prompts::with_overrides(dir.path()).unwrap_err().to_string()
        };
        assert!(error("chats-topic.md", text).contains("no prompt has this name"));
        assert!(
            error("chats-topics.md", "Task: other\n---\nx")
                .contains("chats-topics.md:1: the first line must be")
        );
        assert!(
            error("chats-topics.md", &text.replace("<count>", "<number>")).contains("<count> is missing")
        );
        let broken = error("chats-topics.md", &text.replace("How many topics:", "{% if %}"));
        let line = text.lines().position(|line| line == "How many topics:").unwrap() + 1;
        assert!(broken.contains(&format!("chats-topics.md:{line}: ")), "{broken}");
    }

    #[test]
    fn every_override_is_tried_before_it_is_used() {
        let text = Prompts::text("chats-topics").unwrap();
        let line = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
        let error = |text: &str| {
            let dir = folder(&[("chats-topics.md", text)]);
            Prompts::with_overrides(dir.path()).unwrap_err().to_string()
        };
        let unknown = text.replace("How many topics:", "How many {{ topics }}:");
        let said = error(&unknown);
        assert!(said.contains(&format!("chats-topics.md:{}: ", line(&unknown, "topics }}"))), "{said}");
        assert!(said.contains("undefined"), "{said}");
        // Only where there are topics already.
        let rare = text.replace("- {{ entry }}", "- {{ entri }}");
        assert!(error(&rare).contains(&format!("chats-topics.md:{}: ", line(&rare, "entri"))));
        let endless = text.replace(
            "How many topics:",
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        );
        assert!(error(&endless).contains("fuel"), "{}", error(&endless));
        // In a comment, a tag is not in the prompt.
        let hidden = text.replace("<count>{{ count }}</count>", "{# <count>{{ count }}</count> #}");
        let said = error(&hidden);
        assert!(said.contains(&format!("chats-topics.md:{}: <count>", line(&hidden, "<count>"))), "{said}");
    }

    #[test]
    fn a_name_that_nobody_gives_is_an_error() {
        let error = Prompts::built_in().render("chats/topics", serde_json::json!({})).unwrap_err();
        assert!(error.to_string().contains("undefined"), "{error}");
    }
}
