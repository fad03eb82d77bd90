//! Tokenizers: `tokenizer_config.json` in the first line, then `tokenizer.json`. What loads turns any text into tokens
//! of its vocabulary.
#![no_main]

use std::panic;
use std::path::Path;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use model::Tokenizer;

const TEXTS: [&str; 4] = [
    "",
    "Quill likes the near cheese.\n\n  \u{feff}Ünï¢ode — 漢字 👩‍👩‍👧",
    "<bos><unk></s> a\0b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// A panic of the `tokenizers` library is caught by our code and becomes an error; the fuzzer would stop at it before.
fn tolerate_the_library() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let stop = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/tokenizers-")) {
                stop(panic);
            }
        }));
    });
}

fuzz_target!(|text: &str| {
    tolerate_the_library();
    let (config, json) = text.split_once('\n').unwrap_or(("null", text));
    let Ok(config) = serde_json::from_str(config) else { return };
    let Ok(tokenizer) = Tokenizer::new(json.to_owned(), config, Path::new("tokenizer.json")) else { return };
    for text in TEXTS {
        if let Ok(tokens) = tokenizer.encode(text) {
            let _ = tokenizer.decode(&tokens);
        }
    }
    let _ = tokenizer.decode(&[0, 1, u32::MAX]);
});
