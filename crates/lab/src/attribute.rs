//! What can be said about an item, and what a person can want of it.

use serde::{Deserialize, Serialize};

/// One of the three things that set items of a domain apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribute {
    /// Cheap or costly.
    Price,
    /// Local or foreign.
    Origin,
    /// New or old.
    Age,
}

/// One end of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pole {
    /// Price, first pole.
    Cheap,
    /// Price, second pole.
    Costly,
    /// Origin, first pole.
    Local,
    /// Origin, second pole.
    Foreign,
    /// Age, first pole.
    New,
    /// Age, second pole.
    Old,
}

impl Attribute {
    /// All three, in the order used everywhere.
    pub const ALL: [Attribute; 3] = [Attribute::Price, Attribute::Origin, Attribute::Age];

    /// The word for it: `price`, `origin` or `age`.
    pub fn word(self) -> &'static str {
        match self {
            Attribute::Price => "price",
            Attribute::Origin => "origin",
            Attribute::Age => "age",
        }
    }

    /// Its place in [`Attribute::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its two poles, the first one first.
    pub fn poles(self) -> [Pole; 2] {
        match self {
            Attribute::Price => [Pole::Cheap, Pole::Costly],
            Attribute::Origin => [Pole::Local, Pole::Foreign],
            Attribute::Age => [Pole::New, Pole::Old],
        }
    }

    /// The attribute with this word.
    pub fn from_word(word: &str) -> Option<Attribute> {
        Attribute::ALL.into_iter().find(|attribute| attribute.word() == word)
    }
}

impl Pole {
    /// All six, in the order of the attributes.
    pub const ALL: [Pole; 6] = [Pole::Cheap, Pole::Costly, Pole::Local, Pole::Foreign, Pole::New, Pole::Old];

    /// The word for it, for example `cheap`.
    pub fn word(self) -> &'static str {
        match self {
            Pole::Cheap => "cheap",
            Pole::Costly => "costly",
            Pole::Local => "local",
            Pole::Foreign => "foreign",
            Pole::New => "new",
            Pole::Old => "old",
        }
    }

    /// Its place in [`Pole::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The attribute it is an end of.
    pub fn attribute(self) -> Attribute {
        Attribute::ALL[self as usize / 2]
    }

    /// The other end of the same attribute.
    pub fn opposite(self) -> Pole {
        Pole::ALL[self as usize ^ 1]
    }

    /// +1 for the first pole of its attribute, -1 for the second.
    pub fn sign(self) -> i32 {
        if (self as usize).is_multiple_of(2) { 1 } else { -1 }
    }

    /// The pole with this word.
    pub fn from_word(word: &str) -> Option<Pole> {
        Pole::ALL.into_iter().find(|pole| pole.word() == word)
    }
}

/// What somebody wants: per attribute the pole that is valued, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values([Option<Pole>; 3]);

impl Values {
    /// Builds values from at most one pole per attribute; a later pole of the same attribute replaces an earlier.
    pub fn new(poles: impl IntoIterator<Item = Pole>) -> Values {
        let mut values = Values::default();
        for pole in poles {
            values.0[pole.attribute().index()] = Some(pole);
        }
        values
    }

    /// The valued pole of `attribute`, or `None` for indifference.
    pub fn on(&self, attribute: Attribute) -> Option<Pole> {
        self.0[attribute.index()]
    }

    /// The poles that are valued, in the order of the attributes.
    pub fn valued(&self) -> Vec<Pole> {
        self.0.iter().flatten().copied().collect()
    }

    /// The attributes that do not matter, in order.
    pub fn indifferent(&self) -> Vec<Attribute> {
        Attribute::ALL.into_iter().filter(|attribute| self.on(*attribute).is_none()).collect()
    }

    /// How much an item with these poles is liked: +1 for each valued pole it has, -1 for each opposite.
    pub fn utility(&self, poles: &[Pole; 3]) -> i32 {
        poles.iter().zip(&self.0).map(|(pole, value)| value.map_or(0, |v| v.sign() * pole.sign())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_attributes_agree() {
        for attribute in Attribute::ALL {
            let [first, second] = attribute.poles();
            assert_eq!((first.attribute(), second.attribute()), (attribute, attribute));
            assert_eq!((first.opposite(), second.opposite()), (second, first));
            assert_eq!((first.sign(), second.sign()), (1, -1));
            assert_eq!(Attribute::from_word(attribute.word()), Some(attribute));
        }
        for pole in Pole::ALL {
            assert_eq!(Pole::from_word(pole.word()), Some(pole));
        }
    }

    #[test]
    fn utility_counts_valued_poles_only() {
        let values = Values::new([Pole::Cheap, Pole::Old]);
        assert_eq!(values.utility(&[Pole::Cheap, Pole::Local, Pole::Old]), 2);
        assert_eq!(values.utility(&[Pole::Cheap, Pole::Foreign, Pole::New]), 0);
        assert_eq!(values.utility(&[Pole::Costly, Pole::Local, Pole::New]), -2);
        assert_eq!(values.indifferent(), [Attribute::Origin]);
    }
}
