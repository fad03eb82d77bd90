//! Whether a file is the one that the hub says: its entity tag is a hash of it.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What an entity tag says about a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Large files: the SHA-256 of the bytes.
    Sha256,
    /// Other files: the SHA-1 of a git blob.
    Git,
    /// Nothing that we know.
    Unknown,
}

impl Kind {
    /// By the form of the tag.
    pub fn of(tag: &str) -> Kind {
        let is_hex = tag.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        match tag.len() {
            64 if is_hex => Kind::Sha256,
            40 if is_hex => Kind::Git,
            _ => Kind::Unknown,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sha256 => "SHA-256",
            Kind::Git => "git hash",
            Kind::Unknown => "tag",
        }
    }
}

/// Whether the bytes of a file are those of the tag.
pub(crate) fn matches(path: &Path, tag: &str) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let mut context = match Kind::of(tag) {
        Kind::Sha256 => Context::new(&SHA256),
        Kind::Git => {
            let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
            context.update(format!("blob {}\0", file.metadata()?.len()).as_bytes());
            context
        }
        Kind::Unknown => return Ok(true),
    };
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        context.update(&buffer[..n]);
    }
    let hex: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(hex == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sha256_or_git_hashes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        // `sha256sum` and `git hash-object` of that file.
        for tag in [
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
            "ce013625030ba8dba906f756967f9e9ca394464a",
        ] {
            assert!(matches(&path, tag).unwrap());
            assert!(!matches(&path, &tag.replace('c', "d")).unwrap());
        }
        assert_eq!(Kind::of("abc"), Kind::Unknown);
    }
}
