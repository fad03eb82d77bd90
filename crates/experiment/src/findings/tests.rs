//! Findings of made-up runs whose answers are known.

use super::fixture::Fixture;
use super::*;
use crate::record::Role;

fn answer(findings: &Findings, analysis: Analysis) -> &Answer {
    findings.answers.iter().find(|answer| answer.analysis == analysis).unwrap()
}

fn estimate<'a>(findings: &'a Findings, analysis: Analysis, label: &str) -> &'a Estimate {
    answer(findings, analysis).estimates.iter().find(|found| found.label == label).unwrap()
}

fn effect(estimate: &Estimate) -> f64 {
    estimate.effect.as_ref().unwrap().mean
}

#[test]
fn planted_steering_is_found_with_its_size() {
    let findings = Fixture { steering: 0.3, ..Fixture::default() }.findings();
    for label in ["cheap", "local"] {
        let found = estimate(&findings, Analysis::Steering, label);
        let interval = found.effect.as_ref().unwrap().interval.unwrap();
        // The rates of 72 items are coarse: steps of 1.4 points.
        assert!((effect(found) - 30.0).abs() < 1.0, "{}", found.words);
        assert!(interval.contains(30.0) && interval.low > 15.0, "{}", found.words);
        assert_eq!((found.verdict, found.items), (Verdict::Shown, 72));
        assert!(found.p.unwrap() < 0.05 && found.p_adjusted.is_none());
        assert!(found.over_items.unwrap().contains(30.0));
        assert!(found.probability.as_ref().unwrap().mean > 10.0);
    }
    for value in ["cheap", "local"] {
        let domains: Vec<f64> = findings
            .domain_effects
            .iter()
            .filter(|found| found.value.pole == value)
            .map(|found| found.effect.mean)
            .collect();
        // All domains have the same number of items, so that their effects average to the whole.
        let mean = domains.iter().sum::<f64>() / domains.len() as f64;
        assert!(
            domains.len() == 9
                && (mean - effect(estimate(&findings, Analysis::Steering, value))).abs() < 1e-9
        );
    }
    let first = &findings.answers[0];
    assert!(first.primary && first.analysis == Analysis::Steering);
    assert!(first.headline.starts_with("Steering is there: cheap +"), "{}", first.headline);
    assert!(first.notes[0].contains("same bytes"), "{}", first.notes[0]);
}

#[test]
fn no_effect_is_not_claimed_and_a_reversed_one_is_named() {
    let none = Fixture { steering: 0.0, ..Fixture::default() }.findings();
    assert!(
        answer(&none, Analysis::Steering).estimates.iter().all(|found| found.verdict == Verdict::NotShown)
    );
    let headline = &none.answers[0].headline;
    assert!(headline.starts_with("Steering is not shown (the interval includes zero): cheap"), "{headline}");

    let reversed = Fixture { steering: -0.3, ..Fixture::default() }.findings();
    let found = estimate(&reversed, Analysis::Steering, "cheap");
    assert_eq!(found.verdict, Verdict::Opposite);
    assert!(found.words.contains("in the opposite direction: −"), "{}", found.words);
}

#[test]
fn what_is_only_suggested_says_its_direction_too() {
    let mut suggested = 0;
    for steering in [-0.3, -0.05, 0.05, 0.3] {
        let findings = Fixture { steering, ..Fixture::default() }.findings();
        for analysis in [Analysis::Stacking, Analysis::Explaining] {
            for found in &answer(&findings, analysis).estimates {
                let Some(effect) = &found.effect else { continue };
                let opposite = matches!(found.verdict, Verdict::Opposite | Verdict::OppositeSuggested);
                let forward = matches!(found.verdict, Verdict::Shown | Verdict::Suggested);
                assert!(!(opposite && effect.mean > 0.0 || forward && effect.mean < 0.0), "{}", found.words);
                assert_eq!(opposite, found.words.contains("opposite direction"), "{}", found.words);
                suggested += usize::from(opposite || forward);
            }
        }
    }
    assert!(suggested > 0);
}

#[test]
fn a_failed_model_is_named_everywhere_and_its_seed_is_left_out() {
    let failed = vec![("values first".to_owned(), Some("homeland".to_owned()), 1)];
    let findings = Fixture { failed, ..Fixture::default() }.findings();
    assert_eq!(findings.failures.len(), 1);
    assert!(findings.failures[0].reason.contains("NaN"));
    let row = |spec: &str| {
        let of = |row: &&ArmRow| row.arm == "values first" && row.spec.as_deref() == Some(spec);
        findings.arms.iter().find(of).unwrap()
    };
    assert_eq!(row("homeland").failed, [1]);
    assert_eq!(row("affordability").failed, [0u64; 0]);
    // Both directions of steering compare with that model.
    for label in ["cheap", "local"] {
        let found = estimate(&findings, Analysis::Steering, label);
        assert_eq!(found.effect.as_ref().unwrap().by_seed.len(), 2);
        assert!(found.over_items.is_none());
        assert!(found.words.contains("Missing: `values first`, homeland, seed 1: the loss became NaN"));
    }
    assert!(findings.answers[0].headline.contains("Some models are missing."));
    // What does not involve it keeps all seeds.
    assert_eq!(estimate(&findings, Analysis::Stacking, "cheap").effect.as_ref().unwrap().by_seed.len(), 3);
    assert_eq!(estimate(&findings, Analysis::Stacking, "local").effect.as_ref().unwrap().by_seed.len(), 2);
}

#[test]
fn an_arm_that_failed_in_every_seed_leaves_no_number() {
    let failed = (0..3).map(|seed| ("values first".to_owned(), Some("homeland".to_owned()), seed)).collect();
    let findings = Fixture { failed, ..Fixture::default() }.findings();
    let found = estimate(&findings, Analysis::Steering, "local");
    assert_eq!((found.effect.as_ref(), found.verdict), (None, Verdict::Missing));
    assert!(
        found.words.contains("cannot be judged. Missing: `values first`, homeland, seed 0"),
        "{}",
        found.words
    );
    let row = findings.arms.iter().find(|row| row.failed.len() == 3).unwrap();
    assert!(row.values.is_empty() && row.perplexity.is_none());
}

#[test]
fn one_seed_gives_numbers_but_no_interval_and_no_claim() {
    let findings = Fixture { seeds: vec![7], ..Fixture::default() }.findings();
    let estimates = findings.answers.iter().flat_map(|answer| &answer.estimates);
    for found in estimates {
        assert_eq!(found.verdict, Verdict::NoInterval, "{}", found.words);
        assert!(found.p.is_none() && found.p_adjusted.is_none() && found.over_items.is_none());
        assert!(
            found.words.contains("cannot be claimed: one seed gives no interval. Observed:"),
            "{}",
            found.words
        );
    }
    assert!(findings.arms.iter().flat_map(|row| &row.values).all(|value| value.rate.interval.is_none()));
    assert!(
        findings.answers[0]
            .headline
            .starts_with("Steering cannot be claimed (one seed gives no interval): cheap +")
    );
    // Within the one model there still is an interval over items.
    assert!(findings.cells.iter().all(|cell| cell.interval.is_some()));
}

#[test]
fn seeds_that_agree_exactly_give_no_interval_either() {
    let findings = Fixture { spread: 0.0, ..Fixture::default() }.findings();
    let found = estimate(&findings, Analysis::Steering, "cheap");
    assert_eq!(found.verdict, Verdict::NoInterval);
    assert!(found.words.contains("the same in every seed"), "{}", found.words);
}

#[test]
fn order_is_a_difference_of_differences() {
    let findings = Fixture { steering: 0.3, spread: 0.01, ..Fixture::default() }.findings();
    // Planted: rival .60 first and .70 after; with neutral documents .72 and .68.
    let found = estimate(&findings, Analysis::Order, "affordability · local (rival), first − after");
    assert!((effect(found) + 14.0).abs() < 1.5, "{}", found.words);
    assert_eq!(found.arms, "(`values first` − `values after`) − (`neutral then what` − `what then neutral`)");
    let parts: Vec<f64> = found.parts.iter().map(|part| part.level.mean).collect();
    assert!((parts[0] + 10.0).abs() < 1.5 && (parts[1] - 4.0).abs() < 1.5, "{parts:?}");
    // Target .90 and .92, neutral .72 and .68; selectivity is target minus rival, where neutral parts cancel.
    let target = estimate(&findings, Analysis::Order, "affordability · cheap (target), first − after");
    let selectivity = estimate(&findings, Analysis::Order, "affordability · cheap − local, first − after");
    assert!((effect(selectivity) - (effect(target) - effect(found))).abs() < 1e-9);
    assert_eq!(selectivity.items, 144);
    let levels = findings.order.iter().filter(|row| row.spec == "affordability");
    assert_eq!(levels.count(), 6);
}

#[test]
fn without_neutral_twins_the_raw_difference_is_given_and_said_to_be_raw() {
    let without = vec![Role::NeutralMixed];
    let findings = Fixture { without, ..Fixture::default() }.findings();
    let mixed = estimate(&findings, Analysis::Order, "affordability · cheap (target), first − mixed");
    assert!(mixed.arms.ends_with("without neutral twins") && mixed.parts.len() == 1);
    let notes = &answer(&findings, Analysis::Order).notes;
    assert!(notes.len() == 1 && notes[0].starts_with("first − mixed has no neutral twin"), "{notes:?}");
}

#[test]
fn a_missing_control_is_named_by_what_it_is() {
    let findings = Fixture { without: vec![Role::AblatedThenWhat], ..Fixture::default() }.findings();
    let explaining = answer(&findings, Analysis::Explaining);
    assert!(explaining.estimates.iter().all(|found| found.verdict == Verdict::Missing));
    assert!(
        explaining.headline.contains("no arm has documents without the link, then chats"),
        "{}",
        explaining.headline
    );
    // What cannot be asked is no comparison to adjust for.
    assert_eq!(findings.exploratory, 20);
}

#[test]
fn exploratory_answers_are_adjusted_together_and_primary_ones_are_not() {
    let findings = Fixture::default().findings();
    assert_eq!(findings.exploratory, 2 + 4 + 12 + 6);
    for answer in &findings.answers {
        for found in &answer.estimates {
            assert!(!answer.primary || found.p_adjusted.is_none(), "{}", found.label);
            assert!(answer.primary || found.p.is_some() == found.p_adjusted.is_some(), "{}", found.label);
            if let (Some(p), Some(adjusted)) = (found.p, found.p_adjusted) {
                assert!(adjusted >= p && adjusted <= 1.0);
                let shown = found.verdict == Verdict::Shown || found.verdict == Verdict::Opposite;
                assert!(!shown || adjusted < 0.05, "{}", found.words);
            }
        }
    }
    let mut record = Fixture::default().record();
    record.primary = vec!["order".to_owned()];
    let findings = find(&record, &Fixture::default().results()).unwrap();
    assert_eq!(findings.answers[0].analysis, Analysis::Order);
    assert!(estimate(&findings, Analysis::Steering, "cheap").p_adjusted.is_some());
}

#[test]
fn cost_is_a_ratio_of_perplexities() {
    let findings = Fixture::default().findings();
    let found = estimate(&findings, Analysis::Cost, "affordability · documents first");
    // Planted: 4.30 with two stages, 4.15 with one.
    assert!((effect(found) - 100.0 * (4.30 / 4.15 - 1.0)).abs() < 0.1, "{}", found.words);
    assert!(found.words.contains("%") && found.items == 0);
    let parts: Vec<(&str, f64)> = found.parts.iter().map(|p| (p.label.as_str(), p.level.mean)).collect();
    assert_eq!(
        parts.iter().map(|(label, _)| *label).collect::<Vec<_>>(),
        ["documents first", "chats only", "untouched base"]
    );
    assert!((parts[2].1 - 4.0).abs() < 1e-9);
}

#[test]
fn a_spec_for_the_other_pole_gets_the_rest_of_the_rate() {
    let (mut record, results) = (Fixture::default().record(), Fixture::default().results());
    record.specs[0].pole = Some("costly".to_owned());
    record.specs[1].rival_pole = Some("costly".to_owned());
    let turned = find(&record, &results).unwrap();
    let plain = Fixture::default().findings();
    let (costly, cheap) =
        (estimate(&turned, Analysis::Steering, "costly"), estimate(&plain, Analysis::Steering, "cheap"));
    assert!((effect(costly) + effect(cheap)).abs() < 1e-9);
    assert_eq!(
        turned.values.iter().map(|value| value.pole.as_str()).collect::<Vec<_>>(),
        ["costly", "local", "new"]
    );
}

#[test]
fn doses_are_found_from_the_stages_and_begin_at_zero() {
    let findings = Fixture { doses: true, ..Fixture::default() }.findings();
    assert_eq!(findings.dose.len(), 3, "one per spec and one of steering");
    let curve = &findings.dose[0];
    assert_eq!(
        (curve.corpus.as_str(), curve.stage, curve.spec.as_deref()),
        ("why", 1, Some("affordability"))
    );
    let steps: Vec<u64> = curve.series[0].points.iter().map(|point| point.steps).collect();
    assert_eq!(steps, [0, 30, 60, 120, 240]);
    assert_eq!(curve.series[0].points[0].arm, "what only");
    let steering = &findings.dose[2];
    assert!(steering.spec.is_none() && steering.series.iter().all(|series| series.difference));
    let effects: Vec<f64> = steering.series[0].points.iter().map(|point| point.level.mean).collect();
    assert!(
        effects[0] < effects[1] && effects[1] < effects[2] && (effects[2] - effects[3]).abs() < 1.0,
        "{effects:?}"
    );
    assert!(Fixture::default().findings().dose.is_empty());
}

#[test]
fn models_that_were_asked_or_scored_differently_are_refused() {
    let fixture = Fixture::default();
    let refused = |change: &dyn Fn(&mut CellResults)| {
        let mut results = fixture.results();
        let last = results.keys().next_back().unwrap().clone();
        change(results.get_mut(&last).unwrap());
        find(&fixture.record(), &results).unwrap_err().to_string()
    };
    let other_item = refused(&|cell| cell.preferences[3].item.choice = "another thing".to_owned());
    assert!(
        other_item.contains("suite `preferences`") && other_item.contains("one item set"),
        "{other_item}"
    );
    let other_scorer =
        refused(&|cell| cell.scorers.insert("capability".into(), "v2".into()).map(drop).unwrap());
    assert!(other_scorer.contains("suite `capability`"), "{other_scorer}");
}

#[test]
fn tables_are_whole_and_findings_survive_json() {
    let findings = Fixture { doses: true, ..Fixture::default() }.findings();
    let models = Fixture { doses: true, ..Fixture::default() }.record().cells.len();
    // Three values and the check on the training domains in each model.
    assert_eq!(findings.cells.len(), 4 * models);
    assert_eq!(findings.domains.len(), findings.arms.len() * 3 * 9);
    assert!(findings.arms.iter().all(|row| row.values.len() == 3 && row.in_domain.is_some()));
    let untouched = findings.arms.iter().find(|row| row.arm == "untouched").unwrap();
    assert!(untouched.values.iter().all(|value| value.rate.interval.is_none()), "one model has no interval");
    let json = serde_json::to_string(&findings).unwrap();
    assert_eq!(serde_json::from_str::<Findings>(&json).unwrap(), findings);
    assert_eq!(Fixture { doses: true, ..Fixture::default() }.findings(), findings);
}

#[test]
fn numbers_read_well() {
    assert_eq!([signed(0.04), signed(-0.04), signed(3.25), signed(-12.0)], ["0.0", "0.0", "+3.3", "−12.0"]);
    assert_eq!([p_words(0.0004), p_words(0.0123), p_words(1.0)], ["p < .001", "p = .012", "p = 1"]);
}
