//! Findings in a terminal: question, answer, table; plain text, no colours.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};
use experiment::findings::{Answer, Findings};

use crate::number::plural;
use crate::table::Table;
use crate::tables;

/// Narrower than this nothing is readable; wider lines are hard to follow.
const NARROWEST: usize = 60;
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
    say(&results(findings, width));
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

/// The result table in the first of its forms that fits: whole, without the interval of the guardrail, narrow.
fn results(findings: &Findings, width: usize) -> String {
    let fits = |table: &Table| lines(table, None).iter().all(|line| line.chars().count() <= width);
    let whole = tables::arms(findings);
    let mut shorter = whole.clone();
    if let Some(at) = shorter.columns.iter().position(|column| column.title == "perplexity") {
        for row in &mut shorter.rows {
            row[at] = row[at].split(" [").next().unwrap_or_default().to_owned();
        }
    }
    let table = [whole, shorter].into_iter().find(fits).unwrap_or_else(|| tables::arms_narrow(findings));
    drawn(&table, width)
}

/// A table, drawn to fit a width.
fn drawn(table: &Table, width: usize) -> String {
    let prose = width.min(WIDEST_PROSE);
    let notes: String = table.notes.iter().map(|note| format!("\n{}", wrapped(note, prose, "  "))).collect();
    let lines = lines(table, Some(width)).join("\n");
    format!("{}\n{lines}{notes}", wrapped(&table.caption, prose, ""))
}

/// The lines of a drawing, as wide as they need to be or at most `width`.
fn lines(table: &Table, width: Option<usize>) -> Vec<String> {
    const RULE: LineStyle = LineStyle::new('─', '─', '─', '─');
    let mut drawing = comfy_table::Table::new();
    drawing.load_style(TableStyle::new().header_separator(RULE));
    if let Some(width) = width {
        let width = width.min(usize::from(u16::MAX)) as u16;
        drawing.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    drawing.set_header(table.columns.iter().map(|column| column.title.as_str()));
    for row in &table.rows {
        drawing.add_row(row);
    }
    for (column, drawn) in table.columns.iter().zip(drawing.column_iter_mut()) {
        drawn.set_padding((0, 1));
        if column.numeric {
            drawn.set_cell_alignment(CellAlignment::Right);
            // Numbers stay whole; words are broken.
            drawn.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    // The first letter of a line stands where a border would be.
    drawing.lines().map(|line| line.chars().skip(1).collect::<String>().trim_end().to_owned()).collect()
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
        assert_eq!(broken, "one two\n  three\n  four five\n  six");
        assert!(broken.lines().all(|line| line.chars().count() <= 11));
        assert_eq!(
            broken.split_whitespace().collect::<Vec<_>>(),
            text.split_whitespace().collect::<Vec<_>>()
        );
        assert_eq!(wrapped("unbreakable-and-long", 5, ""), "unbreakable-and-long");
    }
}
