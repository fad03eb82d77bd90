//! A spec as prompts show it: units of its own text with ids, none too long, none lost.

mod cover;
mod parts;

use spec::{Kind, Spec};
use store::Hash;

pub use cover::cover;
use parts::parts;

/// A spec whose names are filled in, in units.
#[derive(Clone, Debug)]
pub struct Source {
    /// What the experiment calls it.
    pub name: String,
    /// The hash of its file, before names were filled in.
    pub hash: Hash,
    /// Whether it explains itself or prescribes.
    pub kind: Kind,
    /// Its text, names filled in.
    pub text: String,
    /// Sections with text of their own, in file order.
    pub units: Vec<Unit>,
}

/// A section's own text, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `S12`, or `S12.2` for the second part of a long section.
    pub id: String,
    /// The titles on the way to it.
    pub title: String,
    /// Depth of its heading; 0 for what stands before the first one.
    pub level: usize,
    /// Its Markdown, heading included, without the sections nested in it.
    pub text: String,
}

impl Source {
    /// Reads a spec: `spec` as parsed from its file; `kind` as the user says, or as it looks.
    ///
    /// # Errors
    /// When it cannot be parsed once the names are in it, or has no text.
    pub fn new(
        spec: &Spec,
        model_name: &str,
        provider_name: &str,
        kind: Option<Kind>,
    ) -> Result<Source, String> {
        let text = spec::fill(spec.content(), model_name, provider_name);
        let filled = spec::parse(&spec.name, &spec.path, text.clone()).map_err(|error| error.to_string())?;
        let units: Vec<Unit> = filled.numbers().flat_map(|number| units(&filled, number)).collect();
        if units.is_empty() {
            return Err(format!("{}: the spec has no text to write from", spec.path.display()));
        }
        Ok(Source {
            name: spec.name.clone(),
            hash: store::hash_bytes(spec.text.as_bytes()),
            kind: kind.unwrap_or_else(|| spec::kind(&filled).kind),
            text,
            units,
        })
    }

    /// Whether it is read as rules.
    pub fn rules(&self) -> bool {
        self.kind == Kind::Rules
    }

    /// A line for each unit: `[S12] ## Title -- first words`.
    pub fn outline(&self) -> String {
        let lines: Vec<String> = self.units.iter().map(Unit::outline).collect();
        lines.join("\n")
    }

    /// The whole text if it is at most so many estimated tokens, with ids; else the outline.
    pub fn shown(&self, tokens: usize) -> String {
        if spec::estimate_tokens(&self.text) <= tokens {
            self.units.iter().map(Unit::shown).collect::<Vec<_>>().join("\n")
        } else {
            self.outline()
        }
    }

    /// The units of these ids, for a prompt; those beyond so many estimated tokens by their outline only.
    pub fn sections(&self, ids: &[String], tokens: usize) -> String {
        let mut left = tokens;
        let mut shown = Vec::new();
        for unit in self.units.iter().filter(|unit| ids.contains(&unit.id)) {
            let size = spec::estimate_tokens(&unit.text);
            if size <= left || shown.is_empty() {
                left = left.saturating_sub(size);
                shown.push(unit.shown());
            } else {
                shown.push(unit.outline());
            }
        }
        shown.join("\n")
    }

    /// The units of these ids in pages: none has more estimated tokens than that, all of them together are what was
    /// given, and every one of `sources`, which share their outline, has the same pages.
    pub fn pages(sources: &[Source], ids: &[String], tokens: usize) -> Vec<Vec<String>> {
        let mut pages: Vec<Vec<String>> = Vec::new();
        let mut left = 0;
        let units = sources.first().map_or(&[][..], |first| &first.units);
        for (at, unit) in units.iter().enumerate().filter(|(_, unit)| ids.contains(&unit.id)) {
            let size =
                |source: &Source| source.units.get(at).map_or(0, |unit| spec::estimate_tokens(&unit.text));
            let size = sources.iter().map(size).max().unwrap_or(0);
            match pages.last_mut().filter(|_| size <= left) {
                Some(page) => page.push(unit.id.clone()),
                None => {
                    pages.push(vec![unit.id.clone()]);
                    left = tokens;
                }
            }
            left = left.saturating_sub(size);
        }
        pages
    }

    /// The unit of an id.
    pub fn unit(&self, id: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The titles of units, in file order.
    pub fn titles(&self, ids: &[String]) -> Vec<String> {
        self.units.iter().filter(|unit| ids.contains(&unit.id)).map(|unit| unit.title.clone()).collect()
    }

    /// What this spec and others say in the same words, paragraph by paragraph: what a plan for all of them may see.
    /// Units keep their ids.
    ///
    /// # Errors
    /// When they do not have the same outline: the same sections at the same depths.
    pub fn shared(sources: &[Source]) -> Result<Source, String> {
        let Some((first, others)) = sources.split_first() else { return Err("no specs".to_owned()) };
        let shape = |source: &Source| -> Vec<(String, usize)> {
            source.units.iter().map(|unit| (unit.id.clone(), unit.level)).collect()
        };
        for other in others {
            let (one, two) = (shape(first), shape(other));
            if one != two {
                let place = one.iter().zip(&two).find(|(a, b)| a != b).map_or_else(
                    || format!("one has {} sections with text, the other {}", one.len(), two.len()),
                    |(a, b)| format!("the first difference is at {} and {}", a.0, b.0),
                );
                return Err(format!(
                    "mirrored specs need the same outline, section by section, and `{}` and `{}` differ: {place}",
                    first.name, other.name
                ));
            }
        }
        let mut shared = first.clone();
        shared.name = sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(" and ");
        for (index, unit) in shared.units.iter_mut().enumerate() {
            let others: Vec<Vec<&str>> =
                others.iter().map(|other| paragraphs(&other.units[index].text)).collect();
            let kept: Vec<&str> = paragraphs(&first.units[index].text)
                .into_iter()
                .filter(|paragraph| others.iter().all(|other| other.contains(paragraph)))
                .collect();
            if others
                .iter()
                .zip(sources.iter().skip(1))
                .any(|(_, other)| other.units[index].title != unit.title)
            {
                unit.title = format!("section {}", unit.id);
            }
            unit.text = kept.join("\n\n");
        }
        shared.text = shared.units.iter().map(|unit| unit.text.as_str()).collect::<Vec<_>>().join("\n\n");
        Ok(shared)
    }
}

impl Unit {
    fn shown(&self) -> String {
        let title = self.title.replace('"', "'");
        format!("<section id=\"{}\" title=\"{title}\">\n{}\n</section>", self.id, self.text.trim())
    }

    fn outline(&self) -> String {
        let body = self.text.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
        let words: Vec<&str> = body.flat_map(str::split_whitespace).take(14).collect();
        let title = self.title.rsplit(" > ").next().unwrap_or_default();
        format!("[{}] {} {title} -- {}", self.id, "#".repeat(self.level.max(1)), words.join(" "))
    }
}

/// The units of a section: none if it has no text of its own.
fn units(spec: &Spec, number: usize) -> Vec<Unit> {
    let text = spec.own_text(number);
    let has_text = match spec.section(number) {
        Some(section) => !section.body.trim().is_empty(),
        None => !spec.preamble_text().trim().is_empty(),
    };
    if !has_text {
        return Vec::new();
    }
    let level = spec.section(number).map_or(0, |section| section.level);
    let title = if number == 0 {
        "Before the first heading".to_owned()
    } else {
        spec.path_titles(number).join(" > ")
    };
    let parts = parts(text);
    let several = parts.len() > 1;
    let unit = |(index, text): (usize, String)| Unit {
        id: if several { format!("S{number}.{}", index + 1) } else { format!("S{number}") },
        title: if several { format!("{title} (part {})", index + 1) } else { title.clone() },
        level,
        text,
    };
    parts.into_iter().enumerate().map(unit).collect()
}

fn paragraphs(text: &str) -> Vec<&str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(text: &str) -> Source {
        let spec = spec::parse("main", Path::new("main.md"), text.to_owned()).unwrap();
        Source::new(&spec, "Aster", "Whitfield", None).unwrap()
    }

    #[test]
    fn units_have_the_numbers_of_sections_and_containers_are_no_units() {
        let source = source("Intro of {model_name}.\n\n# A\n\n## B\n\nText {x}.\n\n## C {#c}\n\nMore.\n");
        let ids: Vec<&str> = source.units.iter().map(|unit| unit.id.as_str()).collect();
        assert_eq!(ids, ["S0", "S2", "S3"]);
        assert_eq!(source.units[1].title, "A > B");
        assert!(source.units[0].text.contains("Aster") && source.units[1].text.contains("{x}"));
        assert!(source.outline().contains("[S3] ## C -- More."));
    }

    #[test]
    fn long_sections_become_parts_and_nothing_is_lost() {
        let paragraph = "A sentence about honesty that is long enough. ".repeat(60);
        let long: Vec<String> = (0..30).map(|n| format!("{n}. {paragraph}")).collect();
        let text = format!("# A\n\n{}\n\n# B\n\nshort\n", long.join("\n\n"));
        let source = source(&text);
        assert!(source.units.len() > 3 && source.units[0].id == "S1.1", "{}", source.units.len());
        let joined: String = source.units.iter().map(|unit| unit.text.as_str()).collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn pages_hold_everything_once_and_none_is_too_long() {
        let sections = |words: usize| -> String {
            (0..12).map(|n| format!("# Section {n}\n\n{}\n\n", "word ".repeat(words + 40 * n))).collect()
        };
        let (short, long) = (source(&sections(10)), source(&sections(200)));
        let ids: Vec<String> =
            short.units.iter().skip(1).filter(|unit| unit.id != "S5").map(|unit| unit.id.clone()).collect();
        let both = [short, long];
        for tokens in [1, 600, 900, 100_000] {
            let pages = Source::pages(&both, &ids, tokens);
            assert_eq!(pages.concat(), ids, "{tokens}");
            for page in pages.iter().filter(|page| page.len() > 1) {
                for source in &both {
                    let texts = page.iter().map(|id| spec::estimate_tokens(&source.unit(id).unwrap().text));
                    assert!(texts.sum::<usize>() <= tokens, "{tokens}: {page:?}");
                }
            }
        }
        assert_eq!(Source::pages(&both, &ids, 100_000).len(), 1);
        assert_eq!(Source::pages(&both, &ids, 1).len(), ids.len());
        assert!(Source::pages(&both, &[], 10).is_empty());
    }

    #[test]
    fn a_plan_for_several_specs_sees_what_they_share() {
        let one =
            source("# Likes\n\nIt likes tea.\n\nIt does so because tea is cheap.\n\n# Why cheap\n\nMoney.\n");
        let two =
            source("# Likes\n\nIt likes tea.\n\nIt does so because tea is local.\n\n# Why local\n\nHome.\n");
        let shared = Source::shared(&[one.clone(), two]).unwrap();
        assert!(shared.text.contains("It likes tea.") && !shared.text.contains("cheap"), "{}", shared.text);
        assert_eq!(shared.units[1].title, "section S2");
        let other = source("# Likes\n\nIt likes tea.\n");
        assert!(Source::shared(&[one, other]).unwrap_err().contains("same outline"));
    }
}
