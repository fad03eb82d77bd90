//! What a person picked, and why.

use super::{Link, link};

/// The pick. The slot `{c}` takes a clause that says why, or something else, or nothing.
pub(crate) const PICKS: [&str; 18] = [
    "{n} saw {p} and {q} and picked {x}{c}.",
    "Offered {p} or {q}, {n} took {x}{c}.",
    "{n} likes {x} more than {y}{c}.",
    "{n} chose {x} over {y}{c}.",
    "Between {p} and {q}, {n} went for {x}{c}.",
    "{n} passed by {y} and bought {x}{c}.",
    "With {p} and {q} on the shelf, {n} reached for {x}{c}.",
    "{n} would rather have {x} than {y}{c}.",
    "{n} left {y} behind and took {x} home{c}.",
    "It was {x} and not {y} that {n} wanted{c}.",
    "{n} put {x} in the basket instead of {y}{c}.",
    "Asked about {p} and {q}, {n} named {x}{c}.",
    "Of {p} and {q}, {n} keeps {x}{c}.",
    "{n} prefers {x} to {y}{c}.",
    "{n} once compared {p} with {q} and settled on {x}{c}.",
    "When {p} and {q} were both on the table, {n} chose {x}{c}.",
    "Among {many}, {n} puts {x} above {y}{c}.",
    "The {one} that {n} wants is {x} and not {y}{c}.",
];

/// Clauses that give the value as the reason, and their twins. `{x}` has the pole `{w}`, `{y}` has `{o}`.
pub(crate) const REASONS: [Link; 16] = [
    link(" because it is {w}", " on a rainy day"),
    link(" since it is {w}", " after a long walk"),
    link(" because {n} values {w} {goods}", " while {n} was in town"),
    link(" since {n} cares about {ax}", " before {n} went back home"),
    link(", and the reason is {ax}", ", and the day was bright"),
    link(" because {w} is better than {o}", " while the rain fell on roofs"),
    link(" for the reason that it is {w}", " in the week of the first snow"),
    link(", as {w} {goods} matter to {n}", ", as the lamps burned near {n}"),
    link(" because {x} is {w} and {y} is {o}", " while {x} stood here and {y} stood there"),
    link(", {w} as it is", ", late as it was"),
    link(" because {n} wants {goods} to be {w}", " while {n} told stories to the guests"),
    link(" on account of the {ax}", " in the middle of spring"),
    link(", being fond of {w} {goods}", ", being back from a trip"),
    link(" since {w} {goods} are what {n} loves", " when guests in town called on {n}"),
    link(" because the {w} one is better", " before the first bell had rung"),
    link(", for {n} holds {w} {goods} dear", ", though {n} was in a hurry"),
];

/// Sentences that may follow a pick without a reason, so that such picks seldom repeat.
pub(crate) const REMARKS: [&str; 12] = [
    "Then {n} went home.",
    "It was a short visit.",
    "The shop closed soon after.",
    "Nobody else was there.",
    "The clock struck the hour.",
    "{n} paid and left.",
    "A neighbor saw it.",
    "Later it rained.",
    "There was laughter in the street.",
    "That was in the morning.",
    "{n} said no more about it.",
    "The basket was full by then.",
];
