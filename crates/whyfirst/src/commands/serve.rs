//! `serve`: an OpenAI-compatible server, for as long as it is wanted.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serve::{Line, ServeError, Server, Settings, Status};

use super::sources::sources;
use crate::args::Serve;
use crate::commands::threads;
use crate::exit::Exit;
use crate::output;

/// The environment variable with the key that requests must have.
const KEY: &str = "WHYFIRST_SERVE_KEY";

/// Serves until Ctrl-C; then finishes what is under way, or, at a second one, does not.
pub fn run(args: &Serve) -> Exit {
    let key = match llm::find_key(KEY, Path::new(".")) {
        Ok(key) => key,
        Err(error) => {
            eprintln!("error: {error}");
            return Exit::Invalid;
        }
    };
    let sources = match sources(&args.models) {
        Ok(sources) => sources,
        Err(exit) => return exit,
    };
    let (stop, stopped) = mpsc::channel();
    let listening = ctrlc::set_handler(move || {
        // A third one finds nobody waiting.
        let _ = stop.send(());
    });
    if let Err(error) = listening {
        return output::failure(format!("cannot listen for Ctrl-C: {error}"));
    }
    let names: Vec<String> = sources.iter().map(|(name, _)| name.clone()).collect();
    let has_key = key.is_some();
    let settings = Settings {
        address: SocketAddr::new(args.host, args.port),
        key,
        threads: threads(args.models.threads),
        active: usize::from(args.active),
        queue: usize::from(args.queue),
        cache_bytes: bytes(args.models.cache_gb),
        model_bytes: bytes(args.models_gb),
        grace: Duration::from_secs(args.grace),
        ..Settings::default()
    };
    let quiet = args.quiet;
    let sink = Arc::new(move |line: &Line| {
        if !quiet {
            eprintln!("{}", described(line));
        }
    });
    let running = match Server::start(settings, sources, sink) {
        Ok(running) => running,
        Err(error @ ServeError::KeyNeeded(_)) => {
            eprintln!("error: {error}");
            return Exit::Invalid;
        }
        Err(error) => return output::failure(error),
    };
    let url = running.base_url();
    output::line(&format!("{url}   key: {}   stop: Ctrl-C", if has_key { KEY } else { "none needed" }));
    names.iter().for_each(|name| output::line(&format!("  {name}")));
    // A program that reads our output must see where we are before we wait.
    let _ = std::io::stdout().flush();
    if let Some(file) = &args.ready_file
        && let Err(error) = store::write_atomic(file, format!("{url}\n").as_bytes())
    {
        return output::failure(error);
    }
    let _ = stopped.recv();
    let under_way = running.under_way();
    if under_way > 0 {
        eprintln!(
            "\nfinishing {}, for {} s at most; press Ctrl-C again to stop at once",
            output::counted(under_way, "text"),
            args.grace
        );
    }
    running.finish();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| running.wait());
        while !waits.is_finished() {
            if stopped.recv_timeout(Duration::from_millis(50)).is_ok() {
                running.end();
            }
        }
    });
    Exit::Done
}

fn bytes(gigabytes: f64) -> u64 {
    (gigabytes * 1e9) as u64
}

/// A line for people: what was asked, how much was read and written, how fast.
fn described(line: &Line) -> String {
    let status = match line.status {
        Status::Answered(status) => status.to_string(),
        Status::Left => "client left".to_owned(),
    };
    let seconds = line.took.as_secs_f64();
    let model = if line.model.is_empty() { "-" } else { &line.model };
    let rate = if line.new_tokens > 0 && seconds > 0.0 {
        format!(", {:.0} tokens/s", line.new_tokens as f64 / seconds)
    } else {
        String::new()
    };
    format!(
        "{status}  {model}  {} tokens in, {} out, {seconds:.2} s{rate}",
        line.prompt_tokens, line.new_tokens
    )
}
