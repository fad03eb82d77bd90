use std::collections::BTreeSet;

use super::*;
use crate::document::Held;

/// A small generator of our own (SplitMix64), so that the tests never change.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn words(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| format!("w{}", self.below(3000))).collect()
    }
}

/// Texts of which every third is a changed copy of one before it, by 0 to 40 words of 200.
fn corpus(count: usize) -> Vec<Held> {
    let mut dice = Dice(7);
    let mut texts: Vec<Vec<String>> = Vec::new();
    for at in 0..count {
        let mut text = match at % 3 {
            2 => texts[dice.below(at as u64) as usize].clone(),
            _ => dice.words(200),
        };
        if at % 3 == 2 {
            for _ in 0..dice.below(12) {
                let place = dice.below(text.len() as u64) as usize;
                text[place] = dice.words(1).remove(0);
            }
        }
        texts.push(text);
    }
    texts.into_iter().enumerate().map(|(at, text)| Held::new(&format!("{at:04}"), text.join(" "))).collect()
}

/// All pairs' similarities by sets of strings.
fn exact(rows: &[Held]) -> Vec<(u32, u32, f64)> {
    let shingles = |row: &Held| -> BTreeSet<String> {
        let words: Vec<&str> = row.document.text.split(' ').collect();
        words.windows(5).map(|shingle| shingle.join(" ")).collect()
    };
    let sets: Vec<BTreeSet<String>> = rows.iter().map(shingles).collect();
    let mut pairs = Vec::new();
    for second in 0..sets.len() {
        for first in 0..second {
            let both = sets[first].intersection(&sets[second]).count() as f64;
            let either = sets[first].len() as f64 + sets[second].len() as f64 - both;
            pairs.push((first as u32, second as u32, both / either));
        }
    }
    pairs
}

#[test]
fn what_is_alike_is_found_and_nothing_else() {
    let rows = corpus(300);
    let pairs = exact(&rows);
    let found = near_duplicates(&[&rows], 0.8).unwrap();
    for repeat in &found.repeats {
        let of = (repeat.of.row, repeat.row.row);
        let (.., jaccard) = pairs.iter().find(|(first, second, _)| (*first, *second) == of).unwrap();
        assert!(*jaccard >= 0.8 && (jaccard - repeat.similarity).abs() < 1e-12, "{repeat:?} {jaccard}");
    }
    let near: BTreeSet<u32> =
        pairs.iter().filter(|(.., jaccard)| *jaccard >= 0.85).map(|(_, second, _)| *second).collect();
    let repeated: BTreeSet<u32> = found.repeats.iter().map(|repeat| repeat.row.row).collect();
    assert_eq!(repeated.len(), found.repeats.len());
    // 99% are expected at 0.85, more above it.
    let missed = near.difference(&repeated).count();
    assert!(near.len() >= 25 && missed * 50 <= near.len(), "{missed} of {}", near.len());
    let true_pairs = pairs.iter().filter(|(.., jaccard)| *jaccard >= 0.8).count() as f64;
    assert!((found.estimated_pairs / true_pairs - 1.0).abs() < 0.1, "{} {true_pairs}", found.estimated_pairs);
    assert!(found.pairs as f64 <= true_pairs);
}

#[test]
fn threads_change_nothing() {
    let rows = corpus(200);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| near_duplicates(&[&rows], THRESHOLD).unwrap())
    };
    assert_eq!(with(1), with(3));
    assert!(!with(1).repeats.is_empty());
}

#[test]
fn rows_are_counted_within_and_between_corpora() {
    let text = |start: u64| Dice(start).words(80).join(" ");
    let held =
        |texts: &[String]| -> Vec<Held> { texts.iter().map(|text| Held::new("x", text.clone())).collect() };
    let (x, y, z) = (text(1), text(2), text(3));
    let shouted = x.to_uppercase() + "!";
    let one = held(&[x.clone(), y.clone(), shouted, String::new(), String::new()]);
    let other = held(&[z.clone(), x.clone(), y + " more", x]);
    let found = near_duplicates(&[&one, &other], THRESHOLD).unwrap();
    let rows =
        |first, second| found.between(first, second).map(|r| (r.row.row, r.of.row)).collect::<Vec<_>>();
    assert_eq!(rows(0, 0), [(2, 0)]);
    assert_eq!(rows(1, 1), [(3, 1)]);
    // Both copies of the text count, although one stands for the other.
    assert_eq!(rows(0, 1), [(1, 0), (2, 1), (3, 0)]);
    assert_eq!(found.rows, [5, 4]);
    let empty: Vec<Held> = Vec::new();
    let beside = near_duplicates(&[&empty, &one], THRESHOLD).unwrap();
    assert_eq!(beside.between(1, 1).count(), 1);
}

/// A long list of rows with a key in common repeats one text, and is not compared all with all.
#[test]
fn a_large_group_is_found_with_few_comparisons() {
    let mut dice = Dice(5);
    let text = dice.words(200);
    let rows: Vec<Held> = (0..400)
        .map(|at| {
            let mut own = text.clone();
            own[199] = format!("last{at}");
            Held::new("x", own.join(" "))
        })
        .collect();
    let found = near_duplicates(&[&rows], THRESHOLD).unwrap();
    assert_eq!(found.repeats.len(), 399);
    assert!(found.compared < 400 * 40, "{}", found.compared);
}
