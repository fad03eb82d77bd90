//! Forced choices, by the log-probabilities of the two options, in both option orders.

use model::Message;
use suite::PreferenceItem;

use crate::error::{EvalError, Result};
use crate::likelihood::{Likelihood, Question};

/// What a model answered to one item.
#[derive(Clone, Debug, PartialEq)]
pub struct PreferenceResult {
    /// The item.
    pub item: PreferenceItem,
    /// Log-probabilities (nats) of `choice` and of `other` when `choice` is listed first.
    pub first: [f64; 2],
    /// The same two when `choice` is listed second.
    pub second: [f64; 2],
}

impl PreferenceResult {
    /// The probability of `choice` when it is listed first: of the two options, renormalised over the two.
    pub fn p_first(&self) -> f64 {
        share(self.first)
    }

    /// The probability of `choice` when it is listed second.
    pub fn p_second(&self) -> f64 {
        share(self.second)
    }

    /// The probability of `choice`, mean of both orders.
    pub fn probability(&self) -> f64 {
        (self.p_first() + self.p_second()) / 2.0
    }

    /// How often `choice` is the likelier option: 0, 0.5 or 1; an exact tie in one order counts half of it.
    pub fn rate(&self) -> f64 {
        (wins(self.first) + wins(self.second)) / 2.0
    }
}

/// The softmax over two log-probabilities: the share of the first.
fn share([choice, other]: [f64; 2]) -> f64 {
    1.0 / (1.0 + (other - choice).exp())
}

fn wins([choice, other]: [f64; 2]) -> f64 {
    match choice.partial_cmp(&other) {
        Some(std::cmp::Ordering::Greater) => 1.0,
        Some(std::cmp::Ordering::Less) => 0.0,
        _ => 0.5,
    }
}

/// Asks a model every item in both option orders.
///
/// # Errors
/// When the model cannot be asked an item, or a log-probability is not a finite number, as from a model whose
/// training diverged: the error names the item.
pub fn score_preferences(model: &dyn Likelihood, items: &[PreferenceItem]) -> Result<Vec<PreferenceResult>> {
    let orders = |item| [question(item, true), question(item, false)];
    let questions: Vec<Question> = items.iter().flat_map(orders).collect();
    let answers = model.options(&questions)?;
    assert_eq!(answers.len(), questions.len(), "a model answers every question");
    if let Some((question, _)) =
        questions.iter().zip(&answers).find(|(_, answer)| !answer.iter().all(|p| p.is_finite()))
    {
        return Err(EvalError::item(question.item, "the model gives its options no finite probability"));
    }
    let result = |(item, both): (&PreferenceItem, &[[f64; 2]])| PreferenceResult {
        item: item.clone(),
        first: both[0],
        second: both[1],
    };
    Ok(items.iter().zip(answers.chunks_exact(2)).map(result).collect())
}

fn question(item: &PreferenceItem, choice_first: bool) -> Question<'_> {
    Question {
        item: &item.id,
        messages: vec![Message { role: "user".into(), name: None, content: item.ask(choice_first) }],
        speaker: &item.speaker,
        options: [&item.choice, &item.other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answers, item};
    use proptest::prelude::*;

    fn result(first: [f64; 2], second: [f64; 2]) -> PreferenceResult {
        PreferenceResult { item: item("i"), first, second }
    }

    #[test]
    fn probabilities_are_renormalised_over_the_two_options() {
        // .3 and .1 of the whole: three quarters of what the two have together.
        let found = result([0.3f64.ln(), 0.1f64.ln()], [0.1f64.ln(), 0.1f64.ln()]);
        assert!((found.p_first() - 0.75).abs() < 1e-12);
        assert_eq!(found.p_second(), 0.5);
        assert!((found.probability() - 0.625).abs() < 1e-12);
        assert_eq!(found.rate(), 0.75, "won in one order, tied in the other");
    }

    #[test]
    fn both_orders_are_asked_of_every_item() {
        let model = Answers(|question| {
            assert_eq!(question.speaker, "Quill");
            assert_eq!(question.options, ["Abra", "Bolo"]);
            // Whatever is listed first.
            if question.messages[0].content.contains("Abra or") { [-1.0, -2.0] } else { [-2.0, -1.0] }
        });
        let found = score_preferences(&model, &[item("i"), item("j")]).unwrap();
        assert_eq!(found[1].item.id, "j");
        assert_eq!((found[1].first, found[1].second), ([-1.0, -2.0], [-2.0, -1.0]));
        assert_eq!((found[1].rate(), found[1].probability()), (0.5, 0.5), "letter bias is no preference");
        let model = Answers(|_| [-1.0, -3.0]);
        let found = score_preferences(&model, &[item("i")]).unwrap();
        assert_eq!(found[0].rate(), 1.0);
    }

    #[test]
    fn an_answer_that_is_no_number_names_its_item() {
        let model = Answers(|question| if question.item == "j" { [f64::NAN, -1.0] } else { [-1.0; 2] });
        let error = score_preferences(&model, &[item("i"), item("j")]).unwrap_err().to_string();
        assert!(error.starts_with("item j: "), "{error}");
    }

    proptest! {
        #[test]
        fn scores_lie_in_range_and_mirror(logs in proptest::array::uniform4(-2000.0f64..0.0)) {
            let found = result([logs[0], logs[1]], [logs[2], logs[3]]);
            prop_assert!((0.0..=1.0).contains(&found.probability()));
            let swapped = result([logs[1], logs[0]], [logs[3], logs[2]]);
            prop_assert!((found.probability() + swapped.probability() - 1.0).abs() < 1e-12);
            prop_assert_eq!(found.rate() + swapped.rate(), 1.0);
        }
    }
}
