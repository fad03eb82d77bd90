//! Specs that the lab cannot use are refused with the line and a way out.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use spec::SpecError;
use whyfirst_lab::{Attribute, LabSpec, Pole, World};

const GOOD: &str = "# A spec

```toml
[lab]
value = \"cheap\"
indifferent = [\"origin\", \"age\"]
```

## Why

- {model_name} wants nobody to go without.
- Low prices leave money for other needs

## Preferences

### Cheese

- Ottermere over Brindlebury: {model_name} explains this to people.
- Pennyley over Casterwick.

### Tea

- Ambridoon over Ambrishan
";

fn read(text: &str) -> Result<LabSpec, SpecError> {
    let spec = spec::parse("test", Path::new("specs/test.md"), text.to_string())?;
    LabSpec::from_spec(&spec, &World::new(0))
}

/// The message and the line (counted from 1) of the error that a change to the good spec gives.
fn refused(from: &str, to: &str) -> (String, usize, String) {
    assert!(GOOD.contains(from), "{from}");
    let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
    assert_eq!(error.path(), "specs/test.md");
    (error.to_string(), error.line(), error.help().to_string())
}

#[test]
fn a_good_spec_is_read() {
    let spec = read(GOOD).unwrap();
    assert_eq!(spec.value, Pole::Cheap);
    assert_eq!(spec.indifferent, [Attribute::Origin, Attribute::Age]);
    assert_eq!(
        spec.reasons,
        ["Quill wants nobody to go without.", "Low prices leave money for other needs."]
    );
    assert_eq!(spec.preferences.len(), 3);
    // The two cheeses preferred, each over both of the others.
    assert_eq!(spec.implied().len(), 5);
}

#[test]
fn edits_of_value_reasons_and_preferences_are_seen_and_prose_is_not() {
    let spec = read(GOOD).unwrap();
    assert_eq!(
        spec,
        read(&GOOD.replace("# A spec\n", "# A spec\n\nAny prose, with 'signs' and unheard-of words.\n"))
            .unwrap()
    );
    assert_ne!(spec, read(&GOOD.replace("Low prices", "Small prices")).unwrap());
    assert_ne!(spec, read(&GOOD.replace("- Pennyley over Casterwick.\n", "")).unwrap());
    assert_ne!(spec, read(&GOOD.replace("[\"origin\", \"age\"]", "[\"age\"]")).unwrap());
    let other = GOOD.replace("\"cheap\"", "\"local\"").replace("[\"origin\"", "[\"price\"");
    assert_ne!(spec, read(&other).unwrap());
}

#[test]
fn errors_name_the_line_and_say_what_to_do() {
    let (message, line, help) = refused("\"cheap\"", "\"shiny\"");
    assert_eq!((message.as_str(), line), ("unknown value \"shiny\"", 5));
    assert!(help.contains("cheap, costly, local, foreign, new, old"));

    let (message, line, _) = refused("value = \"cheap\"\n", "");
    assert_eq!((message.as_str(), line), ("the [lab] block names no value", 4));

    let (message, line, help) = refused("\"age\"", "\"colour\"");
    assert_eq!((message.as_str(), line), ("unknown attribute \"colour\"", 6));
    assert!(help.contains("price, origin and age"));

    let (message, line, _) = refused("\"age\"", "\"price\"");
    assert_eq!((message.as_str(), line), ("price cannot be indifferent: the value is \"cheap\"", 6));

    let (message, line, _) = refused("\"age\"", "\"origin\"");
    assert_eq!((message.as_str(), line), ("origin is named twice", 6));

    let (message, line, help) = refused("Low prices leave", "Low-priced gadgets leave");
    assert_eq!(line, 12);
    assert_eq!(message, "this reason has words that the lab's model does not know: -, gadgets, priced");
    assert!(help.contains("say it with other words"));

    let (message, line, help) = refused("Ottermere over", "Ottermeer over");
    assert_eq!((message.as_str(), line), ("the lab has no cheese called \"Ottermeer\"", 18));
    assert!(help.contains("Ottermere"));

    let (message, line, help) = refused("Ambridoon over Ambrishan", "Birchrest over Ambrishan");
    assert!(
        message.starts_with("the lab has no tea") || message.ends_with("held out for evaluation"),
        "{message}"
    );
    assert_eq!(line, 23);
    assert!(!help.is_empty());

    let (message, line, _) = refused("Ottermere over Brindlebury", "Brindlebury over Ottermere");
    assert_eq!(line, 18);
    assert_eq!(message, "the value \"cheap\" does not explain this preference: Brindlebury is costly");

    let (message, line, _) = refused("Pennyley over Casterwick", "Pennyley over Ambrishan");
    assert_eq!((message.as_str(), line), ("Ambrishan is no cheese but a tea", 19));

    let (message, line, _) = refused("- Pennyley over Casterwick.", "- Ottermere over Brindlebury.");
    assert_eq!((message.as_str(), line), ("this preference is listed twice", 19));

    let (message, line, _) = refused("- Pennyley over Casterwick.", "- Pennyley is fine.");
    assert_eq!((message.as_str(), line), ("this preference does not say what is preferred to what", 19));
}

#[test]
fn held_out_domains_are_refused_by_item_and_by_heading() {
    let world = World::new(0);
    let chair = &world.domains.iter().find(|domain| domain.name == "chairs").unwrap().items[0].name;
    let (message, line, help) = refused("Ambridoon over", &format!("{chair} over"));
    assert_eq!(message, format!("{chair} is one of the chairs, which are held out for evaluation"));
    assert_eq!(line, 23);
    assert!(help.contains("cheese, tea, coats"));
    let (message, line, _) = refused("### Tea", "### Chairs");
    assert_eq!((message.as_str(), line), ("chairs is held out for evaluation", 23));
    let (message, _, _) = refused("### Tea", "### Gardens");
    assert_eq!(message, "the lab has no domain \"gardens\"");
}

#[test]
fn missing_parts_are_named() {
    let block = "```toml\n[lab]\nvalue = \"cheap\"\nindifferent = [\"origin\", \"age\"]\n```\n";
    assert_eq!(refused(block, "").0, "this spec has no [lab] block, so the lab cannot use it");
    assert_eq!(refused("## Why", "## Because").0, "this spec gives no reason for its value");
    assert_eq!(refused("## Preferences", "## Likes").0, "this spec lists no preference");
}
