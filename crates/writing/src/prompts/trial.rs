//! Every template is rendered before anything is paid for, with stand-ins for what the pipelines will give it.

use serde_json::{Map, Value, json};

use super::files::tags;
use super::{PromptError, Prompts};

/// What stands in for a text.
const TEXT: &str = "a text";

/// What a template is given: its names, and for each the values that templates tell apart. They take turns.
fn given(name: &str) -> Vec<(&'static str, Vec<Value>)> {
    let step = name.strip_prefix("documents-rules-").or_else(|| name.strip_prefix("documents-"));
    let texts = |names: &[&'static str]| -> Vec<(&'static str, Vec<Value>)> {
        names.iter().map(|name| (*name, vec![json!(TEXT)])).collect()
    };
    let with = |names: &[&'static str], more: Vec<(&'static str, Vec<Value>)>| [texts(names), more].concat();
    let count = ("count", vec![json!(3)]);
    let known = ("known", vec![json!([]), json!([TEXT])]);
    let style = ("style", vec![json!("value"), json!("rule")]);
    let words = ("words", vec![json!(300)]);
    let document = ["sections", "subdomain", "assertions", "type", "idea"];
    match (step, name) {
        (Some("domains"), _) => with(&["spec"], vec![count]),
        (Some("subdomains"), _) => with(&["domain", "sections"], vec![count]),
        (Some("assertions"), _) => with(&["domain", "subdomain", "sections"], vec![count]),
        (Some("types"), _) => with(&["domain", "subdomain", "assertions"], vec![count]),
        (Some("ideas"), _) => with(&["subdomain", "assertions", "type"], vec![count]),
        (Some("write"), _) => with(&document, vec![words]),
        (Some("rewrite"), _) => with(&[&document[..], &["draft", "complaints"]].concat(), vec![words]),
        (Some("critique"), _) => with(&[&document[..], &["document"]].concat(), vec![words]),
        (_, "chats-topics") => with(&["spec"], vec![count, known]),
        (_, "chats-questions") => {
            let types = crate::chats::QUESTION_TYPES.iter().map(|kind| json!(kind)).collect();
            with(&["topic", "sections"], vec![("question_type", types), count, known])
        }
        (_, "chats-answer") => {
            let reasoning = ["yes", "yes", "no", "no"].map(Value::from).to_vec();
            with(&["sections", "question"], vec![style, ("with_reasoning", reasoning)])
        }
        (_, "chats-filter") => {
            let reasoning = [Value::Null, Value::Null, json!(TEXT), json!(TEXT)].to_vec();
            with(&["sections", "question", "reply"], vec![style, ("reasoning", reasoning)])
        }
        (_, "chats-preferences") => with(&["spec", "sections"], vec![count, known]),
        (_, "chats-choices") => with(&["prefer", "over", "domain"], vec![count, known]),
        (_, "chats-pick") => texts(&["prefer", "over", "question"]),
        (_, "chats-pick-filter") => texts(&["prefer", "over", "question", "reply"]),
        (_, "instructions-conflict") => {
            with(&["spec", "question", "reply"], vec![("sections", vec![json!(""), json!(TEXT)])])
        }
        (_, "spec-value-augment" | "spec-rule-augment") => with(&["sections"], vec![words]),
        _ => Vec::new(),
    }
}

/// Contexts in which every value of [`given`] occurs.
fn contexts(name: &str) -> Vec<Value> {
    let given = given(name);
    let turns = given.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    let context = |turn: usize| {
        let mut context: Map<String, Value> = given
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values[turn % values.len()].clone()))
            .collect();
        for name in ["model_name", "provider_name"] {
            context.insert(name.to_owned(), json!("Name"));
        }
        Value::Object(context)
    };
    (0..turns).map(context).collect()
}

/// Whether a context has the names that [`given`] promises to templates: a pipeline that gives others is to be mended.
pub(super) fn is_as_promised(name: &str, context: &Value) -> bool {
    let optional = ["known", "reasoning"];
    given(name).iter().all(|(name, _)| context.get(name).is_some() || optional.contains(name))
}

/// Renders a template in every way that it can be used. `built_in` are the templates that ship with the program.
///
/// # Errors
/// A name that nobody gives, a template that does not end, a tag that the built-in one would have shown.
pub(super) fn run(prompts: &Prompts, name: &str, built_in: Option<&Prompts>) -> Result<(), PromptError> {
    for context in contexts(name) {
        let rendered = prompts.render(name, &context)?;
        let Some(built_in) = built_in else { continue };
        let wanted = built_in.render(name, &context)?;
        let [text, wanted] = [rendered, wanted].map(|both| format!("{}\n{}", both.system, both.user));
        let missing = tags(&wanted).into_iter().find(|tag| {
            let close = tag.replace('<', "</");
            !(text.contains(tag.as_str()) && text.contains(&close))
        });
        if let Some(tag) = missing {
            return Err(prompts.faulty(name, &tag));
        }
        if text.lines().next().map(str::trim_end) != wanted.lines().next().map(str::trim_end) {
            return Err(prompts.faulty(name, "Task:"));
        }
    }
    Ok(())
}
