//! The tree of sections: numbers, ancestors, subtrees, outlines.
//!
//! Sections are numbered over the whole file, in file order: `S1`, `S2`, and so on. What stands before the first
//! heading is `S0`. Numbers depend on nothing but the headings, so they are the same in every run.

use std::ops::Range;

use crate::{Section, Spec, pieces};

/// How much of a section's beginning an outline shows, in characters.
const FIRST_WORDS: usize = 90;

impl Spec {
    /// The ids of all parts with content, in order: `S0` if there is text before the first heading, then `S1` and on.
    pub fn section_ids(&self) -> Vec<String> {
        self.numbers().map(|number| format!("S{number}")).collect()
    }

    /// The numbers behind [`Spec::section_ids`].
    pub fn numbers(&self) -> Range<usize> {
        let first = usize::from(self.readable_preamble.is_empty());
        first..self.sections.len() + 1
    }

    /// The number in an id such as `S12`, if the spec has that part. `S0` is the preamble, if it has text.
    pub fn number(&self, id: &str) -> Option<usize> {
        let digits = id.strip_prefix('S')?;
        let canonical = digits == "0" || !digits.starts_with(['0', '+']);
        let number: usize = digits.parse().ok().filter(|_| canonical)?;
        self.numbers().contains(&number).then_some(number)
    }

    /// The section of a number from 1; `None` for the preamble and for numbers that there are not.
    pub fn section(&self, number: usize) -> Option<&Section> {
        self.sections.get(number.checked_sub(1)?)
    }

    /// The section with an id such as `S12`; `None` for `S0`, which has no heading.
    pub fn by_id(&self, id: &str) -> Option<&Section> {
        self.section(self.number(id)?)
    }

    /// The title of a part; the preamble has none.
    pub fn title_of(&self, number: usize) -> &str {
        self.section(number).map_or("", |section| &section.title)
    }

    /// The numbers of the sections that a section is nested in, outermost first.
    pub fn ancestors(&self, number: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut parent = self.section(number).and_then(|section| section.parent);
        while let Some(index) = parent {
            found.push(index + 1);
            parent = self.sections[index].parent;
        }
        found.reverse();
        found
    }

    /// The titles on the way to a section, its own last.
    pub fn path_titles(&self, number: usize) -> Vec<&str> {
        self.ancestors(number).into_iter().chain([number]).map(|number| self.title_of(number)).collect()
    }

    /// The numbers of the sections nested in a section, at any depth.
    pub fn nested(&self, number: usize) -> Range<usize> {
        let Some(section) = self.section(number) else { return number..number };
        let inside = self.sections[number..].iter().take_while(|other| other.level > section.level).count();
        number + 1..number + 1 + inside
    }

    /// A part's own text as written: heading and body, without the sections nested in it. For 0, the preamble without
    /// the comment that a transform leaves.
    pub fn own_text(&self, number: usize) -> &str {
        match self.section(number) {
            Some(section) => &self.text[section.span.start - section.heading.len()..section.span.end],
            None if number == 0 => &self.preamble[self.provenance_length()..],
            None => "",
        }
    }

    /// A part's text as written, with the sections nested in it.
    pub fn full_text(&self, number: usize) -> &str {
        let nested = self.nested(number);
        match (self.section(number), self.section(nested.end.saturating_sub(1))) {
            (Some(section), Some(last)) if !nested.is_empty() => {
                &self.text[section.span.start - section.heading.len()..last.span.end]
            }
            _ => self.own_text(number),
        }
    }

    /// The whole text without the comment that a transform leaves in the first line.
    pub fn content(&self) -> &str {
        &self.text[self.provenance_length()..]
    }

    /// What stands before the first heading, without comments and front matter, and without spaces around it. Empty
    /// if there is nothing to read.
    pub fn preamble_text(&self) -> &str {
        &self.text[self.readable_preamble.clone()]
    }

    /// One line for a part: `[S12] ## Title -- first words of its text`. Links to sections are shown as the titles
    /// that they lead to.
    pub fn outline_line(&self, number: usize) -> String {
        let first = self.first_words(number);
        let dashes = if first.is_empty() { "" } else { " -- " };
        match self.section(number) {
            Some(section) => {
                format!("[S{number}] {} {}{dashes}{first}", "#".repeat(section.level), section.title)
            }
            None => format!("[S{number}] (before the first heading){dashes}{first}"),
        }
    }

    /// All outline lines, one below the other.
    pub fn outline(&self) -> String {
        let lines: Vec<String> = self.numbers().map(|number| self.outline_line(number)).collect();
        lines.join("\n")
    }

    /// The first words of a part's own prose, on one line.
    fn first_words(&self, number: usize) -> String {
        let pieces = pieces::of_part(self, number);
        let Some(prose) = pieces.iter().find(|piece| piece.kind.is_prose()) else { return String::new() };
        let raw = &self.text[prose.content.clone()];
        // A link may be cut in two by a limit on the raw text, so this leaves room.
        let cut = raw.char_indices().nth(8 * FIRST_WORDS).map_or(raw.len(), |(at, _)| at);
        let plain = self.resolve_links(&raw[..cut]);
        let mut words = String::new();
        for word in plain.split_whitespace() {
            if words.chars().count() + word.chars().count() >= FIRST_WORDS {
                words.push_str(" ...");
                break;
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        words
    }

    pub(crate) fn provenance_length(&self) -> usize {
        self.provenance.as_ref().map_or(0, |_| crate::provenance::length(&self.text))
    }
}
