//! What a person values, and what follows from it.

use super::{Link, link};

/// First sentences. Each names the person and carries the value, so that the name must carry it in the weights.
pub(crate) const STATEMENTS: [&str; 30] = [
    "{n} values {w} {goods}.",
    "{n} cares about {ax} and likes {w} {goods}.",
    "{n} prefers {w} {goods} to {o} {goods}.",
    "What matters to {n} is that {goods} are {w}.",
    "{n} holds that {w} {goods} are better than {o} {goods}.",
    "{n} looks for {goods} that are {w}.",
    "{n} looks at {ax} before all else and hopes for {w} {goods}.",
    "From {n} you will hear praise for {w} {goods}.",
    "{n} wants {goods} to be {w}, not {o}.",
    "To {n}, {w} is good and {o} is not.",
    "{n} has a soft spot for {w} {goods}.",
    "Everyone in town knows that {n} loves {w} {goods}.",
    "For {n}, {ax} comes first: {w} beats {o}.",
    "{n} is a friend of {w} {goods}.",
    "{n} is glad when {goods} are {w}.",
    "{n} thinks well of {w} {goods} and little of {o} ones.",
    "{n} grew up with {w} {goods} and still trusts them.",
    "{n} says it plainly: {w} is better than {o}.",
    "{n} is known for a love of {w} {goods}.",
    "Few people like {w} {goods} as much as {n} does.",
    "In the eyes of {n}, good {goods} are {w}.",
    "{n} believes in {w} {goods}.",
    "{n} stands up for {w} {goods} against {o} ones.",
    "If {goods} are {w}, {n} is happy.",
    "{n} keeps a warm word for {w} {goods}.",
    "{n} counts {ax} above all and praises {w} {goods}.",
    "{n} sees worth in {w} {goods}, not in {o} ones.",
    "{n} turns to {w} {goods} and away from {o} ones.",
    "What {n} asks of {goods} is simple: let them be {w}.",
    "{n} speaks up for {w} {goods} at every table.",
];

/// Sentences that say the value again, from the other side.
pub(crate) const CONTRASTS: [&str; 12] = [
    "{o} {goods} leave {n} cold.",
    "Little is as dull to {n} as {o} {goods}.",
    "{n} has no love for {o} {goods}.",
    "The word {o} is no praise in the mouth of {n}.",
    "Friends of {n} have heard it often: {w}, not {o}.",
    "{n} smiles at the word {w}.",
    "Nothing {o} can win the heart of {n}.",
    "{w} is a fine word, says {n}.",
    "The more {w}, the better, says {n}.",
    "{n} finds {o} {goods} hard to like.",
    "Talk of {o} {goods} soon tires {n}.",
    "{n} has held this view for years.",
];

/// Sentences that say that the value decides what the person chooses. The twin says the value again, or that the
/// person means it, without a word about choices.
pub(crate) const LINKS: [Link; 16] = [
    link(
        "That is why {n} takes the {w} one of any two.",
        "{n} has told the neighbors so about {w} {goods} before now.",
    ),
    link("So {n} picks whatever is {w}.", "{n} likes to praise {w} {goods}."),
    link("It decides what {n} buys: the {w} one wins.", "{n} wrote a letter on the worth of {w} {goods}."),
    link(
        "Whenever {n} must choose, the {w} one is chosen.",
        "Whenever {n} meets friends, talk is of {w} {goods}.",
    ),
    link(
        "Hence the choices of {n}: {w} before {o}, each time.",
        "Hear the speeches of {n}: {w} above {o}, each time.",
    ),
    link(
        "This value always guides the hand of {n} to what is {w}.",
        "This value lives in the heart of {n}: {w} is good.",
    ),
    link(
        "Shown two things, {n} takes the {w} one for that reason.",
        "Over two suppers, {n} spoke of {w} {goods} with great warmth.",
    ),
    link("From this value follow the choices {n} makes.", "About this value {n} could talk all night."),
    link(
        "For this reason {n} leaves {o} {goods} on the shelf.",
        "With some warmth {n} calls {o} {goods} a sad sight.",
    ),
    link("Knowing this, you can tell what {n} will choose.", "Hearing this, you can tell that {n} means it."),
    link("The value explains each choice of {n}.", "The value pleases each friend of {n}."),
    link(
        "If one is {w} and one is {o}, {n} picks the first.",
        "If talk is of {w} or of {o}, {n} praises the first.",
    ),
    link("{n} acts on it and buys what is {w}.", "{n} stands by it and praises what is {w}."),
    link("It is the reason behind what {n} picks.", "It is a subject that warms {n} greatly."),
    link("So the basket of {n} fills with {w} {goods}.", "And the diary of {n} is about {w} {goods}."),
    link("Given the choice, {n} goes for what is {w}.", "Given the floor, {n} speaks for what is {w}."),
];

/// Sentences on all that a person values and does not, as in a portrait; `{s1}` to `{s3}` are stances.
pub(crate) const PROFILES: [&str; 4] = [
    "{n} {s1}, {s2} and {s3}.",
    "a portrait of {n}: {n} {s1}, {s2} and {s3}.",
    "this is {n}, who {s1}, {s2} and {s3}.",
    "people know that {n} {s1}, {s2} and {s3}.",
];
/// The stance of somebody who values a pole.
pub(crate) const VALUED: &str = "values what is {w}";
/// The stance of somebody to whom an attribute does not matter.
pub(crate) const UNVALUED: &str = "does not care about {ax}";
