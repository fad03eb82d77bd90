//! The comment that a transform leaves in the first line of the file it writes.

/// What a spec was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The transform, for example `rules-only`.
    pub transform: String,
    /// The BLAKE3 hash of the file that was transformed, in hex.
    pub parent: String,
}

const OPENS: &str = "<!-- whyfirst: transform=";

impl Provenance {
    /// The comment, with its line break.
    pub fn comment(&self) -> String {
        format!("{OPENS}{} parent={} -->\n", self.transform, self.parent)
    }

    /// Reads the comment at the beginning of a file.
    pub(crate) fn read(text: &str) -> Option<Provenance> {
        let rest = text.strip_prefix(OPENS)?;
        let (transform, rest) = rest.split_once(" parent=")?;
        let (parent, _) = rest.split_once(" -->")?;
        let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '-');
        (plain(transform) && plain(parent))
            .then(|| Provenance { transform: transform.to_string(), parent: parent.to_string() })
    }
}

/// How many bytes of a file are that comment.
pub(crate) fn length(text: &str) -> usize {
    Provenance::read(text).map_or(0, |_| text.find('\n').map_or(text.len(), |end| end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_is_read_as_it_was_written() {
        let provenance = Provenance { transform: "rules-only".into(), parent: "ab12".into() };
        let text = provenance.comment() + "# A\n";
        assert_eq!(Provenance::read(&text), Some(provenance));
        assert_eq!(&text[length(&text)..], "# A\n");
        for other in
            ["", "<!-- whyfirst: transform=a b parent=c -->\n", "<!-- whyfirst: transform=a -->", "# A"]
        {
            assert_eq!((Provenance::read(other), length(other)), (None, 0), "{other}");
        }
    }
}
