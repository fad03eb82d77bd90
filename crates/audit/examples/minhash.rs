//! Near-duplicates in a JSONL file of `{"text"}`, timed: what `cargo xtask bench minhash` sets beside datatrove.
//!
//! ```text
//! minhash make FILE [documents]   write a file to search: the same bytes on every machine
//! minhash find FILE               search it; prints one line of JSON
//! ```
//!
//! `find` uses as many threads as `RAYON_NUM_THREADS` says, and all there are by default.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use corpus::Lines;
use whyfirst_audit::{THRESHOLD, near_duplicates};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", path] => make(Path::new(path), 200_000),
        ["make", path, documents] => make(Path::new(path), documents.parse()?),
        ["find", path] => find(Path::new(path)),
        _ => Err("use: minhash make FILE [documents] | minhash find FILE".into()),
    }
}

/// The whole search, from opening the file on.
fn find(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let lines = Lines::open(path, None)?;
    let found = near_duplicates(&[&lines], THRESHOLD)?;
    let seconds = start.elapsed().as_secs_f64();
    let documents = found.rows[0];
    let figures = serde_json::json!({
        "documents": documents,
        "seconds": seconds,
        "documents_per_second": documents as f64 / seconds,
        "threads": rayon::current_num_threads(),
        "threshold": found.threshold,
        "repeated": found.repeats.len(),
        "pairs": found.pairs,
        "estimated_pairs": found.estimated_pairs,
        "compared": found.compared,
        "peak_bytes": peak_bytes(),
    });
    println!("{figures}");
    Ok(())
}

/// The most memory this process has used, where the system tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Documents of about 2 KB of made-up words, as frequent as words are (Zipf), in sentences and paragraphs. Every tenth
/// repeats an earlier one with 0 to 20% of its words changed.
fn make(path: &Path, documents: usize) -> Result<(), Box<dyn Error>> {
    let mut dice = Dice(1);
    let vocabulary = Vocabulary::new(&mut dice);
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let mut earlier: Vec<Vec<u32>> = Vec::new();
    let mut text = String::new();
    for at in 0..documents {
        let mut words: Vec<u32>;
        if at % 10 == 9 {
            words = earlier[dice.below(earlier.len())].clone();
            let changed = words.len() * [0, 1, 2, 4, 8, 20][dice.below(6)] / 100;
            for _ in 0..changed {
                let place = dice.below(words.len());
                words[place] = vocabulary.word(&mut dice);
            }
        } else {
            words = (0..200 + dice.below(300)).map(|_| vocabulary.word(&mut dice)).collect();
            // Enough to copy from, without keeping all of them.
            if at % 5 == 0 {
                earlier.push(words.clone());
            }
        }
        vocabulary.write(&words, &mut text);
        serde_json::to_writer(&mut file, &serde_json::json!({ "text": text }))?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

struct Vocabulary {
    words: Vec<String>,
    /// The sum of the weights up to each word.
    sums: Vec<u64>,
}

impl Vocabulary {
    fn new(dice: &mut Dice) -> Vocabulary {
        const SYLLABLES: [&str; 24] = [
            "ba", "ce", "di", "for", "gra", "hin", "jo", "ka", "len", "mi", "no", "per", "qua", "ri", "sta",
            "ten", "u", "ver", "wo", "xa", "ys", "zen", "tion", "al",
        ];
        let mut sum = 0;
        let (mut words, mut sums) = (Vec::new(), Vec::new());
        for rank in 1..=20_000u64 {
            // Frequent words are short.
            let length = 1 + dice.below(2) + usize::from(rank > 50) + usize::from(rank > 2000);
            words.push((0..length).map(|_| SYLLABLES[dice.below(SYLLABLES.len())]).collect());
            sum += 1_000_000 / (rank + 2);
            sums.push(sum);
        }
        Vocabulary { words, sums }
    }

    fn word(&self, dice: &mut Dice) -> u32 {
        let at = dice.next() % self.sums[self.sums.len() - 1];
        self.sums.partition_point(|sum| *sum <= at) as u32
    }

    /// Sentences of 12 words, paragraphs of 5 sentences: places of words do not depend on the words.
    fn write(&self, words: &[u32], text: &mut String) {
        text.clear();
        for (at, word) in words.iter().enumerate() {
            let word = &self.words[*word as usize];
            match at % 12 {
                0 if at % 60 == 0 && at > 0 => text.push_str("\n\n"),
                0 if at == 0 => {}
                _ => text.push(' '),
            }
            if at % 12 == 0 {
                let mut letters = word.chars();
                let first = letters.next().unwrap_or('a').to_ascii_uppercase();
                let _ = write!(text, "{first}{}", letters.as_str());
            } else {
                text.push_str(word);
            }
            match at % 12 {
                11 => text.push('.'),
                6 => text.push(','),
                _ => {}
            }
        }
        text.push('.');
    }
}
