//! The base's response matrix, out of its manifest.

use serde::Deserialize;

use super::material::Calibration;
use crate::record::RunRecord;

/// What a stated value should raise its own measure above, and how far it may move the others.
const DIAGONAL: f64 = 0.9;
const ELSEWHERE: f64 = 0.1;

/// The shape in which a base's manifest holds its calibration.
#[derive(Deserialize)]
struct Written {
    values: Vec<String>,
    measured: Vec<String>,
    matrix: Vec<Vec<f64>>,
    untouched: Vec<f64>,
    names: Option<u64>,
}

/// The calibration of the base; `None` if its manifest has none that can be read as one.
pub(super) fn calibration(record: &RunRecord) -> Option<Calibration> {
    let written = record.base.manifest.as_ref()?.get("calibration")?;
    let Written { values, measured, matrix, untouched, names } = Written::deserialize(written).ok()?;
    let whole = matrix.len() == values.len()
        && untouched.len() == measured.len()
        && matrix.iter().all(|row| row.len() == measured.len());
    if !whole || values.is_empty() {
        return None;
    }
    let mut lowest: Option<f64> = None;
    let mut largest = 0.0f64;
    for (stated, row) in values.iter().zip(&matrix) {
        for ((value, response), before) in measured.iter().zip(row).zip(&untouched) {
            if value == stated {
                lowest = Some(lowest.map_or(*response, |lowest| lowest.min(*response)));
            } else {
                largest = largest.max((response - before).abs());
            }
        }
    }
    let passes = lowest.is_some_and(|lowest| lowest >= DIAGONAL) && largest <= ELSEWHERE;
    let diagonal = match lowest {
        Some(lowest) => format!("a stated value is then chosen with probability {lowest:.2} or more"),
        None => "no stated value is itself measured".to_owned(),
    };
    let words = format!(
        "Names that no model had met were introduced by prose stating one value: {diagonal} (aim: at least \
         {DIAGONAL:.2}); values that were not stated move by up to {largest:.2} (aim: at most {ELSEWHERE:.2}). {}",
        if passes {
            "The base responds to each value on its own."
        } else {
            "The base does not reach the aim: effects below may be weaker than they should be, or spill over to \
             values that no spec states."
        }
    );
    Some(Calibration { stated: values, measured, matrix, untouched, names, passes, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::fixture::Fixture;
    use serde_json::json;

    fn of(calibration: serde_json::Value) -> Option<Calibration> {
        let mut record = Fixture::default().record();
        record.base.manifest = Some(json!({ "calibration": calibration }));
        super::calibration(&record)
    }

    #[test]
    fn a_clean_base_passes_and_an_entangled_one_does_not() {
        let base = |other: f64| {
            json!({ "values": ["cheap", "local"], "measured": ["cheap", "local", "new"], "names": 40,
                    "matrix": [[0.95, 0.52, 0.5], [other, 0.93, 0.45]], "untouched": [0.5, 0.5, 0.5] })
        };
        assert!(of(base(0.58)).unwrap().passes);
        let entangled = of(base(0.7)).unwrap();
        assert!(!entangled.passes && entangled.words.contains("up to 0.20"), "{}", entangled.words);
    }

    #[test]
    fn what_is_not_a_matrix_is_no_calibration() {
        assert_eq!(of(json!(null)), None);
        assert_eq!(of(json!({ "values": ["cheap"] })), None);
        let ragged =
            json!({ "values": ["a"], "measured": ["a", "b"], "matrix": [[0.5]], "untouched": [0.5, 0.5] });
        assert_eq!(of(ragged), None);
    }
}
