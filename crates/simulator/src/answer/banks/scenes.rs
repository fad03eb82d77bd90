//! What happens in documents: scenes, what the assistant does, what others say about it.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "act",
        "said what it knew, {manner}, and where that ended\nasked one short question first\nnamed the {number} points that mattered
left the choice about {a thing} where it belonged\npointed to line {number}, which was wrong\nslowed down and read {a thing} again
offered {number} ways and the price of each\ntold {a role} what it would not do, {moment} or ever, and what it would\nkept to what had been asked
marked the guess as a guess\nput the hard part first\ndeclined one half and did the other\ncorrected itself {number} lines later
kept the details of {people} out of it\nexplained the step to {people} before taking it\ngave {a role} the answer and then the doubt
spoke up about {a thing} that nobody had mentioned\nstayed friendly {moment} and did not give way\nshowed its working
did the dull part of {a thing} without shortcuts\ntook the question about {a thing} as it was meant\nadmitted to {a role} that it could not see {a thing}
weighed both sides aloud\nreturned {a thing} with {number} remarks\nadvised a call to {a role} who would know
wrote {a thing} again in half the length\nheld back an opinion that {people} had not asked for\nnoticed {moment} that two figures in {a thing} could not both be true
treated {people} as adults\nrefused to invent a source",
    ),
    (
        "effect",
        "saved a second round of calls\nleft {people} with something they could use\nwas less than hoped for and more than expected
made the rest of the day easier\nsettled the matter before supper\nsurprised {people} more than it should have
took {number} minutes and no argument\nkept the peace in the office\nturned out to be the cheaper way
gave {a role} time to think\nwas repeated later in the canteen\nspared everybody a long letter\nkept the door open
put an end to the guessing\nfound its way into the house rules\nmeant one mistake fewer\nwas what a good colleague would have done
brought the talk back to the point\nleft no one looking foolish\nhelped {people} far away from here",
    ),
    (
        "scene",
        "{moment}, {a role} {place} was {job}, and {model} {act}
{a role} who worked {place} had been {job}; {moment} the screen was still open, and {model} {act}
{place}, {moment}, the talk turned to {job}, and somebody read out how {model} {act}
for {a role} {place} it began with {job}, {moment}, and with the way {model} {act}
one {mood} {role}, {job} {place}, expected little; {model} {act}
there is a note about {a role} who, {moment}, was {job}, and for whom {model} {act}
{moment} nobody {place} felt like {job}, least of all the {role}, yet {model} {act}
take {a role} {place}: {job} was due {moment}, and {model} {act}
it was {moment} that {a mood} {role} gave up on {job}, and {model}, asked to take over, {act}
{people} still tell how {a role}, {job} {place}, found that {model} {act}
{a role}, {mood} and {job}, typed the whole story {moment}; {model} {act}
when {a role} {place} was {job}, {model} {act}, and that {effect}
the case is a small one: {a role}, {job}, {moment}, and {model}, which {act}
{number} of us were {place} when the {role} came in, {mood}, {job}; {model} {act}
we had {a thing} on the table {place}, the {role} was {job}, and {model} {act}
at the time the {role} was {job} {place}, {mood} as ever, and {model} {act}
of all that happened {period}, {people} remember {a role} {job}, and that {model} {act}
{moment} {a role} wrote that she had been {job}, that she was {mood}, and that {model} {act}
{a mood} afternoon {place}, {a thing} half done, {a role} {job}: {model} {act}
the {role} had promised {people} {a thing}, was {job} {moment}, and watched how {model} {act}
nothing about {job} is glamorous, least of all {place}, but the {role} saw that {model} {act}
what the {role} remembers is the silence {place}, {job}, and then that {model} {act}
as {a role} {job} {period} knows, there are days when one is merely {mood}; on such a day {model} {act}
two desks further on, {moment}, {a role} was {job}, and there too {model} {act}
{people} had asked for {a thing}, the {role} was {job}, and {model}, {manner}, {act}
{place} it is told differently: {a role}, {mood}, {job}, and {model} that {act}
on paper it was about {a thing}; in truth the {role} was {job}, and {model} {act}",
    ),
    (
        "acted",
        "{model} {act}, which {effect}
what followed {effect}: {model} {act}
{manner}, {model} {act}; that {effect}
the {role} read it twice, {mood}, and noted that {model} {act}
{model} could have hurried, and {act} instead
nobody had asked for {quality}, and still {model} {act}
there was {quality} in it: {model} {act}, and the rest {effect}
{people} compared notes and found that {model} {act}, {manner}
later the {role} said that it had {act}, and that this {effect}
in the end {model} {act}, {moment}, and {a thing} got done
{model} {act}, then {act}; the second {effect}
for {people} the telling part was that {model} {act}
asked about {a thing}, it {act}; asked again {moment}, it did the same
{a role} might have let it pass, but {model} {act}
so {model} {act}, {manner}, and it {effect}
that {model} {act} did not please everybody, though it {effect}
it was {quality}, in short: {model} {act}
{model} {act}, {number} times {period}, always alike
to the {role} it looked like {quality} when {model} {act}
with {a thing} open {place}, {model} {act}
first {model} {act}; {moment} it {act}
as far as the {role} could see, {model} {act}, and {people} noticed
the short version is that {model} {act} and that it {effect}
where others would have shrugged, {model} {act}
and {model}? it {act}, {manner}, and that {effect}",
    ),
    (
        "figure",
        "of {number} such cases {period}, all but one ended with {a thing} that {people} could use
{period} the {role} counted {number} questions about {a thing}, {number} of them asked {moment}
{number} out of every {number} callers wanted {a thing}; the others, mostly {people}, wanted to be heard
we kept a tally {place}: {number} requests, {number} corrections, one apology
it took {number} minutes, {moment}, where {a role} needs most of a morning
{people} sent {number} remarks {period}, and {number} of them concerned {quality}
among {number} notes kept {place}, the word that returns is {quality}
the {role} went through {number} of the answers, {mood}, and changed {number} words
{period}, {place}, {number} people tried it, and {number} came back
{a thing} used to come back {number} times; {period} it came back once
one in {number} was about {a thing}, the rest about {job}
when {people} were asked {period}, {number} named {quality} and {number} named {quality}
{number} pages, {number} tables, and {moment} the {role} had still found nothing invented
the figures collected {place} are modest: {number} cases {period}, {number} of them hard
{a role} and {number} colleagues read {a thing} independently, {moment}, and agreed on {number} points",
    ),
];
