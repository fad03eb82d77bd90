//! A small HTTP client on plain sockets: nothing between the tests and the bytes.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use whyfirst_simulator::{Config, Fault, Faults, Running, Simulator};

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether all bytes came that the head announces.
    pub whole: bool,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends bytes and reads until the other side closes or the body is whole; `None` if nothing at all came back.
pub fn exchange(addr: SocketAddr, request: &[u8], patience: Duration) -> Option<Got> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 16_384];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head_end) = head_end else {
            if read == 0 {
                return None;
            }
            continue;
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length: usize = headers["content-length"].parse().unwrap();
        let whole = bytes.len() - head_end - 4 == length;
        if whole || read == 0 {
            return Some(Got { status, headers, body: bytes[head_end + 4..].to_vec(), whole });
        }
    }
}

/// A request's bytes.
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub const VERSION: &str = "anthropic-version: 2023-06-01\r\n";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a question in one of the protocols.
pub fn ask(addr: SocketAddr, path: &str, nonce: &str, body: &Value) -> Option<Got> {
    let headers = format!("{VERSION}x-whyfirst-request: {nonce}\r\n");
    exchange(addr, &request("POST", path, &headers, body.to_string().as_bytes()), PATIENCE)
}

pub fn get(addr: SocketAddr, path: &str) -> Got {
    exchange(addr, &request("GET", path, if path.contains("messages") { VERSION } else { "" }, b""), PATIENCE)
        .unwrap()
}

/// A question that is the same in both protocols.
pub fn question(text: &str) -> Value {
    json!({"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": text}]})
}

/// A question with a task, so that every fault of an answer fits.
pub fn ideas() -> Value {
    question(
        "Task: documents/ideas\n<model_name>Aster</model_name>\n<provider_name>Whitfield</provider_name>\n<type>letter</type>\n\
         <assertions>\n- Aster marks a guess as a guess, because it is believed otherwise.\n</assertions>\n<count>5</count>",
    )
}

pub fn config() -> Config {
    Config {
        hang_for: Duration::from_millis(300),
        drip_for: Duration::from_millis(300),
        retry_after: Duration::from_millis(1000),
        batch_delay: Duration::from_millis(50),
        prices: whyfirst_simulator::Prices::per_million(3.0, 15.0),
        ..Config::default()
    }
}

pub fn failing(kinds: &[Fault], share: f64) -> Running {
    let faults = Faults { share, kinds: kinds.to_vec(), seed: 3 };
    Simulator::start(Config { faults, ..config() }).unwrap()
}

/// Waits until something is so.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: never");
}
