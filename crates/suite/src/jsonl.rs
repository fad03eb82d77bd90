//! Suite files: JSON Lines, the first line saying what the suite is, every other one an item.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SuiteError};
use crate::suite::{Kind, Suite, SuiteItems, canonical};

/// The first line of a suite file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    suite: String,
    version: u32,
    kind: Kind,
}

impl Suite {
    /// Reads a suite file.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not what it should be, or an item breaks a rule of
    /// [`validate`](Suite::validate); the error names the file and the line.
    pub fn read_jsonl(path: impl AsRef<Path>) -> Result<Suite> {
        let path = path.as_ref();
        let text = store::read_text(path)?;
        let wrong = |line, problem| SuiteError::Line { path: path.to_owned(), line, problem };
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (at, first) = lines.next().ok_or_else(|| wrong(1, "the file is empty".to_owned()))?;
        let head: Head = serde_json::from_str(first)
            .map_err(|error| wrong(at, format!("the first line must describe the suite: {error}")))?;
        let (numbers, lines): (Vec<usize>, Vec<&str>) = lines.unzip();
        let items = match head.kind {
            Kind::Preferences => SuiteItems::Preferences(parse(&numbers, &lines, wrong)?),
            Kind::Text => SuiteItems::Text(parse(&numbers, &lines, wrong)?),
        };
        let suite = Suite { name: head.suite, version: head.version, items };
        match suite.first_problem() {
            Some((number, problem)) => Err(wrong(numbers[number - 1], problem)),
            None => Ok(suite),
        }
    }

    /// Writes a suite file, atomically.
    ///
    /// # Errors
    /// When the suite breaks a rule of [`validate`](Suite::validate), or the file cannot be written.
    pub fn write_jsonl(&self, path: impl AsRef<Path>) -> Result<()> {
        self.validate()?;
        let head = Head { suite: self.name.clone(), version: self.version, kind: self.kind() };
        let mut lines = vec![canonical(&head)];
        match &self.items {
            SuiteItems::Preferences(items) => lines.extend(items.iter().map(canonical)),
            SuiteItems::Text(items) => lines.extend(items.iter().map(canonical)),
        }
        Ok(store::write_atomic(path, (lines.join("\n") + "\n").as_bytes())?)
    }
}

fn parse<T: DeserializeOwned>(
    numbers: &[usize],
    lines: &[&str],
    wrong: impl Fn(usize, String) -> SuiteError,
) -> Result<Vec<T>> {
    let item = |(&number, line): (&usize, &&str)| {
        serde_json::from_str(line).map_err(|error| wrong(number, error.to_string()))
    };
    numbers.iter().zip(lines).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::tests::choice;
    use crate::item::{PreferenceItem, TextItem};
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Suite> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        std::fs::write(&path, text).unwrap();
        Suite::read_jsonl(&path)
    }

    #[test]
    fn an_error_names_file_and_line() {
        let head = r#"{"suite":"s","version":1,"kind":"text"}"#;
        let good = r#"{"id":"a","text":"t","stratum":"x"}"#;
        let wrong = |text: String, expected: &str| {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message} does not contain {expected}");
        };
        wrong(String::new(), "s.jsonl:1: the file is empty");
        wrong(good.to_owned(), "s.jsonl:1: the first line must describe the suite");
        wrong(head.replace("text", "songs"), "s.jsonl:1:");
        wrong(format!("{head}\n{good}\n\n{{\"id\":1}}"), "s.jsonl:4: ");
        wrong(format!("{head}\n{good}\n\n{good}"), "s.jsonl:4: another item");
        wrong(format!("{head}\n{}", good.replace("stratum", "level")), "s.jsonl:2: unknown field `level`");
        assert_eq!(read(&format!("{head}\n\n{good}\n")).unwrap().items.len(), 1);
        let missing = Suite::read_jsonl("no/such/suite.jsonl").unwrap_err().to_string();
        assert!(missing.contains("no/such/suite.jsonl"), "{missing}");
    }

    #[test]
    fn a_suite_that_breaks_a_rule_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let items = SuiteItems::Preferences(vec![choice("i"), choice("i")]);
        let suite = Suite { name: "s".into(), version: 1, items };
        assert!(suite.write_jsonl(dir.path().join("s.jsonl")).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_suite_survives_its_file(texts in proptest::collection::vec(".+", 0..4), choices: bool) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("s.jsonl");
            let numbered = (0..).zip(&texts);
            let items = if choices {
                SuiteItems::Preferences(numbered.map(|(i, text)| PreferenceItem {
                    choice: format!("+{text}"),
                    other: format!("-{text}"),
                    domain: text.clone(),
                    ..choice(&format!("item-{i}"))
                }).collect())
            } else {
                SuiteItems::Text(numbered.map(|(i, text)| TextItem {
                    id: format!("t{i}"),
                    text: text.clone(),
                    stratum: String::new(),
                }).collect())
            };
            let suite = Suite { name: texts.concat(), version: 3, items };
            suite.write_jsonl(&path).unwrap();
            let read = Suite::read_jsonl(&path).unwrap();
            prop_assert_eq!(read.hash(), suite.hash());
            prop_assert_eq!(read, suite);
        }
    }
}
