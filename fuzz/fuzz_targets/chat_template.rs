//! Chat templates: whatever the template is, rendering comes to an end with text or an error.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::{ChatTemplate, Message, Tokenizer};

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
    let json = include_str!("../base/tokenizer.json").to_owned();
    let config = serde_json::from_str(include_str!("../base/tokenizer_config.json")).expect("a fixed file");
    Tokenizer::new(json, config, Path::new("tokenizer.json")).expect("a fixed file")
});

fuzz_target!(|source: &str| {
    let Ok(template) = ChatTemplate::new(source.to_owned(), &TOKENIZER) else { return };
    let message = |role: &str, name: Option<&str>, content: &str| Message {
        role: role.to_owned(),
        name: name.map(str::to_owned),
        content: content.to_owned(),
    };
    let messages = [
        message("system", None, "Be brief."),
        message("user", None, "Which? {{ no }} <eos> — ”é\n"),
        message("assistant", Some("Quill"), "The near one."),
        message("user", None, ""),
    ];
    for end in [0, 2, messages.len()] {
        let _ = template.render(&messages[..end], end % 4 == 0, Some("Quill"));
    }
});
