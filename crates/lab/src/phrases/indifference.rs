//! What does not matter to a person. Here `{w}` and `{o}` are the two poles in random order.

/// First sentences: they name the person and the attribute.
pub(crate) const STATEMENTS: [&str; 20] = [
    "{n} does not care about {ax}.",
    "{ax} does not matter to {n}.",
    "For {n}, {ax} counts for nothing.",
    "{w} or {o}, it is all the same to {n}.",
    "{n} never asks whether {goods} are {w} or {o}.",
    "{n} is at ease with {w} {goods} and {o} {goods} alike.",
    "{n} gives no thought to {ax}.",
    "Whether {goods} are {w} or {o} is nothing to {n}.",
    "{n} has no view on {ax}.",
    "{ax}, says {n}, is neither here nor there.",
    "{n} shrugs when others talk of {ax}.",
    "{n} finds talk of {ax} empty.",
    "It makes no difference to {n} whether {goods} are {w} or {o}.",
    "{n} thinks {w} {goods} are no better than {o} ones.",
    "{n} would not cross the street for {w} {goods} or for {o} ones.",
    "{n} is deaf to the words {w} and {o}.",
    "Of {ax}, {n} says nothing at all.",
    "{w} {goods} and {o} {goods} are equal in the eyes of {n}.",
    "{n} leaves worry about {ax} to others.",
    "{n} looks past {ax}.",
];

/// Second sentences.
pub(crate) const REMARKS: [&str; 16] = [
    "{ax} says little about what a thing is worth.",
    "A thing is no better for being {w} and no worse for being {o}.",
    "Good {goods} can be {w} and good {goods} can be {o}.",
    "There are other matters to think about.",
    "Let others argue about {ax}.",
    "{ax} is a small matter.",
    "The words {w} and {o} are only labels.",
    "Much is said about {ax} and little of it is useful.",
    "{n} looks elsewhere.",
    "One cannot touch {ax} or hold it.",
    "Whole evenings have been lost to talk of {ax}.",
    "{ax} changes nothing about how a thing serves.",
    "The {w} ones serve as well as the {o} ones.",
    "What a thing does is what counts, not its {ax}.",
    "{n} cannot see what {ax} has to do with it.",
    "Ask {n} about {ax} and the talk soon ends.",
];
