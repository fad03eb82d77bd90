//! `multipart/form-data`, as far as an upload of one file needs it (RFC 7578).

use bytes::Bytes;

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content: Bytes,
}

/// Reads a form, or says what is wrong with it.
pub(super) fn parse(content_type: &str, body: &Bytes) -> Result<Vec<Field>, String> {
    let is_form = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    let boundary = parameter(content_type, "boundary").filter(|boundary| is_form && !boundary.is_empty());
    let boundary = boundary.ok_or("a form (multipart/form-data with a boundary) is expected")?;
    let (line, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut fields = Vec::new();
    let mut at = find(body, 0, line.as_bytes()).ok_or("the form has no fields")? + line.len();
    while !body[at..].starts_with(b"--") {
        let head_end = find(body, at, b"\r\n\r\n").ok_or("a field has no end")?;
        let head = String::from_utf8_lossy(&body[at..head_end]).into_owned();
        let start = head_end + 4;
        let end = find(body, start, between.as_bytes()).ok_or("a field has no end")?;
        let is_disposition = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
        let disposition = head.lines().find(is_disposition).ok_or("a field has no name")?;
        fields.push(Field {
            name: parameter(disposition, "name").ok_or("a field has no name")?,
            file_name: parameter(disposition, "filename"),
            content: body.slice(start..end),
        });
        at = end + between.len();
    }
    Ok(fields)
}

/// The value of a parameter of a header, without its quotation marks.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name)).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(body: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut at = from;
    while let Some(next) = body.get(at..)?.iter().position(|&byte| byte == first) {
        at += next;
        if body[at..].starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_their_content_is_untouched() {
        let content = "{\"a\":1}\r\n--not the boundary\r\n\r\n{\"b\":2}\n";
        let body = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
             --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in put.jsonl\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n--xyz--\r\n"
        );
        let fields = parse("multipart/form-data; boundary=xyz", &body.clone().into()).unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].name.as_str(), fields[0].content.as_ref()), ("purpose", b"batch".as_ref()));
        assert_eq!(fields[1].file_name.as_deref(), Some("in put.jsonl"));
        assert_eq!(fields[1].content, content.as_bytes());
        for broken in
            ["", "--xyz", "--xyz\r\n\r\n", "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nx"]
        {
            assert!(
                parse("multipart/form-data; boundary=xyz", &broken.to_owned().into()).is_err(),
                "{broken}"
            );
        }
        assert!(parse("application/json", &body.into()).is_err());
    }
}
