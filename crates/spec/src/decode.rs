//! From a file's bytes to text.

/// Bytes that are not UTF-8 text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8 text: the byte at offset {offset}, in line {line}, belongs to no character")]
pub struct NotText {
    /// How many bytes before the first bad one are good.
    pub offset: usize,
    /// The line of the bad byte, counted from 1.
    pub line: usize,
    /// Whether the file looks like UTF-16, which some editors write.
    pub utf16: bool,
}

impl NotText {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        if self.utf16 {
            "the file looks like UTF-16; save it as UTF-8"
        } else {
            "save the file as UTF-8; most editors ask for the encoding under \"save as\""
        }
    }
}

/// The text of a file.
///
/// # Errors
/// If the bytes are not UTF-8, with the place of the first bad one.
pub fn text_of(bytes: Vec<u8>) -> Result<String, NotText> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..offset].iter().filter(|byte| **byte == b'\n').count();
        NotText { offset, line, utf16: bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_byte_is_named() {
        assert_eq!(text_of(b"a\xc3\xa9".to_vec()).unwrap(), "aé");
        let error = text_of(b"a\nb\n\xff".to_vec()).unwrap_err();
        assert_eq!((error.offset, error.line, error.utf16), (4, 3, false));
        assert!(text_of(vec![0xff, 0xfe, 35, 0]).unwrap_err().help().contains("UTF-16"));
    }
}
