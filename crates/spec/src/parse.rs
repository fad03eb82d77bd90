//! From a file's text to sections and fenced blocks.

use std::path::Path;

use crate::heading::{self, Heading};
use crate::lab_block;
use crate::provenance::Provenance;
use crate::scan::{Place, Scanner};
use crate::{Block, Section, Spec, SpecError, links, pieces};

/// Parses a Model Spec. `name` is what the experiment calls it; `path` is for messages only.
///
/// # Errors
/// If the text has a `[lab]` block that cannot be used: broken TOML, an unknown key, no value, or a second block.
pub fn parse(name: &str, path: &Path, text: String) -> Result<Spec, SpecError> {
    let mut outline = Outline::default();
    outline.read(&text);
    let title = outline.sections.iter().find(|section| section.level == 1);
    let title = title.map_or(name, |section| &section.title).to_string();
    let mut spec = Spec {
        name: name.to_string(),
        path: path.to_path_buf(),
        title,
        preamble: text[..outline.preamble_end.unwrap_or(text.len())].to_string(),
        targets: links::targets(&outline.sections),
        sections: outline.sections,
        blocks: outline.blocks,
        lab: None,
        provenance: Provenance::read(&text),
        readable_preamble: 0..0,
        starts: outline.starts,
        text,
    };
    spec.readable_preamble = pieces::readable(&spec, &pieces::of_part(&spec, 0));
    spec.lab = lab_block::find(&spec)?;
    Ok(spec)
}

#[derive(Default)]
struct Outline {
    preamble_end: Option<usize>,
    sections: Vec<Section>,
    blocks: Vec<Block>,
    /// Where each line begins.
    starts: Vec<usize>,
    /// The sections, by index, that are open at the moment: each is nested in the one before.
    open: Vec<usize>,
}

impl Outline {
    fn read(&mut self, text: &str) {
        let mut scanner = Scanner::file(text);
        // The block that is being read.
        let mut block: Option<Block> = None;
        // Whether the line before ended a paragraph, and, if the line before may be a title, where it began.
        let mut fresh = true;
        let mut candidate: Option<usize> = None;
        let mut position = 0;
        for (index, raw) in text.split_inclusive('\n').enumerate() {
            let start = position;
            position += raw.len();
            self.starts.push(start);
            let mut line = raw.trim_end_matches(['\n', '\r']);
            if index == 0 {
                line = line.trim_start_matches('\u{feff}');
            }
            let place = scanner.place(line, start);
            let title = candidate.take();
            match place {
                Place::Opens(fence) => {
                    let span = position..position;
                    let (info, line) = (fence.info, index + 1);
                    block = Some(Block { info, line, body: String::new(), span, closed: false });
                }
                Place::Closes => {
                    self.blocks.extend(block.take().map(|block| finish(block, text, start, true)))
                }
                Place::Text => {
                    if let Some(heading) = heading::atx(line) {
                        self.section(heading, index + 1, start..position, text);
                        fresh = true;
                        continue;
                    }
                    if let (Some(begin), Some(level)) = (title, heading::underline(line)) {
                        let heading = heading::underlined(&text[begin..start], level);
                        self.section(heading, index, begin..position, text);
                        fresh = true;
                        continue;
                    }
                    candidate = (fresh && heading::may_be_title(line)).then_some(start);
                    fresh = line.trim().is_empty();
                    continue;
                }
                Place::Fenced | Place::Comment | Place::FrontMatter => {}
            }
            fresh = true;
        }
        // A fence that is never closed reaches to the end, as in CommonMark.
        self.blocks.extend(block.map(|block| finish(block, text, text.len(), false)));
        self.close(text, text.len());
    }

    fn section(&mut self, heading: Heading, line: usize, place: std::ops::Range<usize>, text: &str) {
        self.close(text, place.start);
        self.preamble_end.get_or_insert(place.start);
        while self.open.last().is_some_and(|open| self.sections[*open].level >= heading.level) {
            self.open.pop();
        }
        let label = heading::label(&heading.title).map(|(label, _)| label.to_string());
        let parent = self.open.last().copied();
        self.open.push(self.sections.len());
        self.sections.push(Section {
            level: heading.level,
            title: heading.title,
            label,
            id: heading.id,
            attributes: heading.attributes,
            line,
            heading: text[place.clone()].to_string(),
            body: String::new(),
            span: place.end..place.end,
            parent,
        });
    }

    fn close(&mut self, text: &str, end: usize) {
        if let Some(section) = self.sections.last_mut() {
            section.span.end = end;
            section.body = text[section.span.clone()].to_string();
        }
    }
}

fn finish(mut block: Block, text: &str, end: usize, closed: bool) -> Block {
    block.span = block.span.start.min(end)..end;
    block.body = text[block.span.clone()].to_string();
    block.closed = closed;
    block
}
