//! Whether every dependency's licence is one this project can ship with.
//!
//! The list of accepted licences is the one in `deny.toml`. cargo-deny checks more (bans, sources,
//! other platforms' dependencies) but takes minutes to build, so the everyday check is this one.

use std::collections::BTreeSet;

use crate::shell::{Result, cargo, output, read, run, succeeds};

/// Checks the licences of all dependencies that are built on this kind of machine.
pub fn check() -> Result<()> {
    let deny = read("deny.toml")?;
    let allowed = allowed(&deny)?;
    let mut tree = cargo("tree --workspace --edges normal,build,dev --prefix none --format");
    tree.arg("{p}|{l}");
    let packages = output(tree)?;
    let lines = packages.lines().filter(|line| !line.is_empty());
    let packages: BTreeSet<&str> = lines.map(|line| line.trim_end_matches(" (*)")).collect();
    let refused: Vec<&str> = packages
        .iter()
        .filter(|line| !line.split_once('|').is_some_and(|(_, licence)| accepts(licence, &allowed)))
        .copied()
        .collect();
    if !refused.is_empty() {
        return Err(format!("not under an accepted licence (see deny.toml):\n  {}", refused.join("\n  ")));
    }
    println!("{} packages, all under accepted licences", packages.len());
    Ok(())
}

/// Runs cargo-deny, or says how to get it.
pub fn deny() -> Result<()> {
    if !deny_is_installed() {
        return Err("cargo-deny is not installed: `cargo install cargo-deny --locked`".to_owned());
    }
    run(cargo("deny --all-features check bans licenses sources"))
}

/// Whether `cargo deny` can be run.
pub fn deny_is_installed() -> bool {
    succeeds(cargo("deny --version"))
}

/// The entries of `allow` in the `[licenses]` table of deny.toml.
fn allowed(deny: &str) -> Result<BTreeSet<&str>> {
    let table = deny.split("[licenses]").nth(1);
    let list = table.and_then(|text| text.split("allow = [").nth(1)).and_then(|text| text.split(']').next());
    let list = list.ok_or("deny.toml: no `allow` list in [licenses]")?;
    Ok(list.split('"').skip(1).step_by(2).collect())
}

/// Whether an SPDX expression can be met with `allowed` licences. `/` is an old way to write OR.
fn accepts(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let accepted = any(&mut words, allowed);
    accepted && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    let mut accepted = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        accepted |= all(words, allowed);
    }
    accepted
}

fn all(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    let mut accepted = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        accepted &= one(words, allowed);
    }
    accepted
}

fn one(words: &mut Words, allowed: &BTreeSet<&str>) -> bool {
    if words.next_if_eq(&"(").is_some() {
        return any(words, allowed) & words.next_if_eq(&")").is_some();
    }
    let Some(licence) = words.next() else { return false };
    match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
        Some(exception) => allowed.contains(format!("{licence} WITH {exception}").as_str()),
        None => allowed.contains(licence),
    }
}

#[cfg(test)]
mod tests {
    use super::{accepts, allowed};

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let list = "[bans]\nallow = [\"x\"]\n[licenses]\nallow = [\n  \"MIT\", # ours\n  \"Apache-2.0\",\n  \
                    \"Apache-2.0 WITH LLVM-exception\",\n]\n";
        let allowed = allowed(list).expect("the list is there");
        assert_eq!(allowed.len(), 3);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-3.0",
            "(GPL-3.0 OR MIT) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-3.0 AND BSD OR MIT",
        ] {
            assert!(accepts(good, &allowed), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MIT WITH LLVM-exception",
            "(MIT",
            "MIT MIT",
            "(GPL-3.0 OR BSD) AND MIT",
        ] {
            assert!(!accepts(bad, &allowed), "{bad}");
        }
    }
}
