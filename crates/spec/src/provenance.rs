//! The comment that a transform leaves in the first line of the file it writes.

/// What a spec was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The transform, for example `rules-only`.
    pub transform: String,
    /// The BLAKE3 hash of the file that was transformed, in hex.
    pub parent: String,
    /// Who wrote it, if a model did.
    pub writer: Option<WrittenBy>,
}

/// The model that wrote a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenBy {
    /// Its name.
    pub model: String,
    /// The hash of the prompt's template, in hex.
    pub template: String,
}

const OPENS: &str = "<!-- whyfirst: transform=";

impl Provenance {
    /// The comment, with its line break.
    pub fn comment(&self) -> String {
        let writer = self.writer.as_ref().map_or_else(String::new, |writer| {
            // A name must not end the comment, nor its own quotation marks.
            let model: String = writer
                .model
                .chars()
                .map(|c| if matches!(c, '"' | '>' | '\n' | '\r') { '_' } else { c })
                .collect();
            format!(" template={} model=\"{model}\"", writer.template)
        });
        format!("{OPENS}{} parent={}{writer} -->\n", self.transform, self.parent)
    }

    /// Reads the comment at the beginning of a file.
    pub(crate) fn read(text: &str) -> Option<Provenance> {
        let rest = text.strip_prefix(OPENS)?;
        let (transform, rest) = rest.split_once(" parent=")?;
        let (rest, _) = rest.split_once(" -->")?;
        let (parent, writer) = match rest.split_once(" template=") {
            None => (rest, None),
            Some((parent, writer)) => {
                let (template, model) = writer.split_once(" model=\"")?;
                let model = model.strip_suffix('"')?;
                (parent, Some(WrittenBy { model: model.to_string(), template: template.to_string() }))
            }
        };
        let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '-');
        (plain(transform) && plain(parent) && writer.as_ref().is_none_or(|writer| plain(&writer.template)))
            .then(|| Provenance { transform: transform.to_string(), parent: parent.to_string(), writer })
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
        let writer = WrittenBy { model: "simulated writer for a->b".into(), template: "cd34".into() };
        for writer in [None, Some(writer)] {
            let provenance = Provenance { transform: "rules-only".into(), parent: "ab12".into(), writer };
            let text = provenance.comment() + "# A\n";
            let read = Provenance::read(&text).unwrap();
            assert_eq!(read.comment(), provenance.comment());
            assert_eq!((&read.transform, &read.parent), (&provenance.transform, &provenance.parent));
            assert_eq!(&text[length(&text)..], "# A\n");
        }
        for other in
            ["", "<!-- whyfirst: transform=a b parent=c -->\n", "<!-- whyfirst: transform=a -->", "# A"]
        {
            assert_eq!((Provenance::read(other), length(other)), (None, 0), "{other}");
        }
    }
}
