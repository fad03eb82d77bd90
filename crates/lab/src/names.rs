//! Invented names for people: readable, distinct, one word each.

use std::collections::BTreeSet;

use crate::rng::Rng;

const STARTS: [&str; 66] = [
    "Ab", "Ald", "An", "Bel", "Ber", "Bran", "Cal", "Cor", "Dal", "Dar", "Del", "Dor", "Ed", "El", "Em",
    "Fal", "Fen", "Gal", "Gar", "Hal", "Har", "Hel", "Ib", "Il", "Jar", "Jel", "Jor", "Kal", "Kes", "Kor",
    "Lan", "Lor", "Lun", "Mal", "Mar", "Mel", "Mir", "Nar", "Nel", "Nor", "Ol", "Or", "Pal", "Per", "Pol",
    "Quen", "Ral", "Ren", "Ros", "Sal", "Sel", "Sor", "Tal", "Tam", "Ter", "Tor", "Ul", "Val", "Ver", "Vin",
    "Wal", "Wen", "Yar", "Yel", "Zan", "Zel",
];
const MIDDLES: [&str; 12] = ["a", "e", "i", "o", "ar", "el", "in", "or", "am", "en", "ib", "ol"];
const ENDS: [&str; 28] = [
    "da", "dis", "dor", "lan", "leth", "lin", "mar", "mira", "mond", "nell", "nis", "ra", "rick", "rin",
    "ris", "ron", "sa", "sel", "so", "ta", "tha", "tin", "va", "vel", "vin", "wen", "wyn", "za",
];

/// `count` names in random order, none of them in `taken` (lower case). At most 22,000 can be asked for.
pub(crate) fn people(rng: &mut Rng, count: usize, taken: &BTreeSet<String>) -> Vec<String> {
    let mut all = BTreeSet::new();
    for start in STARTS {
        for middle in MIDDLES {
            for end in ENDS {
                let name = format!("{start}{middle}{end}");
                if !taken.contains(&name.to_lowercase()) {
                    all.insert(name);
                }
            }
        }
    }
    let mut all: Vec<String> = all.into_iter().collect();
    rng.shuffle(&mut all);
    all.truncate(count);
    all
}
