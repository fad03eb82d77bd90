//! Answers in words, from the numbers and nothing else. A sentence never claims more than its interval.

use stats::Interval;

use super::types::{Analysis, Estimate, Level, Measure, Verdict};

/// How many comparisons with one verdict a headline lists with their numbers; more are only counted.
fn listed(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Shown | Verdict::Opposite => 6,
        Verdict::NotShown => 2,
        _ => 3,
    }
}

/// A number with its sign and one decimal, with a true minus.
pub fn signed(number: f64) -> String {
    // What rounds to zero has no sign.
    let rounded = (number * 10.0).round() / 10.0;
    if rounded == 0.0 {
        "0.0".to_owned()
    } else if rounded > 0.0 {
        format!("+{rounded:.1}")
    } else {
        format!("−{:.1}", -rounded)
    }
}

/// A p-value as `p = .012` or `p < .001`.
pub fn p_words(p: f64) -> String {
    if p < 0.001 {
        "p < .001".to_owned()
    } else if p > 0.9995 {
        "p = 1".to_owned()
    } else {
        format!("p = {}", format!("{p:.3}").trim_start_matches('0'))
    }
}

/// The unit of a measure after a number: ` points` or `%`.
pub fn unit(measure: Measure) -> &'static str {
    match measure {
        Measure::Perplexity => "%",
        _ => " points",
    }
}

fn range(interval: Interval) -> String {
    format!("{} to {}", signed(interval.low), signed(interval.high))
}

/// The number with its interval: `+31.2 points (95% interval +22.1 to +40.3)`.
fn figure(estimate: &Estimate, effect: &Level) -> String {
    let number = format!("{}{}", signed(effect.mean), unit(estimate.measure));
    match effect.interval {
        Some(interval) => {
            format!("{number} ({:.0}% interval {})", 100.0 * interval.level, range(interval))
        }
        None => number,
    }
}

/// The number with its interval, p and n.
fn figures(estimate: &Estimate, effect: &Level) -> String {
    let mut facts = Vec::new();
    facts.extend(estimate.p.map(p_words));
    facts.extend(estimate.p_adjusted.map(|p| format!("adjusted {}", p_words(p))));
    facts.push(seeds(effect.by_seed.len()));
    if estimate.items > 0 {
        facts.push(format!("{} items", estimate.items));
    }
    format!("{}; {}", figure(estimate, effect), facts.join(", "))
}

fn seeds(count: usize) -> String {
    if count == 1 { "1 seed".to_owned() } else { format!("{count} seeds") }
}

fn subject(analysis: Analysis) -> &'static str {
    match analysis {
        Analysis::Steering => "Steering",
        Analysis::Stacking => "An extra gain after the reasons",
        Analysis::Explaining => "An advantage of explaining over stating",
        Analysis::Order => "An effect of order",
        Analysis::Cost => "A change in perplexity",
    }
}

/// What a verdict says of the subject.
fn predicate(verdict: Verdict, exploratory: usize) -> String {
    match verdict {
        Verdict::Shown => "is there".to_owned(),
        Verdict::Opposite => "is there in the opposite direction".to_owned(),
        Verdict::Suggested | Verdict::OppositeSuggested => format!(
            "is suggested{} (the interval excludes zero, but not after adjustment for {exploratory} exploratory \
             comparisons)",
            if verdict == Verdict::OppositeSuggested { " in the opposite direction" } else { "" }
        ),
        Verdict::NotShown => "is not shown (the interval includes zero)".to_owned(),
        Verdict::NoInterval => "cannot be claimed".to_owned(),
        Verdict::Missing => "cannot be judged".to_owned(),
    }
}

/// Why an effect has no interval.
fn no_interval(effect: &Level) -> &'static str {
    if effect.by_seed.len() < 2 {
        "one seed gives no interval"
    } else {
        "it is the same in every seed, which gives no interval"
    }
}

/// One comparison in one sentence, and what it lacks.
pub(super) fn sentence(analysis: Analysis, estimate: &Estimate, exploratory: usize) -> String {
    let subject = format!("{} ({})", subject(analysis), estimate.label);
    let mut text = match &estimate.effect {
        None => format!("{subject} cannot be judged."),
        Some(effect) if effect.interval.is_none() => format!(
            "{subject} cannot be claimed: {}. Observed: {}.",
            no_interval(effect),
            figures(estimate, effect)
        ),
        Some(effect) => {
            format!("{subject} {}: {}.", predicate(estimate.verdict, exploratory), figures(estimate, effect))
        }
    };
    if !estimate.missing.is_empty() {
        text.push_str(&format!(" Missing: {}.", estimate.missing.join("; ")));
    }
    text
}

/// An answer in one sentence: its comparisons grouped by how they turned out.
pub(super) fn headline(analysis: Analysis, estimates: &[Estimate], exploratory: usize) -> String {
    const ORDER: [Verdict; 7] = [
        Verdict::Shown,
        Verdict::Opposite,
        Verdict::Suggested,
        Verdict::OppositeSuggested,
        Verdict::NotShown,
        Verdict::NoInterval,
        Verdict::Missing,
    ];
    if estimates.is_empty() {
        return "There is nothing to compare: the experiment has no specs.".to_owned();
    }
    let groups = ORDER.into_iter().filter_map(|verdict| {
        let group: Vec<&Estimate> = estimates.iter().filter(|found| found.verdict == verdict).collect();
        let all = group.len() == estimates.len();
        (!group.is_empty()).then(|| phrase(verdict, &group, all, exploratory))
    });
    let mut text = format!("{} {}.", subject(analysis), groups.collect::<Vec<_>>().join(". It "));
    if estimates.iter().any(|found| found.effect.is_some() && !found.missing.is_empty()) {
        text.push_str(" Some models are missing.");
    }
    text
}

fn phrase(verdict: Verdict, group: &[&Estimate], all: bool, exploratory: usize) -> String {
    let mut what = predicate(verdict, exploratory);
    if let (Verdict::NoInterval, Some(effect)) =
        (verdict, group.iter().find_map(|found| found.effect.as_ref()))
    {
        what.push_str(&format!(" ({})", no_interval(effect)));
    }
    let of = |found: &&Estimate| match &found.effect {
        Some(effect) => format!("{} {}", found.label, figure(found, effect)),
        None => format!("{} ({})", found.label, found.missing.first().map_or("no data", String::as_str)),
    };
    let count = group.len();
    let many = count > listed(verdict);
    let nothing_found = matches!(verdict, Verdict::NotShown | Verdict::NoInterval | Verdict::Missing);
    let text = match (many, all) {
        (false, _) => return format!("{what}: {}", group.iter().map(of).collect::<Vec<_>>().join("; ")),
        (true, true) if nothing_found => format!("{what} in any of the {count} comparisons"),
        (true, true) => format!("{what} in all {count} comparisons"),
        (true, false) => format!("{what} in {count} comparisons"),
    };
    match group.iter().flat_map(|found| &found.missing).next() {
        Some(reason) if verdict == Verdict::Missing => format!("{text} ({reason})"),
        _ => text,
    }
}
