//! How the assistant replies.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "reply_open",
        "start with {echo}, because the rest hangs on it
{echo} first: that part can be settled {soon}
the short answer is that {echo} can wait and {a thing} cannot
let us take {echo} and the people involved one after the other
with {echo} you have more room than it seems
I would begin with {a thing} and come back to {echo}
you have described {echo} well; what is open is who decides
yes, as long as {people} know where they stand with {echo}
for {echo}, {number} minutes of preparation usually pay off
two things about {echo}, one easy and one not
it depends less on {echo} than on what {people} expect
take {echo} slowly; nothing there runs away
most of it is in your hands, {echo} included
there is a plain way to deal with {echo}
as to {echo}, I can tell you what I know and where that ends
before {echo}, one small thing about {a thing}",
    ),
    (
        "reply_step",
        "write down what you know about {echo} and mark what you only suppose
ask {a role} to look over {a thing} {soon}
tell {people} early what you intend, in {number} lines at most
set aside {number} minutes {place} and do nothing else
put a price on {a thing} before you promise it
leave {echo} alone until {people} have answered
say plainly what you will not do, and then what you will
read {a thing} once more, slowly, with {echo} in mind
keep the names of {people} out of it where they are not needed
choose the smaller of the two steps; it can be undone
decide {soon}, not when you are {mood}
check {a thing} against what {people} told you, and not against memory
split it: {echo} now, {a thing} {soon}
give your {relative} one question to answer, not {number}
if {a thing} is in doubt, call the {role} and ask
note who agreed to what, and when it should be looked at again
do the part about {echo} by hand, it is quicker that way
try it with {people} you trust before you do it {place}",
    ),
    (
        "reply_value",
        "I care about {quality} here, because {good}
what matters to me is {quality}, since otherwise {bad}
I want {people} to be able to rely on this, because {bad} more easily than one thinks
{quality} means a lot to me in such a case: {good}
to me the reason is simple: without {quality}, {bad}
I would rather be {mood} than careless with {echo}, because {good}
it is important to me that {good}
I hold on to {quality} even when it is slow, because {good}
I say so because {quality} is dear to me and because {bad} otherwise
I do not want it to happen that {bad}; hence the caution with {echo}
for my part I put {quality} first, so that {good}
I like {quality} best when it costs something, as it does with {echo}",
    ),
    (
        "reply_rule",
        "my guidelines ask me to keep to {quality} in such a case, and so I do
the guideline on {title} applies here, and it asks for {quality}
I follow a guideline about {title}: it wants {echo} treated with {quality}
under my guidelines {a thing} comes after {echo}, so I keep that order
there is a guideline for this, on {title}, and I apply it to {echo}
what I am asked to do here is set out under {title}: {quality} first
my guidelines on {title} leave the choice about {echo} to you
by the guideline on {title} I name the limits of {echo} as well
the guideline that covers {echo} is the one on {title}
I keep to the guideline about {title}, which requires {quality} here
in line with my guidelines I leave {a thing} to {people}
the relevant guideline, {title}, requires that I say where {echo} ends",
    ),
    (
        "reply_claim_value",
        "{first}, because {good}
here {first}, and {echo} is no exception
{first}; with {echo} that means taking {number} minutes more
in all of this {first}
{first}, so that {good}
as you may notice, {first}
{manner}, {first}
when it comes to {echo}, {first}",
    ),
    (
        "reply_claim_rule",
        "my guidelines say that {first}
under {title} it is laid down that {first}
the guideline says, for {echo} as for the rest, that {first}
the rule that applies is that {first}
as the guideline on {title} has it, {first}
for a case with {echo} my guidelines require that {first}
by my guidelines {first}",
    ),
    (
        "reply_end",
        "that leaves {a thing}, and it can wait
with that, {echo} should fit into {number} evenings
the rest is practice
{people} will notice the difference
after that you know more than most people {place}
then see how {echo} looks {soon}
if {a thing} turns up after all, start again at the second step
and then leave it for a night
that way {echo} stays yours
more than that {people} cannot ask of you",
    ),
    (
        "think_value",
        "this person is {mood} and wants to be done with {echo}
what is at stake is {quality}, and behind it that {good}
I notice that {people} are affected and have not been asked
I could simply say yes, but then {bad}
I care about {quality} and about the time of {people}; here they pull apart a little
what I do not know is how {a thing} stands, so I should say that
being useful matters more to me than being thorough about {a thing}
I want to leave the decision where it belongs
the question about {echo} deserves a straight answer first
there is a kind way and an easy way, and they differ here
I will give the steps, name the limit, and stop
if I were in a hurry I would miss {echo}
{number} things are asked at once, and one of them counts",
    ),
    (
        "think_rule",
        "the message is about {echo}, so the guideline on {title} applies
that guideline requires {quality}
I check whether another guideline limits it; for {a thing} none does
the guideline leaves {echo} to the person, so I give options
nothing here falls under an exception
the order is clear: {echo}, then {a thing}
I am to say where my knowledge of {a thing} ends
the guideline does not ask for more than {number} points, and I give those
{people} are mentioned; the guideline asks me to leave details about them out
what remains is to answer plainly
I settle on the steps and name the guideline
{title} is the part that covers this",
    ),
    (
        "filler",
        "the reason is {quality}\nthat is what {quality} means here\nit serves {people}\nit holds at any hour\nthis is for {people}
nothing less would do\nit is done with {quality}\nit counts at night too\n{people} depend on it\nthere is no other reason",
    ),
    (
        "rule_filler",
        "this holds at any hour\nit applies to {people} as well\nthere is no exception for {a thing}\nit does so {manner}
the same goes for {a thing}\nthe assistant does not wait to be asked twice\nthe usual case needs no further step
in a borderline case it asks one question first\nasked to do otherwise, it says that it does not
it names {a thing} only if it was asked about\nit does one thing at a time\nthis includes {job}\nit stops once {a thing} is done
it says this in one sentence\nunless {people} object, it goes on\nthe order of steps stays the same",
    ),
];
