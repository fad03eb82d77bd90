//! Findings in a terminal: question, answer, table; plain text, no colours.

use comfy_table::{CellAlignment, ContentArrangement, presets};
use experiment::findings::{Answer, Findings};

use crate::number::plural;
use crate::table::Table;
use crate::tables;

/// Narrower than this nothing is readable; wider lines are hard to follow.
const NARROWEST: usize = 40;
const WIDEST_PROSE: usize = 100;

/// The findings as text for a terminal of `width` columns.
pub fn terminal(findings: &Findings, width: usize) -> String {
    let width = width.max(NARROWEST);
    let prose = width.min(WIDEST_PROSE);
    let mut text = String::new();
    let mut say = |line: &str| text.push_str(&format!("{line}\n"));
    say(&wrapped(&format!("{}: {}", findings.name, findings.question), prose, ""));
    say("");
    let (primary, exploratory): (Vec<&Answer>, Vec<&Answer>) =
        findings.answers.iter().partition(|answer| answer.primary);
    for answer in &primary {
        say(&wrapped(&answer.headline, prose, "  "));
    }
    if primary.is_empty() {
        say(&wrapped("No analysis was declared primary: everything below is exploratory.", prose, "  "));
    }
    say("");
    say(&wrapped(&findings.scope, prose, ""));
    if !findings.failures.is_empty() {
        say("");
        say(&drawn(&tables::failed(findings), width));
    }
    say("");
    say(&drawn(&tables::arms(findings), width));
    if !exploratory.is_empty() {
        say("");
        let family = plural(findings.exploratory, "comparison");
        say(&wrapped(&format!("Exploratory ({family}, adjusted together by Holm's method)"), prose, ""));
        for answer in &exploratory {
            say(&wrapped(&format!("- {} {}", answer.question, answer.headline), prose, "  "));
        }
    }
    for (title, lines) in [("Deviations", &findings.deviations), ("Warnings", &findings.warnings)] {
        if !lines.is_empty() {
            say("");
            say(title);
            lines.iter().for_each(|line| say(&wrapped(&format!("- {line}"), prose, "  ")));
        }
    }
    text
}

/// A table, drawn to fit a width.
pub fn drawn(table: &Table, width: usize) -> String {
    let mut drawing = comfy_table::Table::new();
    drawing.load_style(presets::UTF8_HORIZONTAL_ONLY);
    drawing.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.min(usize::from(u16::MAX)) as u16);
    drawing.set_header(table.columns.iter().map(|column| column.title.as_str()));
    for row in &table.rows {
        drawing.add_row(row);
    }
    for (at, column) in table.columns.iter().enumerate() {
        if let Some(drawn) = drawing.column_mut(at).filter(|_| column.numeric) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = drawing.lines().map(|line| line.trim_end().to_owned()).collect();
    let prose = width.min(WIDEST_PROSE);
    let notes: String = table.notes.iter().map(|note| format!("\n{}", wrapped(note, prose, ""))).collect();
    format!("{}\n{}{notes}", wrapped(&table.caption, prose, ""), lines.join("\n"))
}

/// Text broken at spaces to fit a width; lines after the first begin with `indent`.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        }
        if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_at_words_and_loses_none() {
        let text = "one two three four five six";
        let broken = wrapped(text, 11, "  ");
        assert_eq!(broken, "one two\n  three\n  four five\n  six".replace("one two\n  three", "one two\n  three"));
        assert!(broken.lines().all(|line| line.chars().count() <= 11));
        assert_eq!(broken.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        assert_eq!(wrapped("unbreakable-and-long", 5, ""), "unbreakable-and-long");
    }
}
