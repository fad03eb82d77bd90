//! A document: about as long as asked for, in the voice of its kind, resting on the sections.

use super::plan::{claims, pen};
use super::voice::{self, Voice};
use crate::answer::form::tagged;
use crate::answer::grammar::{Pen, capital, sentence};
use crate::answer::material::{Material, Section};
use crate::answer::names::Names;
use crate::answer::{markdown, phrase};
use crate::dice::Dice;

/// The longest document that is written, in words.
const LONGEST: usize = 20_000;

pub(in crate::answer) fn write(material: &Material<'_>, dice: Dice, same: bool) -> Option<String> {
    let (names, words) = (material.names()?, material.tag("words")?.parse::<usize>().ok()?);
    let sections = material.sections("sections", &names);
    if sections.is_empty() {
        return None;
    }
    let kind = if same { "essay" } else { material.tag("type").unwrap_or("essay") };
    let mut pen = pen(dice, &names);
    let mut writer = Writer {
        voice: voice::of(kind),
        claims: if same { Vec::new() } else { sayings(material, &sections, &names, &mut pen) },
        titles: sections
            .iter()
            .map(|section| section.title.clone())
            .filter(|title| !title.is_empty() && !same)
            .collect(),
        next: (0, 0),
        names: &names,
        pen,
    };
    let idea = material.tag("idea").filter(|_| !same).map(|idea| names.own(idea));
    let text = writer.document(words.clamp(20, LONGEST), idea.as_deref());
    Some(tagged("document", &text))
}

/// What is to be said, the most important first: some assertions, then the sections in turn.
fn sayings(material: &Material<'_>, sections: &[Section], names: &Names, pen: &mut Pen) -> Vec<String> {
    let mut all = material.tag("assertions").map(|list| claims(list, names)).unwrap_or_default();
    pen.dice.shuffle(&mut all);
    all.truncate(2);
    let mut lists: Vec<Vec<&String>> =
        sections.iter().map(|section| section.sentences.iter().collect()).collect();
    for list in &mut lists {
        pen.dice.shuffle(list);
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        all.extend(lists.iter().filter_map(|list| list.get(turn)).map(|sentence| (*sentence).clone()));
    }
    all
}

struct Writer<'a> {
    voice: Voice,
    claims: Vec<String>,
    titles: Vec<String>,
    /// How many claims and titles were used.
    next: (usize, usize),
    names: &'a Names,
    pen: Pen,
}

/// What sentences do.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Claim,
    Reason,
    Scene,
    Acted,
    Figure,
    Against,
    Echo,
}

impl Writer<'_> {
    fn document(&mut self, words: usize, idea: Option<&str>) -> String {
        let bank = |part: &str| format!("{}_{part}", self.voice.name);
        let (open, close, question) = (bank("open"), bank("close"), bank("question"));
        self.turn_page();
        let mut paragraphs = vec![self.pen.sentence(&open)];
        if let Some(idea) = idea.filter(|_| words > 150).and_then(|idea| self.told(idea)) {
            paragraphs[0].push(' ');
            paragraphs[0].push_str(&idea);
        }
        let close = self.pen.sentence(&close);
        // The end is part of the length; the last sentence overshoots by half of itself on average.
        let goal = words.saturating_sub(count(&close) + 9);
        let mut length: usize = paragraphs.iter().map(|paragraph| count(paragraph)).sum();
        let list_at = if self.voice.lists && words > 250 { 2 } else { usize::MAX };
        while length < goal {
            self.turn_page();
            let size = 3 + self.pen.dice.below(3);
            let mut sentences: Vec<String> = Vec::new();
            let mut here = 0;
            for kind in self.outline(size) {
                if length + here >= goal {
                    break;
                }
                // What is left has no room for a long sentence.
                let kind = if length + here + 12 > goal { Kind::Echo } else { kind };
                let text = self.say(kind);
                here += count(&text);
                sentences.push(text);
            }
            if self.voice.asks && paragraphs.len() > 1 {
                let question = self.pen.sentence(&question);
                here += count(&question);
                paragraphs.push(question);
            }
            length += here;
            let joint = if paragraphs.len() == list_at { "\n- " } else { " " };
            let text = sentences.join(joint);
            paragraphs.push(if joint == " " { text } else { format!("- {text}") });
        }
        paragraphs.push(close);
        let text = paragraphs.join("\n\n");
        if text.contains(&self.names.model) {
            text
        } else {
            format!("{text} So it is with {}.", self.names.model)
        }
    }

    /// Another person, and another section.
    fn turn_page(&mut self) {
        self.pen.take("role");
        let role = self.pen.phrase("role");
        self.pen.give("role", role);
        let title = match self.titles.get(self.next.1 % self.titles.len().max(1)) {
            Some(title) => format!("\"{title}\""),
            None => self.pen.phrase("quality"),
        };
        self.next.1 += 1;
        self.pen.give("title", title);
    }

    /// A paragraph tells, claims, explains and looks back, in one of several orders.
    fn outline(&mut self, size: usize) -> Vec<Kind> {
        use Kind::{Acted, Against, Claim, Echo, Figure, Reason, Scene};
        let orders: [&[Kind]; 7] = [
            &[Scene, Claim, Reason, Acted, Echo],
            &[Claim, Reason, Scene, Acted, Claim],
            &[Scene, Acted, Claim, Reason, Against],
            &[Against, Reason, Claim, Scene, Echo],
            &[Figure, Claim, Reason, Acted, Scene],
            &[Claim, Scene, Reason, Claim, Figure],
            &[Reason, Claim, Acted, Against, Claim],
        ];
        orders[self.pen.dice.below(orders.len())][..size].to_vec()
    }

    fn say(&mut self, kind: Kind) -> String {
        let bank = match kind {
            Kind::Claim => {
                let claim = self.claim();
                self.pen.give("claim", claim);
                "claim_line"
            }
            Kind::Reason => "reason_line",
            Kind::Scene => "scene",
            Kind::Acted => "acted",
            Kind::Figure => "figure",
            Kind::Against => "against",
            Kind::Echo => "echo",
        };
        self.pen.sentence(bank)
    }

    /// The next thing to be said; once all was said, it is said again in yet other words, or left to the reasons.
    fn claim(&mut self) -> String {
        let (index, all) = (self.next.0, self.claims.len());
        self.next.0 += 1;
        match self.claims.get(index % all.max(1)) {
            Some(claim) if index < 2 * all => phrase::claim(&mut self.pen, &claim.clone(), self.names),
            _ => {
                let (quality, good) = (self.pen.phrase("quality"), self.pen.phrase("good"));
                format!("{} keeps to {quality}, because {good}", self.names.model)
            }
        }
    }

    /// The idea as the beginning of a story, if it can be one.
    fn told(&mut self, idea: &str) -> Option<String> {
        let idea = markdown::sentences(idea).into_iter().next()?;
        let told = phrase::claim(&mut self.pen, &idea, self.names);
        Some(sentence(&capital(&told)))
    }
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}
