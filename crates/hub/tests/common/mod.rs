//! A stand-in of the hub: its file protocol on loopback, with what can go wrong.
#![allow(dead_code)]

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use whyfirst_hub::{Settings, Token};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const OLDER: &str = "fedcba9876543210fedcba9876543210fedcba98";
pub const TOKEN: &str = "hf_secret";

/// What the stand-in has and does.
#[derive(Default)]
pub struct Hub {
    /// The files of the only model, `org/model`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Whether the model may be read by those with the token only: `gated` or `private`.
    pub closed: Option<&'static str>,
    /// Bytes after which connections that send a large file break, and how often they do.
    pub cut: Option<(usize, u32)>,
    /// Whether large files arrive with another byte.
    pub alter: bool,
    /// Whether ranges are ignored.
    pub whole_only: bool,
    /// Answers of 503 before the first real one.
    pub busy: u32,
    /// An entity tag for everything.
    pub tag: Option<&'static str>,
    /// Where large files are: the same server under another name, which must not see the token.
    pub elsewhere: String,
    /// What was asked: method, path, first byte, and whether the token came along.
    pub log: Vec<(String, String, Option<u64>, bool)>,
}

pub type Shared = Arc<Mutex<Hub>>;

/// A running stand-in.
pub struct Server {
    pub endpoint: String,
    pub hub: Shared,
    _runtime: tokio::runtime::Runtime,
}

/// Files that are "large": elsewhere, under their SHA-256.
fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn tag_of(name: &str, bytes: &[u8]) -> String {
    use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
    match is_large(name) {
        true => hex(digest(&SHA256, bytes).as_ref()),
        false => {
            let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
            hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref())
        }
    }
}

impl Server {
    pub fn start(hub: Hub) -> Server {
        let hub = Arc::new(Mutex::new(hub));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = format!("http://{address}");
        hub.lock().unwrap().elsewhere = format!("http://localhost:{}", address.port());
        let router = Router::new().fallback(answer).with_state(hub.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Server { endpoint, hub, _runtime: runtime }
    }

    pub fn settings(&self, cache: &std::path::Path) -> Settings {
        Settings { endpoint: self.endpoint.clone(), cache: cache.to_owned(), token: None, offline: false }
    }

    pub fn with_token(&self, cache: &std::path::Path, token: &str) -> Settings {
        Settings { token: Token::new(token), ..self.settings(cache) }
    }

    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.hub.lock().unwrap().log.len()
    }
}

/// A model whose files are long enough to be sent in pieces.
pub fn model() -> Hub {
    let large = |seed: u32| (0..300_000u32).map(|i| (i.wrapping_mul(seed) >> 7) as u8).collect::<Vec<u8>>();
    let index = r#"{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#;
    let files = [
        ("config.json", b"{\"model_type\": \"llama\"}".to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
        ("tokenizer_config.json", b"{\"a\": 1}".to_vec()),
        ("model.safetensors.index.json", index.as_bytes().to_vec()),
        ("model-00001-of-00002.safetensors", large(2_654_435_761)),
        ("model-00002-of-00002.safetensors", large(40_503)),
        ("pytorch_model.bin", b"a pickle".to_vec()),
        ("README.md", b"# A model".to_vec()),
    ];
    Hub { files: files.map(|(name, bytes)| (name.to_owned(), bytes)).into(), ..Hub::default() }
}

fn refused(status: u16, code: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), [("x-error-code", code.to_owned())]).into_response()
}

async fn answer(State(hub): State<Shared>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut hub = hub.lock().unwrap();
    let range = request.headers().get(header::RANGE).map(|value| value.to_str().unwrap().to_owned());
    let from: Option<u64> =
        range.and_then(|range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().ok());
    let with_token = request.headers().get(header::AUTHORIZATION).is_some();
    hub.log.push((method.to_string(), path.clone(), from, with_token));
    if hub.busy > 0 {
        hub.busy -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if let Some(name) = path.strip_prefix("/elsewhere/") {
        return send(&mut hub, &method, name, from);
    }
    if let Some(refusal) = refusal(&hub, request.headers(), &path) {
        return refusal;
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["api", "models", "org", "model"] => state(&hub, "main"),
        ["api", "models", "org", "model", "tree", _] => listing(&hub),
        ["api", "models", "org", "model", "revision", revision] => state(&hub, revision),
        ["org", "model", "resolve", revision, name] => file(&mut hub, &method, revision, name, from),
        _ => refused(404, "RepoNotFound"),
    }
}

fn refusal(hub: &Hub, headers: &HeaderMap, path: &str) -> Option<Response> {
    if !path.contains("/org/model") {
        // As the hub: whoever does not say who asks is not told what there is.
        return Some(refused(401, "RepoNotFound"));
    }
    let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let known = given.as_deref() == Some(&format!("Bearer {TOKEN}"));
    if given.is_some() && !known {
        return Some(refused(401, ""));
    }
    // What there is of a gated model may be seen, its files may not.
    match hub.closed {
        Some("gated") if !known && path.contains("/resolve/") => Some(refused(401, "GatedRepo")),
        Some("private") if !known => Some(refused(401, "RepoNotFound")),
        _ => None,
    }
}

fn commit_of(revision: &str) -> Option<&'static str> {
    match revision {
        "main" | COMMIT => Some(COMMIT),
        "v1" | OLDER => Some(OLDER),
        _ => None,
    }
}

fn state(hub: &Hub, revision: &str) -> Response {
    let Some(commit) = commit_of(revision) else { return refused(404, "RevisionNotFound") };
    let siblings: Vec<serde_json::Value> =
        hub.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
    let about = serde_json::json!({ "id": "org/model", "modelId": "org/model", "sha": commit, "siblings": siblings,
                                    "private": false, "gated": false, "tags": [], "downloads": 0, "likes": 0 });
    ([(header::CONTENT_TYPE, "application/json")], about.to_string()).into_response()
}

/// Another list of the same, which the hub's own client asks for.
fn listing(hub: &Hub) -> Response {
    let entry = |(name, bytes): (&String, &Vec<u8>)| {
        let mut entry = serde_json::json!({ "type": "file", "path": name, "size": bytes.len(), "oid": tag_of("", bytes) });
        if is_large(name) {
            let (oid, size) = (tag_of(name, bytes), bytes.len());
            entry["lfs"] = serde_json::json!({ "oid": oid, "size": size, "pointerSize": 130 });
        }
        entry
    };
    let entries: Vec<serde_json::Value> = hub.files.iter().map(entry).collect();
    ([(header::CONTENT_TYPE, "application/json")], serde_json::json!(entries).to_string()).into_response()
}

fn file(hub: &mut Hub, method: &Method, revision: &str, name: &str, from: Option<u64>) -> Response {
    let Some(commit) = commit_of(revision) else { return refused(404, "RevisionNotFound") };
    let Some(bytes) = hub.files.get(name).cloned() else { return refused(404, "EntryNotFound") };
    let tag = hub.tag.map_or_else(|| tag_of(name, &bytes), str::to_owned);
    let mut response = match is_large(name) {
        true => {
            let headers = [
                ("location", format!("{}/elsewhere/{name}?signature=abc", hub.elsewhere)),
                ("x-linked-etag", format!("\"{tag}\"")),
                ("x-linked-size", bytes.len().to_string()),
                // Of the redirect, not of the file.
                ("etag", "\"0000000000000000000000000000000000000000\"".to_owned()),
            ];
            (StatusCode::FOUND, headers, "Found").into_response()
        }
        false => {
            let mut response = send(hub, method, name, from);
            response.headers_mut().insert("etag", format!("\"{tag}\"").parse().unwrap());
            response
        }
    };
    response.headers_mut().insert("x-repo-commit", commit.parse().unwrap());
    response
}

fn send(hub: &mut Hub, method: &Method, name: &str, from: Option<u64>) -> Response {
    let Some(mut bytes) = hub.files.get(name).cloned() else { return StatusCode::NOT_FOUND.into_response() };
    if hub.alter && is_large(name) {
        bytes[7] ^= 1;
    }
    let all = bytes.len();
    let from = from.filter(|_| !hub.whole_only).map_or(0, |from| from as usize);
    if from > 0 && from >= all {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let rest = Bytes::from(bytes.split_off(from));
    let length = rest.len();
    let mut pieces: Vec<Result<Bytes, std::io::Error>> = vec![Ok(rest.clone())];
    if let Some((after, times)) = &mut hub.cut
        && is_large(name)
        && *times > 0
        && *after < length
    {
        *times -= 1;
        pieces = vec![Ok(rest.slice(..*after)), Err(std::io::Error::other("cut"))];
    }
    let body = match *method == Method::HEAD {
        true => Body::empty(),
        // A moment between the pieces, so that what comes before the break is sent.
        false => Body::from_stream(futures_util::stream::iter(pieces).then(async |piece| {
            if piece.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            piece
        })),
    };
    let mut response = Response::new(body);
    if from > 0 {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response
            .headers_mut()
            .insert("content-range", format!("bytes {from}-{}/{all}", all - 1).parse().unwrap());
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, length.to_string().parse().unwrap());
    response.headers_mut().insert(header::ACCEPT_RANGES, "bytes".parse().unwrap());
    response
}
