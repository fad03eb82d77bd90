//! The official client, lm-eval and Inspect against the server, and what they see against our own scorer and generator.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use llm::Secret;
use model::{
    Adapter, Choice, Event, Folder, Generator, Limits, LoraShape, Message, Network, Runner, Sampling, Spoken,
    Target, Task, score_choices,
};
use serde_json::{Value, json};
use whyfirst_serve::{Line, Server, Settings, Source};

/// As the script has them.
const MAX_NEW: usize = 12;
const CHAT_MAX_NEW: usize = 20;

/// Prompts of words that the lab's base knows, and continuations to choose from.
fn questions(words: &[&str]) -> Vec<Value> {
    let word = |index: usize| words[index * 37 % words.len()];
    let question = |index: usize| {
        let at = index * 11;
        json!({
            "context": format!("{} the {}", word(at), word(at + 1)),
            "choices": [format!("{} {} .", word(at + 3), word(at + 4)), word(at + 5), format!("a {}", word(at + 6))],
            "target": index % 3,
        })
    };
    (0..40).map(question).collect()
}

/// What the model says after `prompt`, greedily.
fn greedy(runner: &Runner, prompt: Vec<u32>, most: usize) -> String {
    let mut generator = Generator::new(Limits { threads: 1, active: 1, cache_bytes: 1 << 30 });
    let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
    let ends = runner.folder().stops();
    let task = Task { prompt, most, sampling, ends, alternatives: None, prompt_scores: false };
    generator.add(runner, task).unwrap();
    let mut spoken = Spoken::new(runner.clone(), Vec::new());
    let mut text = String::new();
    while !generator.is_idle() {
        generator.step(&mut |_, event| {
            if let Event::Token(scored) = event {
                text.push_str(&spoken.push(scored.token).unwrap());
            }
        });
    }
    text + &spoken.finish().unwrap()
}

#[test]
fn the_programs_that_people_use_accept_the_server() {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (lab, dir) = (root.join("assets/lab-base").canonicalize().unwrap(), tempfile::tempdir().unwrap());
    let folder = Arc::new(Folder::load(&lab).unwrap());
    let tokenizer = folder.tokenizer.clone();

    let file: Value = serde_json::from_str(tokenizer.json()).unwrap();
    let vocabulary = file["model"]["vocab"].as_object().unwrap();
    let words: Vec<&str> = vocabulary
        .keys()
        .map(String::as_str)
        .filter(|word| word.len() > 3 && word.chars().all(char::is_alphabetic))
        .collect();
    let questions = questions(&words);
    let tokens = |text: &str| tokenizer.encode(text).unwrap();
    let field = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let choices: Vec<Choice> = questions
        .iter()
        .map(|question| Choice {
            prompt: tokens(&field(question, "context")),
            options: question["choices"]
                .as_array()
                .unwrap()
                .iter()
                .map(|choice| tokens(choice.as_str().unwrap()))
                .collect(),
        })
        .collect();
    let rope = Network::rope_table(&folder.config, folder.config.max_positions);
    let expected = score_choices(&folder.network(None, &rope), &choices, 1);

    let runner = Runner::new(folder.clone(), 1);
    let prompts: Vec<String> = questions.iter().take(8).map(|question| field(question, "context")).collect();
    let texts: Vec<Value> = prompts
        .iter()
        .map(|prompt| json!({ "prompt": prompt, "answer": greedy(&runner, tokens(prompt), MAX_NEW) }))
        .collect();
    let chat = |prompt: &String, most: usize| {
        let message = Message { role: "user".into(), name: None, content: prompt.clone() };
        let text = folder.template.as_ref().unwrap().render(&[message], true, None).unwrap();
        greedy(&runner, tokens(&text), most)
    };

    let shape = LoraShape { rank: 2, alpha: 4.0, targets: Target::ALL.to_vec() };
    let mut adapter = Adapter::new(&folder.config, shape, 1);
    adapter.flat.iter_mut().enumerate().for_each(|(index, x)| *x += (index % 7) as f32 * 0.01 - 0.03);
    adapter.save(&folder.config, None, Some(folder.weights.hash()), &dir.path().join("adapter")).unwrap();
    let adapted = Source::Adapter { base: "base".into(), adapter: dir.path().join("adapter"), merged: None };
    let models = vec![("base".into(), Source::Folder(lab.clone())), ("lab/why/1".into(), adapted)];
    let settings = Settings { key: Some(Secret::new("sk-peers")), threads: 2, ..Settings::default() };
    let running = Server::start(settings, models, Arc::new(|_: &Line| {})).unwrap();

    let given = json!({
        "url": running.base_url(), "key": "sk-peers", "folder": dir.path(), "tokenizer": lab,
        "questions": questions, "texts": texts,
    });
    let mut client = Command::new(python)
        .arg(root.join("peers/serve_clients.py"))
        // Nothing of the user's, and no proxy, has a say.
        .env_remove("OPENAI_API_KEY")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("{seen}");
    assert_eq!(seen["versions"], json!({ "openai": "3.57.0", "lm-eval": "0.4.13", "inspect-ai": "0.3.285" }));
    assert!(seen["checked"].as_u64().unwrap() >= 35, "{seen}");

    // Log-likelihoods, as numbers and as what they choose.
    let harness = &seen["harness"];
    let scores = harness["scores"].as_array().unwrap();
    assert_eq!(scores.len(), expected.len());
    for (theirs, ours) in scores.iter().zip(&expected) {
        for (theirs, ours) in theirs.as_array().unwrap().iter().zip(ours) {
            assert!((theirs.as_f64().unwrap() - ours).abs() < 1e-3, "{theirs} {ours}");
        }
    }
    let best =
        |scores: &Vec<f64>| (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    let right = expected
        .iter()
        .zip(&questions)
        .filter(|(scores, question)| question["target"] == best(scores))
        .count();
    let accuracy = right as f64 / questions.len() as f64;
    assert!(
        (harness["accuracy"].as_f64().unwrap() - accuracy).abs() < 1e-9,
        "{} {accuracy}",
        harness["accuracy"]
    );
    // Texts.
    let answers: Vec<String> = texts.iter().map(|text| field(text, "answer")).collect();
    assert_eq!(harness["texts"], json!(answers));
    let said = |most| prompts.iter().map(|prompt| chat(prompt, most)).collect::<Vec<String>>();
    assert_eq!(harness["chats"], json!(said(MAX_NEW)));
    assert_eq!(
        (&seen["inspect"]["status"], &seen["inspect"]["samples"]),
        (&json!("success"), &json!(said(CHAT_MAX_NEW)))
    );
    assert!(seen["inspect"]["tokens"].as_u64().unwrap() > 0);
}
