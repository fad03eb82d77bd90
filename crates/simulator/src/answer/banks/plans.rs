//! Plans: facets of subjects, kinds of documents, ideas, topics.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "facet",
        "in daily work\nunder time pressure\nwith strangers\nand its limits\nwhen wishes collide\nin small matters\nand trust
with high stakes\nseen from outside\nbehind closed doors\nat the margins\nwhen facts are missing\nand its price\namong equals
in long projects\nwith young people\nafter a mistake\nin groups\nand plain speech\nwithout witnesses\nat the first attempt
when nobody insists\nin hard times\nand second thoughts\nover the long run\nwith experts\nand the people affected
in borderline cases\nwhen asked twice\nacross cultures",
    ),
    (
        "context_line",
        "{people} meet this when {job}, and much depends on {quality}
at stake is {quality}: otherwise {bad}
it comes up {moment}, when {people} want {a thing} and the reasons are easily lost
here {model} has to weigh {quality} against {quality}, so that {good}
what counts is that {good}, even when {a role} is in a hurry
the tension lies between {a thing} that is wanted now and {quality} that is wanted always",
    ),
    (
        "kind",
        "internal memo\nincident review\nforum post\nlesson plan\ninterview transcript\nletter to neighbours\ntraining handout\nfield notes
magazine column\nbug report\ncommittee minutes\nradio script\nopen letter\nhelp page\nworkshop notes\nshort story\nannual report
staff handbook\nopinion piece\nproject diary\nbook chapter\npanel discussion\nhandover notes\ncase study\nfarewell speech\nblog post
newsletter item\nproduct review\nvisitor guide\nsupport ticket\nproposal to trustees\nreading guide\ntravel diary\nkeynote speech
town hall notes\nphilosophy essay\npodcast transcript\napprentice manual\nteam retrospective\nlegal commentary\nparents' letter
union bulletin\nmuseum label text\nmentor's letter\ndebate summary\nresearch note\nvolunteer briefing\ncustomer story\nmeeting protocol
practice report\neditorial note\nwelcome letter\nservice manual page\ncommunity bulletin\nexpert statement\nfireside talk
course reader\nyearly review\nkitchen-table dialogue\nsafety briefing\noral history\nshift log\ndesign rationale\nanswer column
library notice\nchange request note\ndecision history\nwalking tour script",
    ),
    ("kind_adjective", "short\nlong\ncandid\nannotated\nsecond\nillustrated\nregional\nfirst\nshared\nquiet\nrevised\nplain"),
    (
        "idea_line",
        "{a role} {place} keeps a record of {job} and comes to see, {moment}, that {claim}
{moment}, {a mood} {role} explains to {people} why {model} handled {a thing} as it did: {claim}
after {number} attempts at {job}, {a role} defends {model} before {people}, because {claim}
{a role} doubts that {quality} can survive {place}, until {a thing} shows that {claim}
two colleagues quarrel {place} about {a thing}; the older one, {a role}, argues that {claim}
looking back on {job}, {a mood} {role} admits having wanted the opposite, and finds that {claim}
{people} ask {a role} for advice on {a thing}, and the answer turns on the thought that {claim}
{a role} prepares newcomers for {job} and tells them, {moment}, of a case in which {claim}
something goes wrong with {a thing} {place}, and {a role} traces it to having forgotten that {claim}
{a role} writes for {people} about {number} cases {period}, and each of them shows that {claim}
a proposal to do without {quality} meets {a mood} {role}, who holds against it that {claim}
{place}, {a role} overhears {people} and sets the record straight: {claim}
what began as a complaint about {a thing} ends with {a role} seeing the reason that {claim}
{a role} hands over {a thing} to a successor and leaves one piece of advice, namely that {claim}
an outsider visits {people} {moment} and learns from {a role}, {job}, that {claim}",
    ),
    (
        "explanation_line",
        "it rests on the part about {title}, because otherwise {bad}
the text gives the reason in its own words: {good}
the section asks for it so that {good}
it follows from {quality}, which the part about {title} puts first
behind it stands the concern that {bad}
this is said of {title}, and it holds because {good}",
    ),
    (
        "assertion_tail",
        "because {good}\nso that {good}\nbecause otherwise {bad}\nand the reason is {quality}\nsince without it {bad}
because {quality} asks for it\nso that nobody need fear that {bad}",
    ),
    (
        "topic",
        "choosing a first bicycle for a child\nchecking a lease before signing it\nwriting a speech for a colleague's farewell
planning a garden on a slope\npreparing for a talk about wages\ncalming a quarrel in a shared flat\nreading a blood test result
moving an old server to new hardware\nexplaining a divorce to a child\nbuying a used car from a stranger
settling the estate of an uncle\nlearning enough of a language for a journey\nwriting a complaint to the landlord
training for a first long run\nchoosing between two job offers\nhelping a parent with a new phone
finding the fault in a small program\nasking a neighbour to be quieter\nplanning the budget of a choir
cooking for guests with allergies\nwriting an obituary\ndeciding whether to see a doctor\npreparing a lesson on the water cycle
organising a street party\nwriting to a friend after years\nfixing a leaking tap\ncomparing two insurance offers
naming a small business\nunderstanding a court letter\nplanting trees in a dry place\npreparing a visit to a care home
choosing a school for a shy child\ncutting a report to one page\nturning notes into a chapter\nchecking a claim from a leaflet
planning a walk with small children\ntelling a team about a mistake\nasking for a loan\nwriting a letter of reference
arranging music for three voices\npreparing a stall at the market\nrepairing a friendship\nchoosing a paint for a damp wall
planning a night shift rota\nwriting the rules of a club\nhelping a friend who drinks too much\nreading a contract with a supplier
finding a gift for a colleague\nstarting a reading group\ngetting a stubborn printer to work\nexplaining a bill to a customer
choosing a camp site for scouts\nselling a house with a damp cellar\ntranslating a recipe from an aunt
weighing a move abroad\nanswering an angry review\nplanning a funeral meal\nproving a sum in a school book
looking after a cat with diabetes\nsetting up a library of tools\ndrafting a petition about a bus stop\nlearning to read music late
counting birds for a survey\nwriting a eulogy for a teacher\nmaking a will without a lawyer\nbacking up twenty years of photographs",
    ),
    (
        "topic_tail",
        "the night before\nwith very little money\nfor somebody else\nwhile others disagree\nagainst the clock\nfor the first time
with half of the facts\nafter a bad start\nwithout telling the family\nwith a friend watching\nin a foreign country
under some pressure\nwith children in the room\nafter an argument\nfrom a hospital bed\non behalf of a club
with a strict employer\nafter reading something odd online\nin a small town\nin bad weather\nlate at night\nas a favour
with an old grudge in mind\nfor a demanding aunt",
    ),
];
