//! Tables in Markdown, and numbers as people read them.

/// A table whose columns after the first `left` are set to the right.
pub fn markdown(header: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    let line =
        |cells: &mut dyn Iterator<Item = &str>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    let rule = (0..header.len()).map(|column| if column < left { "---" } else { "---:" });
    let mut lines = vec![line(&mut header.iter().copied()), line(&mut rule.into_iter())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// `12,345`.
pub fn count(number: f64) -> String {
    if !number.is_finite() {
        return "-".into();
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2.31x`.
pub fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("{ratio:.2}x") } else { "-".into() }
}

/// `47%`.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0}%", 100.0 * share) } else { "-".into() }
}

/// `123 MB`, in millions of bytes.
pub fn megabytes(bytes: f64) -> String {
    if bytes.is_finite() { format!("{} MB", count(bytes / 1e6)) } else { "-".into() }
}

#[cfg(test)]
mod tests {
    use super::{count, markdown, megabytes, percent, times};

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(
            (count(1234567.4), count(999.0), count(f64::NAN)),
            ("1,234,567".into(), "999".into(), "-".into())
        );
        assert_eq!(
            (times(2.0), percent(0.256), megabytes(1.5e9)),
            ("2.00x".into(), "26%".into(), "1,500 MB".into())
        );
    }

    #[test]
    fn a_table_has_a_rule_below_its_header() {
        let table = markdown(&["a", "b"], 1, &[vec!["x".into(), "1".into()]]);
        assert_eq!(table, "| a | b |\n| --- | ---: |\n| x | 1 |");
    }
}
