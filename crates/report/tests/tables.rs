//! Terminal, CSV and files.
#![allow(clippy::unwrap_used)]

use experiment::findings::fixture::Fixture;
use experiment::findings::{Analysis, Findings};
use whyfirst_report as report;
use whyfirst_report::Csv;

fn full() -> Findings {
    Fixture { doses: true, ..Fixture::default() }.findings()
}

fn failed() -> Findings {
    let failed = vec![("values first".to_owned(), Some("homeland".to_owned()), 1)];
    Fixture { failed, ..Fixture::default() }.findings()
}

/// The fields of a CSV text, by RFC 4180.
fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    assert!(!quoted && row.is_empty() && field.is_empty(), "the text ends within a row");
    rows
}

fn table<'a>(tables: &'a [Csv], name: &str) -> Vec<Vec<String>> {
    let found: &'a Csv = tables.iter().find(|table| table.name == name).unwrap();
    parse(&found.text)
}

#[test]
fn terminal_wide() {
    let text = report::terminal(&Fixture::default().findings(), 110);
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn terminal_with_failures() {
    insta::assert_snapshot!(report::terminal(&failed(), 100));
}

#[test]
fn terminal_narrow() {
    let text = report::terminal(&Fixture { seeds: vec![0], ..Fixture::default() }.findings(), 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn csv_reads_back_with_the_same_numbers() {
    let findings = full();
    let tables = report::csv(&findings);
    for csv in &tables {
        let rows = parse(&csv.text);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{}", csv.name);
        assert!(rows.len() > 1 || csv.name == "failures", "{} is empty", csv.name);
    }
    let answers = table(&tables, "answers");
    let column = |name: &str| answers[0].iter().position(|found| found == name).unwrap();
    let steering = findings.answers.iter().find(|answer| answer.analysis == Analysis::Steering).unwrap();
    for (row, found) in answers[1..].iter().zip(&steering.estimates) {
        let effect = found.effect.as_ref().unwrap();
        assert_eq!(row[column("estimate")].parse::<f64>().unwrap(), effect.mean);
        assert_eq!(row[column("low")].parse::<f64>().unwrap(), effect.interval.unwrap().low);
        assert_eq!((row[column("verdict")].as_str(), row[column("p_holm")].as_str()), ("shown", ""));
        assert_eq!(row[column("words")], found.words);
    }
    assert_eq!(table(&tables, "models").len() - 1, findings.cells.len());
    assert_eq!(table(&tables, "domains").len() - 1, findings.domains.len());
    assert_eq!(table(&tables, "arms").len() - 1, findings.arms.len() * 5);
}

#[test]
fn csv_shows_failures() {
    let tables = report::csv(&failed());
    assert_eq!(
        table(&tables, "failures")[1],
        ["values first", "homeland", "1", "the loss became NaN at step 17"]
    );
    let models = table(&tables, "models");
    assert_eq!(models.last().unwrap().last().unwrap(), "the loss became NaN at step 17");
    let arms = table(&tables, "arms");
    assert!(arms.iter().any(|row| row[0] == "values first" && row.last().unwrap() == "1"));
}

#[test]
fn files_are_written_whole_and_alike_every_time() {
    let findings = full();
    let folder = tempfile::tempdir().unwrap();
    let page = report::write(&findings, folder.path()).unwrap();
    assert_eq!(page, folder.path().join("report.html"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("report.html"), report::html(&findings));
    assert_eq!(read("findings.json"), report::json(&findings).unwrap());
    assert_eq!(serde_json::from_str::<Findings>(&read("findings.json")).unwrap(), findings);
    let tables = report::csv(&findings);
    assert!(tables.iter().all(|table| read(&format!("tables/{}.csv", table.name)) == table.text));
    let before = read("report.html");
    report::write(&findings, folder.path()).unwrap();
    assert_eq!(read("report.html"), before);
    let entries = std::fs::read_dir(folder.path().join("tables")).unwrap().count();
    assert_eq!(entries, tables.len(), "no temporary file is left");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs");
    std::fs::write(&file, "in the way").unwrap();
    let message = report::write(&full(), &file).unwrap_err().to_string();
    assert!(message.contains("runs"), "{message}");
}
