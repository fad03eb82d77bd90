//! Downloads from a stand-in of the hub: what comes, where it lies, and what is said when it does not come.
#![allow(clippy::unwrap_used)]

mod common;

use common::{COMMIT, Hub, OLDER, Server, TOKEN, model, tag_of};
use std::fs;
use std::path::{Path, PathBuf};
use whyfirst_hub::{HubError, ModelId, Settings, fetch};

fn id(text: &str) -> ModelId {
    text.parse().unwrap()
}

fn get(settings: &Settings) -> Result<PathBuf, HubError> {
    fetch(&id("org/model"), settings, &mut |_| {})
}

fn refusal(settings: &Settings, text: &str) -> String {
    fetch(&id(text), settings, &mut |_| {}).unwrap_err().to_string()
}

fn partials(cache: &Path) -> Vec<PathBuf> {
    let blobs = fs::read_dir(cache.join("models--org--model/blobs")).unwrap();
    let paths = blobs.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "incomplete")).collect()
}

#[test]
fn a_model_is_laid_out_as_the_hub_lays_it_out_and_is_not_asked_for_again() {
    let (server, cache) = (Server::start(model()), tempfile::tempdir().unwrap());
    let mut last = None;
    let settings = server.with_token(cache.path(), TOKEN);
    let folder = fetch(&id("org/model"), &settings, &mut |progress| last = Some(progress)).unwrap();
    let repository = cache.path().join("models--org--model");
    assert_eq!(folder, repository.join("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    for (name, bytes) in &server.hub.lock().unwrap().files {
        let unwanted = ["pytorch_model.bin", "README.md"].contains(&name.as_str());
        assert_eq!(fs::read(folder.join(name)).ok().as_ref(), (!unwanted).then_some(bytes), "{name}");
        assert_eq!(repository.join("blobs").join(tag_of(name, bytes)).is_file(), !unwanted, "{name}");
        #[cfg(unix)]
        if !unwanted {
            let link = fs::read_link(folder.join(name)).unwrap();
            assert_eq!(link, Path::new("../../blobs").join(tag_of(name, bytes)));
        }
    }
    let last = last.unwrap();
    assert_eq!((last.done, last.size), (300_000, 300_000));
    let log = server.hub.lock().unwrap().log.clone();
    assert!(
        log.iter().all(|(_, path, _, token)| *token != path.starts_with("/elsewhere/")),
        "the token stays: {log:?}"
    );
    assert_eq!(get(&settings).unwrap(), folder);
    assert_eq!(server.asked(), log.len(), "what is there is not asked for");
    let offline = Settings { offline: true, endpoint: "http://127.0.0.1:9".into(), ..settings };
    assert_eq!(get(&offline).unwrap(), folder);
}

#[test]
fn another_revision_is_another_folder() {
    let (server, cache) = (Server::start(model()), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    let older = fetch(&id("org/model@v1"), &settings, &mut |_| {}).unwrap();
    assert!(older.ends_with(Path::new("snapshots").join(OLDER)));
    let commit = fetch(&id(&format!("org/model@{OLDER}")), &settings, &mut |_| {}).unwrap();
    assert_eq!(commit, older);
    assert!(refusal(&settings, "org/model@v9").contains("no revision `v9`"));
}

#[test]
fn what_broke_is_gone_on_with() {
    let hub = Hub { cut: Some((100_000, 100)), ..model() };
    let (server, cache) = (Server::start(hub), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    // Connections that bring something may break as often as they like.
    get(&settings).unwrap();
    let log = server.hub.lock().unwrap().log.clone();
    let starts: Vec<Option<u64>> = log
        .iter()
        .filter(|(method, path, ..)| {
            method == "GET" && path.ends_with("00001-of-00002.safetensors") && path.starts_with("/elsewhere/")
        })
        .map(|entry| entry.2)
        .collect();
    assert_eq!(starts, [None, Some(100_000), Some(200_000)]);

    // Ones that bring nothing more may not; a later call goes on from what came.
    let hub = Hub { cut: Some((50_000, 1)), ..model() };
    let (server, cache) = (Server::start(hub), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    let blobs = cache.path().join("models--org--model/blobs");
    let bytes = server.hub.lock().unwrap().files["model-00002-of-00002.safetensors"].clone();
    fs::create_dir_all(&blobs).unwrap();
    let partial = blobs.join(format!("{}.incomplete", tag_of("model-00002-of-00002.safetensors", &bytes)));
    fs::write(&partial, &bytes[..123_456]).unwrap();
    get(&settings).unwrap();
    let log = server.hub.lock().unwrap().log.clone();
    assert!(log.iter().any(|entry| entry.2 == Some(123_456)), "{log:?}");
    assert!(partials(cache.path()).is_empty());
}

#[test]
fn a_server_that_breaks_off_every_time_is_given_up_and_what_came_is_kept() {
    let hub = Hub { cut: Some((0, 1000)), ..model() };
    let (server, cache) = (Server::start(hub), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    let error = get(&settings).unwrap_err();
    assert!(matches!(&error, HubError::Cut { size: 300_000, .. }), "{error}");
    assert!(error.to_string().contains("go on from there"), "{error}");
    server.hub.lock().unwrap().cut = None;
    get(&settings).unwrap();
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let hub = Hub { cut: Some((100_000, 1)), whole_only: true, ..model() };
    let (server, cache) = (Server::start(hub), tempfile::tempdir().unwrap());
    let folder = get(&server.settings(cache.path())).unwrap();
    let bytes = &server.hub.lock().unwrap().files["model-00001-of-00002.safetensors"];
    assert_eq!(&fs::read(folder.join("model-00001-of-00002.safetensors")).unwrap(), bytes);
}

#[test]
fn altered_bytes_are_noticed_and_removed() {
    let (server, cache) = (Server::start(Hub { alter: true, ..model() }), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    let error = get(&settings).unwrap_err().to_string();
    assert!(error.contains("model-00001-of-00002.safetensors") && error.contains("SHA-256"), "{error}");
    assert!(partials(cache.path()).is_empty());
    assert!(get(&Settings { offline: true, ..settings.clone() }).is_err(), "it is not complete");
    server.hub.lock().unwrap().alter = false;
    get(&settings).unwrap();
}

#[test]
fn refusals_say_what_to_do() {
    let (server, cache) = (Server::start(model()), tempfile::tempdir().unwrap());
    let settings = server.settings(cache.path());
    let missing = refusal(&settings, "org/other");
    assert!(missing.contains("no model `org/other`") && missing.contains("HF_TOKEN"), "{missing}");
    let wrong = server.with_token(cache.path(), "hf_wrong");
    assert!(refusal(&wrong, "org/model").contains("does not accept the token"));
    server.hub.lock().unwrap().closed = Some("gated");
    let gated = refusal(&settings, "org/model");
    assert!(gated.contains("is gated") && gated.contains("/org/model"), "{gated}");
    server.hub.lock().unwrap().closed = Some("private");
    assert!(refusal(&settings, "org/model").contains("no model `org/model`"));
    let offline = Settings { offline: true, ..settings.clone() };
    assert!(refusal(&offline, "org/model").contains("HF_HUB_OFFLINE"));
    let nobody = Settings { endpoint: "http://127.0.0.1:9".into(), ..settings };
    let error = refusal(&nobody, "org/model");
    assert!(error.contains("cannot reach http://127.0.0.1:9"), "{error}");
    assert!(!error.contains(TOKEN));
    get(&server.with_token(cache.path(), TOKEN)).unwrap();
}

#[test]
fn an_overloaded_server_is_asked_again() {
    let (server, cache) = (Server::start(Hub { busy: 3, ..model() }), tempfile::tempdir().unwrap());
    get(&server.settings(cache.path())).unwrap();
    server.hub.lock().unwrap().busy = 100;
    let error = refusal(&server.settings(cache.path()), "org/model@v1");
    assert!(error.contains("503"), "{error}");
}

#[test]
fn models_that_cannot_be_used_are_found_out_before_anything_large_is_downloaded() {
    let without = |names: &[&str]| {
        let mut hub = model();
        names.iter().for_each(|name| drop(hub.files.remove(*name)));
        let (server, cache) = (Server::start(hub), tempfile::tempdir().unwrap());
        let error = refusal(&server.settings(cache.path()), "org/model");
        assert_eq!(server.asked(), 1);
        error
    };
    assert!(without(&["config.json"]).contains("has no config.json"));
    assert!(without(&["tokenizer.json"]).contains("has no tokenizer.json"));
    assert!(without(&["model.safetensors.index.json"]).contains("pickled weights only"));
    assert!(
        without(&["model.safetensors.index.json", "pytorch_model.bin"]).contains("has no model.safetensors")
    );
}

#[test]
fn a_hub_that_means_harm_cannot_write_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    let mut hub = model();
    hub.files.insert(
        "model.safetensors.index.json".into(),
        br#"{"weight_map": {"a": "../../../../../out.safetensors"}}"#.to_vec(),
    );
    let server = Server::start(hub);
    assert!(refusal(&server.settings(&cache), "org/model").contains("does not name files of weights"));
    let server = Server::start(Hub { tag: Some("../../../../tag"), ..model() });
    let other = root.path().join("cache/other");
    assert!(refusal(&server.settings(&other), "org/model").contains("no usable entity tag"));
    let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["cache"]);
}
