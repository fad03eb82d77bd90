//! From a file's text to sections and fenced blocks.

use std::ops::Range;
use std::path::Path;

use crate::lab_block;
use crate::{Block, Section, Spec, SpecError};

/// Parses a Model Spec. `name` is what the experiment calls it; `path` is for messages only.
///
/// # Errors
/// If the text has a `[lab]` block that cannot be used: broken TOML, an unknown key, no value, or a second block.
pub fn parse(name: &str, path: &Path, text: String) -> Result<Spec, SpecError> {
    let outline = outline(&text);
    let title = outline.sections.iter().find(|section| section.level == 1);
    let title = title.map_or(name, |section| &section.title).to_string();
    let mut spec = Spec {
        name: name.to_string(),
        path: path.to_path_buf(),
        title,
        preamble: outline.preamble,
        sections: outline.sections,
        blocks: outline.blocks,
        lab: None,
        text,
    };
    spec.lab = lab_block::find(&spec)?;
    Ok(spec)
}

struct Outline {
    preamble: String,
    sections: Vec<Section>,
    blocks: Vec<Block>,
}

/// A fence that is open while reading.
struct Fence {
    sign: char,
    length: usize,
    info: String,
    line: usize,
    start: usize,
}

fn outline(text: &str) -> Outline {
    let mut preamble_end = None;
    let mut sections: Vec<Section> = Vec::new();
    let mut blocks = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut position = 0;
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let start = position;
        position += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        if let Some(open) = &fence {
            if closes(open, line) {
                blocks.push(block(open, text, start));
                fence = None;
            }
        } else if let Some((sign, length, info)) = opens(line) {
            fence = Some(Fence { sign, length, info, line: index + 1, start: position });
        } else if let Some((level, title, id)) = heading(line) {
            close_section(&mut sections, text, start);
            preamble_end.get_or_insert(start);
            let heading = raw.to_string();
            let span = position..position;
            sections.push(Section { level, title, id, line: index + 1, heading, body: String::new(), span });
        }
    }
    if let Some(open) = &fence {
        // A fence that is never closed reaches to the end, as in CommonMark.
        blocks.push(block(open, text, text.len()));
    }
    close_section(&mut sections, text, text.len());
    Outline { preamble: text[..preamble_end.unwrap_or(text.len())].to_string(), sections, blocks }
}

fn close_section(sections: &mut [Section], text: &str, end: usize) {
    if let Some(section) = sections.last_mut() {
        section.span.end = end;
        section.body = text[section.span.clone()].to_string();
    }
}

fn block(fence: &Fence, text: &str, end: usize) -> Block {
    let span: Range<usize> = fence.start.min(end)..end;
    Block { info: fence.info.clone(), line: fence.line, body: text[span.clone()].to_string(), span }
}

/// The sign, length and info string of an opening fence. Fences may be indented, as they are inside lists.
pub(crate) fn opens(line: &str) -> Option<(char, usize, String)> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == sign).count();
    let info = line[length..].trim();
    // Inline code such as ```x``` on one line opens nothing.
    (length >= 3 && !(sign == '`' && info.contains('`'))).then(|| (sign, length, info.to_string()))
}

fn closes(fence: &Fence, line: &str) -> bool {
    let line = line.trim();
    line.chars().all(|c| c == fence.sign) && line.chars().count() >= fence.length
}

/// Level, title and id of an ATX heading; at most three spaces may stand before it.
fn heading(line: &str) -> Option<(usize, String, Option<String>)> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[indent..];
    let level = rest.chars().take_while(|c| *c == '#').count();
    let after = &rest[level..];
    if indent > 3 || !(1..=6).contains(&level) || !(after.is_empty() || after.starts_with([' ', '\t'])) {
        return None;
    }
    let mut title = after.trim();
    let mut id = None;
    if title.ends_with('}')
        && let Some(open) = title.rfind("{#")
    {
        let attributes = &title[open + 2..title.len() - 1];
        id = attributes.split_whitespace().next().map(str::to_string);
        title = title[..open].trim_end();
    }
    // A closing row of # is decoration.
    let bare = title.trim_end_matches('#');
    if bare.is_empty() || bare.ends_with([' ', '\t']) {
        title = bare.trim_end();
    }
    Some((level, title.to_string(), id))
}
