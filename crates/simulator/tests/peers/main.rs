//! The official clients of both protocols against the server: messages, completions, files, batches, every class of error.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use whyfirst_simulator::{Config, Fault, Faults, Running, Simulator};

fn config() -> Config {
    Config {
        batch_delay: Duration::from_millis(300),
        drip_for: Duration::from_millis(200),
        retry_after: Duration::from_millis(50),
        ..Config::default()
    }
}

fn failing(kinds: Vec<Fault>, share: f64) -> Running {
    Simulator::start(Config { faults: Faults { share, kinds, seed: 0 }, ..config() }).unwrap()
}

/// A server for each fault that a client meets alone, one with several that pass, and one without.
fn servers() -> BTreeMap<&'static str, Running> {
    let plain = Config {
        key: Some("right-key".to_owned()),
        models: vec!["sim-1".to_owned()],
        max_body: 100_000,
        ..config()
    };
    let passing = vec![
        Fault::RateLimit,
        Fault::RateLimitRetryAfter,
        Fault::ServerError,
        Fault::Overloaded,
        Fault::CutBefore,
    ];
    let always = [
        Fault::RateLimit,
        Fault::RateLimitRetryAfter,
        Fault::ServerError,
        Fault::Overloaded,
        Fault::Hang,
        Fault::Drip,
        Fault::CutBefore,
        Fault::CutMiddle,
        Fault::MalformedBody,
        Fault::Truncated,
        Fault::Refusal,
        Fault::Empty,
    ];
    let mut servers = BTreeMap::from(always.map(|fault| (fault.name(), failing(vec![fault], 1.0))));
    servers.insert("plain", Simulator::start(plain).unwrap());
    servers.insert("flaky", failing(passing, 0.5));
    servers
}

#[test]
fn the_official_clients_accept_the_server() {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let servers = servers();
    let urls: BTreeMap<&str, String> =
        servers.iter().map(|(name, server)| (*name, server.base_url())).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/simulator_clients.py");
    let mut client = Command::new(python)
        .arg(script)
        // Nothing of the user's, and no proxy, has a say.
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN")
        .env_remove("OPENAI_API_KEY")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(&serde_json::to_vec(&urls).unwrap()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("{seen}");
    assert!(seen["checked"].as_u64().unwrap() > 100, "{seen}");
    assert_eq!(seen["versions"], serde_json::json!({"anthropic": "2.14.0", "openai": "3.57.0"}));

    // What the clients saw is what the journals say.
    let stats = servers["plain"].stats();
    assert!(stats.faults == 0 && stats.answers >= 40, "{stats:?}");
    assert!(servers["flaky"].stats().faults > 0, "half of the requests fail there");
    let cut = servers["cut_middle"].log();
    assert!(!cut.is_empty() && cut.iter().all(|entry| !entry.delivered && entry.text.is_some()), "{cut:?}");
    let hung = servers["hang"].log();
    assert!(
        hung.len() == 2 && hung.iter().all(|entry| entry.status == 0 && entry.text.is_none()),
        "{hung:?}"
    );
}
