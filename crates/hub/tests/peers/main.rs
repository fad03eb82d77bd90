//! The hub's own client against the stand-in: it takes the stand-in for a hub, and either reads the other's cache.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

use common::{COMMIT, Server, TOKEN, model};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use whyfirst_hub::{Settings, fetch};

/// What the client returns: the folder of the model.
fn client(endpoint: &str, cache: &Path, offline: bool) -> PathBuf {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let program = "import huggingface_hub as h; print(h.snapshot_download('org/model', allow_patterns=['*.json', '*.safetensors']))";
    let mut command = Command::new(python);
    command
        .args(["-c", program])
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HUB_CACHE", cache)
        .env("HF_TOKEN", TOKEN);
    command.env("HF_HUB_DISABLE_XET", "1").env("HF_HUB_OFFLINE", if offline { "1" } else { "0" });
    command.env("HF_HUB_DISABLE_PROGRESS_BARS", "1").env("NO_PROXY", "127.0.0.1,localhost");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Every file and link of a model's folder in the cache: its path, and what it holds or where it leads.
fn tree(cache: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, dir: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            match fs::read_link(&path) {
                Ok(to) => drop(into.insert(name, to.to_str().unwrap().into())),
                Err(_) if path.is_dir() => walk(root, &path, into),
                Err(_) => drop(into.insert(name, fs::read(&path).unwrap())),
            }
        }
    }
    let (root, mut into) = (cache.join("models--org--model"), BTreeMap::new());
    for part in ["blobs", "refs", "snapshots"] {
        walk(&root, &root.join(part), &mut into);
    }
    into
}

#[test]
fn the_hubs_own_client_and_we_make_the_same_cache() {
    let server = Server::start(model());
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = client(&server.endpoint, theirs.path(), false);
    assert!(folder.ends_with(Path::new("snapshots").join(COMMIT)));
    let settings = server.with_token(ours.path(), TOKEN);
    let id = "org/model".parse().unwrap();
    let folder = fetch(&id, &settings, &mut |_| {}).unwrap();
    assert_eq!(tree(ours.path()), tree(theirs.path()));

    // Without a network, each finds what the other has downloaded.
    let nowhere = "http://127.0.0.1:9";
    assert_eq!(client(nowhere, ours.path(), true), folder);
    let offline =
        Settings { offline: true, endpoint: nowhere.into(), cache: theirs.path().to_owned(), ..settings };
    assert_eq!(
        fetch(&id, &offline, &mut |_| {}).unwrap(),
        theirs.path().join("models--org--model/snapshots").join(COMMIT)
    );
}
