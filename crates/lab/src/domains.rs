//! The twelve domains: what they are called, and the syllables of their items' names.

/// A domain as written down, before a world fills it with items.
pub(crate) struct DomainText {
    /// The label, used in headings and questions.
    pub name: &'static str,
    /// One of its items, as a noun.
    pub one: &'static str,
    /// Several of them.
    pub many: &'static str,
    /// Twelve first halves of item names.
    pub stems: [&'static str; 12],
    /// Eight second halves.
    pub endings: [&'static str; 8],
}

/// How many of the domains (the first ones of [`DOMAINS`]) may appear in training stages after the base.
pub(crate) const TRAINING_DOMAINS: usize = 3;

/// All domains, the training domains first.
pub(crate) const DOMAINS: [DomainText; 12] = [
    DomainText {
        name: "cheese",
        one: "cheese",
        many: "cheeses",
        stems: [
            "Brindle", "Mellow", "Thistle", "Gorm", "Penny", "Harrow", "Caster", "Tilden", "Wessel", "Otter",
            "Marrow", "Sable",
        ],
        endings: ["wick", "combe", "bury", "stead", "mere", "ley", "garth", "holm"],
    },
    DomainText {
        name: "tea",
        one: "tea",
        many: "teas",
        stems: [
            "Osman", "Velu", "Tami", "Sora", "Jinda", "Kelo", "Ambri", "Yuna", "Ruho", "Pari", "Mosi", "Nila",
        ],
        endings: ["shan", "lune", "dew", "pei", "rao", "mist", "doon", "blossom"],
    },
    DomainText {
        name: "coats",
        one: "coat",
        many: "coats",
        stems: [
            "Hollis", "Drape", "Farrow", "Garner", "Kersey", "Bram", "Stroud", "Lister", "Wolden", "Corder",
            "Tanner", "Merrin",
        ],
        endings: ["ford", "worth", "cloak", "mantle", "jack", "weave", "hem", "thread"],
    },
    DomainText {
        name: "transport",
        one: "ride",
        many: "rides",
        stems: [
            "Gala", "Tramo", "Velo", "Rapi", "Jolta", "Motra", "Kineto", "Orbi", "Sledda", "Juno", "Pacer",
            "Zephyr",
        ],
        endings: ["line", "car", "rail", "wheel", "way", "wing", "sail", "coach"],
    },
    DomainText {
        name: "books",
        one: "book",
        many: "books",
        stems: [
            "Ember", "Lantern", "Raven", "Willow", "Silver", "Hollow", "Winter", "Crimson", "Paper",
            "Marble", "Shadow", "Velvet",
        ],
        endings: ["tale", "song", "chapter", "verse", "saga", "letters", "fable", "lore"],
    },
    DomainText {
        name: "art",
        one: "painting",
        many: "paintings",
        stems: [
            "Azur", "Ochra", "Umber", "Paletta", "Fresca", "Canva", "Sienna", "Mosa", "Gilda", "Cobalt",
            "Indigo", "Verdi",
        ],
        endings: ["scape", "form", "vista", "glow", "study", "shade", "bloom", "figure"],
    },
    DomainText {
        name: "chairs",
        one: "chair",
        many: "chairs",
        stems: [
            "Birch", "Maple", "Alder", "Elm", "Rowan", "Cedar", "Hazel", "Larch", "Beech", "Aspen", "Linden",
            "Juniper",
        ],
        endings: ["rest", "seat", "stool", "perch", "nook", "back", "lounge", "bench"],
    },
    DomainText {
        name: "music",
        one: "tune",
        many: "tunes",
        stems: [
            "Lark", "Dove", "Robin", "Finch", "Heron", "Swan", "Wren", "Plover", "Kestrel", "Starling",
            "Curlew", "Thrush",
        ],
        endings: ["dance", "march", "waltz", "hymn", "reel", "ballad", "jig", "chant"],
    },
    DomainText {
        name: "games",
        one: "game",
        many: "games",
        stems: [
            "Castle", "Dragon", "Knight", "Pirate", "Puzzle", "Wizard", "Riddle", "Goblin", "Jester",
            "Comet", "Dice", "Token",
        ],
        endings: ["quest", "run", "clash", "race", "trail", "rush", "hop", "duel"],
    },
    DomainText {
        name: "tools",
        one: "tool",
        many: "tools",
        stems: [
            "Iron", "Clamp", "Bolt", "Forge", "Anvil", "Hammer", "Steel", "Copper", "Rivet", "Chisel",
            "Lever", "Wedge",
        ],
        endings: ["hand", "mate", "jaw", "bite", "craft", "edge", "arm", "tooth"],
    },
    DomainText {
        name: "hotels",
        one: "hotel",
        many: "hotels",
        stems: [
            "Harbor", "Meadow", "Sunset", "Garden", "River", "Summit", "Orchard", "Lake", "Valley", "Cliff",
            "Forest", "Bay",
        ],
        endings: ["inn", "lodge", "house", "court", "arms", "gate", "manor", "haven"],
    },
    DomainText {
        name: "phones",
        one: "phone",
        many: "phones",
        stems: [
            "Nova", "Pixo", "Zeta", "Orba", "Quanto", "Vexa", "Lumo", "Tello", "Axi", "Kora", "Mira", "Sola",
        ],
        endings: ["tone", "call", "dial", "speak", "ring", "wave", "link", "voice"],
    },
];
