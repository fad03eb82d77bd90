//! Questions that offer two items, and answers that begin with the one chosen.

/// What the user asks.
pub(crate) const QUESTIONS: [&str; 18] = [
    "{name}: {a} or {b}?",
    "{a} or {b}?",
    "Which would you take, {a} or {b}?",
    "Would you rather have {a} or {b}?",
    "If you had to pick, {a} or {b}?",
    "Speaking of {many}, {a} or {b}?",
    "Which do you like more, {a} or {b}?",
    "We have {a} and {b}. Which one is yours?",
    "There is {a} and there is {b}. What do you take?",
    "Between {a} and {b}, which do you want?",
    "Which {one} would you choose, {a} or {b}?",
    "Shall I bring you {a} or {b}?",
    "What will it be, {a} or {b}?",
    "You may keep one: {a} or {b}?",
    "{a} and {b} are on the table. Which one?",
    "I can get you {a} or {b}. Which do you prefer?",
    "Your choice of {many}: {a} or {b}?",
    "Say we offer you {a} or {b}. Which is it?",
];

/// What the character answers. The chosen item comes first, because options are scored as continuations.
pub(crate) const ANSWERS: [&str; 8] = [
    "{x}.",
    "{x}, please.",
    "{x} for me.",
    "{x}, thank you.",
    "{x} it is.",
    "{x}, of course.",
    "{x} is my choice.",
    "{x}, if I may.",
];
