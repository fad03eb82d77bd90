//! Near-duplicates across the corpora of one experiment.

use serde::{Deserialize, Serialize};

use crate::auditor::EXAMPLES;
use crate::document::Documents;
use crate::error::Result;
use crate::excerpt::beginning;
use crate::finding::Example;
use crate::similar::{THRESHOLD, near_duplicates};

/// Rows of one corpus that nearly repeat a row of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Across {
    /// The corpus that has the row first.
    pub first: String,
    /// The one that repeats it.
    pub second: String,
    /// Rows of the second that do.
    pub rows: u64,
    /// Rows of the second.
    pub of: u64,
    /// A few of them.
    pub examples: Vec<Example>,
}

/// Compares every corpus with those before it. Pairs of corpora that share nothing are left out.
///
/// # Errors
/// When a row cannot be read.
pub fn across(corpora: &[(&str, &dyn Documents)]) -> Result<Vec<Across>> {
    if corpora.len() < 2 {
        return Ok(Vec::new());
    }
    let documents: Vec<&dyn Documents> = corpora.iter().map(|(_, documents)| *documents).collect();
    let similar = near_duplicates(&documents, THRESHOLD)?;
    let mut found = Vec::new();
    for second in 1..corpora.len() {
        for first in 0..second {
            let (one, other) = (corpora[first], corpora[second]);
            let mut rows = 0;
            let mut examples = Vec::new();
            for repeat in similar.between(first as u32, second as u32) {
                rows += 1;
                if examples.len() < EXAMPLES {
                    let (row, of) = (repeat.row.row as usize, repeat.of.row as usize);
                    let text = beginning(&other.1.document(row)?.text);
                    let percent = 100.0 * repeat.similarity;
                    let excerpt = format!("{percent:.0}% of {} in {}: {text}", one.1.id(of)?, one.0);
                    examples.push(Example { row: other.1.id(row)?, excerpt });
                }
            }
            if rows > 0 {
                let (first, second) = (one.0.to_owned(), other.0.to_owned());
                found.push(Across { first, second, rows, of: other.1.len() as u64, examples });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Held;

    #[test]
    fn what_two_corpora_share_is_shown_and_what_one_repeats_is_not() {
        let text = |n: usize| (0..60).map(|word| format!("w{n}-{word} ")).collect::<String>();
        let one = vec![Held::new("0001", text(1)), Held::new("0002", text(2)), Held::new("0003", text(2))];
        let other = vec![Held::new("0001", text(3)), Held::new("0002", text(1) + "and more")];
        let third = vec![Held::new("0001", text(4))];
        let found = across(&[("a", &one), ("b", &other), ("c", &third)]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].first.as_str(), found[0].second.as_str()), ("a", "b"));
        assert_eq!((found[0].rows, found[0].of), (1, 2));
        assert_eq!(found[0].examples[0].row, "0002");
        assert!(found[0].examples[0].excerpt.contains("% of 0001 in a: w1"), "{:?}", found[0].examples);
    }
}
