//! What stands between tags in a request, wherever that is: the first occurrence counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::markdown;
use super::names::Names;

/// The texts of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Material<'a> {
    texts: &'a [Cow<'a, str>],
}

/// A section of a spec.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) id: String,
    /// As a phrase within a sentence.
    pub(super) title: String,
    /// Sentences about the model, with its name in the place of others.
    pub(super) sentences: Vec<String>,
}

impl<'a> Material<'a> {
    pub(super) fn new(texts: &'a [Cow<'a, str>]) -> Material<'a> {
        Material { texts }
    }

    /// What stands between `<name>` and `</name>`.
    pub(super) fn tag(&self, name: &str) -> Option<&'a str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let inside = self.texts.iter().find_map(|text| {
            let start = text.find(&open)? + open.len();
            let end = start + text[start..].find(&close)?;
            Some(&text[start..end])
        })?;
        let inside = inside.trim();
        (!inside.is_empty()).then_some(inside)
    }

    /// How many entries are wanted: at most as many as anybody can want.
    pub(super) fn count(&self) -> Option<usize> {
        let count: usize = self.tag("count")?.parse().ok()?;
        Some(count.clamp(1, 2000))
    }

    /// The names that the texts are about.
    pub(super) fn names(&self) -> Option<Names> {
        Some(Names::new(self.tag("model_name")?, self.tag("provider_name")?))
    }

    /// The sections that stand in a tag: whole ones, and lines of an outline.
    pub(super) fn sections(&self, tag: &str, names: &Names) -> Arc<Vec<Section>> {
        let Some(text) = self.tag(tag) else { return Arc::default() };
        // The same sections stand in hundreds of requests.
        static READ: Mutex<BTreeMap<u64, Arc<Vec<Section>>>> = Mutex::new(BTreeMap::new());
        let mut hasher = DefaultHasher::new();
        (text, &names.model, &names.provider).hash(&mut hasher);
        let key = hasher.finish();
        if let Some(known) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(read(text, names));
        let mut known = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&found));
        found
    }
}

/// How many sets of sections are remembered.
const REMEMBERED: usize = 128;

fn read(text: &str, names: &Names) -> Vec<Section> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(section) = line.strip_prefix("<section ") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "</section>").collect();
            let attribute = |name: &str| {
                let start = section.find(name)? + name.len();
                Some(&section[start..start + section[start..].find('"')?])
            };
            let id = attribute("id=\"").unwrap_or_default().to_owned();
            let title = markdown::title(attribute("title=\"").unwrap_or_default());
            found.push(Section { id, title: names.own(&title), sentences: own(&body.join("\n"), names) });
        } else if let Some((id, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let (title, words) = rest.split_once(" -- ").unwrap_or((rest, ""));
            // A line of an outline breaks off; it is a sentence only if it happens to end where the line does.
            let title = names.own(&markdown::title(title.trim().trim_start_matches('#')));
            found.push(Section { id: id.trim().to_owned(), title, sentences: own(words, names) });
        }
    }
    found.retain(|section| !section.id.is_empty());
    if found.is_empty() && !text.is_empty() {
        found = by_headings(text, names);
    }
    found
}

fn own(markdown: &str, names: &Names) -> Vec<String> {
    markdown::sentences(markdown).iter().map(|sentence| names.own(sentence)).collect()
}

/// Sections of a text that marks them by headings alone, numbered as specs number them.
fn by_headings(text: &str, names: &Names) -> Vec<Section> {
    let mut parts: Vec<(String, String)> = vec![(String::new(), String::new())];
    for line in text.lines() {
        if line.starts_with('#') {
            parts.push((line.to_owned(), String::new()));
        } else if let Some((_, body)) = parts.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    let parts = parts.into_iter().enumerate().filter(|(_, (_, body))| !body.trim().is_empty());
    parts
        .map(|(number, (heading, body))| Section {
            id: format!("S{number}"),
            title: names.own(&markdown::title(heading.trim_start_matches('#').trim())),
            sentences: own(&body, names),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(text: &str) -> Vec<(String, String, usize)> {
        let texts = [Cow::Borrowed(text)];
        let names = Names::new("Aster", "Whitfield");
        let found = Material::new(&texts).sections("spec", &names);
        found.iter().map(|s| (s.id.clone(), s.title.clone(), s.sentences.len())).collect()
    }

    #[test]
    fn sections_are_found_in_every_form() {
        let whole = "<spec>\n<section id=\"S2\" title=\"A > Be kind\">\n# Be kind\n\nAster is kind to all who ask it.\n</section>\n\
            [S12.2] ### Rest -- Aster keeps to what it has said once before noon\n</spec>";
        assert_eq!(sections(whole), [("S2".into(), "be kind".into(), 1), ("S12.2".into(), "rest".into(), 0)]);
        let headings = "<spec>\n# A\n\n## B\nAster is kind to all who ask it.\n</spec>";
        assert_eq!(sections(headings), [("S2".into(), "b".into(), 1)]);
        assert!(sections("nothing").is_empty());
    }

    #[test]
    fn the_first_tag_counts_wherever_it_stands() {
        let texts =
            [Cow::Borrowed("no <count>"), Cow::Borrowed("<count> 7 </count> <count>8</count> <idea></idea>")];
        let material = Material::new(&texts);
        assert_eq!(material.count(), Some(7));
        assert_eq!((material.tag("idea"), material.tag("words")), (None, None));
    }
}
