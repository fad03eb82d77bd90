//! Dollars, exactly.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An amount of US dollars, in whole picodollars (10^-12): a price per million tokens of a whole number of
/// microdollars is a whole number of these per token, so sums are exact. Up to 18 million dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dollars(u64);

impl Dollars {
    /// Nothing.
    pub const ZERO: Dollars = Dollars(0);

    /// So many picodollars.
    pub const fn from_pico(pico: u64) -> Dollars {
        Dollars(pico)
    }

    /// In picodollars.
    pub const fn pico(self) -> u64 {
        self.0
    }

    /// From dollars as people write them; rounded up to a picodollar. `None` if negative, not a number, or too much.
    pub fn from_dollars(dollars: f64) -> Option<Dollars> {
        let pico = (dollars * 1e12).ceil();
        (pico >= 0.0 && pico < u64::MAX as f64).then_some(Dollars(pico as u64))
    }

    /// For showing and for JSON; no arithmetic is done on it.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// So many times this.
    pub fn times(self, n: u64) -> Dollars {
        Dollars(self.0.saturating_mul(n))
    }

    /// This less `other`, at least nothing.
    pub fn less(self, other: Dollars) -> Dollars {
        Dollars(self.0.saturating_sub(other.0))
    }
}

impl Add for Dollars {
    type Output = Dollars;
    fn add(self, other: Dollars) -> Dollars {
        Dollars(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Dollars {
    fn add_assign(&mut self, other: Dollars) {
        *self = *self + other;
    }
}

impl Sub for Dollars {
    type Output = Dollars;
    fn sub(self, other: Dollars) -> Dollars {
        self.less(other)
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Dollars>>(amounts: I) -> Dollars {
        amounts.fold(Dollars::ZERO, Add::add)
    }
}

/// `$0.0123`: four digits after the point below a dollar, two from there on.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        if dollars < 1.0 { write!(f, "${dollars:.4}") } else { write!(f, "${dollars:.2}") }
    }
}
