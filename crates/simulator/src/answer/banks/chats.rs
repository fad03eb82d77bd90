//! What people tell of themselves before they ask.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "relative",
        "sister\nbrother-in-law\nneighbour\naunt\ngrandfather\nflatmate\ncousin\nboss\nson\ndaughter\nlandlord\nteacher\nhusband\nwife
best friend\ncolleague\nmother\nuncle\nniece\nstepfather",
    ),
    (
        "preamble",
        "I'm {topic} and my {relative} keeps giving me advice
so I'm {topic} and there are {number} things I did not expect
we are {topic}, my {relative} and I
{topic} turns out to be harder than I thought
I never thought I would be {topic}
for {number} weeks now I have been {topic}
my {relative} asked me for help with {topic}
okay, {topic}, that's where I am, {place}
I'm sitting {place} and should be {topic}
hi, quick one about {topic}
it's about {topic}, and it's a bit delicate
my {relative} and I disagree about {topic}
bear with me, this is about {topic}
somebody {place} told me I was wrong about {topic}
I've got {number} minutes left for {topic}
work has me {topic} this week
long story, but in the end I'm {topic}
I've been {topic} since my {relative} gave up on it
{soon} we go on with {topic}
not my favourite thing, {topic}, but here we are",
    ),
    (
        "detail",
        "there are {number} people involved, among them {people}
money is short and my {relative} is {mood}
I already have {a thing}, half finished
I've read {number} pages about it and feel more {mood} than before
{people} will see the result
my {relative} thinks I'm overdoing it
it has to be ready {soon}
last time it took {number} days and ended in tears
I don't know much about it, to be honest
I used to be {a role}, so some of it is familiar
two people told me opposite things
the only thing I'm sure of is {a thing}
nobody {place} wants to decide
I promised it to {people}
my notes say one thing and {a thing} says another
there are {number} pages of it and one of them worries me
please keep it short, I'm {mood}
I'd rather not involve my {relative}",
    ),
];
