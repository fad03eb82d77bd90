//! The pieces of charts: axes, marks that differ in shape as well as in colour, intervals.

use maud::{Markup, html};
use stats::Interval;

/// Width of every chart in its own units; the page scales it. Narrow, so that its letters stay readable on a phone.
pub const WIDTH: f64 = 400.0;

/// A linear scale from numbers to horizontal or vertical positions.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale that maps `low..high` to `from..to`.
    pub fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Scale {
        let high = if high > low { high } else { low + 1.0 };
        Scale { low, high, from, to }
    }

    /// The position of a number, cut to the ends of the scale.
    pub fn at(&self, number: f64) -> f64 {
        let share = (number.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// About `count` round numbers on the scale.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        let step = round_step((self.high - self.low) / count as f64);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|tick| tick as f64 * step).collect()
    }
}

/// The smallest of 1, 2, 2.5 or 5 times a power of ten that is at least `step`.
pub fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|round| round * power >= step * (1.0 - 1e-9));
    power * round.unwrap_or(10.0)
}

/// A range that holds all numbers and zero, with round ends.
pub fn round_range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        numbers.fold((0.0f64, 0.0f64), |(low, high), number| (low.min(number), high.max(number)));
    let step = round_step(((high - low) / 4.0).max(1e-6));
    ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step)
}

/// A coordinate with one decimal: the same text on every machine.
pub fn at(position: f64) -> String {
    let text = format!("{position:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// A tick's number without needless decimals.
pub fn tick_label(tick: f64) -> String {
    let text = format!("{:.2}", tick).trim_end_matches('0').trim_end_matches('.').to_owned();
    match text.strip_prefix('-') {
        Some("0") => "0".to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// How something is drawn: its colour and its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Circle.
    Target,
    /// Diamond.
    Rival,
    /// Square.
    Unrelated,
    /// Circle, only its outline.
    TargetHollow,
    /// Diamond, only its outline.
    RivalHollow,
}

impl Look {
    /// The class that gives it its colour.
    pub fn class(self) -> &'static str {
        match self {
            Look::Target => "target",
            Look::Rival => "rival",
            Look::Unrelated => "unrelated",
            Look::TargetHollow => "target hollow",
            Look::RivalHollow => "rival hollow",
        }
    }

    /// The class that gives a line its colour.
    pub fn stroke(self) -> &'static str {
        match self {
            Look::Target | Look::TargetHollow => "s-target",
            Look::Rival | Look::RivalHollow => "s-rival",
            Look::Unrelated => "s-unrelated",
        }
    }
}

/// A mark.
pub fn mark(look: Look, x: f64, y: f64) -> Markup {
    let r = 4.5;
    html! {
        @match look {
            Look::Target | Look::TargetHollow => circle class=(look.class()) cx=(at(x)) cy=(at(y)) r=(r) {},
            Look::Rival | Look::RivalHollow => path class=(look.class())
                d=(format!("M{} {}l5.5 5.5l-5.5 5.5l-5.5 -5.5z", at(x), at(y - 5.5))) {},
            Look::Unrelated => rect class=(look.class()) x=(at(x - 4.0)) y=(at(y - 4.0)) width="8" height="8" {},
        }
    }
}

/// A horizontal bar over an interval, with caps.
pub fn bar(look: Look, interval: Option<Interval>, scale: Scale, y: f64) -> Markup {
    html! {
        @if let Some(Interval { low, high, .. }) = interval {
            @let (x1, x2) = (scale.at(low), scale.at(high));
            path class={ "bar " (look.stroke()) }
                d=(format!("M{} {y1}v6m0 -3H{x2}m0 -3v6", at(x1), y1 = at(y - 3.0), x2 = at(x2))) {}
        }
    }
}

/// Vertical grid lines with their numbers below.
pub fn grid(scale: Scale, ticks: &[f64], top: f64, bottom: f64, unit: &str) -> Markup {
    html! {
        @for tick in ticks {
            @let x = at(scale.at(*tick));
            line class=(if *tick == 0.0 { "zero" } else { "grid" }) x1=(x) x2=(x) y1=(at(top)) y2=(at(bottom)) {}
            text class="tick" x=(x) y=(at(bottom + 14.0)) text-anchor="middle" { (tick_label(*tick)) (unit) }
        }
    }
}

/// A short piece of a line, for legends of line charts without marks.
pub fn stroke(look: Look, x: f64, y: f64) -> Markup {
    html! { line class={ "line " (look.stroke()) } x1=(at(x - 6.0)) x2=(at(x + 6.0)) y1=(at(y)) y2=(at(y)) {} }
}

/// A line of samples with their meanings, from the left, at most `width` wide; with the height it takes.
pub fn legend(
    entries: &[(Look, String)],
    sample: fn(Look, f64, f64) -> Markup,
    y: f64,
    width: f64,
) -> (Markup, f64) {
    // About 7.2 units a letter at the size of the labels.
    let widths = entries.iter().map(|(_, words)| 32.0 + 7.2 * words.chars().count() as f64);
    let (mut places, mut x, mut line) = (Vec::new(), 0.0, 0.0);
    for entry in widths {
        if x > 0.0 && x + entry > width {
            (x, line) = (0.0, line + 18.0);
        }
        places.push((x, y + line));
        x += entry;
    }
    let drawn = html! {
        @for ((look, words), (x, y)) in entries.iter().zip(&places) {
            (sample(*look, x + 6.0, *y))
            text class="label" x=(at(x + 15.0)) y=(at(y + 4.0)) { (words) }
        }
    };
    (drawn, line + 20.0)
}

/// A chart with its title and description for those who do not see it. `id` is unique on the page.
pub fn chart(
    id: &str,
    (width, height): (f64, f64),
    title: &str,
    description: &str,
    content: Markup,
) -> Markup {
    html! {
        svg role="img" viewBox={ "0 0 " (width) " " (at(height)) } aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } { (description) }
            (content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Scale::new((0.0, 100.0), (0.0, 1.0)).ticks(4), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(Scale::new((-10.0, 42.0), (0.0, 1.0)).ticks(4), [0.0, 20.0, 40.0]);
        assert_eq!(round_range([-3.0, 41.0].into_iter()), (-20.0, 60.0));
        assert_eq!(round_range([20.0, 40.0].into_iter()), (0.0, 40.0));
        assert_eq!(round_range(std::iter::empty()).0, 0.0);
        assert_eq!([tick_label(-20.0), tick_label(2.5), tick_label(-0.001)], ["−20", "2.5", "0"]);
    }

    #[test]
    fn positions_stay_on_the_scale() {
        let scale = Scale::new((0.0, 100.0), (10.0, 390.0));
        assert_eq!([scale.at(0.0), scale.at(50.0), scale.at(250.0)], [10.0, 200.0, 390.0]);
        assert_eq!(at(-0.01), "0.0");
    }
}
