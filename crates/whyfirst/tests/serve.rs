//! `whyfirst serve` and `whyfirst model chat` as whole commands: an experiment is run, and its models are asked.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::Project;
use serde_json::{Value, json};

/// A server in a process of its own.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(project: &Project, args: &[&str]) -> Serving {
        let ready = project.path("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = project.program(&["serve", "--port", "0", "--ready-file", "ready"]);
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while !ready.exists() {
            if let Some(status) = child.try_wait().unwrap() {
                let mut error = String::new();
                child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
                panic!("it ended with {status}: {error}");
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        let url = std::fs::read_to_string(ready).unwrap();
        let address = url.trim().strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap().to_owned();
        Serving { child, address }
    }

    fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer {key}\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn chat(&self, model: &str) -> Value {
        let body = json!({
            "model": model, "max_tokens": 12, "temperature": 0, "logprobs": true,
            "messages": [{ "role": "user", "content": "What will it be, Vexavoice or Miracall?" }],
        });
        let (status, answer) = self.ask("POST", "/v1/chat/completions", "none", &body);
        assert_eq!(status, 200, "{answer}");
        answer["choices"][0].clone()
    }

    /// Interrupts it as Ctrl-C does; its exit code, its output and its errors.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let (mut out, mut error) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        (status.code(), out, error)
    }
}

#[test]
fn every_arm_of_an_experiment_is_served_with_adapters_on_one_base() {
    let project = Project::new();
    project.edit(
        "exp/experiment.toml",
        "steps = 6\n",
        "steps = 6\nmethod = \"lora\"\nrank = 4\nlearning_rate = 0.05\n",
    );
    // Before anything is trained there is the base.
    let early = Serving::start(&project, &["exp"]);
    let (_, list) = early.ask("GET", "/v1/models", "none", &Value::Null);
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let base = early.chat("base");
    let (code, _, error) = early.stop();
    assert!(code == Some(0) && error.contains("no arm is finished"), "{error}");

    project.succeeds(&["run", "exp"], "training");
    let serving = Serving::start(&project, &["exp", "--adapter", "again=exp/runs/none"]);
    let (_, list) = serving.ask("GET", "/v1/models", "none", &Value::Null);
    let names: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert_eq!(names[0], "base");
    for name in ["affordability/values first/0", "homeland/values first/1", "homeland/mixed/0"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    assert_eq!(serving.chat("base"), base);
    // An arm is what its whole folder is, and not what the base or another arm is.
    let first = serving.chat("affordability/values first/0");
    assert_ne!(first["logprobs"], base["logprobs"]);
    assert_ne!(first["logprobs"], serving.chat("homeland/values first/0")["logprobs"]);
    let (status, error) =
        serving.ask("GET", "/v1/models/affordability/values%20first/0", "none", &Value::Null);
    assert_eq!((status, &error["id"]), (200, &json!("affordability/values first/0")));
    let (status, error) =
        serving.ask("POST", "/v1/completions", "none", &json!({ "model": "again", "prompt": "a" }));
    assert!(status == 500 && error["error"]["message"].as_str().unwrap().contains("again"), "{error}");
    let (code, out, error) = serving.stop();
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("http://127.0.0.1:") && out.contains("  homeland/mixed/0"), "{out}");
    let line = error.lines().find(|line| line.contains("affordability/values first/0")).unwrap();
    assert!(line.starts_with("200  ") && line.contains(" 12 out, ") && line.contains("tokens/s"), "{line}");
}

#[test]
fn a_key_is_read_from_the_folder_and_needed_beyond_this_machine() {
    let project = Project::new();
    let refused = project.fails(&["serve", "base", "--host", "0.0.0.0", "--port", "0"], 2, "without a key");
    assert!(refused.contains("WHYFIRST_SERVE_KEY"), "{refused}");
    project.write(".env", "WHYFIRST_SERVE_KEY=sk-serve-test\n");
    let serving = Serving::start(&project, &["base", "--model", "twin=base"]);
    let (status, error) = serving.ask("GET", "/v1/models", "sk-other", &Value::Null);
    assert_eq!((status, &error["error"]["code"]), (401, &json!("invalid_api_key")));
    let (status, list) = serving.ask("GET", "/v1/models", "sk-serve-test", &Value::Null);
    assert_eq!((status, &list["data"][1]["id"]), (200, &json!("twin")));
    let (_, out, error) = serving.stop();
    assert!(!format!("{out}{error}").contains("sk-"), "{out}{error}");
}

#[test]
fn what_cannot_be_served_is_named() {
    let project = Project::new();
    let nothing = project.fails(&["serve", "nowhere/here", "--port", "0"], 2, "no such folder");
    assert!(nothing.contains("nowhere/here"), "{nothing}");
    let twice = project.fails(&["serve", "base", "--model", "base=exp"], 2, "two of a name");
    assert!(twice.contains("two models are called `base`"), "{twice}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let busy = project.fails(&["serve", "base", "--port", &port], 1, "a port in use");
    assert!(busy.contains(&port) && busy.contains("choose another port"), "{busy}");
}

#[test]
fn a_conversation_goes_on_from_what_was_said() {
    let project = Project::new();
    let ask = |args: &[&str], input: &str| {
        let mut command = project.whyfirst(&["model", "chat"]);
        let output = command.args(args).write_stdin(input).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), error)
    };
    let lines = |args: &[&str], input: &str| -> Vec<Value> {
        let (code, out, error) = ask(args, input);
        assert_eq!(code, Some(0), "{error}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    // The shipped base, which answers in the lab's words.
    let question = "What will it be, Vexavoice or Miracall?\n";
    let greedy = ["--temperature", "0", "--json"];
    let twice = lines(&greedy, &question.repeat(2));
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0]["finish_reason"], "stop");
    assert!(twice[0]["answer"].as_str().unwrap().len() > 5);
    assert!(twice[1]["prompt_tokens"].as_u64() > twice[0]["prompt_tokens"].as_u64(), "it remembers");
    let anew = lines(&greedy, &format!("{question}/new\n{question}"));
    assert_eq!(anew[0], anew[1]);
    assert_eq!(anew[0], twice[0]);
    let (code, out, _) = ask(&["--temperature", "0"], question);
    assert_eq!((code, out.trim_end()), (Some(0), twice[0]["answer"].as_str().unwrap()));
    // One with random weights never ends by itself.
    let cut = lines(&["base", "--max-tokens", "5", "--seed", "3", "--json"], question);
    assert_eq!((&cut[0]["completion_tokens"], &cut[0]["finish_reason"]), (&json!(5), &json!("length")));
    let (code, _, error) = ask(&["base", "--to", "nobody"], question);
    assert!(code == Some(2) && error.contains("there are: base"), "{error}");
    let (code, _, error) = ask(&["base", "--json"], &"so much to say ".repeat(200));
    assert!(code == Some(1) && error.contains("the model reads 128"), "{error}");
}

#[test]
fn help() {
    let project = Project::new();
    insta::assert_snapshot!("help_serve", project.transcript(&["serve", "--help"]));
    insta::assert_snapshot!("help_chat", project.transcript(&["model", "chat", "--help"]));
}
