//! Calls to a writer, end to end: a whole `whyfirst run` against the simulated server in a process of its own, and the
//! official Python client on asyncio against the same server. Both commit every answer to SQLite.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::table::{markdown, megabytes, times};
use super::train::number;
use super::{Options, answer, folder, median, remove, timed, whyfirst};
use crate::peers;
use crate::shell::{Result, command, root};

/// Calls a second that are wanted end to end, and the most memory.
const AIM: (f64, f64) = (500.0, 300e6);
/// Documents unless said otherwise: two calls each, and some to plan them.
const DOCUMENTS: u64 = 50_000;
/// Calls that the Python client makes: its rate does not depend on their number.
const PEER_CALLS: &str = "4000";
/// The part of the slots that is to be busy when calls take a second.
const BUSY: f64 = 0.95;
/// Slots for calls of a second.
const SLOTS: usize = 200;

/// Runs both against one server, in turns; then how busy 200 slots are when a call takes a second.
pub fn run(options: &Options) -> Result<Value> {
    let (program, python) = (whyfirst()?, peers::environment()?);
    let documents = options.documents.unwrap_or(DOCUMENTS);
    let server = Server::start(&program, 0, None)?;
    let mut theirs = Vec::new();
    for durable in [true, false] {
        let mut rates = Vec::new();
        let mut last = Value::Null;
        for _ in 0..options.repeats {
            let mut peer = command(&python);
            peer.arg("benches/peers/writers.py")
                .arg(format!("{}/v1", server.url))
                .args(["--calls", PEER_CALLS]);
            peer.args(["--concurrency", "64"]).args(durable.then_some("--durable"));
            peer.env("PYTHONDONTWRITEBYTECODE", "1");
            last = answer(peer)?;
            eprintln!("openai client, durable {durable}: {last}");
            rates.push(number(&last, "calls_per_second"));
        }
        theirs.push((durable, median(rates), number(&last, "peak_bytes")));
    }
    let ours = write(&program, &server.url, documents, 64)?;
    eprintln!("whyfirst: {}", ours.shown());
    drop(server);

    let log = folder()?.join("server-log.jsonl");
    remove_file(&log);
    let slow = Server::start(&program, 1000, Some(&log))?;
    let busy = write(&program, &slow.url, 2_500, SLOTS as u64)?;
    drop(slow);
    let seen = seen(&log)?;
    eprintln!("{SLOTS} slots, calls of one second: {}; the server saw {seen:?}", busy.shown());

    let mut rows = vec![vec![
        format!("whyfirst run, {documents} documents"),
        format!("{:.0}", ours.rate()),
        "1.00x".to_owned(),
        megabytes(ours.peak),
    ]];
    for (durable, rate, peak) in &theirs {
        let name =
            if *durable { "openai client, each answer committed" } else { "openai client, nothing stored" };
        rows.push(vec![name.to_owned(), format!("{rate:.0}"), times(rate / ours.rate()), megabytes(*peak)]);
    }
    options.show(&markdown(&["", "calls a second", "of whyfirst's", "peak memory"], 1, &rows));
    options.show(&format!(
        "\n{} calls in {:.0} s, 64 at once. With {SLOTS} at once and calls of one second, as the server saw them: all slots in \
         use {:.1} s after the first call, the plan's own calls included, and {:.1}% of them busy from then to the last moment at \
         which all were. By the client's own count {:.1}% were busy while calls were waiting.",
        ours.calls,
        ours.seconds,
        seen.filled,
        100.0 * seen.busy,
        100.0 * busy.busy,
    ));
    let met = |met: bool| if met { "met" } else { "NOT MET" };
    eprintln!(
        "{:.0} calls a second ({} wanted: {}); {} (under {} wanted: {}); {:.1}% busy ({}% wanted: {})",
        ours.rate(),
        AIM.0,
        met(ours.rate() >= AIM.0),
        megabytes(ours.peak),
        megabytes(AIM.1),
        met(ours.peak < AIM.1),
        100.0 * seen.busy,
        100.0 * BUSY,
        met(seen.busy > BUSY),
    );
    let theirs: Vec<Value> = theirs
        .into_iter()
        .map(|(durable, rate, peak)| json!({ "durable": durable, "calls_per_second": rate, "peak_bytes": peak }))
        .collect();
    Ok(json!({
        "documents": documents,
        "calls": ours.calls,
        "seconds": ours.seconds,
        "calls_per_second": ours.rate(),
        "peak_bytes": ours.peak,
        "openai_client": theirs,
        "slots_busy": seen.busy,
        "seconds_until_all_slots_are_busy": seen.filled,
        "slots_busy_by_the_client": busy.busy,
    }))
}

/// What a server saw of a run with [`SLOTS`] slots.
#[derive(Debug)]
struct Seen {
    /// Seconds from the first question to the moment at which all slots were in use.
    filled: f64,
    /// Slots in use on average, from then to the last moment at which all were, as a part of them.
    busy: f64,
}

/// Reads a server's journal.
fn seen(log: &Path) -> Result<Seen> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut events: Vec<(f64, f64)> = Vec::new();
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let (at, took) = (number(&entry, "at_ms"), number(&entry, "took_ms"));
        events.extend([(at, 1.0), (at + took, -1.0)]);
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    in_use(&events, SLOTS as f64).ok_or_else(|| format!("never {SLOTS} calls at once: {}", log.display()))
}

/// From changes of the number in use, each with its time in milliseconds; `None` if the slots were never all in use.
fn in_use(events: &[(f64, f64)], slots: f64) -> Option<Seen> {
    let first = events.first()?.0;
    let (mut used, mut since, mut sum) = (0.0, first, 0.0);
    let (mut filled, mut last) = (None, (first, 0.0));
    for &(at, change) in events {
        sum += used * (at - since);
        since = at;
        used += change;
        if used >= slots {
            if filled.is_none() {
                (filled, sum) = (Some(at), 0.0);
            }
            last = (at, sum);
        }
    }
    let filled = filled?;
    let (until, sum) = last;
    let busy = if until > filled { sum / (until - filled) / slots } else { 0.0 };
    Some(Seen { filled: (filled - first) / 1000.0, busy })
}

/// What a run came to.
struct Wrote {
    calls: f64,
    seconds: f64,
    peak: f64,
    busy: f64,
}

impl Wrote {
    fn rate(&self) -> f64 {
        self.calls / self.seconds
    }

    fn shown(&self) -> String {
        format!("{} calls, {:.1} s, {:.0}/s, {}", self.calls, self.seconds, self.rate(), megabytes(self.peak))
    }
}

/// Writes a corpus of so many documents from nothing.
fn write(program: &Path, url: &str, documents: u64, concurrency: u64) -> Result<Wrote> {
    let experiment = folder()?.join("writers");
    remove(&experiment)?;
    std::fs::create_dir_all(experiment.join("specs")).map_err(|error| error.to_string())?;
    let spec = root().join("crates/experiment/templates/spec/main.md");
    std::fs::copy(&spec, experiment.join("specs/main.md")).map_err(|error| error.to_string())?;
    // 10 domains, 5 subdomains, 10 types: 500 documents for every idea. One model plays all roles, so that its slots are all
    // slots there are.
    let text = format!(
        "name = \"writers\"\nmodel_name = \"Aster\"\nprovider_name = \"Whitfield Labs\"\n[specs]\nmain = \"specs/main.md\"\n\
         [writer]\napi = \"openai\"\nmodel = \"simulated writer\"\nbase_url = \"{url}/v1\"\nconcurrency = {concurrency}\n\
         probe = 0\npilot = 0.0\nsame_critic = true\n[corpora]\nsource = \"writer\"\n[corpora.why]\n\
         kind = \"documents\"\ndomains = 10\nsubdomains = 5\ntypes = 10\nideas = {}\nwords = 120\n[gates]\nenabled = false\n",
        documents.div_ceil(500),
    );
    std::fs::write(experiment.join("experiment.toml"), text).map_err(|error| error.to_string())?;
    let mut run = Command::new(program);
    run.arg("run").arg(&experiment).arg("--json");
    let (time, peak) = timed(run)?;
    let written =
        std::fs::read_to_string(experiment.join("runs/writing.json")).map_err(|error| error.to_string())?;
    let written: Value = serde_json::from_str(&written).map_err(|error| error.to_string())?;
    Ok(Wrote {
        calls: number(&written["calls"], "answers"),
        seconds: time.as_secs_f64(),
        peak: peak.map_or(f64::NAN, |bytes| bytes as f64),
        busy: number(&written["calls"], "slots_busy"),
    })
}

/// The simulated server in a process of its own.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(program: &Path, latency: u64, log: Option<&Path>) -> Result<Server> {
        let ready: PathBuf = folder()?.join("server-ready");
        remove_file(&ready);
        let mut server = Command::new(program);
        server
            .args(["simulate", "--port", "0", "--latency-ms", &latency.to_string(), "--ready-file"])
            .arg(&ready);
        if let Some(log) = log {
            server.arg("--log").arg(log);
        }
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = server.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Ok(text) = std::fs::read_to_string(&ready)
                && let Some(url) = text.lines().next().filter(|_| text.ends_with('\n'))
            {
                return Ok(Server { process, url: url.trim_end_matches('/').to_owned() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("the simulated server did not say that it is ready".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn remove_file(path: &Path) {
    let _ = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::in_use;

    #[test]
    fn slots_are_counted_from_the_first_to_the_last_moment_at_which_all_are_in_use() {
        // One for a second, then two, then one for half a second, then two again for a second.
        let events =
            [(0.0, 1.0), (1000.0, 1.0), (2000.0, -1.0), (2500.0, 1.0), (3500.0, -1.0), (9000.0, -1.0)];
        let Some(seen) = in_use(&events, 2.0) else { panic!("never two at once") };
        assert_eq!(seen.filled, 1.0);
        // To the last moment that filled them: one second of two, half a second of one.
        assert!((seen.busy - 2.5 / 3.0).abs() < 1e-9, "{seen:?}");
        assert!(in_use(&events, 3.0).is_none() && in_use(&[], 1.0).is_none());
    }
}
