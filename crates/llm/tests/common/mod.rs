//! What the tests of this crate share: a small HTTP server on loopback that does exactly what a test says, and calls to send
//! to it.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::Ledger;
use store::hash_bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use whyfirst_llm::{
    Batching, Budget, Call, Client, Model, Prices, Prompt, Protocol, Retry, Role, Secret, Settings, Speaker,
    Timeouts, Turn,
};

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does with it.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status, headers, body.
    Say(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for ever.
    Hang,
    /// The connection is closed without a word.
    Cut,
    /// The connection is closed in the middle of the body.
    Half(String),
    /// Later.
    After(Duration, Box<Reply>),
}

pub type Handler = Arc<dyn Fn(&Arrived, usize) -> Reply + Send + Sync>;

pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts one; the handler also gets how many requests came before.
    pub async fn start(handler: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let handler: Handler = Arc::new(handler);
        let task = tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&handler), Arc::clone(&log)));
                }
            }
        });
        Server { url, log, task }
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, handler: Handler, log: Arc<Mutex<Vec<Arrived>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(arrived) = read(&mut stream).await {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(arrived.clone());
            log.len() - 1
        };
        let mut reply = handler(&arrived, before);
        loop {
            match reply {
                Reply::After(wait, then) => {
                    tokio::time::sleep(wait).await;
                    reply = *then;
                }
                Reply::Hang => std::future::pending::<()>().await,
                Reply::Cut => return,
                Reply::Half(body) => {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all(head.as_bytes()).await.unwrap();
                    stream.write_all(&body.as_bytes()[..body.len() / 2]).await.unwrap();
                    stream.flush().await.unwrap();
                    return;
                }
                Reply::Say(status, headers, body) => {
                    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                    for (name, value) in headers {
                        head.push_str(&format!("{name}: {value}\r\n"));
                    }
                    head.push_str("\r\n");
                    if stream.write_all((head + &body).as_bytes()).await.is_err() {
                        return;
                    }
                    break;
                }
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Arrived> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&n| n > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&n| n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Arrived { method, path, headers, body })
}

/// A status with an error body.
pub fn error(status: u16) -> Reply {
    Reply::Say(status, Vec::new(), r#"{"error":{"message":"for a test"}}"#.to_owned())
}

/// An answer in the `openai` protocol.
pub fn chat(text: &str, input: u64, output: u64) -> String {
    serde_json::json!({
        "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output},
    })
    .to_string()
}

pub fn say(body: String) -> Reply {
    Reply::Say(200, vec![("content-type", "application/json".to_owned())], body)
}

pub fn good(text: &str) -> Reply {
    say(chat(text, 10, 5))
}

pub fn call(n: u64) -> Call {
    Call {
        role: Role::Writer,
        path: format!("{n:04}"),
        corpus: "corpus".to_owned(),
        template: hash_bytes(b"template"),
        sample: 0,
        prompt: Prompt {
            system: "Task: test".to_owned(),
            turns: vec![Turn { speaker: Speaker::User, text: format!("number {n}") }],
            budget: Budget { planning: 0, text: 100 },
            temperature: None,
        },
    }
}

/// A dollar per million tokens of input, two of output.
pub fn model(url: &str) -> Model {
    let mut model = Model::new(Protocol::OpenAi, &format!("{url}/v1"), "m");
    model.prices = Prices::per_million(1.0, 2.0, None, None).unwrap();
    model.key = Some(Secret::new("sk-very-secret"));
    model
}

/// Without pauses, and impatient.
pub fn settings(model: Model) -> Settings {
    Settings {
        models: Role::ALL.into_iter().map(|role| (role, model.clone())).collect(),
        corpora: vec!["corpus".to_owned()],
        max_cost: None,
        retry: Retry { attempts: 5, first_pause: Duration::ZERO, longest_pause: Duration::ZERO },
        timeouts: Timeouts {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(10),
            total: Duration::from_secs(60),
            grace: Duration::from_millis(300),
        },
        batching: Batching {
            calls: 100,
            bytes: 1 << 20,
            quiet: Duration::from_millis(30),
            poll: Duration::from_millis(20),
        },
    }
}

pub async fn open(dir: &Path, settings: Settings) -> Client {
    let ledger = Ledger::open(dir.join("store.sqlite")).unwrap();
    Client::open(settings, ledger).await.unwrap()
}
