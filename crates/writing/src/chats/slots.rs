//! How many rows each part of the plan owes, and who makes up for those that fail.
//!
//! A slot is what rows are counted by: a topic with a type of question, or a preference with an order of its two things.
//! All of it is arithmetic over counts, so that the same answers give the same plan in any order of arrival.

/// `total` things over `parts` places, as evenly as whole numbers allow; the larger shares are spread, not put first.
pub(crate) fn shares(total: usize, parts: usize) -> Vec<usize> {
    let upto = |part: usize| (part as u128 * total as u128 / parts.max(1) as u128) as usize;
    (0..parts).map(|part| upto(part + 1) - upto(part)).collect()
}

/// One slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Rows it owes.
    pub wanted: usize,
    /// Rows that were kept.
    pub kept: usize,
    /// Rows that could not be made in this run for reasons that a later run may not meet: not made up for.
    pub pending: usize,
    /// Questions that were answered, whatever came of it.
    pub tried: usize,
    /// Questions that nobody has answered yet, in order.
    pub pool: Vec<usize>,
    /// Whether it was asked for questions and none of its rows was kept: nothing more is spent on it.
    pub closed: bool,
}

impl Slot {
    /// A slot that owes so many rows.
    pub(crate) fn owing(wanted: usize) -> Slot {
        Slot { wanted, ..Slot::default() }
    }

    /// Rows that are missing.
    pub(crate) fn missing(&self) -> usize {
        self.wanted.saturating_sub(self.kept + self.pending)
    }
}

/// What to answer next: of every slot as many of its questions as rows are missing, by slot.
pub(crate) fn wave(slots: &mut [Slot]) -> Vec<(usize, usize)> {
    let mut chosen = Vec::new();
    for (index, slot) in slots.iter_mut().enumerate() {
        let count = slot.missing().min(slot.pool.len());
        slot.tried += count;
        chosen.extend(slot.pool.drain(..count).map(|question| (index, question)));
    }
    chosen
}

/// After a round: slots that were tried in vain are closed, and what they owe goes to open ones of the same class, evenly.
/// `asked` says which slots were asked for questions in this round; a group closes as a whole when none of its slots that
/// were asked kept anything (a topic that is refused). Classes keep totals that must balance, such as the two orders.
pub(crate) fn settle(
    slots: &mut [Slot],
    asked: &[bool],
    group: impl Fn(usize) -> usize,
    class: impl Fn(usize) -> usize,
) {
    let groups = 1 + (0..slots.len()).map(&group).max().unwrap_or(0);
    let mut fruitless = vec![false; groups];
    let mut fruitful = vec![false; groups];
    for (index, slot) in slots.iter_mut().enumerate() {
        let alive = slot.kept + slot.pending > 0;
        if asked[index] && !alive {
            slot.closed = true;
            fruitless[group(index)] = true;
        }
        fruitful[group(index)] |= alive;
    }
    for (index, slot) in slots.iter_mut().enumerate() {
        slot.closed |= fruitless[group(index)] && !fruitful[group(index)];
    }
    let classes = 1 + (0..slots.len()).map(&class).max().unwrap_or(0);
    for wanted in 0..classes {
        let open: Vec<usize> =
            (0..slots.len()).filter(|index| class(*index) == wanted && !slots[*index].closed).collect();
        if open.is_empty() {
            continue;
        }
        let mut freed = 0;
        for (_, slot) in
            slots.iter_mut().enumerate().filter(|(index, slot)| class(*index) == wanted && slot.closed)
        {
            freed += slot.missing();
            slot.wanted = slot.kept + slot.pending;
        }
        for (index, more) in open.iter().zip(shares(freed, open.len())) {
            slots[*index].wanted += more;
        }
    }
}

/// How many questions to ask for where `missing` rows are missing: some more, for some are alike and some answers fail.
/// `kept` of `tried` is how it went so far.
pub(crate) fn questions_for(missing: usize, kept: usize, tried: usize) -> usize {
    /// The part of questions that is expected to end in a row before anything is known.
    const EXPECTED: f64 = 0.8;
    /// The least part that is believed: below it, more questions would not help.
    const LEAST: f64 = 0.25;
    let expected = if tried == 0 { EXPECTED } else { (kept as f64 / tried as f64).clamp(LEAST, EXPECTED) };
    (missing as f64 / expected).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_closed_slots_owe_goes_to_open_ones_of_their_class() {
        let mut slots: Vec<Slot> = (0..6).map(|_| Slot::owing(4)).collect();
        for (slot, kept) in slots.iter_mut().zip([0, 0, 4, 3, 4, 4]) {
            slot.kept = kept;
        }
        settle(&mut slots, &[true; 6], |slot| slot / 2, |slot| slot % 2);
        assert!(slots[0].closed && slots[1].closed && !slots[2].closed);
        let wanted: Vec<usize> = slots.iter().map(|slot| slot.wanted).collect();
        assert_eq!(wanted, [0, 0, 6, 6, 6, 6]);
        assert_eq!(slots[3].missing(), 3);
    }

    #[test]
    fn a_fruitless_topic_closes_with_the_slots_it_was_not_asked_for() {
        let mut slots = vec![Slot::owing(1), Slot::owing(0), Slot::owing(1), Slot::owing(0)];
        slots[2].kept = 1;
        settle(&mut slots, &[true, false, true, false], |slot| slot / 2, |_| 0);
        assert_eq!(slots.iter().map(|slot| slot.closed).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!(slots.iter().map(Slot::missing).sum::<usize>(), 1);
    }

    #[test]
    fn questions_are_asked_by_what_they_yield() {
        assert_eq!(questions_for(8, 0, 0), 10);
        assert_eq!(questions_for(8, 5, 10), 16);
        assert_eq!(questions_for(8, 0, 10), 32);
        assert_eq!(questions_for(0, 0, 0), 0);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_even(total in 0usize..10_000, parts in 1usize..300) {
            let shares = shares(total, parts);
            prop_assert_eq!(shares.iter().sum::<usize>(), total);
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            prop_assert!(most - least <= 1);
        }

        #[test]
        fn settling_never_changes_what_is_owed_while_somebody_is_open(
            kept in proptest::collection::vec(0usize..3, 1..30),
        ) {
            let mut slots: Vec<Slot> = kept.iter().map(|kept| Slot { kept: *kept, ..Slot::owing(2) }).collect();
            let before: usize = slots.iter().map(Slot::missing).sum();
            let asked = vec![true; slots.len()];
            settle(&mut slots, &asked, |slot| slot, |_| 0);
            let after: usize = slots.iter().map(Slot::missing).sum();
            prop_assert_eq!(before, after);
            if slots.iter().any(|slot| !slot.closed) {
                prop_assert!(slots.iter().all(|slot| !slot.closed || slot.missing() == 0));
            }
        }
    }
}
