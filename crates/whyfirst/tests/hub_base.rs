//! A base by its hub id: taken from the hub's cache, and an error that says what to do where it is not there.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{EXPERIMENT, Project};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The tiny experiment on `base`, and a cache that holds its model as `org/tiny`.
fn project(base: &str) -> Project {
    let project = Project::with(&EXPERIMENT.replacen("../base", base, 1));
    let repository = project.path("cache/models--org--tiny");
    let snapshot = repository.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), COMMIT).unwrap();
    fs::rename(project.path("base"), repository.join("blobs")).unwrap();
    for entry in fs::read_dir(repository.join("blobs")).unwrap() {
        let name = entry.unwrap().file_name();
        symlink(Path::new("../../blobs").join(&name), snapshot.join(&name)).unwrap();
    }
    project
}

fn check(project: &Project) -> (Option<i32>, String) {
    let mut command = project.whyfirst(&["check", "exp"]);
    command.env("HF_HUB_CACHE", project.path("cache")).env("HF_HUB_OFFLINE", "1");
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_model_in_the_cache_needs_no_network() {
    let (code, text) = check(&project("org/tiny"));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_model_that_is_not_there_is_an_error_that_says_what_to_do() {
    let (code, text) = check(&project("org/other"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no folder here") && text.contains("HF_HUB_OFFLINE is set"), "{text}");
    let (code, text) = check(&project("org/tiny@v2"));
    assert_eq!(code, Some(2), "{text}");
}
