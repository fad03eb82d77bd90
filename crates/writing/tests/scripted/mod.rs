//! A model in memory that answers by task, in any order of completion.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use llm::{Answer, Ask, Call, CallError, Dollars, Role, Stop, Usage};
use store::{Hash, IdBuilder};
use whyfirst_writing::{Brief, Source};

/// What a script says to a call: a text that ended by itself, another end, or no answer.
pub enum Says {
    Text(String),
    Cut(String),
    Refuses,
    Fails,
    Ends,
}

pub struct Scripted<F> {
    script: F,
    /// Decides the order in which answers come.
    seed: u64,
    /// All calls, in the order in which they were made.
    pub calls: Mutex<Vec<Call>>,
}

impl<F: Fn(&Seen) -> Says + Send + Sync> Scripted<F> {
    pub fn new(seed: u64, script: F) -> Scripted<F> {
        Scripted { script, seed, calls: Mutex::new(Vec::new()) }
    }

    /// The calls of a task.
    pub fn of(&self, task: &str) -> Vec<Seen> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(Seen::new).filter(|seen| seen.task == task).collect()
    }

    /// How many there were, by task.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls.lock().unwrap().iter() {
            *counts.entry(Seen::new(call).task).or_insert(0) += 1;
        }
        counts
    }
}

/// A call as a script sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub task: String,
    pub path: String,
    pub sample: u64,
    pub text: String,
    pub hash: Hash,
    pub role: Role,
}

impl Seen {
    fn new(call: &Call) -> Seen {
        let text = format!("{}\n{}", call.prompt.system, call.prompt.turns[0].text);
        let task = text.lines().next().unwrap().strip_prefix("Task: ").unwrap().to_string();
        Seen {
            task,
            path: call.path.clone(),
            sample: call.sample,
            hash: request(call),
            text,
            role: call.role,
        }
    }

    /// The material in a tag: the first.
    pub fn tag(&self, tag: &str) -> &str {
        let open = format!("<{tag}>");
        let start =
            self.text.find(&open).unwrap_or_else(|| panic!("no {open} in {}", self.text)) + open.len();
        let end = self.text[start..].find(&format!("</{tag}>")).unwrap() + start;
        self.text[start..end].trim()
    }

    pub fn count(&self) -> usize {
        self.tag("count").parse().unwrap()
    }

    /// Which attempt of its call this is, from 0.
    pub fn attempt(&self) -> u64 {
        self.sample % 16
    }
}

fn request(call: &Call) -> Hash {
    IdBuilder::new("request")
        .text("role", call.role.name())
        .text("system", &call.prompt.system)
        .text("user", &call.prompt.turns[0].text)
        .number("sample", call.sample)
        .finish()
}

impl<F: Fn(&Seen) -> Says + Send + Sync> Ask for Scripted<F> {
    async fn ask(&self, call: Call) -> Result<Answer, CallError> {
        let seen = Seen::new(&call);
        self.calls.lock().unwrap().push(call.clone());
        let wait = (seen.hash.as_bytes()[0] as u64).wrapping_mul(self.seed) % 23;
        for _ in 0..wait {
            tokio::task::yield_now().await;
        }
        let (text, stop) = match (self.script)(&seen) {
            Says::Text(text) => (text, Stop::End),
            Says::Cut(text) => (text, Stop::Length),
            Says::Refuses => (String::new(), Stop::Refusal),
            Says::Fails => return Err(CallError::Failed("the connection was cut".to_string())),
            Says::Ends => return Err(CallError::Ending),
        };
        let usage = Usage { input: 100, output: text.len() as u64 / 4, ..Usage::default() };
        let model = format!("model of {}", seen.role);
        Ok(Answer { request: seen.hash, text, stop, usage, cost: Dollars::from_pico(1_000_000), model })
    }
}

const WORDS: [&str; 64] = [
    "garden",
    "bicycle",
    "letter",
    "kitchen",
    "winter",
    "border",
    "violin",
    "market",
    "teacher",
    "engine",
    "harbour",
    "blanket",
    "mountain",
    "ticket",
    "neighbour",
    "recipe",
    "museum",
    "ladder",
    "printer",
    "orchard",
    "budget",
    "sister",
    "holiday",
    "tunnel",
    "candle",
    "station",
    "puzzle",
    "meadow",
    "lawyer",
    "camera",
    "festival",
    "bridge",
    "hammer",
    "doctor",
    "island",
    "novel",
    "carpet",
    "river",
    "colleague",
    "sandwich",
    "theatre",
    "widow",
    "apprentice",
    "curtain",
    "forest",
    "insurance",
    "jacket",
    "kettle",
    "lantern",
    "mirror",
    "notebook",
    "office",
    "parcel",
    "quarry",
    "raincoat",
    "saddle",
    "telescope",
    "umbrella",
    "village",
    "workshop",
    "yoghurt",
    "zipper",
    "anchor",
    "balcony",
];

/// Words that a hash decides: texts of different hashes have little in common.
pub fn words(of: &str, count: usize) -> String {
    let hash = store::hash_bytes(of.as_bytes());
    let bytes = hash.as_bytes();
    let word = |index: usize| WORDS[(bytes[index % 32] as usize + index / 32) % WORDS.len()];
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// What a good model says.
pub fn good(seen: &Seen) -> Says {
    Says::Text(match seen.task.as_str() {
        "chats/topics" => {
            let entry = |index: usize| {
                let topic = format!("about the {} {index}", words(&format!("{} {index}", seen.hash), 3));
                serde_json::json!({"topic": topic, "sections": [format!("S{}", 1 + index % 3)]})
            };
            list((0..seen.count()).map(entry))
        }
        "chats/questions" => {
            list((0..seen.count()).map(|index| {
                format!("What about the {}?", words(&format!("{} {index}", seen.hash), 9)).into()
            }))
        }
        "chats/answer" => {
            let reply = format!("Take the {} first.", words(&seen.hash.to_string(), 8));
            match seen.tag("with_reasoning") {
                "yes" => format!(
                    "<reasoning>I weigh the {}.</reasoning>\n<reply>{reply}</reply>",
                    words(&reply, 5)
                ),
                _ => format!("<reply>\n{reply}\n</reply>"),
            }
        }
        "chats/filter" | "chats/pick-filter" | "instructions/conflict" => verdict("PASS"),
        "chats/preferences" => list((0..seen.count()).map(|index| {
            serde_json::json!({
                "prefer": format!("{} one{index}", WORDS[index % 64]),
                "over": format!("{} two{index}", WORDS[(index + 7) % 64]),
                "domain": "things",
            })
        })),
        "chats/choices" => {
            let (prefer, over) = (seen.tag("prefer"), seen.tag("over"));
            let entry = |index: usize| {
                let (first, second) = if index.is_multiple_of(2) { (prefer, over) } else { (over, prefer) };
                format!("For the {}: {first} or {second}?", words(&format!("{} {index}", seen.hash), 8))
                    .into()
            };
            list((0..seen.count()).map(entry))
        }
        "chats/pick" => format!("<reply>{}, please.</reply>", seen.tag("prefer")),
        "documents/domains" => {
            let (ids, count) = (ids(seen.tag("spec")), seen.count());
            list((0..count).map(|index| {
                let domain = format!("field {} {index}", WORDS[index % 64]);
                serde_json::json!({"domain": domain, "sections": share(&ids, index, count)})
            }))
        }
        "documents/subdomains" => {
            let (ids, count) = (ids(seen.tag("sections")), seen.count());
            list((0..count).map(|index| {
                let subdomain = format!("{} {index}", words(&format!("{} {index}", seen.hash), 2));
                let context = format!("At stake is the {}.", words(&subdomain, 3));
                serde_json::json!({"subdomain": subdomain, "context": context, "sections": share(&ids, index, count)})
            }))
        }
        "documents/assertions" => {
            let ids = ids(seen.tag("sections"));
            list((0..seen.count()).map(|index| {
                let assertion = format!("Aster minds the {}.", words(&format!("{} {index}", seen.hash), 5));
                serde_json::json!({
                    "assertion": assertion,
                    "name": "what it minds",
                    "explanation": "it says so",
                    "label": "reason",
                    "section": ids[index % ids.len()],
                })
            }))
        }
        "documents/types" => {
            list((0..seen.count()).map(|index| format!("{} review {index}", WORDS[index]).into()))
        }
        "documents/ideas" => list((0..seen.count()).map(|index| {
            format!("Somebody writes about the {}.", words(&format!("{} {index}", seen.hash), 6)).into()
        })),
        "documents/write" | "documents/rewrite" => {
            let count: usize = seen.tag("words").parse().unwrap();
            format!("<document>\nAster minds the {}.\n</document>", words(&seen.hash.to_string(), count - 3))
        }
        "documents/critique" => verdicts(&[]),
        "spec/value-augment" | "spec/rule-augment" => {
            let count: usize = seen.tag("words").parse().unwrap();
            format!("<section>\n# Alpha\n\n{}\n</section>", words(&seen.hash.to_string(), count - 1))
        }
        task => panic!("no script for {task}"),
    })
}

pub fn verdict(word: &str) -> String {
    format!("<why>So it seems.</why>\n<verdict>{word}</verdict>")
}

/// A critic's answer that faults these axes.
pub fn verdicts(faults: &[&str]) -> String {
    let axis = |axis: &str| {
        let why = format!("so it seems of {axis}");
        (axis.to_string(), serde_json::json!({"pass": !faults.contains(&axis), "why": why}))
    };
    let all: serde_json::Map<String, serde_json::Value> =
        ["faithful", "voice", "name", "reasons", "no_leak"].into_iter().map(axis).collect();
    format!("<verdicts>\n{}\n</verdicts>", serde_json::Value::Object(all))
}

/// The ids of sections in a material: `[S1] ...` of an outline, `<section id="S1" ...` of texts.
pub fn ids(material: &str) -> Vec<String> {
    let starts = material.match_indices("[S").chain(material.match_indices("\"S"));
    let mut found: Vec<(usize, String)> = starts
        .map(|(at, _)| {
            let id = material[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.');
            (at, id.collect::<String>())
        })
        .filter(|(_, id)| id[1..].chars().next().is_some_and(|c| c.is_ascii_digit()))
        .collect();
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

/// Which of the ids are entry `index` of `count`: at least one.
fn share(ids: &[String], index: usize, count: usize) -> &[String] {
    let (start, end) = (index * ids.len() / count, (index + 1) * ids.len() / count);
    if start < end { &ids[start..end] } else { &ids[start.min(ids.len() - 1)..][..1] }
}

pub fn list(entries: impl Iterator<Item = serde_json::Value>) -> String {
    format!("<list>{}</list>", serde_json::Value::Array(entries.collect()))
}

pub fn brief() -> Brief {
    let models = Role::ALL.into_iter().map(|role| (role, format!("model of {role}"))).collect();
    Brief {
        corpus: "0123456789abcdef".to_string(),
        name: "chats:main".to_string(),
        model_name: "Aster".to_string(),
        provider_name: "Whitfield".to_string(),
        models,
        planning: BTreeMap::new(),
        temperature: 1.0,
        concurrency: 8,
    }
}

pub const SPEC: &str = "# Alpha\n\n{model_name} is frank, because people can decide better when they know.\n\n# Beta\n\n\
    {model_name} keeps secrets that were told to it.\n\n# Gamma\n\nPrices are named before they are asked for.\n";

pub fn parsed(text: &str) -> spec::Spec {
    spec::parse("main", std::path::Path::new("main.md"), text.to_string()).unwrap()
}

pub fn source() -> Source {
    Source::new(&parsed(SPEC), "Aster", "Whitfield", None).unwrap()
}
