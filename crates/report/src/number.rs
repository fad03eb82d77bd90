//! Numbers as people read them.

use experiment::findings::{Level, signed};
use stats::Interval;

/// A share between 0 and 1 as whole percent.
pub fn percent(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}

/// A share with its interval: `62 [55, 69]`, in percent.
pub fn share(level: &Level) -> String {
    match level.interval {
        Some(Interval { low, high, .. }) => {
            format!("{} [{}, {}]", percent(level.mean), percent(low), percent(high))
        }
        None => percent(level.mean),
    }
}

/// A difference of shares with its interval, in percentage points.
pub fn share_difference(level: &Level) -> String {
    let points = |share: f64| signed(100.0 * share);
    match level.interval {
        Some(Interval { low, high, .. }) => {
            format!("{} [{}, {}]", points(level.mean), points(low), points(high))
        }
        None => points(level.mean),
    }
}

/// A signed number with its interval: `+31.2 [+22.1, +40.3]`.
pub fn effect(level: &Level) -> String {
    match level.interval {
        Some(interval) => format!("{} {}", signed(level.mean), signed_range(interval)),
        None => signed(level.mean),
    }
}

/// `[+22.1, +40.3]`.
pub fn signed_range(interval: Interval) -> String {
    format!("[{}, {}]", signed(interval.low), signed(interval.high))
}

/// A positive quantity with its interval, two decimals.
pub fn plain(level: &Level) -> String {
    match level.interval {
        Some(Interval { low, high, .. }) => format!("{:.2} [{low:.2}, {high:.2}]", level.mean),
        None => format!("{:.2}", level.mean),
    }
}

/// A p-value without its letter: `.012`, `<.001`.
pub fn p(p: f64) -> String {
    let words = experiment::findings::p_words(p);
    words.trim_start_matches("p = ").trim_start_matches("p ").replace("< ", "<")
}

/// A count with thin groups of three digits.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3 seeds`, `1 seed`.
pub fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_carry_their_interval() {
        let interval = Some(Interval { low: 0.551, high: 0.689, level: 0.95 });
        let level = Level { mean: 0.62, interval, by_seed: vec![] };
        assert_eq!(share(&level), "62 [55, 69]");
        assert_eq!(share(&Level { interval: None, ..level.clone() }), "62");
        assert_eq!(share_difference(&level), "+62.0 [+55.1, +68.9]");
        assert_eq!([count(0), count(999), count(1000), count(1234567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([p(0.0001), p(0.0456), p(1.0)], ["<.001", ".046", "1"]);
    }
}
