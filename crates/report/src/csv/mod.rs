//! Every table as CSV (RFC 4180): plain numbers for other programs, nothing rounded.

mod material;
mod results;

use experiment::findings::{Findings, Level};
use stats::Interval;

/// One CSV table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// File name without its ending.
    pub name: &'static str,
    /// The text, one line per row, headings first.
    pub text: String,
}

/// All tables of the findings. A missing number is an empty field.
pub fn csv(findings: &Findings) -> Vec<Csv> {
    vec![
        results::answers(findings),
        results::parts(findings),
        results::arms(findings),
        results::models(findings),
        results::domains(findings),
        results::domain_effects(findings),
        results::order(findings),
        results::dose(findings),
        material::calibration(findings),
        material::failures(findings),
        material::stages(findings),
        material::losses(findings),
        material::corpora(findings),
        material::transcripts(findings),
        material::logs(findings),
    ]
}

/// A table that is being written.
struct Writer {
    name: &'static str,
    text: String,
    columns: usize,
}

impl Writer {
    fn new(name: &'static str, columns: &[&str]) -> Writer {
        let mut writer = Writer { name, text: String::new(), columns: columns.len() };
        writer.row(columns.iter().map(|column| (*column).to_owned()).collect());
        writer
    }

    fn row(&mut self, fields: Vec<String>) {
        debug_assert_eq!(fields.len(), self.columns, "{}", self.name);
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        self.text.push_str(&fields.join(","));
        self.text.push_str("\r\n");
    }

    fn done(self) -> Csv {
        Csv { name: self.name, text: self.text }
    }
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn number(number: f64) -> String {
    number.to_string()
}

fn optional(found: Option<f64>) -> String {
    found.map_or_else(String::new, number)
}

fn text(found: &Option<String>) -> String {
    found.clone().unwrap_or_default()
}

fn ends(interval: Option<Interval>) -> [String; 2] {
    [optional(interval.map(|found| found.low)), optional(interval.map(|found| found.high))]
}

/// Mean, low, high and number of seeds.
fn level(level: Option<&Level>) -> [String; 4] {
    let [low, high] = ends(level.and_then(|level| level.interval));
    let seeds = level.map_or(0, |level| level.by_seed.len());
    [optional(level.map(|level| level.mean)), low, high, seeds.to_string()]
}

/// The name of an enum's variant as it is serialised.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
