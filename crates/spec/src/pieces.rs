//! A section in pieces: paragraphs, list items, admonitions, footnotes, blocks.
//!
//! Put together, the pieces are the section again: each has the place in the file that it covers, and they cover
//! everything. Indentation tells what belongs to an admonition or to a list.

use std::ops::Range;

use crate::Spec;
use crate::items::{Marker, marker};
use crate::scan::{Place, Scanner};

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// Empty lines.
    Blank,
    /// A paragraph.
    Paragraph,
    /// The first paragraph of a list item, numbered or not.
    Item { numbered: bool },
    /// What a footnote says.
    Footnote,
    /// The line that opens an admonition, `!!! meta "Commentary"`.
    Admonition,
    /// A fenced block with its fences.
    Fence,
    /// An indented block of code.
    Code,
    /// Lines of a table.
    Table,
    /// A line across the page.
    Rule,
    /// An HTML comment.
    Comment,
    /// YAML at the beginning of the file.
    FrontMatter,
}

impl PieceKind {
    /// Whether it has sentences.
    pub fn is_prose(self) -> bool {
        matches!(self, PieceKind::Paragraph | PieceKind::Item { .. } | PieceKind::Footnote)
    }

    /// Whether a reader sees it.
    pub fn is_readable(self) -> bool {
        !matches!(self, PieceKind::Blank | PieceKind::Comment | PieceKind::FrontMatter)
    }
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub kind: PieceKind,
    /// The lines that it covers in [`Spec::text`], in bytes, with their line breaks.
    pub span: Range<usize>,
    /// Its text without indentation and mark in front and line break behind.
    pub content: Range<usize>,
    /// Whether it belongs to an admonition, the opening line included.
    pub in_admonition: bool,
    /// The spaces in front of it; a tab counts as four.
    pub indent: usize,
}

impl Piece {
    /// The text without indentation, mark and line break.
    pub fn text<'a>(&self, spec: &'a Spec) -> &'a str {
        &spec.text[self.content.clone()]
    }

    /// Whether it announces an example: `**Example**: asked for a friend`.
    pub fn announces_example(&self, spec: &Spec) -> bool {
        let text = self.text(spec).trim_start_matches(['*', '_']);
        let Some(rest) = text.strip_prefix("Examples").or_else(|| text.strip_prefix("Example")) else {
            return false;
        };
        let rest = rest.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
        self.kind.is_prose() && rest.starts_with([':', '.', '*', '_'])
    }
}

/// The pieces of a part's body: of a section, or for 0 of what stands before the first heading.
pub(crate) fn of_part(spec: &Spec, number: usize) -> Vec<Piece> {
    match spec.section(number) {
        Some(section) => read(&spec.text, section.span.clone(), Scanner::body(&section.body)),
        None if number == 0 => read(&spec.text, 0..spec.preamble.len(), Scanner::file(&spec.preamble)),
        None => Vec::new(),
    }
}

/// From the first piece that a reader sees to the last.
pub(crate) fn readable(spec: &Spec, pieces: &[Piece]) -> Range<usize> {
    let first = pieces.iter().find(|piece| piece.kind.is_readable());
    let last = pieces.iter().rfind(|piece| piece.kind.is_readable());
    let (Some(first), Some(last)) = (first, last) else { return 0..0 };
    let raw = &spec.text[first.span.start..last.span.end];
    let bare = raw.trim_start_matches('\u{feff}').trim_start();
    let start = last.span.end - bare.len();
    start..start + bare.trim_end().len()
}

fn read(text: &str, range: Range<usize>, mut scanner: Scanner) -> Vec<Piece> {
    let mut reader = Reader::default();
    let mut position = range.start;
    for raw in text[range.clone()].split_inclusive('\n') {
        let start = position;
        position += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        let place = scanner.place(line, start - range.start);
        reader.line(line, start..position, &place);
    }
    reader.pieces
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    /// Whether the last piece may go on.
    open: bool,
    in_admonition: bool,
    in_list: bool,
}

impl Reader {
    fn line(&mut self, line: &str, span: Range<usize>, place: &Place) {
        let text = line.trim_start();
        let indent =
            line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let offset = line.len() - text.len();
        match place {
            Place::Opens(_) => {
                self.context(indent);
                self.begin(PieceKind::Fence, line, span, offset, indent);
            }
            Place::Fenced => self.extend(line, &span),
            Place::Closes => {
                self.extend(line, &span);
                self.open = false;
            }
            Place::Comment => self.add(PieceKind::Comment, line, span, offset, indent),
            Place::FrontMatter => self.add(PieceKind::FrontMatter, line, span, offset, indent),
            Place::Text if text.is_empty() => self.add(PieceKind::Blank, line, span, offset, indent),
            Place::Text => self.text(line, text, span, indent),
        }
    }

    fn text(&mut self, line: &str, text: &str, span: Range<usize>, indent: usize) {
        let offset = line.len() - text.len();
        let goes_on = self.open && self.pieces.last().is_some_and(|last| last.kind.is_prose());
        if !goes_on {
            self.context(indent);
        }
        if (text.starts_with("!!!") || text.starts_with("???")) && text[3..].starts_with([' ', '+', '\t']) {
            self.in_admonition = true;
            self.begin(PieceKind::Admonition, line, span, offset, indent);
            self.open = false;
        } else if text.starts_with('|') {
            self.add(PieceKind::Table, line, span, offset, indent);
        } else if is_rule(text) && !goes_on {
            self.begin(PieceKind::Rule, line, span, offset, indent);
            self.open = false;
        } else if let Some(Marker { number, length }) = marker(text) {
            self.in_list = true;
            let numbered = number.is_some();
            self.begin(PieceKind::Item { numbered }, line, span, offset + length, indent);
        } else if let Some(length) = footnote(text) {
            self.in_list = true;
            self.begin(PieceKind::Footnote, line, span, offset + length, indent);
        } else if goes_on {
            self.extend(line, &span);
        } else if indent >= 4 && !(self.in_list || self.in_admonition) {
            self.add(PieceKind::Code, line, span, offset, indent);
        } else {
            self.begin(PieceKind::Paragraph, line, span, offset, indent);
        }
    }

    /// A line that is not indented ends the admonition and the list before it.
    fn context(&mut self, indent: usize) {
        self.in_admonition &= indent >= 4;
        self.in_list &= indent >= 2;
    }

    /// Adds a line to the last piece if that is of the same kind, or begins one.
    fn add(&mut self, kind: PieceKind, line: &str, span: Range<usize>, offset: usize, indent: usize) {
        let last = self.pieces.last();
        // A blank line between two pieces of an admonition does not end it; one comment is as long as the scanner says.
        if self.open && last.is_some_and(|last| last.kind == kind) {
            self.extend(line, &span);
        } else {
            self.begin(kind, line, span, offset, indent);
        }
    }

    fn begin(&mut self, kind: PieceKind, line: &str, span: Range<usize>, offset: usize, indent: usize) {
        let content = span.start + offset..span.start + line.trim_end().len().max(offset);
        let in_admonition = self.in_admonition && kind != PieceKind::Blank;
        self.pieces.push(Piece { kind, span, content, in_admonition, indent });
        self.open = true;
    }

    fn extend(&mut self, line: &str, span: &Range<usize>) {
        if let Some(last) = self.pieces.last_mut() {
            last.span.end = span.end;
            last.content.end = span.start + line.trim_end().len();
        }
    }
}

/// `---`, `***` or `___`, three signs or more, also with spaces between them.
fn is_rule(text: &str) -> bool {
    let signs: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    signs.len() >= 3 && matches!(signs[0], '-' | '*' | '_') && signs.iter().all(|sign| *sign == signs[0])
}

/// The length of `[^name]: ` at the beginning of a footnote's text.
fn footnote(text: &str) -> Option<usize> {
    let name = text.strip_prefix("[^")?;
    let end = name.find("]:")?;
    let plain = end > 0 && !name[..end].contains(char::is_whitespace);
    let rest = &name[end + 2..];
    plain.then(|| 2 + end + 2 + (rest.len() - rest.trim_start().len()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn spec(text: &str) -> Spec {
        crate::parse("test", Path::new("t.md"), text.to_string()).unwrap()
    }

    fn kinds(text: &str) -> Vec<(PieceKind, bool, String)> {
        let spec = spec(text);
        let pieces = of_part(&spec, 1);
        let seen = pieces.iter().filter(|piece| piece.kind != PieceKind::Blank);
        seen.map(|piece| (piece.kind, piece.in_admonition, piece.text(&spec).to_string())).collect()
    }

    #[test]
    fn the_pieces_of_a_section() {
        use PieceKind::*;
        let text = "# A\nOne\n two.\n- a\n  more\n    - b\n\n    still b\n1. c\n\n!!! note \"N\"\n    In it.\n\n    - item\n\nOut.\n\n    code\n\n| t |\n| u |\n***\n[^a]: Foot\nnote.\n~~~xml\n- no\n~~~\n<!-- c -->\n";
        let found = kinds(text);
        let expected = [
            (Paragraph, false, "One\n two."),
            (Item { numbered: false }, false, "a\n  more"),
            (Item { numbered: false }, false, "b"),
            (Paragraph, false, "still b"),
            (Item { numbered: true }, false, "c"),
            (Admonition, true, "!!! note \"N\""),
            (Paragraph, true, "In it."),
            (Item { numbered: false }, true, "item"),
            (Paragraph, false, "Out."),
            (Code, false, "code"),
            (Table, false, "| t |\n| u |"),
            (Rule, false, "***"),
            (Footnote, false, "Foot\nnote."),
            (Fence, false, "~~~xml\n- no\n~~~"),
            (Comment, false, "<!-- c -->"),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, (kind, inside, text)) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1, found.2.as_str()), (kind, inside, text));
        }
    }

    #[test]
    fn what_announces_an_example() {
        let spec = spec(
            "# A\n**Example**: one\n\nExamples are good, and: so on\n\n*Example:* two\n\n**Example 3.** x\n",
        );
        let pieces = of_part(&spec, 1);
        let found: Vec<bool> = pieces
            .iter()
            .filter(|piece| piece.kind.is_prose())
            .map(|piece| piece.announces_example(&spec))
            .collect();
        assert_eq!(found, [true, false, true, true]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_cover_everything(
            lines in prop::collection::vec("(# |- |1\\. |```|~~~|    |!!! a|\\[\\^a\\]: |\\| |---|<!--|-->|> )?[ a-zé\\t\\r.]{0,8}", 0..24)
        ) {
            let spec = spec(&lines.join("\n"));
            for number in 0..=spec.sections.len() {
                let body = spec.section(number).map_or(&spec.preamble, |section| &section.body);
                let pieces = of_part(&spec, number);
                let whole: String = pieces.iter().map(|piece| &spec.text[piece.span.clone()]).collect();
                prop_assert_eq!(&whole, body);
                for piece in &pieces {
                    prop_assert!(piece.span.start <= piece.content.start && piece.content.end <= piece.span.end);
                    prop_assert!(spec.text.get(piece.content.clone()).is_some());
                }
            }
            prop_assert!(spec.text.contains(spec.preamble_text()));
        }
    }
}
