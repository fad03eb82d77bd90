//! Jinja as transformers sets it up for chat templates: its options, functions, filters and the `generation` block.

use super::date::Moment;
use super::{failed, json, methods};
use crate::ModelError;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};

/// The name of the only template.
pub(super) const NAME: &str = "chat";

/// What one rendering may do: an instruction costs one, and so do 64 bytes that are made. It ends templates that would
/// not end by themselves within seconds and some 300 MB.
const FUEL: u64 = 5_000_000;

/// An environment with one template, for which it is now `moment`.
pub(super) fn new(source: &str, moment: Moment) -> Result<Environment<'static>, ModelError> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    environment.set_unknown_method_callback(methods::call);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("tojson", json::tojson);
    environment.add_filter("string", |value: &Value| match value.as_str() {
        Some(text) => text.to_string(),
        None => value.to_string(),
    });
    environment.add_test("iterable", |value: &Value| {
        !value.is_none() && (value.as_str().is_some() || value.try_iter().is_ok())
    });
    environment.add_test("sequence", |value: &Value| {
        // Whatever has a length and can be indexed: in Python, texts and objects too.
        value.is_undefined() || value.as_str().is_some() || value.len().is_some()
    });
    environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_function("strftime_now", move |format: &str| moment.format(format));
    environment.add_template_owned(NAME, without_generation_blocks(source)).map_err(failed)?;
    Ok(environment)
}

/// Replaces `{% generation %}` and its end, which mark the assistant's words and change no text, by a block that does
/// nothing either and has a scope of its own as they do.
fn without_generation_blocks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        let inner = tag.trim_start_matches("{%").trim_end_matches("%}");
        let inner = inner.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim();
        match inner {
            "generation" => out.push_str(&tag.replacen("generation", "with", 1)),
            "endgeneration" => out.push_str(&tag.replacen("endgeneration", "endwith", 1)),
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_blocks_change_no_text() {
        let source = "{%- generation -%}a{%- endgeneration +%}{% if generation %}{% endif %} {{ '{%' }}";
        let without = "{%- with -%}a{%- endwith +%}{% if generation %}{% endif %} {{ '{%' }}";
        assert_eq!(without_generation_blocks(source), without);
    }
}
