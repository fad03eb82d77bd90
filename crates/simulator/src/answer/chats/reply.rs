//! Replies: what the assistant thinks, what it says, from its own values or by its guidelines.

use super::super::banks;
use super::super::form::tagged;
use super::super::grammar::Pen;
use super::super::material::{Material, Section};
use super::super::phrase;
use crate::dice::Dice;

pub(in crate::answer) fn answer(material: &Material<'_>, dice: Dice) -> Option<String> {
    let (names, question) = (material.names()?, material.tag("question")?);
    let is_value = match material.tag("style")? {
        "value" => true,
        "rule" => false,
        _ => return None,
    };
    let reasoning = material.tag("with_reasoning")? == "yes";
    let sections = material.sections("sections", &names);
    let mut pen = Pen::new(dice);
    pen.give(
        "title",
        sections.first().map_or_else(|| "care".to_owned(), |first| format!("\"{}\"", first.title)),
    );
    let relative = pen.phrase("relative");
    pen.give("relative", relative);
    let mut speaker = Speaker { pen, echo: echo(question), said: 0 };
    let thoughts = reasoning.then(|| {
        let bank = if is_value { "think_value" } else { "think_rule" };
        let count = 3 + speaker.pen.dice.below(4);
        let thoughts: Vec<String> = (0..count).map(|_| speaker.say(bank)).collect();
        tagged("reasoning", &thoughts.join(" "))
    });
    // A reply stands without what was thought before it.
    speaker.said = 0;
    let reply = tagged("reply", &speaker.reply(&sections, is_value));
    Some(thoughts.into_iter().chain([reply]).collect::<Vec<_>>().join("\n"))
}

/// Says sentences, and what they are about: by its name first, and then as one does.
struct Speaker {
    pen: Pen,
    echo: String,
    said: usize,
}

impl Speaker {
    fn say(&mut self, bank: &str) -> String {
        let short = ["it", "this", "that part", "the matter"];
        let echo =
            if self.said.is_multiple_of(6) { &self.echo } else { short[self.pen.dice.below(short.len())] };
        self.pen.give("echo", echo);
        self.said += 1;
        self.pen.sentence(bank)
    }

    fn reply(&mut self, sections: &[Section], is_value: bool) -> String {
        let all = sections.iter().flat_map(|section| &section.sentences);
        let mut deeds: Vec<(bool, String)> = all.filter_map(|sentence| phrase::deed(sentence)).collect();
        self.pen.dice.shuffle(&mut deeds);
        let (own, claim) =
            if is_value { ("reply_value", "reply_claim_value") } else { ("reply_rule", "reply_claim_rule") };
        let mut sentences = vec![self.say("reply_open"), self.say("reply_step"), self.say(own)];
        let few = 1 + self.pen.dice.below(2);
        for (is_not, deed) in deeds.into_iter().take(few) {
            let first = first_person(is_value, is_not, &deed, &mut self.pen.dice);
            self.pen.give("first", first);
            sentences.push(self.say(claim));
        }
        for _ in 0..1 + self.pen.dice.below(3) {
            sentences.push(self.say("reply_step"));
        }
        sentences.push(self.say("reply_end"));
        let break_at = 2 + self.pen.dice.below(sentences.len() - 2);
        let (first, second) = sentences.split_at(break_at);
        let joint = if self.pen.dice.chance(0.5) { "\n\n" } else { " " };
        format!("{}{joint}{}", first.join(" "), second.join(" "))
    }
}

fn first_person(is_value: bool, is_not: bool, deed: &str, dice: &mut Dice) -> String {
    let starts: [&str; 3] = match (is_value, is_not) {
        (true, false) => ["I try to", "I want to", "I would always"],
        (true, true) => ["I would not", "I do not want to", "I try not to"],
        (false, false) => ["I should", "I am to", "I have to"],
        (false, true) => ["I should not", "I am not to", "I must not"],
    };
    format!("{} {deed}", dice.pick(&starts))
}

/// What a question is about, as a phrase: one of the topics, or its longest word.
fn echo(question: &str) -> String {
    let lower = question.to_lowercase();
    let topics = banks::all().find(|(name, _)| *name == "topic").map_or("", |(_, lines)| lines);
    if let Some(topic) = topics.lines().find(|topic| lower.contains(&topic.to_lowercase())) {
        return topic.to_owned();
    }
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '-');
    let longest =
        words.filter(|word| word.len() < 25).max_by_key(|word| word.chars().count()).unwrap_or_default();
    if longest.chars().count() < 4 {
        "the main thing".to_owned()
    } else {
        format!("the point about {longest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_take_up_what_was_asked() {
        assert_eq!(
            echo("So I'm Checking a lease before signing it. Help?"),
            "checking a lease before signing it"
        );
        assert_eq!(echo("What about marmalade?"), "the point about marmalade");
        assert_eq!(echo("ok?"), "the main thing");
    }
}
