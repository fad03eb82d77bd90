//! What tokens cost. Prices come from the experiment file: providers change them, and a program that knows them by heart is
//! wrong sooner or later.

use ledger::Dollars;

use crate::call::{Prompt, Usage};
use crate::settings::{Mode, Model, Reasoning};

/// Prices per token, in whole picodollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Input that is neither read from the provider's cache nor put there.
    pub input: Dollars,
    /// Output, reasoning included.
    pub output: Dollars,
    /// Input read from the provider's cache.
    pub cache_read: Dollars,
    /// Input put into the provider's cache.
    pub cache_write: Dollars,
    /// What calls in batches cost, in thousandths of the price: 500 for half.
    pub batch_permille: u32,
}

impl Default for Prices {
    /// Nothing, as on one's own machine.
    fn default() -> Prices {
        let free = Dollars::ZERO;
        Prices { input: free, output: free, cache_read: free, cache_write: free, batch_permille: 500 }
    }
}

impl Prices {
    /// From dollars per million tokens. A price for the cache that is not given is the price of input, for writing with a
    /// quarter on top, as Anthropic has it; both are the most it can be. `None` if one is negative or not a number.
    pub fn per_million(
        input: f64,
        output: f64,
        cache_read: Option<f64>,
        cache_write: Option<f64>,
    ) -> Option<Prices> {
        let token = |dollars: f64| Dollars::from_dollars(dollars / 1e6);
        Some(Prices {
            input: token(input)?,
            output: token(output)?,
            cache_read: token(cache_read.unwrap_or(input))?,
            cache_write: token(cache_write.unwrap_or(input * 1.25))?,
            ..Prices::default()
        })
    }

    /// The same with another price for batches, as a part of the full price: 0.5 for half.
    pub fn with_batch_factor(self, factor: f64) -> Prices {
        Prices { batch_permille: (factor.clamp(0.0, 1.0) * 1000.0).ceil() as u32, ..self }
    }

    /// Whether everything is free.
    pub fn is_free(&self) -> bool {
        [self.input, self.output, self.cache_read, self.cache_write]
            .iter()
            .all(|&price| price == Dollars::ZERO)
    }

    /// What an answer cost.
    pub fn cost(&self, usage: &Usage, mode: Mode) -> Dollars {
        let full = self.input.times(usage.input)
            + self.output.times(usage.output)
            + self.cache_read.times(usage.cache_read)
            + self.cache_write.times(usage.cache_write);
        self.in_mode(full, mode)
    }

    /// The most an answer can cost: every byte of the prompt a token, at the highest price for input, and the whole budget
    /// for output.
    pub(crate) fn worst(&self, input_bytes: u64, output_tokens: u64, mode: Mode) -> Dollars {
        let input = self.input.max(self.cache_read).max(self.cache_write);
        self.in_mode(input.times(input_bytes) + self.output.times(output_tokens), mode)
    }

    fn in_mode(&self, full: Dollars, mode: Mode) -> Dollars {
        match mode {
            Mode::Direct => full,
            Mode::Batch => {
                let part = (u128::from(full.pico()) * u128::from(self.batch_permille)).div_ceil(1000);
                Dollars::from_pico(u64::try_from(part).unwrap_or(u64::MAX))
            }
        }
    }
}

/// About how many tokens a text has: a quarter of its bytes. English prose has 4 to 5 bytes to a token with today's
/// tokenizers, other scripts fewer.
pub fn tokens_in(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}

/// What a provider puts around a prompt and its messages, in tokens; generously.
const AROUND_PROMPT: u64 = 64;
const AROUND_TURN: u64 = 16;

impl Model {
    /// The most output tokens a prompt may be answered with, reasoning included.
    pub fn output_limit(&self, prompt: &Prompt) -> u32 {
        match self.reasoning {
            Reasoning::None => prompt.budget.text,
            Reasoning::Budget | Reasoning::Adaptive => {
                prompt.budget.text.saturating_add(self.planning(prompt))
            }
        }
    }

    /// Tokens for reasoning. Anthropic asks for at least 1,024 where there are any.
    pub(crate) fn planning(&self, prompt: &Prompt) -> u32 {
        match (self.reasoning, prompt.budget.planning) {
            (Reasoning::None, _) | (_, 0) => 0,
            (_, planning) => planning.max(1024),
        }
    }

    /// About how many input tokens a prompt has.
    pub fn input_tokens(&self, prompt: &Prompt) -> u64 {
        prompt_bytes(prompt).div_ceil(4)
    }

    /// The most a call with this prompt can cost: what is reserved before it is sent.
    pub fn worst_case(&self, prompt: &Prompt) -> Dollars {
        let input = prompt_bytes(prompt) + AROUND_PROMPT + AROUND_TURN * prompt.turns.len() as u64;
        self.prices.worst(input, u64::from(self.output_limit(prompt)), self.mode)
    }

    /// About what a call costs that is answered with so many tokens, cached input aside.
    pub fn estimate(&self, input_tokens: u64, output_tokens: u64) -> Dollars {
        let usage = Usage { input: input_tokens, output: output_tokens, ..Usage::default() };
        self.prices.cost(&usage, self.mode)
    }
}

fn prompt_bytes(prompt: &Prompt) -> u64 {
    let turns: usize = prompt.turns.iter().map(|turn| turn.text.len()).sum();
    (prompt.system.len() + turns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_exact() {
        let prices = Prices::per_million(3.0, 15.0, Some(0.3), None).unwrap();
        let usage =
            Usage { input: 1_000_000, output: 2_000, reasoning: 500, cache_read: 10, cache_write: 100 };
        // 3 + 0.03 + 0.000003 + 0.000375 dollars.
        assert_eq!(prices.cost(&usage, Mode::Direct), Dollars::from_pico(3_030_378_000_000));
        assert_eq!(prices.cost(&usage, Mode::Batch), Dollars::from_pico(1_515_189_000_000));
        assert_eq!(prices.with_batch_factor(0.25).batch_permille, 250);
        assert!(Prices::default().is_free() && !prices.is_free());
        assert_eq!(Prices::per_million(-1.0, 0.0, None, None), None);
        assert_eq!(Prices::per_million(f64::NAN, 0.0, None, None), None);
    }

    #[test]
    fn the_worst_case_is_never_less_than_the_cost_of_what_was_asked_for() {
        let prices = Prices::per_million(3.0, 15.0, None, None).unwrap();
        let usage = Usage { input: 50, output: 100, cache_read: 25, cache_write: 25, reasoning: 0 };
        assert!(prices.worst(100, 100, Mode::Direct) >= prices.cost(&usage, Mode::Direct));
    }
}
