//! Templates as files: which there are, their two parts, and the tags that they hold.

use std::path::{Path, PathBuf};

use super::{BUILT_IN, PromptError, Prompts, RULE};

/// The templates of a folder.
pub(super) fn overrides(folder: &Path) -> Result<Vec<(&'static str, PathBuf, String)>, PromptError> {
    let failed =
        |error: std::io::Error| PromptError::File(format!("cannot read {}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let Some((name, _)) = BUILT_IN.iter().find(|(name, _)| file == format!("{name}.md")) else {
            let valid: Vec<String> = Prompts::names().map(|name| format!("{name}.md")).collect();
            return Err(PromptError::Unknown { path, valid: valid.join(", ") });
        };
        let text = store::read_text(&path).map_err(|error| PromptError::File(error.to_string()))?;
        found.push((*name, path, text));
    }
    Ok(found)
}

/// The two parts of a template, which must name its task and hold every tag that the built-in one holds.
pub(super) fn parts(name: &str, path: &Path, text: &str) -> Result<(String, String), PromptError> {
    let wrong = |line: usize, problem: String| PromptError::Template { path: path.to_owned(), line, problem };
    let built_in = Prompts::text(name).unwrap_or_default();
    let task = built_in.lines().next().unwrap_or_default();
    if text.lines().next().map(str::trim_end) != Some(task) {
        return Err(wrong(1, format!("the first line must be `{task}`")));
    }
    if let Some(tag) = tags(built_in).into_iter().find(|tag| !text.contains(tag.as_str())) {
        return Err(wrong(
            1,
            format!("the tag {tag} is missing: what stands in it is given to the model there"),
        ));
    }
    let mut lines = text.lines();
    let system: Vec<&str> = lines.by_ref().take_while(|line| line.trim_end() != RULE).collect();
    let user: Vec<&str> = lines.collect();
    if user.iter().all(|line| line.trim().is_empty()) {
        return Err(wrong(
            system.len(),
            format!("there is no user message: it stands below a line `{RULE}`"),
        ));
    }
    Ok((system.join("\n"), user.join("\n")))
}

/// The opening tags of a template that hold something: those with a closing one.
pub(super) fn tags(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('<') {
        let name: String =
            text[at + 1..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_' || *c == '-').collect();
        let tag = format!("<{name}>");
        if !name.is_empty()
            && text[at..].starts_with(&tag)
            && text.contains(&format!("</{name}>"))
            && !found.contains(&tag)
        {
            found.push(tag);
        }
    }
    found
}
