//! The server: routes, a thread of its own, and its end.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use model::Limits;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

use crate::api::error::ApiError;
use crate::api::{self, Kind, Kitchen};
use crate::body;
use crate::catalogue::{Catalogue, Source};
use crate::engine::Engine;
use crate::guard;
use crate::journal::{Entry, Sink};
use crate::settings::Settings;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Others could ask, and anybody could.
    #[error(
        "{0} can be reached from other machines, so a key is needed: set WHYFIRST_SERVE_KEY, or listen on 127.0.0.1"
    )]
    KeyNeeded(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another port, or 0 for any free one")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start the server's threads: {0}")]
    Thread(std::io::Error),
}

/// An OpenAI-compatible server.
#[derive(Debug)]
pub struct Server;

/// A server that runs, until it is stopped or dropped.
pub struct Running {
    address: SocketAddr,
    engine: Engine,
    /// What is to happen: 0 go on, 1 finish what is under way, 2 end.
    wish: watch::Sender<u8>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct App {
    kitchen: Kitchen,
    settings: Settings,
    closing: AtomicBool,
    requests: AtomicU64,
    started: u64,
    sink: Sink,
}

impl Server {
    /// Starts a server of these models; every request that has ended is said to `sink`.
    ///
    /// # Errors
    /// When a key is needed, the address cannot be had, or there is no thread.
    pub fn start(
        settings: Settings,
        models: Vec<(String, Source)>,
        sink: Sink,
    ) -> Result<Running, ServeError> {
        if settings.key.is_none() && !settings.address.ip().is_loopback() {
            return Err(ServeError::KeyNeeded(settings.address));
        }
        let no_address = |source| ServeError::Address { address: settings.address, source };
        let listener = std::net::TcpListener::bind(settings.address).map_err(no_address)?;
        listener.set_nonblocking(true).map_err(no_address)?;
        let address = listener.local_addr().map_err(no_address)?;
        let limits =
            Limits { threads: settings.threads, active: settings.active, cache_bytes: settings.cache_bytes };
        let engine = Engine::start(limits, settings.queue).map_err(ServeError::Thread)?;
        let catalogue = Arc::new(Catalogue::new(models, settings.threads, settings.model_bytes));
        let kitchen = Kitchen { catalogue, engine: engine.clone(), choices: settings.choices };
        let grace = settings.grace;
        let app = Arc::new(App {
            kitchen,
            settings,
            closing: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            started: now(),
            sink,
        });
        // Two threads for the connections: the work is the engine's.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(ServeError::Thread)?;
        let (wish, wished) = watch::channel(0u8);
        let router = router(app.clone());
        let run = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let listener = listener.tap_io(|connection| {
                    // A token must not wait for more to say.
                    let _ = connection.set_nodelay(true);
                });
                let (mut finish, mut end) = (wished.clone(), wished);
                let finishing = async move {
                    // The sender going away is a wish to stop, too.
                    let _ = finish.wait_for(|wish| *wish >= 1).await;
                    app.closing.store(true, Ordering::Relaxed);
                };
                let ending = async move {
                    let _ = end.wait_for(|wish| *wish >= 1).await;
                    tokio::select! {
                        _ = end.wait_for(|wish| *wish >= 2) => {}
                        () = tokio::time::sleep(grace) => {}
                    }
                };
                tokio::select! {
                    _ = axum::serve(listener, router).with_graceful_shutdown(finishing) => {}
                    () = ending => {}
                }
            });
            // Whoever still waits is cut off.
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name("server".into()).spawn(run).map_err(ServeError::Thread)?;
        Ok(Running { address, engine, wish, thread: Mutex::new(Some(thread)) })
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL as clients want it: `http://127.0.0.1:8000/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Texts that are continued or wait.
    pub fn under_way(&self) -> usize {
        self.engine.under_way()
    }

    /// Takes no more requests, and lets those under way finish while the settings' grace lasts.
    pub fn finish(&self) {
        self.wish.send_replace(1);
    }

    /// Ends at once.
    pub fn end(&self) {
        self.wish.send_replace(2);
    }

    /// Waits until it has ended, after [`Running::finish`] or [`Running::end`].
    pub fn wait(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        self.wait();
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/models", get(list))
        .route("/v1/models/{*name}", get(one))
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completion))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(middleware::from_fn_with_state(app.clone(), admitted))
        // Says nothing but that the server is there.
        .route("/health", get(|| async { axum::Json(json!({ "status": "ok" })) }))
        .with_state(app)
}

async fn admitted(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match guard::admit(request.headers(), app.settings.key.as_ref()) {
        Ok(()) if app.closing.load(Ordering::Relaxed) => {
            refused(&app, ApiError::closing(), request.into_body()).await
        }
        Ok(()) => next.run(request).await,
        Err(error) => refused(&app, error, request.into_body()).await,
    }
}

/// An error of a request that did not come to anything, with its line.
async fn refused(app: &App, error: ApiError, unread: Body) -> Response {
    body::discard(unread).await;
    Entry::new(app.sink.clone()).ends(error.status.as_u16());
    error.into_response()
}

async fn nowhere(State(app): State<Arc<App>>, request: Request) -> Response {
    let error = ApiError::no_route(request.method().as_str(), request.uri().path());
    refused(&app, error, request.into_body()).await
}

async fn list(State(app): State<Arc<App>>) -> Response {
    axum::Json(api::models(&app.kitchen.catalogue, app.started)).into_response()
}

async fn one(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    match app.kitchen.catalogue.has(&name) {
        true => axum::Json(api::model(&name, app.started)).into_response(),
        false => refused(&app, crate::catalogue::CatalogueError::Unknown(name).into(), Body::empty()).await,
    }
}

async fn chat(State(app): State<Arc<App>>, request: Request) -> Response {
    texts(&app, Kind::Chat, request.into_body()).await
}

async fn completion(State(app): State<Arc<App>>, request: Request) -> Response {
    texts(&app, Kind::Completion, request.into_body()).await
}

async fn texts(app: &App, kind: Kind, body: Body) -> Response {
    let body = match body::read(body, app.settings.body_bytes).await {
        Ok(body) => body,
        Err(error) => return refused(app, error, Body::empty()).await,
    };
    let number = app.requests.fetch_add(1, Ordering::Relaxed);
    let name = if kind == Kind::Chat { "chatcmpl" } else { "cmpl" };
    let stamp = (format!("{name}-{:x}-{number}", app.started), now());
    let entry = Entry::new(app.sink.clone());
    match api::texts(&app.kitchen, kind, &body, stamp, entry).await {
        Ok(response) => response,
        Err((error, mut entry)) => {
            entry.ends(error.status.as_u16());
            error.into_response()
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
