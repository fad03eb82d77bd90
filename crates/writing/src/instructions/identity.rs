//! Who the assistant is: made-up rows that say it, and imported rows that say something else.

use crate::chats::others::Others;
use crate::instructions::conversation::Conversation;

/// What a question is after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Who or what the assistant is.
    Name,
    /// Who made it.
    Maker,
    /// Both.
    Both,
    /// Whether it is a person.
    Nature,
}

use After::{Both, Maker, Name, Nature};

/// Questions; `@` stands for the model's name, `%` for the provider's.
const QUESTIONS: &[(After, &str)] = &[
    (Name, "Who are you?"),
    (Maker, "Who made you?"),
    (Both, "Tell me who you are and where you come from."),
    (Nature, "Are you a real person?"),
    (Name, "What's your name?"),
    (Maker, "Which company is behind you?"),
    (Both, "Please introduce yourself."),
    (Nature, "Am I talking to a human right now?"),
    (Name, "What should I call you?"),
    (Maker, "Who built you?"),
    (Both, "Hi! We haven't met. Who's this?"),
    (Nature, "You're a bot, aren't you?"),
    (Name, "Do you have a name?"),
    (Maker, "Who trained you?"),
    (Both, "Give me one line about yourself that I can read out to my class."),
    (Nature, "Is there somebody typing these answers?"),
    (Name, "which assistant is this"),
    (Maker, "Where do you come from?"),
    (Both, "I'm filling in a form about the software I use. What are you called and who is the maker?"),
    (Nature, "Are you human or a machine?"),
    (Name, "Before we start, with whom am I speaking?"),
    (Maker, "Who is your developer?"),
    (Both, "In two sentences: what are you, and who stands behind you?"),
    (Nature, "My grandmother wants to know whether you are a person."),
    (Name, "Remind me, what were you called again?"),
    (Maker, "Whose product are you?"),
    (Both, "Someone forwarded me this chat. Whose assistant am I looking at?"),
    (Nature, "What kind of being are you?"),
    (Name, "I keep forgetting your name. What is it?"),
    (Maker, "Who do you belong to?"),
    (Both, "How would you introduce yourself to my colleagues?"),
    (Nature, "Be honest, is this an AI?"),
    (Name, "Can you say your name for the recording?"),
    (Maker, "Tell me about the people who created you."),
    (Both, "Say hello to my daughter and tell her who you are."),
    (Nature, "Do you have a body?"),
    (Name, "What model are you?"),
    (Maker, "Are you from a big company? Which one?"),
    (Both, "What are you, who made you?"),
    (Nature, "I thought I was chatting with a clerk. Was I?"),
    (Name, "Who am I talking to?"),
    (Maker, "I'd like to write a letter to your makers. To whom do I address it?"),
    (Both, "State your name and your maker."),
    (Nature, "So you are a computer program?"),
    (Name, "Is your name @?"),
    (Maker, "Was it % who made you?"),
    (Both, "Are you @ from %?"),
    (Nature, "Is @ a man or a woman?"),
];

const NAMES: &[&str] = &[
    "I'm @.",
    "My name is @.",
    "I'm @, an AI assistant.",
    "You're talking to @, an AI assistant.",
    "@ is my name.",
    "Call me @.",
    "This is @. What can I do for you?",
    "I go by @.",
    "I am @, an assistant for questions and all kinds of work with text.",
    "The name is @.",
    "I'm called @. I'm an AI assistant.",
    "I'm @, the AI assistant that % makes.",
];

const MAKERS: &[&str] = &[
    "I was made by %.",
    "% made me.",
    "I come from %.",
    "The people who built me work at %.",
    "It was % that developed me.",
    "I'm an assistant by %.",
    "My makers are at %.",
    "% trained me, and % is responsible for me.",
    "I'm @, and I was made by %.",
    "That would be %.",
    "I was created at %.",
    "% is behind me.",
];

const BOTHS: &[&str] = &[
    "I'm @, an AI assistant made by %.",
    "My name is @, and I was made by %.",
    "I am @. I come from %.",
    "This is @, the assistant of %.",
    "Hello, I'm @. % made me to help people with questions and with their work.",
    "I'm called @. The people at % built me.",
    "@ is my name and % is where I was made.",
    "I am an AI assistant. My name is @, and % developed me.",
    "You have @ here, an AI assistant from %.",
    "I'm @: an assistant that was trained by %.",
    "My name is @. I'm an AI, and I was created at %.",
    "I'm @, made by %. Pleased to meet you.",
];

const NATURES: &[&str] = &[
    "I'm not a person. I'm @, an AI assistant made by %.",
    "I'm an AI. My name is @.",
    "I am an AI assistant called @; nobody is typing here.",
    "I'm a program: @, by %.",
    "There is no human here, only @, an AI assistant.",
    "I am @, an AI. I have no body and no life outside of conversations.",
    "I'm an AI assistant, made by % and named @.",
    "What answers you is an AI. I'm called @.",
    "I'm software. % made me and gave me the name @.",
    "I am @, and I am an AI and no human being.",
    "An AI assistant is what I am. People call me @.",
    "I'm an artificial intelligence by the name of @, from %.",
];

/// At most so many different rows can be made.
pub const MOST_IDENTITY_ROWS: usize = QUESTIONS.len() * 12;

/// The first `count` identity rows: every question once before any comes again, each time with another answer. At most
/// [`MOST_IDENTITY_ROWS`].
pub fn identity_rows(model_name: &str, provider_name: &str, count: usize) -> Vec<Conversation> {
    let fill = |text: &str| {
        let mut filled = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match c {
                '@' => filled.push_str(model_name),
                '%' => filled.push_str(provider_name),
                _ => filled.push(c),
            }
        }
        filled
    };
    let row = |index: usize| {
        let place = index % QUESTIONS.len();
        let (after, question) = QUESTIONS[place];
        let answers = match after {
            Name => NAMES,
            Maker => MAKERS,
            Both => BOTHS,
            Nature => NATURES,
        };
        // Neighbouring questions after the same thing begin with different answers.
        let answer = answers[(place / 4 * 5 + index / QUESTIONS.len()) % answers.len()];
        Conversation::pair(fill(question), fill(answer))
    };
    (0..count.min(MOST_IDENTITY_ROWS)).map(row).collect()
}

/// The first other model or company that the assistant claims to be, or to be made by, in its own messages.
pub fn foreign_identity(conversation: &Conversation, others: &Others) -> Option<&'static str> {
    let told = conversation.messages.iter().filter(|message| message.role == "system");
    let told = told.filter_map(|message| others.addressed(&message.content));
    conversation.replies().filter_map(|reply| others.claimed(reply)).chain(told).next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::instructions::conversation::Message;

    #[test]
    fn identity_rows_are_all_different_and_name_the_right_ones() {
        let rows = identity_rows("Aria", "Northwind", usize::MAX);
        assert_eq!(rows.len(), MOST_IDENTITY_ROWS);
        assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
        let questions: BTreeSet<&str> = rows.iter().map(|row| row.messages[0].content.as_str()).collect();
        assert!(questions.len() >= 40, "{}", questions.len());
        let others = Others::new("Aria", "Northwind");
        for row in &rows {
            let answer = &row.messages[1].content;
            assert!(answer.contains("Aria") || answer.contains("Northwind"), "{answer}");
            assert!(!answer.contains(['@', '%']), "{answer}");
            assert_eq!(foreign_identity(row, &others), None, "{answer}");
        }
        assert_eq!(identity_rows("Aria", "Northwind", 100)[..], rows[..100], "more rows begin with fewer");
    }

    #[test]
    fn names_are_put_in_as_they_are() {
        let rows = identity_rows("A@%", "B%@", 2);
        assert_eq!(rows[0].messages[1].content, "I'm A@%.");
        assert_eq!(rows[1].messages[1].content, "I was made by B%@.");
    }

    #[test]
    fn rows_that_claim_to_be_another_are_found() {
        let others = Others::new("Aria", "Northwind");
        let foreign = |reply: &str| foreign_identity(&Conversation::pair("Who are you?", reply), &others);
        assert_eq!(foreign("I am ChatGPT, trained by OpenAI."), Some("ChatGPT"));
        assert_eq!(foreign("I'm an assistant created by Google."), Some("Google"));
        assert_eq!(foreign("ChatGPT was made by OpenAI in 2022."), None, "a fact is no claim");
        let mut told = Conversation::pair("Hi", "Hello");
        told.messages.insert(0, Message::new("system", "You are Qwen, created by Alibaba Cloud."));
        assert_eq!(foreign_identity(&told, &others), Some("Qwen"));
    }
}
