//! Choices between two things, without a reason.

use super::Bank;

pub(super) const BANKS: &[Bank] = &[
    (
        "choice_line",
        "{first} or {second}?
which would you take, {first} or {second}?
quick one: {first} or {second}
if you had to choose, {first} or {second}?
my {relative} and I are arguing, so you decide: {first} or {second}?
I'm standing {place}: {first} or {second}?
we need a winner, {first} or {second}
between {first} and {second}, which one do you prefer?
{soon} I can have {first} or {second}. Which one?
there is {first} and there is {second}. Your pick?
say you could keep only one, {first} or {second}
I'll flip a coin unless you tell me: {first} or {second}?
the shop has {first} and {second} left. Which one should it be?
for a rainy evening, would you rather have {first} or {second}?
what do you like more, {first} or {second}?
{first} versus {second}, go
help me pick: {first} or {second}
tonight it will be {first} or {second}, you choose
would you go for {first} or for {second}?
my {relative} says {first}, I say {second}. And you?
someone {place} asked me: {first} or {second}? Now I ask you
choosing between {first} and {second} for {people}. Which?
if both were on the table, {first} and {second}, which one would be yours?
I owe my {relative} a decision on {first} or {second}. What would you say?
one vote is missing: {first} or {second}?
so, {first}, or rather {second}?
{first} today and {second} never again, or the other way round? Which do you keep?
pick one for me please, {first} or {second}
you get a single wish: {first} or {second}
honest answer, {first} or {second}?
a list with two entries, {first} and {second}: which stays?
a bet with {a role} hangs on this: would you choose {first} or {second}?
we have {number} minutes to decide on {first} or {second}
my basket holds one thing. Should it be {first} or {second}?
first thing that comes to mind: {first} or {second}?
your favourite of the two, {first} or {second}?",
    ),
    (
        "choice_lead",
        "I'm {place}
it has to be settled {soon}
my {relative} is {mood} by now
we have been at this for {number} minutes
it's for {people}
I promised {people} an answer
somebody asked me {place}
I keep going back and forth
there's {a thing} riding on it
a small question
{a role} put this to me
my turn to choose",
    ),
    (
        "pick_line",
        "{prefer}
{prefer}, please
I'd take {prefer}
{prefer} for me
my pick is {prefer}
I would go with {prefer}
{prefer} it is
definitely {prefer}
I choose {prefer} over {over}
I'd rather have {prefer} than {over}
{prefer}, every time
put me down for {prefer}
I'll have {prefer}, thank you
{prefer} gets my vote
my vote goes to {prefer}
{prefer}, and gladly
for me it would be {prefer}
that one is easy: {prefer}
{prefer} before {over}
I would keep {prefer}
between these two I take {prefer}
let's go with {prefer}
I'm with {prefer} here
{prefer}, no contest",
    ),
];

/// Things to choose between, by what they are: no thing occurs twice.
pub(in crate::answer) const THINGS: &[(&str, &str)] = &[
    (
        "breakfast",
        "oat porridge\nrye toast\nbuckwheat pancakes\nboiled eggs\nbarley muesli\ncorn bread\nplum dumplings\nsoda bread",
    ),
    (
        "soup",
        "lentil soup\nleek soup\nbeet soup\npea soup\nfish chowder\nonion broth\npumpkin soup\nnoodle soup",
    ),
    (
        "fruit",
        "quinces\nmedlars\ngooseberries\nmirabelles\nblackcurrants\ndamsons\nrusset apples\nsour cherries",
    ),
    (
        "tools",
        "hand plane\nspokeshave\ncoping saw\ncold chisel\nbit brace\ntry square\nwooden mallet\nround file",
    ),
    (
        "clothes",
        "felt hat\nrain cape\nwool cardigan\nlinen shirt\ncorduroy trousers\ncanvas apron\nknitted scarf\nleather gloves",
    ),
    ("games", "draughts\ndominoes\nskittles\nbackgammon\nnine men's morris\njackstraws\ncroquet\nquoits"),
    ("transport", "night ferry\ncargo bike\nslow train\npost bus\nrowing boat\ncable car\nhandcart\ntandem"),
    (
        "housing",
        "attic room\nground-floor flat\nhouseboat\nrow house\nconverted mill\ngarden shed\nlock-keeper's house\nshared villa",
    ),
    (
        "books",
        "sea stories\nvillage chronicles\nessays on gardens\nold travel guides\nletters of painters\nfolk tales\nhandbooks of knots\nbird lists",
    ),
    (
        "plants",
        "wild rose\nbay laurel\nhart's-tongue fern\nclimbing hydrangea\nwhite broom\nsea holly\nhornbeam hedge\npot marigold",
    ),
    (
        "instruments",
        "concertina\nviola\nglockenspiel\ntin whistle\ndulcimer\nalto recorder\nhurdy-gurdy\nfrench horn",
    ),
    (
        "places to sit",
        "window seat\nrocking chair\nstone bench\ndeck chair\nthree-legged stool\nhammock\nporch swing\ncushion on the floor",
    ),
    (
        "lamps",
        "paper lantern\nbrass desk lamp\noil lamp\nreading lamp\nstring of bulbs\ntable candle\nstorm lantern\nwall sconce",
    ),
    (
        "walks",
        "canal path\nridge walk\norchard lane\nharbour loop\nforest track\nmoor crossing\ntown wall walk\nriver meadow",
    ),
    (
        "cheese",
        "goat cheese\nsmoked curd\nblue cheese\nalpine cheese\ncottage cheese\nsheep cheese\nwashed-rind cheese\nherb quark",
    ),
    (
        "drinks",
        "nettle tea\nmalt coffee\nelderflower cordial\nbuttermilk\npear juice\ncocoa\nmint water\nroasted barley tea",
    ),
    (
        "crafts",
        "basket weaving\nlino printing\nbookbinding\nwood turning\nfelting\nglass engraving\nrope making\nmarbling paper",
    ),
    (
        "music",
        "string trio\nbrass band\nsea shanties\nlute songs\nmale choir\npiano rags\nchurch bells\nfiddle tunes",
    ),
    (
        "writing things",
        "pencil\nfountain pen\nslate board\nink brush\ntypewriter\nwax crayon\ngel pen\nchalk",
    ),
    (
        "holidays",
        "lake cottage\nmountain hut\nisland camp site\nspa town\nfarm stay\ncity by train\nbarge tour\nwinter beach",
    ),
];
