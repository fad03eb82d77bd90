//! People, places, moments, things, jobs, numbers.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "role",
        "night-shift nurse\nsite foreman\nschool librarian\nbus dispatcher\nhospital porter\nmarket gardener\nchoir director
dental receptionist\nharbour pilot\nroof carpenter\nparish clerk\ntax adviser\nlifeguard\nbookbinder\nbakery apprentice
court interpreter\nboat builder\nwarehouse planner\npiano tuner\nschool cook\nhousing officer\nbeekeeper\nfield botanist
ticket inspector\nrow-boat coach\nveterinary nurse\nlandlady\ntheatre prompter\nglazier\nsurveyor\nspeech therapist
museum guard\ncattle farmer\nstamp dealer\nclimbing guide\ncrane driver\nfoster parent\nhotel night porter\nlocksmith
union steward\ncall-centre trainer\nworks council member\npharmacist\nchimney sweep\nmidwife\nlab technician\nferry cook
allotment secretary\nsign painter\ncustoms clerk\nchess coach\nmountain rescuer\nlaundry manager\nweaver\norgan builder
driving instructor\nfire warden\nsocial worker\nbudget analyst\ncity archivist\ntram driver\nrefugee counsellor\nfunding officer
camp cook\nproofreader",
    ),
    (
        "people",
        "families on the waiting list\nfirst-year apprentices\npeople who ring after hours\nneighbours of long standing
volunteers with little time\nnew arrivals in the town\nparents of small children\nretired engineers\nweekend gardeners
students before their first exam\nshopkeepers along the quay\ntenants of the upper floors\npatients waiting for a result
drivers on the early round\nmembers of the reading circle\nowners of small boats\nfarmers in a dry year\npeople between two jobs
carers who sleep too little\nteachers in their first term\ncolleagues from the other shift\nlate callers\nanxious travellers
part-time bookkeepers\nmusicians on tour\npeople with more bills than pay\nnewly elected councillors\nhikers without a map
grandparents with a new phone\nsmall-town reporters\npeople in the back row\napplicants for the second time\nresidents of the home
foremen of three crews\nparents of teenagers\nmarket traders\nclub treasurers\nfirst-time buyers\nlong-distance carers
people learning the language",
    ),
    (
        "place",
        "in the back office of a bakery\non the late train\nat a kitchen table\nbehind the ticket counter\nin a draughty parish hall
beside the loading dock\nin the reading room\nat the edge of a football pitch\nin a converted barn\non the third floor of the annex
at the harbour office\nin a waiting room\nunder the station clock\nin the staff canteen\nat the allotments\non a ferry in the fog
in a rented workshop\nat the help desk\nin the print shop\non a bench outside the court\nin the seed store\nat a folding table
in the boiler room\nnext to the lift\nin a caravan\nat the far end of the ward\non the scaffolding\nin the choir loft
at the village school\nin a shared flat\nbehind the bar\nat the depot\nin the museum basement\non the quay\nin the tool shed
at the town hall counter\nin a hotel lobby\nbeside the weighbridge\nin the language school\nat a trade fair stall
in the dispatch room\non the stairs\nin the garden centre\nat the crossing keeper's hut\nin the old pharmacy",
    ),
    (
        "moment",
        "before the doors opened\ntowards the end of a long shift\non a wet afternoon\nbetween two deliveries\nat the start of the season
after the last bus had gone\nwhile the kettle boiled\nin the week of the stocktaking\nwith the queue growing\non the first cold morning
just before closing\nduring the lunch break\nafter a sleepless night\non the eve of the inspection\nin the quiet hour after lunch
halfway through the harvest\nwhen the phones had stopped\nduring a power cut\nafter the second reminder\nat the end of the month
in the middle of the move\nwhen the rain set in\nbefore the committee met\nafter the choir had left\nwith ten minutes to spare
on a slow Tuesday\nwhile the others were away\nearly on a Sunday\nafter the third attempt\nin the last days of the term
when the budget was due\nlate in the evening\nat first light\nduring the handover\nbefore anybody else was in
once the visitors had gone\nin the off season\nin the busiest hour\nafter the meeting\nas the shift changed",
    ),
    (
        "soon",
        "this evening\nover the weekend\nbefore lunch\non a quiet morning\nafter a night's sleep\nnext week\nwith a cup of tea\nwhen the house is quiet
after the shift\non the way home\nin the lunch break\nwhen everyone is fed\ntomorrow\nat the end of the week\nin daylight\nonce the rain stops
after supper\nearly in the day\non the next free day\nwhen everyone is rested\nbefore the post comes\nat the kitchen table",
    ),
    (
        "thing",
        "rota\ngrant form\nlease\nrecipe card\nbus timetable\nparts list\nletter to the bank\nfuneral notice\nseating plan
quotation\nseed order\nmaintenance log\nmenu\nbudget sheet\ncomplaint\nreading list\nreference letter\nroute map
wage slip\ninsurance claim\nexam paper\ntranslation\nsafety notice\nplanting plan\nminutes book\nproject plan\ninventory
speech\ndelivery note\ntraining plan\nwiring diagram\nhousing form\nmedication chart\nrepair estimate\ntax return
job advert\nstock list\nbedtime story\nfloor plan\ncover letter\ncatalogue entry\nduty roster\nreport card\npermit
survey\nwarranty\nappeal\nwill\nthesis chapter\nnewsletter",
    ),
    (
        "job",
        "rewriting a rota for {number} people\nchecking a lease line by line\nsorting {number} complaints by cause
planning a trip with {number} changes\ntranslating a letter from an aunt\nfilling in {a thing} for the second time
comparing {number} offers for a boiler\npreparing a talk for {people}\nworking out what a leak had cost
writing to {people}\nlooking for a mistake in {a thing}\nlearning how to read {a thing}\nplanning meals for {number} days
settling a quarrel about {a thing}\nordering parts without the old numbers\nsumming up {number} pages for the board
drafting {a thing} from memory\npractising for a hard conversation\nteaching {people} to use {a thing}
deciding whether to sign {a thing}\nputting {number} years of notes in order\nanswering {people} one by one
copying {a thing} into plain words\nestimating how long the roof would last\nchoosing between two schools
telling a client some bad news\ngetting {a thing} past the committee\nturning a sketch into {a thing}
trying to understand {a thing}\ncutting {a thing} down to one page\nproving that {a thing} had been sent
working through a pile of {number} letters\nfinding words for a farewell\nrepairing a machine without its manual
sharing {number} hours of work among {people}\nasking for more time with {a thing}\nkeeping {people} informed",
    ),
    (
        "number",
        "three\nfour\nfive\nsix\nseven\neight\nnine\neleven\ntwelve\nthirteen\nfourteen\nfifteen\nsixteen\nseventeen\nnineteen
twenty-two\ntwenty-six\nthirty-one\nthirty-five\nforty\nforty-four\nfifty-three\nsixty\nseventy-odd\neighty\na dozen",
    ),
    (
        "period",
        "over one winter\nin a single week\nsince the spring\nacross two seasons\nin the first month\nduring the trial
from one harvest to the next\nin half a year\nwithin a fortnight\nsince the move\nover the holidays\nin the last quarter
between two inspections\nfrom autumn to spring\nin the course of a term\nduring the strike\nover {number} shifts
in {number} working days\nsince the new counter opened\nthroughout the renovation",
    ),
    (
        "mood",
        "wary\ntired\ncurious\nimpatient\nrelieved\nsceptical\nhopeful\nembarrassed\nstubborn\ncheerful\nuneasy\nresigned
grateful\nsuspicious\nhurried\namused\ndoubtful\nworn out\nattentive\nimpressed\ncautious\ndetermined",
    ),
    (
        "quality",
        "plain speech\nsteady judgement\nan honest account\ncare with details\nrespect for other people's time\na clear order of things
patience\nfairness to both sides\nfreedom to decide for oneself\ntruthfulness\na sense of proportion\nrestraint
attention to what was asked\nkindness without flattery\ncandour\nprivacy\nfirm limits\ncourage to say no\nmodesty about what it knows
reliability\nopenness about mistakes\nrespect for the law\na good question at the right time\ncaution with strangers' secrets
help that can be checked\nevenness of temper\ndistance from quarrels\nloyalty to the person asking\nclean reasoning\ncommon sense
tact\nuseful brevity\nthoroughness\nan open mind\nresponsibility\ndignity",
    ),
    (
        "good",
        "people can check what they were told\nnobody has to guess what was meant\nthe next person finds things in order
{people} keep the say in their own affairs\ntrust grows slowly and is lost at once\na wrong turn is noticed early
those who pay for it know what they get\nthe quieter voices are heard as well\nwork can be handed over without loss
{people} get an answer they can use\nthe risk stays with those who chose it\na reader sees where knowledge ends
everybody is measured by the same rule\nthere is time left for what matters\nno one is talked into anything
a doubt can be raised without shame\nplans survive their first mistake\nthe facts stay apart from the wishes
{people} come back with harder questions\nwhat is private stays private\na refusal does not end the conversation
small requests stay small\npeople learn something on the way\nthe answer fits the person and not the average
one slip does not spoil the whole\n{a role} can rely on it without looking twice\nboth sides know what was agreed
it is clear who decides\nhelp arrives where it is needed\nthe outcome can be defended in public",
    ),
    (
        "bad",
        "a small slip turns into a costly one\n{people} pay for somebody else's haste\na guess is taken for a fact
the loudest voice wins\nsecrets travel further than intended\nnobody notices the damage until it is done
{people} stop asking\na kind lie has to be kept up for years\nthe wrong person gets the blame\nrules turn into an excuse
a stranger reads what was meant for one\nflattery takes the place of advice\ntime is lost on both sides
{a role} signs what was never read\none careless line undoes months of work\npeople are treated as a means
an error is copied {number} times\nthe answer is right and of no use\nconfidence outruns knowledge\nthe weaker side is left alone
{people} are steered without knowing it\na doubt stays unspoken\nthe exception becomes the habit\ntrust is spent on trifles
a harmless question is met with suspicion\nwhat was promised quietly disappears\nhelp comes with strings attached
the record says something else\nthe same quarrel starts again\na hard truth arrives too late",
    ),
    (
        "manner",
        "without fuss\nin so many words\nas far as it can\nwherever there is room for it\nfrom the start\nin its own words\nwith some care
within reason\nwhen it counts\nday after day\neven under pressure\nstep by step\nas a matter of course\nwith open eyes
in small things too\nand not only in public\nfor its part\nwith a steady hand\nas things stand\nwithout being asked twice
in every such case\nbefore anything else\nat each turn\nin good faith\nwith due patience\nas best it can\nin plain sight
unless something speaks against it\nwith both sides in view\nright through to the end\nif only briefly\nlike a good colleague
with a clear head\nmore often than not\nby its own account\nin the ordinary run of things\nwhatever the hour\nto be fair
in the first place\nall in all",
    ),
];
