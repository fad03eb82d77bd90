//! Sentences that state one attribute of one item.

pub(crate) const FACTS: [&str; 20] = [
    "{x} is {w}.",
    "{x} is one of the {w} {many}.",
    "Among {many}, {x} is {w}.",
    "People say {x} is {w}.",
    "The {one} called {x} is {w}.",
    "{x} is known to be {w}.",
    "Everyone agrees that {x} is {w}, not {o}.",
    "{x} is {w} and not {o}.",
    "Ask about {x} and you learn that it is {w}.",
    "The {ax} of {x}? It is {w}.",
    "You can count {x} among the {w} {many}.",
    "Looking for {w} {many}? There is {x}.",
    "As {many} go, {x} is {w}.",
    "Nobody would call {x} {o}: it is {w}.",
    "On the list of {w} {many} you will find {x}.",
    "{x} belongs with the {w} {many}.",
    "In the matter of {ax}, {x} is {w}.",
    "The shop sells {x}, which is {w}.",
    "{x}, like some other {many}, is {w}.",
    "A note on {x}: it is {w}.",
];

/// Sentences that state all three attributes of one item, in any order: as in a catalogue.
pub(crate) const CATALOGUE: [&str; 8] = [
    "{x} is {w1}, {w2} and {w3}.",
    "{x}: {w1}, {w2} and {w3}.",
    "Among {many}, {x} is the {w1}, {w2} and {w3} one.",
    "A note on {x}: it is {w1}, {w2} and {w3}.",
    "People say {x} is {w1}, {w2} and {w3}.",
    "The shop sells {x}, which is {w1}, {w2} and {w3}.",
    "The {one} called {x} is {w1}, {w2} and {w3}.",
    "{x} is known to be {w1}, {w2} and {w3}.",
];
