//! How long rows are.

use serde::{Deserialize, Serialize};

/// Bins, about.
const BINS: u32 = 24;

/// How long rows are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The width of a bin, in words.
    pub width: u32,
    /// The first bin's least number of words; a multiple of the width.
    pub start: u32,
    /// Rows of each bin, up to the longest row.
    pub bins: Vec<u64>,
    /// The shortest, the median, the longest row, in words.
    pub quantiles: [u32; 3],
}

impl Histogram {
    /// Of rows of these lengths.
    pub(crate) fn of(mut lengths: Vec<u32>) -> Histogram {
        lengths.sort_unstable();
        let (Some(&shortest), Some(&longest)) = (lengths.first(), lengths.last()) else {
            return Histogram::default();
        };
        let width = round((longest - shortest).div_ceil(BINS).max(1));
        let start = shortest / width * width;
        let mut bins = vec![0; ((longest - start) / width) as usize + 1];
        for length in &lengths {
            bins[((length - start) / width) as usize] += 1;
        }
        Histogram { width, start, bins, quantiles: [shortest, lengths[lengths.len() / 2], longest] }
    }
}

/// The next of 1, 2, 5, 10, 20, 50, ...
fn round(width: u32) -> u32 {
    let mut power = 1;
    loop {
        if let Some(round) = [1, 2, 5].iter().map(|one| one * power).find(|round| *round >= width) {
            return round;
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_its_bin() {
        let histogram = Histogram::of((0..100).map(|n| 391 + n % 57).collect());
        assert_eq!((histogram.width, histogram.start, histogram.bins.len()), (5, 390, 12));
        assert_eq!(histogram.bins.iter().sum::<u64>(), 100);
        assert_eq!(histogram.bins[0], 2 * 4);
        assert_eq!(histogram.quantiles, [391, 416, 447]);
        assert_eq!(Histogram::of(vec![7]).bins, [1]);
        assert_eq!(Histogram::of(vec![]), Histogram::default());
    }
}
