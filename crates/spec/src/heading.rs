//! Headings: `## Title {#id key=value}`, titles with a line of `=` or `-` below them, and numbered principles.

/// A heading without its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub level: usize,
    pub title: String,
    pub id: Option<String>,
    pub attributes: Vec<(String, String)>,
}

/// The heading on a line that begins with one to six `#`; at most three spaces may stand before it.
pub(crate) fn atx(line: &str) -> Option<Heading> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[indent..];
    let level = rest.chars().take_while(|c| *c == '#').count();
    let after = &rest[level..];
    if indent > 3 || !(1..=6).contains(&level) || !(after.is_empty() || after.starts_with([' ', '\t'])) {
        return None;
    }
    let (mut title, attributes) = split_attributes(after.trim());
    // A closing row of # is decoration.
    let bare = title.trim_end_matches('#');
    if bare.is_empty() || bare.ends_with([' ', '\t']) {
        title = bare.trim_end();
    }
    Some(finish(level, title, attributes))
}

/// The level that a line gives to the title above it: 1 for `===`, 2 for `---`. Markdown needs one sign only; we ask
/// for three, since one or two are more often something else.
pub(crate) fn underline(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let signs = line.trim();
    let all = |sign: char| signs.len() >= 3 && signs.chars().all(|c| c == sign);
    match () {
        () if indent > 3 => None,
        () if all('=') => Some(1),
        () if all('-') => Some(2),
        () => None,
    }
}

/// The heading whose title is on this line, with an underline below it.
pub(crate) fn underlined(line: &str, level: usize) -> Heading {
    let (title, attributes) = split_attributes(line.trim_start_matches('\u{feff}').trim());
    finish(level, title, attributes)
}

/// Whether a line, on its own between empty lines, could be a title with an underline.
pub(crate) fn may_be_title(line: &str) -> bool {
    let text = line.trim_start_matches(' ');
    let marked = text.starts_with(['>', '|', '#', '\t', '<']) || text.starts_with("!!!");
    let footnote = text.starts_with("[^");
    line.len() - text.len() <= 3
        && !text.trim().is_empty()
        && !(marked || footnote)
        && crate::items::marker(text).is_none()
        && underline(line).is_none()
}

fn finish(level: usize, title: &str, attributes: Vec<(String, String)>) -> Heading {
    let id = attributes.iter().find(|(key, _)| key == "id").map(|(_, value)| value.clone());
    let attributes = attributes.into_iter().filter(|(key, _)| key != "id").collect();
    Heading { level, title: title.to_string(), id, attributes }
}

/// Splits off `{#id .class key=value key="two words"}` at the end of a title. Other braces belong to the title:
/// what begins with `{#` is always attributes, and anything else only if each of its words is one.
fn split_attributes(title: &str) -> (&str, Vec<(String, String)>) {
    let none = (title, Vec::new());
    let Some(open) = title.rfind('{').filter(|_| title.ends_with('}')) else { return none };
    let inside = &title[open + 1..title.len() - 1];
    let words = words(inside);
    let strict = !words.is_empty() && words.iter().all(|word| attribute(word).is_some());
    if !strict && !inside.starts_with('#') {
        return none;
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    for word in words {
        let (key, value) = attribute(word).unwrap_or((word, ""));
        // The first id counts.
        if !(key == "id" && attributes.iter().any(|(key, _)| key == "id")) {
            attributes.push((key.to_string(), value.to_string()));
        }
    }
    (title[..open].trim_end(), attributes)
}

/// Key and value of one word of the attributes.
fn attribute(word: &str) -> Option<(&str, &str)> {
    if let Some(id) = word.strip_prefix('#') {
        return (!id.is_empty()).then_some(("id", id));
    }
    if let Some(class) = word.strip_prefix('.') {
        return (!class.is_empty()).then_some(("class", class));
    }
    let (key, value) = word.split_once('=')?;
    let named = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-:.".contains(c));
    named.then(|| (key, value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)))
}

/// The words of the attributes; what is quoted stays together.
fn words(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = text.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    split.filter(|word| !word.is_empty()).collect()
}

/// The label of a numbered principle and what follows it: `SP1: Tell the truth`, `1. Tell the truth`, `2.3 Limits`,
/// `Principle 4 - Limits`, also when the label is emphasised.
pub fn label(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().trim_start_matches(['*', '_']);
    let mut end = 0;
    for word in ["Principle ", "Rule ", "Value ", "Article "] {
        if text.starts_with(word) {
            end = word.len();
        }
    }
    let letters = text[end..].chars().take_while(char::is_ascii_uppercase).count();
    if letters > 4 || (end > 0 && letters > 0) {
        return None;
    }
    end += letters;
    let number = text[end..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').count();
    let digits = text[end..end + number].trim_end_matches('.');
    let parts_are_small = digits.split('.').all(|part| (1..=3).contains(&part.len()));
    if !parts_are_small {
        return None;
    }
    let (label, after) = (&text[..end + digits.len()], &text[end + digits.len()..]);
    let after = after.trim_start_matches(['*', '_']);
    let trimmed = after.trim_start();
    let separated = trimmed.starts_with(['.', ':', ')', '—', '–'])
        || (after.starts_with(' ') && (trimmed.starts_with("- ") || digits.contains('.')));
    let rest = trimmed.trim_start_matches(['.', ':', ')', '—', '–', '-', '*', '_']);
    let spaced = rest.is_empty() || rest.starts_with(char::is_whitespace) || digits.contains('.');
    (separated && spaced).then(|| (label, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_split_from_titles() {
        let read = |line: &str| {
            let heading = atx(line).unwrap();
            let attributes: Vec<String> =
                heading.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (heading.title, heading.id.unwrap_or_default(), attributes.join(" "))
        };
        let expect = |title: &str, id: &str, attributes: &str| {
            (title.to_string(), id.to_string(), attributes.to_string())
        };
        assert_eq!(
            read("## A {#a authority=root tags=\"x y\"}"),
            expect("A", "a", "authority=root tags=x y")
        );
        assert_eq!(read("## A ## {authority=user}"), expect("A", "", "authority=user"));
        assert_eq!(read("## A {.note #b}"), expect("A", "b", "class=note"));
        assert_eq!(read("## About {model_name}"), expect("About {model_name}", "", ""));
        assert_eq!(read("## Not {an id=x}"), expect("Not {an id=x}", "", ""));
        assert_eq!(read("## A {#}"), expect("A", "", "#="));
        assert_eq!(read("## A {#a odd}"), expect("A", "a", "odd="));
        assert_eq!(read("## A {}"), expect("A {}", "", ""));
    }

    #[test]
    fn labels_of_numbered_principles() {
        for (text, expected) in [
            ("SP1: Tell the truth", Some(("SP1", "Tell the truth"))),
            ("SP12 — Tell the truth", Some(("SP12", "Tell the truth"))),
            ("**SP3**: Tell the truth", Some(("SP3", "Tell the truth"))),
            ("1. Tell the truth", Some(("1", "Tell the truth"))),
            ("1) Tell the truth", Some(("1", "Tell the truth"))),
            ("2.3 Limits", Some(("2.3", "Limits"))),
            ("2.3. Limits", Some(("2.3", "Limits"))),
            ("Principle 4 - Limits", Some(("Principle 4", "Limits"))),
            ("4", None),
            ("3 things to know", None),
            ("2025. A year", None),
            ("Tell 1. the truth", None),
            ("GPT-4: a model", None),
            ("U18 Principles", None),
            ("A: a letter", None),
            ("", None),
        ] {
            assert_eq!(label(text), expected, "{text}");
        }
    }

    #[test]
    fn underlines_give_levels() {
        assert_eq!(underline("==="), Some(1));
        assert_eq!(underline("   -----  "), Some(2));
        for line in ["--", "- - -", "    ---", "=-=", "", "***"] {
            assert_eq!(underline(line), None, "{line}");
        }
        for line in
            ["- item", "1. item", "> quote", "| a |", "# a", "    code", "", "---", "!!! note", "[^1]: x"]
        {
            assert!(!may_be_title(line), "{line}");
        }
        assert!(may_be_title("A title") && may_be_title("**Bold** title"));
    }
}
