//! Sizes: an estimate of tokens, and words.

/// Bytes of UTF-8 that make one token, on average.
const BYTES_PER_TOKEN: usize = 4;

/// About how many tokens a text has: one for every four bytes of UTF-8, rounded up.
///
/// It is an estimate, for sizes and budgets. Byte-pair vocabularies of 100,000 tokens and more make about 4 to 5 bytes
/// of English prose into one token, fewer of Markdown marks and code, and about 3, that is one character, of Chinese or
/// Japanese: so for English the estimate is rather too high than too low. What a model counts only its own tokenizer
/// can tell.
pub fn estimate_tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}

/// The number of words: what stands between spaces and has a letter or digit.
pub fn count_words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!((estimate_tokens(""), estimate_tokens("a"), estimate_tokens("abcde")), (0, 1, 2));
        assert_eq!(estimate_tokens("éé"), 1);
        assert_eq!(count_words("One - two, `three`\n\n--- 4 **"), 4);
    }
}
