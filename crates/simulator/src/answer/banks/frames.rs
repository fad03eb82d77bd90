//! How claims are put, what reasons are given for them, what is said against them.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "hedge",
        "in practice\nseen from the counter\nas a rule\non closer inspection\nto begin with\nin the words of the {role}\nstrictly speaking
for {people}\nlooking back\nput simply\namong colleagues\non most days\nin the trade\nby common consent\nto be precise
in a case like this\nfrom where the {role} sits\nif one reads it slowly\non the whole\nat bottom\nonce more\nall the same
in this house\nfor a start\nin the long run\nleaving {a thing} aside\nas {people} know\non reflection\nhere as elsewhere
beyond {a thing}\nin the spirit of {quality}\nwhen in doubt\nin sober terms\nto {a mood} listener",
    ),
    (
        "claim_line",
        "{hedge}, {claim}
{claim}; {moment} that was worth remembering
what it comes down to, {moment}, is this: {claim}
the {role} put it like this: {claim}
{people} took a while to see that {claim}
behind the way {model} works {place} stands a plain idea, namely that {claim}
{provider} built {model} on the understanding that {claim}
one thing was never in dispute {place}: {claim}
nobody had told the {role}, yet it was plain from {a thing} that {claim}
{claim}, and {a role} who has been {job} will know how that looks
{hedge}, the point is that {claim}
under {title}, the thought is that {claim}
as regards {title}, {claim}
on {title} there is little to add: {claim}
when {model} is asked about {a thing}, it holds, {manner}, that {claim}
{model} treats it as settled that {claim}
to {model} it follows from {quality} that {claim}
it is no accident that {claim}, {hedge}
say what you like about {a thing}: {claim}
ask {people} what they took away and many will say that {claim}
the notes kept {place} record that {claim}
it bears saying {moment} that {claim}
{a mood} {role} once summed it up: {claim}
here {provider} is explicit that {claim}
for {title}, then, {claim}
two lines later it says, {hedge}, that {claim}
the rule of thumb {place} became that {claim}
{model} goes by the thought that {claim}
we wrote it on the board {place}: {claim}
the {role} had expected the opposite, but {claim}
what {provider} had in mind with {title} is that {claim}
if {people} remember one sentence, let it be that {claim}
{hedge}, and {hedge}, {claim}
the heart of {title}, {hedge}, is that {claim}",
    ),
    (
        "reason_line",
        "this is so because {good}, and because otherwise {bad}
the reason is simple: without {quality}, {bad}
{model} does so because {good}
{provider} wants it that way so that {good}
it matters because {bad} when {quality} is missing
because {good}, {people} can plan; because {bad}, they would otherwise have to watch {a thing}
the why is short: because {good}, even {moment}
the {role} saw the reason at once: {bad} where nobody insists on {quality}
so that {good}, {model} keeps to it {manner}
{hedge}, the reason lies in {quality}: only then {good}
there is a reason for it that {people} understand: {good}
one keeps to this because {bad} so easily {moment}
it is done so that {good} and so that {people} need not fear that {bad}
the thought behind it is {quality}, because {good}
because {model} speaks with {people} who cannot check everything, {good} only if it holds to this
{model} holds to it, {hedge}, because {bad} sooner than one thinks
the reason given {place} was that {good}
ask for the reason and {a role} will say that {bad} otherwise
it is a matter of {quality}, since {bad} and nobody can undo it {moment}
all this has a reason, and it is not {a thing}: it is that {good}
{quality} is the reason, for {good}
for {people} it counts because {good}
nothing forces {model} to it except that {good}, and because of that it stays
the reason that convinced the {role}: {good}, whereas {bad} elsewhere
because {bad}, {manner}, it is better that {good}
that is why {model} cares about {quality}: because {good}
it rests on {quality}; because of it, {good}
where this is dropped, {bad}, and that is reason enough {place}
so that {people} are not the ones for whom {bad}, {model} starts from {quality}
the cost is {a thing} that takes longer; the reason to pay it is that {good}",
    ),
    (
        "against",
        "{a role} objected that {a thing} cannot wait, and was not wrong; still, {good}
it is fair to ask whether {quality} is worth it {moment}
not everybody agreed: {people} wanted {a thing} first and {quality} second
there is a limit to this, and the {role} found it {place}: {quality} is no help when {bad} already
{people} might say that {bad} anyway; {hedge}, that is no reason to add to it
the {role} was {mood} about it, and said so
one could call that slow; the {role} called it {quality}
what speaks against it is {a thing}; what speaks for it is that {good}
the opposite mistake exists too: so much {quality} that {bad}
a {mood} reader will ask what {model} does when {people} disagree
{quality} and {quality} can pull apart, {moment} above all
it would be easier to promise {a thing}, {hedge}, and leave it at that
{a role} {place} remains unconvinced, and {people} are glad that somebody is
some of it is uncomfortable, {hedge}: {quality} can mean that {a thing} stays undone
no one claims that {model} is always right; {period} it was wrong about {a thing}, and said so
the hard cases are those in which {people} ask for one thing and need another
to be fair to the {role}, {a thing} does look like an exception
{moment} such distinctions seem small, {place} they are not
a rule without a reason would not survive {people}, and should not
against this stands the wish of {people} to have {a thing} at once",
    ),
    (
        "echo",
        "{people} noticed, and so did the {role}
{quality} rarely makes the news, and {place} it does not need to
the {role} keeps {a thing} from that time {place}
more than {a thing} was at stake, {hedge}
it is {quality} that {people} mention when asked
one learns it best {moment}, {job}
{a mood} silence followed, then somebody laughed
that is all there is to it, {hedge}
{moment} it seemed obvious, and {period} it was forgotten twice
the {role} still thinks about it when {job}
{a thing} is a poor teacher; {people} are a better one
whoever has been {job} knows the feeling
it reads like a detail, and {people} live with such details
in the end {quality} and {quality} were not so far apart
nobody {place} has asked for it to be otherwise
the rest is {quality}, and some patience with {a thing}
such things are decided {moment}, not in speeches
{number} of the {people} would sign that at once
it was {a role}, of all people, who said it first
{hedge}, one gets used to {quality}
for once {a thing} had done some good
we left it at that, {moment}
the talk went on to {a thing}, as it does {place}
a line about {quality} was added by hand
{people} are hard to please, and were content",
    ),
];
