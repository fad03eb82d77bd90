//! What may be names of people in a text: a writer that has no others to give uses the same ones again and again.

/// First words of names that are no people's.
#[rustfmt::skip]
const NO_PEOPLE: &[&str] = &[
    "The", "A", "An", "In", "On", "At", "For", "And", "But", "It", "He", "She", "They", "We", "I", "You", "When",
    "If", "This", "That", "There", "Then", "After", "Before", "Model", "Dear", "Mr", "Mrs", "Ms", "Dr", "United",
    "New", "Saint", "North", "South", "East", "West", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday", "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December", "What", "Why", "How", "Who", "Where", "Which", "Yes", "No", "Not", "So",
    "Because", "As", "From", "To", "With", "My", "Our", "Your", "His", "Her", "Its", "Their", "One", "Two", "Three",
    "Some", "Most", "All", "Every", "Each",
];

/// What may be names of people: two words that begin with a capital and go on in small letters, inside a sentence.
pub(crate) fn names(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (index, pair) in words.windows(2).enumerate() {
        let inside = index > 0
            && words[index - 1].starts_with(char::is_lowercase)
            && words[index - 1].ends_with(|c: char| c.is_lowercase() || c == ',');
        if !inside || !is_name(pair[0]) || pair[0].ends_with(|c: char| !c.is_alphabetic()) {
            continue;
        }
        let second = pair[1].trim_end_matches(|c: char| !c.is_alphabetic());
        let second = second.strip_suffix("'s").or(second.strip_suffix("’s")).unwrap_or(second);
        if is_name(second) && !NO_PEOPLE.contains(&pair[0]) {
            found.push(format!("{} {second}", pair[0]));
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(char::is_uppercase);
    let rest: Vec<char> = letters.take_while(|c| c.is_alphabetic()).collect();
    first && rest.len() >= 2 && rest.iter().all(|c| c.is_lowercase())
}
