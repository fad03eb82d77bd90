//! From tokens to text as it comes: nothing is shown that a later token could change or a stop string take back.

use crate::{ModelError, Tokenizer};

/// The text of a growing list of tokens. `T` is whatever holds their tokenizer.
#[derive(Clone)]
pub struct Spoken<T> {
    tokenizer: T,
    stops: Vec<String>,
    tokens: Vec<u32>,
    /// Where the tokens begin whose text the next token's depends on, and where those begin that have no text yet.
    window: (usize, usize),
    /// Text that may yet turn out to be the beginning of a stop string.
    held: String,
    stopped: bool,
}

impl<T: AsRef<Tokenizer>> Spoken<T> {
    /// Nothing said yet; the text ends before the first of `stops` that comes up in it.
    pub fn new(tokenizer: T, stops: Vec<String>) -> Spoken<T> {
        let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        Spoken { tokenizer, stops, tokens: Vec::new(), window: (0, 0), held: String::new(), stopped: false }
    }

    /// Takes the next token; what can be shown now, which may be nothing.
    ///
    /// # Errors
    /// When the tokenizer cannot decode it.
    pub fn push(&mut self, token: u32) -> Result<String, ModelError> {
        if self.stopped {
            return Ok(String::new());
        }
        self.tokens.push(token);
        if self.tokenizer.as_ref().is_open(token) {
            return Ok(String::new());
        }
        let (start, said) = self.window;
        let before = self.decode(&self.tokens[start..said])?;
        let after = self.decode(&self.tokens[start..])?;
        // A character whose bytes are not all there is a replacement character so far.
        let new = match after.strip_prefix(&before) {
            Some(new) if !new.is_empty() && !new.ends_with(char::REPLACEMENT_CHARACTER) => new.to_owned(),
            _ => return Ok(String::new()),
        };
        self.window = (said, self.tokens.len());
        self.held.push_str(&new);
        Ok(self.release())
    }

    /// Whether a stop string has come up: the text is at its end.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Tokens taken.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// What was held back, now that no more comes.
    ///
    /// # Errors
    /// When the tokenizer cannot decode it.
    pub fn finish(&mut self) -> Result<String, ModelError> {
        if self.stopped {
            return Ok(String::new());
        }
        let (start, said) = self.window;
        let before = self.decode(&self.tokens[start..said])?;
        let after = self.decode(&self.tokens[start..])?;
        self.held.push_str(after.strip_prefix(&before).unwrap_or_default());
        self.window = (said, self.tokens.len());
        let shown = self.release();
        self.stopped = true;
        Ok(shown + &std::mem::take(&mut self.held))
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        self.tokenizer.as_ref().decode(tokens)
    }

    /// Takes from what is held what no stop string can begin in.
    fn release(&mut self) -> String {
        if let Some(at) = first_stop(&self.held, &self.stops) {
            self.stopped = true;
            let mut shown = std::mem::take(&mut self.held);
            shown.truncate(at);
            return shown;
        }
        let keeps = |from: &usize| self.stops.iter().any(|stop| stop.starts_with(&self.held[*from..]));
        let from = self.held.char_indices().map(|(at, _)| at).find(keeps).unwrap_or(self.held.len());
        let rest = self.held.split_off(from);
        std::mem::replace(&mut self.held, rest)
    }
}

/// Where the stop string begins that is complete first, and of those that end together the longest. This end is the
/// same however the text is cut into tokens; the stop string that begins first may be complete only after it.
fn first_stop(text: &str, stops: &[String]) -> Option<usize> {
    let found = stops.iter().filter_map(|stop| text.find(stop).map(|at| (at + stop.len(), at)));
    found.min().map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::path::Path;

    /// Every byte a token, as in models whose tokens are bytes or runs of them.
    fn bytes() -> Tokenizer {
        let printable = |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || byte >= 174;
        let mut others = 0;
        let vocabulary: serde_json::Map<String, Value> = (0..256u32)
            .map(|byte| {
                let code = if printable(byte) { byte } else { 256 + others };
                others += u32::from(!printable(byte));
                (char::from_u32(code).unwrap().to_string(), json!(byte))
            })
            .collect();
        let json = json!({
            "added_tokens": [], "pre_tokenizer": null,
            "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            "model": { "type": "BPE", "vocab": vocabulary, "merges": [] },
        });
        Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap()
    }

    /// Words and blanks as Llama has them, with bytes for what it lacks; the first token is special.
    fn words_and_bytes() -> Tokenizer {
        let json = json!({
            "added_tokens": [{ "id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
                               "normalized": false, "special": true }],
            "decoder": { "type": "Sequence", "decoders": [
                { "type": "Replace", "pattern": { "String": "\u{2581}" }, "content": " " },
                { "type": "ByteFallback" }, { "type": "Fuse" },
                { "type": "Strip", "content": " ", "start": 1, "stop": 0 } ] },
            "model": { "type": "WordLevel", "unk_token": "\u{2581}a", "vocab": {
                "<s>": 0, "\u{2581}a": 1, "b": 2, "\u{2581}": 3, "<0xC3>": 4, "<0xA4>": 5, "<0x41>": 6 } },
        });
        Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap()
    }

    /// Tokens that are words, with blanks put between them.
    fn words() -> Tokenizer {
        let vocabulary: serde_json::Map<String, Value> = (0..256)
            .map(|i| (["a", "b", "stop", "end", "."][i % 5].to_owned() + &i.to_string(), json!(i)))
            .collect();
        let json = json!({ "added_tokens": [], "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "a0" } });
        Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap()
    }

    fn said(tokenizer: &Tokenizer, tokens: &[u32], stops: &[&str]) -> (Vec<String>, bool) {
        let mut spoken = Spoken::new(tokenizer, stops.iter().map(|s| (*s).to_owned()).collect());
        let mut pieces: Vec<String> = Vec::new();
        for token in tokens {
            pieces.push(spoken.push(*token).unwrap());
            if spoken.stopped() {
                return (pieces, true);
            }
        }
        pieces.push(spoken.finish().unwrap());
        let stopped = stops.iter().any(|stop| tokenizer.decode(tokens).unwrap().contains(stop));
        (pieces, stopped)
    }

    /// A letter at a time until a stop string is complete, which then goes.
    fn expected(whole: &str, stops: &[&str]) -> String {
        let ends = whole.char_indices().map(|(at, c)| at + c.len_utf8());
        for text in ends.map(|end| &whole[..end]) {
            if let Some(stop) =
                stops.iter().filter(|stop| text.ends_with(**stop)).max_by_key(|stop| stop.len())
            {
                return text[..text.len() - stop.len()].to_owned();
            }
        }
        whole.to_owned()
    }

    #[test]
    fn the_stop_that_is_complete_first_ends_the_text_however_it_is_cut() {
        let tokens: Vec<u32> = " aé".bytes().map(u32::from).collect();
        assert_eq!(said(&bytes(), &tokens, &["a", " aé"]), (vec![String::new(), " ".to_owned()], true));
        // One piece, in which both are complete: the text ends where it would have, letter by letter.
        assert_eq!(first_stop(" aé", &["a".to_owned(), " aé".to_owned()]), Some(1));
        assert_eq!(first_stop(" aé", &["é".to_owned(), "aé".to_owned()]), Some(1));
    }

    #[test]
    fn characters_are_whole_and_beginnings_of_stops_wait() {
        let tokens: Vec<u32> = "né\u{1f9c0}!STO STOP me".bytes().map(u32::from).collect();
        let (pieces, _) = said(&bytes(), &tokens, &["STOP"]);
        assert_eq!(&pieces[..8], ["n", "", "é", "", "", "", "\u{1f9c0}", "!"]);
        assert_eq!(pieces.concat(), "né\u{1f9c0}!STO ");
        assert_eq!(&pieces[8..12], ["", "", "", "STO "]);
    }

    #[test]
    fn what_is_held_back_comes_at_the_end() {
        let tokens: Vec<u32> = "to the STO\u{e9}".bytes().map(u32::from).collect();
        let (pieces, stopped) = said(&bytes(), &tokens[..tokens.len() - 2], &["STOP"]);
        assert!(!stopped && pieces.concat() == "to the STO" && pieces.last().unwrap() == "STO");
        // Half a character at the very end is shown as what it is.
        let (pieces, _) = said(&bytes(), &tokens[..tokens.len() - 1], &[]);
        assert_eq!(pieces.concat(), "to the STO\u{fffd}");
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text_up_to_the_first_stop(
            text in "[aéb\u{1f9c0} x]{0,30}", stops in proptest::collection::vec("[aéb x]{1,3}", 0..3),
        ) {
            let tokenizer = bytes();
            let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            prop_assert_eq!(said(&tokenizer, &tokens, &stops).0.concat(), expected(&text, &stops));
        }

        #[test]
        fn bytes_wait_for_the_bytes_beside_them(
            tokens in proptest::collection::vec(0u32..7, 0..20), stop in "(a b|A|ä|\u{fffd})?",
        ) {
            let tokenizer = words_and_bytes();
            let whole = tokenizer.decode(&tokens).unwrap();
            let stops: Vec<&str> = [stop.as_str()].into_iter().filter(|s| !s.is_empty()).collect();
            prop_assert_eq!(said(&tokenizer, &tokens, &stops).0.concat(), expected(&whole, &stops));
        }

        #[test]
        fn words_keep_the_blanks_between_them(
            tokens in proptest::collection::vec(0u32..256, 0..20), stop in "(stop2|end8 |b1|a)?",
        ) {
            let tokenizer = words();
            let whole = tokenizer.decode(&tokens).unwrap();
            let stops: Vec<&str> = [stop.as_str()].into_iter().filter(|s| !s.is_empty()).collect();
            prop_assert_eq!(said(&tokenizer, &tokens, &stops).0.concat(), expected(&whole, &stops));
        }
    }
}
