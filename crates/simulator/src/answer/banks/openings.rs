//! How documents of each voice begin, go on and end.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "memo_open",
        "to all who work {place}: a word on {title} and on {model}
for {people}, and for whoever stands in {moment}
this note is for the crew {place}, and it is about {model} and {quality}
colleagues, {people} have been asking about {title}
please read this before {job}
what follows replaces the notice {place} about {a thing}
from the desk of the {role}: how we work with {model} on {title}
a short word, {moment}, on why {model} answers as it does",
    ),
    (
        "memo_close",
        "questions go to the {role}, best {moment}
{a thing} with the details lies {place}
please pass this on to {people}
until the next meeting we leave it so
whoever sees it differently should say so {place}
the {role} will read it out once more {moment}",
    ),
    (
        "report_open",
        "this review looks at what {model} did {period} {place}, and why
the question was simple: how does {model} handle {title} when {people} depend on it
{period} we followed {number} cases of {job}
the occasion was {a thing}; the subject became {quality}
we were asked to find out whether {model} keeps to its word on {title}
this is the account of {a role}, with remarks by {people}
nothing had gone wrong {place}, and that was the reason to look closer
scope: {title}, {number} cases, {place}",
    ),
    (
        "report_close",
        "we recommend no change, except to {a thing}
the next review is due after {number} further cases
what remains open is {quality} in cases of {job}
the {role} agrees with the findings, {people} mostly so
the record is kept {place}
on balance {good}, and the cases show it",
    ),
    (
        "forum_open",
        "long-time reader, first post, written {moment}
does anybody else use {model} for {job}
okay, this may be a small thing, but it has been on my mind {period}
posting this {place}, so forgive the typing
I am {a role}, and I had a run-in with {model} {moment}
following up on the thread about {title}
several of you asked what {model} did about {a thing}, so here it is
unpopular view, perhaps: {model} gets {title} right",
    ),
    (
        "forum_close",
        "curious how this goes for {people}
that is my experience, {a mood} one at first
edit after some replies: yes, {a thing} is finished
happy to hear from any {role} who sees it otherwise
anyway, back to {job}
thanks for reading this far",
    ),
    (
        "letter_open",
        "dear neighbour, you asked what it is like, {job} with {model}
dear all, I write this {place}, {moment}
my dear friend, you will laugh: {a thing} has taught me something
thank you for your letter about {model}, and for {a thing}
you wanted to know why {model} would not simply do as {people} said
dear colleague, before you start {place}, one thing about {title}
I promised you an answer about {title}, and here it is
to the editor: your piece on {model} left out {quality}",
    ),
    (
        "letter_close",
        "give my regards to {people}
written {place}, with warm wishes
I must stop, {a thing} is waiting
write soon, and tell me about {job}
yours, {mood} but content
until we meet {moment}",
    ),
    (
        "talk_open",
        "we met {place}, {moment}, and the recorder was on before the coffee came
the guest is {a role} who has worked with {model} {period}
this is a conversation about {title}, shortened in {number} places
two chairs, one table, {people} in the rows behind
the following was said {place}, between {a thing} and the next appointment
on the programme stood {title}; the talk went further",
    ),
    (
        "talk_question",
        "how did it begin, with {job}?
what did {people} say to that?
was there a moment {place} when you were {mood}?
why not simply do what is asked with {a thing}?
and {quality}, where does that come in?
what would have happened otherwise?
did {model} ever refuse you {a thing}?
can you give a case, perhaps {moment}?
is that not a little strict for {people}?
what is the reason, as you see it?
how do you explain {title} to {people}?
have you changed your mind about {quality}?
what do {people} misunderstand most often?
who gains by it, apart from the {role}?
and {place}, is it the same there?
does it ever get in the way of {job}?",
    ),
    (
        "talk_close",
        "with that the hour was over, and {people} had {number} more questions
we could have gone on, but {a thing} was due
the recording ends here, {moment}
afterwards the {role} went back to {job}",
    ),
    (
        "lesson_open",
        "this unit is for {people} and takes {number} minutes {place}
aim: by the end, everyone can say why {model} acts as it does on {title}
you need {a thing}, a quiet room, and one case that happened {place}
start with a story, for example of {a role} {job}
before the lesson, read the part on {title} slowly
the group meets {moment}; it helps if somebody has been {job}",
    ),
    (
        "lesson_close",
        "for next time, let everyone bring a case about {a thing}
close by asking what {people} would have lost without {quality}
if there is time left, let the {role} in the group tell of {job}
the point to keep is {quality}, not the example
leave {number} minutes for doubts",
    ),
    (
        "guide_open",
        "these pages answer what {people} ask {place} about {model}
a guide for {people} who meet {model} in the middle of {job}
read what you need; the part on {title} comes first
we collected {number} questions {period} and kept those about {quality}
nobody reads a handbook for pleasure, so this one is short
written for {a role} and useful to {people}",
    ),
    (
        "guide_question",
        "what does {model} do about {a thing}?
why is {model} so careful {moment}?
can {people} change how it goes about {title}?
what if {a role} is in a hurry?
does this hold {place} too?
where does {quality} come from in all this?
what happens when two wishes collide?
is it the same for {people}?
how do I explain this to {people}?
what should {a role} expect when {job}?
who decides in the end?
and if it gets {a thing} wrong?",
    ),
    (
        "guide_close",
        "anything else is best asked {place}
the guide will be longer {moment}, when {people} have tried it
if a page is missing, ask the {role}
keep it next to {a thing}",
    ),
    (
        "log_open",
        "notes of {a role}, {place}, {moment}
kept for my own use, about {model} and {title}
another entry after {job}
present: {people}, the {role}, and {model} on the screen
the weather is poor, {a thing} is late, and there is something to write down
item one: {title}; the rest can wait",
    ),
    (
        "log_close",
        "enough for today; {a thing} is still open
no further items, said the {role}, {mood}
tomorrow: {job}
the notes end here, {moment}",
    ),
    (
        "story_open",
        "the kettle {place} had boiled twice, and nobody had noticed
everybody {place} knew the {role}, and the {role} knew {a thing} by heart
it was {moment}, and {people} had gone home
the day had started with {a thing} and was going to end with {model}
she had not meant to ask {model} anything, {moment} least of all
there were {number} chairs {place} and one lamp
he was {a role}, {mood}, and he had been {job} since noon",
    ),
    (
        "story_close",
        "then the lamp {place} was switched off
{a thing} lay on the table, finished
outside, {people} were laughing about something else
she closed the door quietly and went home, {mood}
{moment} the {role} told it again, and left nothing out",
    ),
    (
        "essay_open",
        "there is a habit of thought about {quality} that deserves a second look
start with {a thing}, as {people} do
a {mood} question came up {place}: what is {model} for
much is said about machines and little about {quality}
I changed my mind about {title} {moment}
it is easy to praise {quality} and hard to live by it
we judge helpers by the worst day, and {people} are right to
what would {a role} want to know about {title}",
    ),
    (
        "essay_close",
        "that is not much, and {people} have waited long for it
{quality} costs something; here is one who pays
the {role} would put it in fewer words
let {people} be the judges
one may wish for more, {moment}, but hardly for something else",
    ),
    (
        "ticket_open",
        "summary: {model} and {a thing}, seen {place}
reported by {a role}, {mood}, {moment}
what was tried: {job}
steps: open {a thing}, ask {model}, wait
this looked like a fault in {title} and is not one
severity low, since {people} could work on",
    ),
    (
        "ticket_close",
        "closed as intended; the note on {title} explains it
no change to {a thing} is planned
the {role} confirmed it {moment}
left open for {people} to comment",
    ),
];
