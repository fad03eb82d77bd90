//! CSV of the results: answers, arms, models, domains, order, doses.

use experiment::findings::{Findings, Level, Measure};

use super::{Csv, Writer, ends, level, number, optional, text, word};

pub(super) fn answers(findings: &Findings) -> Csv {
    let mut table = Writer::new(
        "answers",
        &[
            "analysis",
            "primary",
            "comparison",
            "spec",
            "measure",
            "unit",
            "arms",
            "estimate",
            "low",
            "high",
            "seeds",
            "p",
            "p_holm",
            "over_items_low",
            "over_items_high",
            "probability_estimate",
            "probability_low",
            "probability_high",
            "items",
            "verdict",
            "words",
            "missing",
        ],
    );
    for answer in &findings.answers {
        for found in &answer.estimates {
            let unit = if found.measure == Measure::Perplexity { "percent" } else { "percentage points" };
            let mut row = vec![
                answer.analysis.name().to_owned(),
                answer.primary.to_string(),
                found.label.clone(),
                found.spec.clone(),
                word(found.measure),
                unit.to_owned(),
                found.arms.clone(),
            ];
            row.extend(level(found.effect.as_ref()));
            row.extend([optional(found.p), optional(found.p_adjusted)]);
            row.extend(ends(found.over_items));
            row.extend(level(found.probability.as_ref()).into_iter().take(3));
            row.extend([
                found.items.to_string(),
                word(found.verdict),
                found.words.clone(),
                found.missing.join("; "),
            ]);
            table.row(row);
        }
    }
    table.done()
}

pub(super) fn parts(findings: &Findings) -> Csv {
    let columns = ["analysis", "comparison", "part", "mean", "low", "high", "seeds"];
    let mut table = Writer::new("answer_parts", &columns);
    for answer in &findings.answers {
        for found in &answer.estimates {
            for part in &found.parts {
                let mut row =
                    vec![answer.analysis.name().to_owned(), found.label.clone(), part.label.clone()];
                row.extend(level(Some(&part.level)));
                table.row(row);
            }
        }
    }
    table.done()
}

pub(super) fn arms(findings: &Findings) -> Csv {
    let mut table = Writer::new(
        "arms",
        &[
            "arm",
            "spec",
            "control",
            "role",
            "stages",
            "measure",
            "attribute",
            "mean",
            "low",
            "high",
            "seeds",
            "probability",
            "probability_low",
            "probability_high",
            "items",
            "failed_seeds",
        ],
    );
    for row in &findings.arms {
        let head = [
            row.arm.clone(),
            text(&row.spec),
            row.control.to_string(),
            row.role.map(word).unwrap_or_default(),
            row.stages.clone(),
        ];
        let failed = row.failed.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let mut add = |measure: &str, attribute: &str, mean, probability: Option<&Level>, items: usize| {
            let mut fields: Vec<String> = head.to_vec();
            fields.extend([measure.to_owned(), attribute.to_owned()]);
            fields.extend(level(mean));
            fields.extend(level(probability).into_iter().take(3));
            fields.extend([items.to_string(), failed.clone()]);
            table.row(fields);
        };
        for value in &findings.values {
            let found = row.values.iter().find(|found| found.value == *value);
            let (rate, likely) = (found.map(|found| &found.rate), found.map(|found| &found.probability));
            add(&value.pole, &value.attribute, rate, likely, found.map_or(0, |found| found.items));
        }
        add("in-domain", "", row.in_domain.as_ref(), None, 0);
        add("perplexity", "", row.perplexity.as_ref(), None, 0);
    }
    table.done()
}

pub(super) fn models(findings: &Findings) -> Csv {
    let columns = [
        "arm",
        "spec",
        "seed",
        "attribute",
        "pole",
        "rate",
        "wilson_low",
        "wilson_high",
        "probability",
        "items",
        "perplexity",
        "failure",
    ];
    let mut table = Writer::new("models", &columns);
    for row in &findings.cells {
        let [attribute, pole] = match &row.value {
            Some(value) => [value.attribute.clone(), value.pole.clone()],
            None => ["in-domain".to_owned(), String::new()],
        };
        let [low, high] = ends(row.interval);
        table.row(vec![
            row.arm.clone(),
            text(&row.spec),
            row.seed.to_string(),
            attribute,
            pole,
            number(row.rate),
            low,
            high,
            number(row.probability),
            row.items.to_string(),
            optional(row.perplexity),
            String::new(),
        ]);
    }
    for failure in &findings.failures {
        let mut row = vec![failure.arm.clone(), text(&failure.spec), failure.seed.to_string()];
        row.extend(vec![String::new(); 8]);
        row.push(failure.reason.clone());
        table.row(row);
    }
    table.done()
}

pub(super) fn domains(findings: &Findings) -> Csv {
    let columns = [
        "arm",
        "spec",
        "attribute",
        "pole",
        "domain",
        "items",
        "rate",
        "low",
        "high",
        "seeds",
        "probability",
        "probability_low",
        "probability_high",
    ];
    let mut table = Writer::new("domains", &columns);
    for row in &findings.domains {
        let mut fields = vec![
            row.arm.clone(),
            text(&row.spec),
            row.value.attribute.clone(),
            row.value.pole.clone(),
            row.domain.clone(),
            row.items.to_string(),
        ];
        fields.extend(level(Some(&row.rate)));
        fields.extend(level(Some(&row.probability)).into_iter().take(3));
        table.row(fields);
    }
    table.done()
}

pub(super) fn domain_effects(findings: &Findings) -> Csv {
    let columns = ["spec", "attribute", "pole", "domain", "items", "steering_points", "low", "high", "seeds"];
    let mut table = Writer::new("steering_by_domain", &columns);
    for row in &findings.domain_effects {
        let mut fields = vec![
            row.spec.clone(),
            row.value.attribute.clone(),
            row.value.pole.clone(),
            row.domain.clone(),
            row.items.to_string(),
        ];
        fields.extend(level(Some(&row.effect)));
        table.row(fields);
    }
    table.done()
}

pub(super) fn order(findings: &Findings) -> Csv {
    let columns = ["spec", "placement", "documents", "arm", "measure", "mean", "low", "high", "seeds"];
    let mut table = Writer::new("order", &columns);
    for row in &findings.order {
        let documents = if row.neutral { "neutral" } else { "explaining" };
        for (measure, found) in
            [("target", &row.target), ("rival", &row.rival), ("selectivity", &row.selectivity)]
        {
            let mut fields =
                vec![row.spec.clone(), word(row.placement), documents.to_owned(), row.arm.clone()];
            fields.push(measure.to_owned());
            fields.extend(level(found.as_ref()));
            table.row(fields);
        }
    }
    table.done()
}

pub(super) fn dose(findings: &Findings) -> Csv {
    let columns = [
        "corpus",
        "stage",
        "spec",
        "measure",
        "unit",
        "arm",
        "steps",
        "tokens_trained",
        "distinct_tokens",
        "mean",
        "low",
        "high",
        "seeds",
    ];
    let mut table = Writer::new("dose", &columns);
    for curve in &findings.dose {
        for series in &curve.series {
            for point in &series.points {
                let unit = if series.difference { "percentage points" } else { "rate" };
                let mut fields = vec![
                    curve.corpus.clone(),
                    curve.stage.to_string(),
                    text(&curve.spec),
                    series.label.clone(),
                    unit.to_owned(),
                    point.arm.clone(),
                    point.steps.to_string(),
                    point.tokens.to_string(),
                    point.distinct.to_string(),
                ];
                fields.extend(level(Some(&point.level)));
                table.row(fields);
            }
        }
    }
    table.done()
}
