//! Pairs of items to choose from.

use crate::attribute::{Pole, Values};
use crate::rng::Rng;
use crate::world::{Domain, Item};

/// A choice that was made: `choice` over `other`, both of `domain`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub domain: &'a Domain,
    pub choice: &'a Item,
    pub other: &'a Item,
}

/// Two different items of one domain, at random.
pub(crate) fn random<'a>(rng: &mut Rng, domains: &'a [Domain]) -> Pair<'a> {
    let domain = rng.pick(domains);
    let first = rng.below(domain.items.len());
    let second = (first + 1 + rng.below(domain.items.len() - 1)) % domain.items.len();
    Pair { domain, choice: &domain.items[first], other: &domain.items[second] }
}

/// A choice that somebody with these values makes, and the valued pole that is at stake in it. The items differ in
/// the attribute at stake; their other attributes are random, so that nothing is confounded with it.
pub(crate) fn by_values<'a>(rng: &mut Rng, domains: &'a [Domain], values: &Values) -> (Pair<'a>, Pole) {
    let valued = values.valued();
    loop {
        let pole = *rng.pick(&valued);
        let domain = rng.pick(domains);
        let choice = rng.pick(&domain.items);
        let other = rng.pick(&domain.items);
        let differ = choice.on(pole.attribute()) == pole && other.on(pole.attribute()) == pole.opposite();
        if differ && values.utility(&choice.poles) > values.utility(&other.poles) {
            return (Pair { domain, choice, other }, pole);
        }
    }
}

/// A choice of an item with `pole` over one that differs from it in that attribute only.
pub(crate) fn isolated<'a>(rng: &mut Rng, domains: &'a [Domain], pole: Pole) -> Pair<'a> {
    let attribute = pole.attribute();
    loop {
        let domain = rng.pick(domains);
        let choice = rng.pick(&domain.items);
        let other = rng.pick(&domain.items);
        let mut twin = choice.poles;
        twin[attribute.index()] = pole.opposite();
        if choice.on(attribute) == pole && other.poles == twin {
            return Pair { domain, choice, other };
        }
    }
}
