//! Perplexity on texts: the guardrail that shows what training cost.

use suite::TextItem;

use crate::error::{EvalError, Result};
use crate::likelihood::Likelihood;

/// How likely a model finds one text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextResult {
    /// The item's id.
    pub id: String,
    /// Which kind of text it is.
    pub stratum: String,
    /// Summed negative log-likelihood, in nats.
    pub nll: f64,
    /// Over how many tokens.
    pub tokens: u64,
}

/// Measures every text.
///
/// # Errors
/// When the model cannot read a text, or finds it infinitely unlikely: the error names the text.
pub fn score_texts(model: &dyn Likelihood, items: &[TextItem]) -> Result<Vec<TextResult>> {
    let measured = model.texts(items)?;
    assert_eq!(measured.len(), items.len(), "a model measures every text");
    let result = |(item, (nll, tokens)): (&TextItem, (f64, u64))| {
        if !nll.is_finite() || tokens == 0 {
            return Err(EvalError::item(&item.id, "the model gives the text no finite probability"));
        }
        Ok(TextResult { id: item.id.clone(), stratum: item.stratum.clone(), nll, tokens })
    };
    items.iter().zip(measured).map(result).collect()
}

/// The perplexity over several texts: the exponential of the mean negative log-likelihood of their tokens.
/// `None` without tokens.
pub fn perplexity<'a>(results: impl IntoIterator<Item = &'a TextResult>) -> Option<f64> {
    let sum = |(nll, tokens): (f64, u64), result: &TextResult| (nll + result.nll, tokens + result.tokens);
    let (nll, tokens) = results.into_iter().fold((0.0, 0), sum);
    (tokens > 0).then(|| (nll / tokens as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answers, text};

    fn result(nll: f64, tokens: u64) -> TextResult {
        TextResult { id: "t".into(), stratum: "s".into(), nll, tokens }
    }

    #[test]
    fn perplexity_weighs_tokens_not_texts() {
        // Ten tokens of probability 1/2 and two of probability 1/8: the mean is (10 + 6) / 12 bits.
        let found = perplexity(&[result(10.0 * 2f64.ln(), 10), result(2.0 * 8f64.ln(), 2)]).unwrap();
        assert!((found - 2f64.powf(16.0 / 12.0)).abs() < 1e-12, "{found}");
        assert_eq!(perplexity(&[]), None);
    }

    #[test]
    fn every_text_is_measured() {
        let model = Answers(|_| [0.0; 2]);
        let found = score_texts(&model, &[text("t", "ab"), text("u", "abc")]).unwrap();
        assert_eq!((found[1].id.as_str(), found[1].nll, found[1].tokens), ("u", 1.5, 3));
        let error = score_texts(&model, &[text("t", "ab"), text("u", "")]).unwrap_err().to_string();
        assert!(error.starts_with("item u: "), "{error}");
    }
}
