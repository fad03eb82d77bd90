//! What can be wrong around a writer, as a user meets it: the key, the model, the address, the store, the disk. Each gets one
//! clear error, nothing is asked for again that does not help, and once the cause is gone the next run goes on to the end.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use common::Project;
use common::limits::{cramped, obedient};
use common::simulated::{self, Simulated, corpora};
use rusqlite::Connection;

const RIGHT: &str = "sk-right-0123456789abcdef";
const WRONG: &str = "sk-wrong-fedcba9876543210";
const KEY_ENV: &str = "WHYFIRST_TEST_WRITER_KEY";

/// Few documents, for a server with a key.
fn experiment(project: &Project, url: &str, edits: &[(&str, &str)]) {
    let mut all = vec![
        ("model = \"sim-writer\"", "model = \"sim-writer\"\nkey_env = \"WHYFIRST_TEST_WRITER_KEY\""),
        ("probe = 4", "probe = 0\npilot = 0.0"),
        (
            "domains = 3\nsubdomains = 2\ntypes = 4\nideas = 3",
            "domains = 2\nsubdomains = 1\ntypes = 2\nideas = 2",
        ),
        ("[corpora.what]\nkind = \"chats\"\nrows = 40\ntopics = 8\nreasoning = true\n", ""),
        ("[gates]", "[gates]\nmin_yield = 0.1\nmin_coverage = 0.0\nmin_right_names = 0.0"),
    ];
    all.extend(edits);
    simulated::experiment(project, "exp", url, &all);
}

fn with_key(project: &Project, key: &str) {
    project.write("exp/.env", &format!("{KEY_ENV}={key}\n"));
}

/// A run that must end with `code`; all that it says, in one line. No key is ever in it, nor in anything that it wrote.
fn said(project: &Project, mut command: Command, code: i32) -> String {
    let output = command.env_remove(KEY_ENV).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(all).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains("panicked") && !text.contains("a bug in"), "{text}");
    let mut files = project.files("exp/runs", |name| name.ends_with('/'));
    files.push(("what it said".to_owned(), text.clone().into_bytes()));
    for (name, bytes) in files {
        for key in [RIGHT, WRONG] {
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "a key is in {name}");
        }
    }
    let begins = |line: &&str| line.starts_with("error:") || line.trim_start().starts_with("× ");
    assert!(text.lines().filter(begins).count() <= 1, "more than one error:\n{text}");
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn run(project: &Project, code: i32) -> String {
    said(project, project.program(&["run", "exp"]), code)
}

fn completes(project: &Project) {
    run(project, 0);
    assert!(!corpora(project, "exp/runs").is_empty());
}

/// How often the server answered with a status.
fn answered(server: &Simulated, status: u16) -> usize {
    server.journal().iter().filter(|entry| entry["status"] == status).count()
}

/// No request was sent again after it had been answered.
fn nothing_twice(server: &Simulated) {
    let mut answered = std::collections::BTreeMap::<String, usize>::new();
    for entry in server.journal().iter().filter(|entry| entry["status"] == 200) {
        *answered.entry(entry["nonce"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(!answered.is_empty() && answered.values().all(|times| *times == 1), "{answered:?}");
}

#[test]
fn a_key_that_is_missing_or_wrong() {
    let project = Project::new();
    // Not on this machine: a key is wanted before anything is sent.
    experiment(&project, "http://writer.invalid", &[]);
    let error = run(&project, 2);
    assert!(error.contains(KEY_ENV) && error.contains(".env"), "{error}");
    assert!(!project.path("exp/runs/writing.json").exists());
    // On this machine servers need none, but this one wants one.
    let server = Simulated::start(&project, &["--key", RIGHT]);
    experiment(&project, &server.url, &[]);
    let error = run(&project, 2);
    assert!(error.contains(&format!("a key is wanted; put it into {KEY_ENV}")), "{error}");
    assert_eq!(answered(&server, 401), 1, "asked again without a key");
    with_key(&project, WRONG);
    let error = run(&project, 2);
    assert!(error.contains(&format!("the key in {KEY_ENV} was refused (401")), "{error}");
    assert!(error.contains("run again"), "{error}");
    assert_eq!(answered(&server, 401), 2, "asked again with a wrong key");
    with_key(&project, RIGHT);
    completes(&project);
    nothing_twice(&server);
}

#[test]
fn a_model_that_nobody_knows() {
    let project = Project::new();
    let server = Simulated::start(&project, &["--model", "sim-writer", "--model", "sim-critic"]);
    experiment(&project, &server.url, &[("model = \"sim-writer\"", "model = \"sim-writter\"")]);
    let error = run(&project, 2);
    assert!(error.contains("does not know the model `sim-writter`"), "{error}");
    assert_eq!((answered(&server, 404), server.journal().len()), (1, 1));
    // The critic is asked for the first time when much has been paid for. None of that is asked for again.
    experiment(&project, &server.url, &[("model = \"sim-critic\"", "model = \"sim-critik\"")]);
    let error = run(&project, 2);
    assert!(error.contains("does not know the model `sim-critik`"), "{error}");
    assert!(answered(&server, 200) > 5);
    experiment(&project, &server.url, &[]);
    completes(&project);
    nothing_twice(&server);
}

/// A server that has one page, whatever is asked for.
fn pages(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The head is enough to answer; the rest may come or not.
            let _ = stream.read(&mut [0; 65_536]);
            let page = "<!DOCTYPE html><title>It works</title>";
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\nconnection: close\r\n");
            let _ = write!(stream, "{head}content-length: {}\r\n\r\n{page}", page.len());
        }
    });
    url
}

#[test]
fn an_address_without_an_api() {
    let project = Project::new();
    with_nothing_written(&project, &pages("404 Not Found"), "there is no API at");
    with_nothing_written(&project, &pages("200 OK"), "answered with a web page, so this is not an API");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    with_nothing_written(&project, &format!("http://{free}"), &format!("cannot connect to http://{free}"));
    let server = Simulated::start(&project, &[]);
    experiment(&project, &server.url, &[]);
    completes(&project);
    let store = Connection::open(project.path("exp/runs/store.sqlite")).unwrap();
    let possibly: i64 = store.query_row("SELECT sum(possibly) FROM calls", [], |row| row.get(0)).unwrap();
    assert_eq!(possibly, 0, "what was never answered is no cost");
}

fn with_nothing_written(project: &Project, url: &str, words: &str) {
    experiment(project, url, &[]);
    with_key(project, RIGHT);
    let error = run(project, 2);
    assert!(error.contains(words) && error.contains("check"), "{error}");
}

#[test]
fn a_provider_that_goes_away_in_the_middle() {
    let project = Project::new();
    let slow = ["--key", RIGHT, "--latency-ms", "100"];
    let server = Simulated::start(&project, &slow);
    let edits = [
        ("model = \"sim-writer\"", "model = \"sim-writer\"\nkey_env = \"WHYFIRST_TEST_WRITER_KEY\""),
        ("probe = 4", "probe = 0\npilot = 0.0\nattempts = 1"),
        ("[gates]", "[gates]\nmin_yield = 0.1\nmin_coverage = 0.0\nmin_right_names = 0.0"),
    ];
    simulated::experiment(&project, "exp", &server.url, &edits);
    with_key(&project, RIGHT);
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    let goes = std::thread::spawn(move || {
        // Each of the hundred rows takes a call or more, so most are still to be asked for.
        while answered(&server, 200) < 20 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        drop(server);
    });
    // Nothing is wrong with what the user wrote: it failed, and is not invalid.
    let error = run(&project, 1);
    goes.join().unwrap();
    assert!(error.contains("many calls in a row failed: the only attempt failed"), "{error}");
    assert!(error.contains("run again when the provider answers"), "{error}");
    let _again = Simulated::start(&project, &["--key", RIGHT, "--port", &port]);
    completes(&project);
}

/// A project that was written, with its server; the corpora are gone and have to be made from the store.
fn written() -> (Project, Simulated) {
    let project = Project::new();
    let server = Simulated::start(&project, &["--key", RIGHT]);
    experiment(&project, &server.url, &[]);
    with_key(&project, RIGHT);
    completes(&project);
    fs::remove_dir_all(project.path("exp/runs/corpora")).unwrap();
    (project, server)
}

#[test]
fn a_store_that_cannot_be_used() {
    let (project, server) = written();
    let path = project.path("exp/runs/store.sqlite");
    let calls = server.journal().len();
    // Of a newer version.
    let version = |version: i64| {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
    };
    version(99);
    let before = fs::read(&path).unwrap();
    let error = run(&project, 1);
    assert!(error.contains("written by a newer version of this program"), "{error}");
    assert!(error.contains("store version 99") && error.contains("nothing was changed"), "{error}");
    assert!(before == fs::read(&path).unwrap(), "it was changed");
    version(1);
    completes(&project);
    fs::remove_dir_all(project.path("exp/runs/corpora")).unwrap();
    // Something else.
    let sound = fs::read(&path).unwrap();
    fs::write(&path, "not a database, but of more than a hundred bytes of text ".repeat(10)).unwrap();
    let error = run(&project, 1);
    assert!(error.contains("is not a store of this program") && error.contains("move"), "{error}");
    // Damaged: all pages but the first.
    let mut damaged = sound.clone();
    damaged[4096..].fill(0xa5);
    fs::write(&path, &damaged).unwrap();
    let error = run(&project, 1);
    assert!(error.contains("store.sqlite is damaged") && error.contains("keep a copy"), "{error}");
    // Cut off.
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    let error = run(&project, 1);
    assert!(error.contains("store.sqlite is damaged"), "{error}");
    assert_eq!(server.journal().len(), calls, "nothing was asked for meanwhile");
    // As it was.
    fs::write(&path, &sound).unwrap();
    completes(&project);
    assert_eq!(server.journal().len(), calls, "all answers were there");
    // Or anew, as the message says.
    fs::remove_dir_all(project.path("exp/runs/corpora")).unwrap();
    fs::rename(&path, project.path("exp/moved-away.sqlite")).unwrap();
    completes(&project);
}

#[test]
fn what_may_not_be_written_to() {
    let (project, server) = written();
    let calls = server.journal().len();
    let protect = |what: &str, mode| {
        fs::set_permissions(project.path(what), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (what, mode, words) in [
        ("exp/runs", 0o555, "exp/runs/"),
        ("exp/runs/store.sqlite", 0o444, "cannot write to"),
        ("exp/runs/store.sqlite", 0o000, "store.sqlite"),
    ] {
        protect(what, mode);
        let error = said(&project, obedient(&project, &["run", "exp"]), 1);
        protect(what, 0o755);
        assert!(error.contains(words) && error.contains("that you may write to"), "{what}: {error}");
    }
    completes(&project);
    assert_eq!(server.journal().len(), calls, "all answers were there");
}

#[test]
fn a_disk_that_is_full_in_the_middle() {
    let project = Project::new();
    let server = Simulated::start(&project, &["--key", RIGHT]);
    experiment(&project, &server.url, &[]);
    with_key(&project, RIGHT);
    // The operating system lets no file grow beyond this: the store can be made, and takes a few answers.
    let error = said(&project, cramped(&project, &["run", "exp"], 260), 1);
    assert!(error.contains("store.sqlite") && error.contains("run the same command again"), "{error}");
    let answered = server.journal().len();
    assert!(answered > 0);
    completes(&project);
    // Of what the store has, nothing is asked for again. What was in flight at the end is marked.
    let store = Connection::open(project.path("exp/runs/store.sqlite")).unwrap();
    for (request, times) in server.requests() {
        let lost = "SELECT count(*) FROM calls WHERE status IN ('lost', 'failed') AND request LIKE ?1 || '%'";
        let lost: i64 = store.query_row(lost, [&request], |row| row.get(0)).unwrap();
        assert!(times as i64 - 1 <= lost, "{request} was sent {times} times and marked {lost} times");
    }
}

#[test]
fn a_file_system_without_room() {
    let project = Project::new();
    let server = Simulated::start(&project, &["--key", RIGHT]);
    experiment(&project, &server.url, &[]);
    with_key(&project, RIGHT);
    fs::create_dir(project.path("exp/runs")).unwrap();
    // A file system of our own, where the kernel gives one to everybody (Linux, unless it was forbidden).
    let script = "mount -t tmpfs -o size=400k none exp/runs || exit 77\n\
        \"$@\" 2>first; code=$?; [ $code = 1 ] || exit $code\n\
        mount -o remount,size=64m none exp/runs && \"$@\" 2>second && cp -r exp/runs kept";
    let plain = project.program(&["run", "exp"]);
    let mut command = Command::new("unshare");
    command.args(["-r", "-m", "sh", "-c", script, "sh"]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(project.root.path()).env_remove(KEY_ENV).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Ok(status) if status.code() != Some(77) && !status.success() => {
            let text = |name| fs::read_to_string(project.path(name)).unwrap_or_default();
            if project.path("first").exists() {
                panic!("{status}\n{}\n{}", text("first"), text("second"));
            }
            println!("no file system of our own: {status}");
        }
        Ok(status) if status.success() => {
            let first = fs::read_to_string(project.path("first")).unwrap();
            let first = first.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
            assert!(first.contains("no space left"), "{first}");
            assert!(first.contains("free some space and run the same command again"), "{first}");
            let files = project.files("kept/corpora", |name| name.ends_with('/'));
            assert!(files.iter().any(|(name, _)| name.ends_with("documents.jsonl")));
        }
        other => println!("no file system of our own: {other:?}"),
    }
}
