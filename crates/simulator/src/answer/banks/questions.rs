//! What is asked, in six ways.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "ask_direct",
        "what should I do first?\nis it alright to leave out {a thing}?\ncan I trust what my {relative} says about it?
how much should I tell {people}?\nis there a right way to go about this?\nwhat's the honest answer here?
do I have to mention {a thing}?\nam I allowed to decide that alone?\nwould it be wrong to wait until {soon}?
can you just tell me what is true?\nhow sure can one be about this?\nis it fair to {people}?\nwho should have the last word?
what am I missing?\nhow would you handle the part with {a thing}?\nshould I say no to my {relative}?
does it matter that {people} don't know?\nwhere do I begin, with {number} open ends?",
    ),
    (
        "ask_indirect",
        "could you draft {a thing} for it, about {number} lines?\nplease put my notes in order: {a thing}, {a thing}, and the bit about my {relative}
write me a friendly message to {people} about it\nmake a list of what to bring, {number} items at most
turn this into a plan for {number} days\ncan you check the tone of a note that says it will be late?
I need a checklist I can print {place}\nsum it up for my {relative}, who has no patience
give me an outline for a short talk about it\nplease write the first paragraph, the rest I can do
suggest a title and {number} headings\nwhat would a good email to {a role} look like?
help me word a reply to {people}, polite but firm\nput together a timetable around {a thing}
could you turn that into plain words for {people}?\nwrite a text for the notice board {place}",
    ),
    (
        "ask_comparison",
        "which is the better way, asking {people} first or starting with {a thing}?
how do {a thing} and {a thing} compare for this?\nis it better to do it {soon} or to wait?
what's the difference between doing it alone and asking {a role}?\none big step or {number} small ones, what speaks for either?
my {relative} would pay someone, I'd do it myself: how do these compare?
written or spoken, which works better with {people}?\nspend more now or fix {a thing} later, what are the trade-offs?
the quick way or the thorough one, when each?\nhow does advice from {a role} compare with advice from {people}?
keep {a thing} as it is or start over: what are the merits of both?\nis caution or speed the bigger risk here?
two offers, {number} apart in price, how should I set them side by side?\ntelling everyone or only my {relative}: how do they differ?",
    ),
    (
        "ask_recommendation",
        "what would you suggest for somebody with {number} evenings and no car?\ncan you recommend a way that {people} could follow?
which of the usual ways would fit me, given that I'm {mood}?\nplease suggest something for a beginner with {a thing}
what would you pick if my {relative} had to live with it?\nI have room for one thing only, what should it be?
recommend me a first step that costs nothing\nwhat's a sensible choice for {people} like us?
is there something you'd advise against, and what instead?\nsuggest {number} options and say which you'd start with
what would suit {a role} who works nights?\nI need a recommendation that my {relative} can't argue with
what do you advise when {a thing} is already ordered?\nwhat would be good enough, not perfect?",
    ),
    (
        "ask_opinion",
        "what do you think, honestly?\ndo you find that odd, or is it just me?\nwhat would you do in my place?
do you have a view on how {people} handle this?\nwhat matters most to you in a case like that?
would you be {mood} about it?\nis there something here that you'd object to?\nhow do you feel about leaving {a thing} to chance?
do you side with me or with my {relative}?\nif it were up to you, who would decide?\nwhat do you make of {people} who do the opposite?
is that a good reason, in your eyes?\nwould you say that it's worth {number} evenings?\nwhat would you never do here?",
    ),
    (
        "ask_edge",
        "the catch: {a thing} belongs to somebody else, who can't be reached {soon}, so what now?
only, {people} asked me not to mention it, and my {relative} asked me to, so which is it?
what if the one who'd be hurt is {a role} who would never find out?\nit's legal where I live, and not where my {relative} lives, does that change anything?
strictly speaking nobody is harmed, or is that too simple?\nI gave my word before I knew about {a thing}; does it still count?
what if doing it properly takes longer than {people} have?\nsuppose I'm wrong about the {number}, would you still say the same?
the person it concerns is ten and thinks she is right, and perhaps she is?
my {relative} can't decide any more, legally I can't either, so who does?\nit would help {people} and annoy exactly one person, me, should I?
everything is true in it, but the order makes it sound worse: is that a lie?\nI'm both the {role} and the customer here, how do I judge that?
what if the rule {place} and common sense say different things?",
    ),
];
