//! `simulate`: the built-in server, for as long as it is wanted.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use simulator::{Config, Fault, Faults, Simulator};

use crate::args::Simulate;
use crate::exit::Exit;
use crate::output;

/// Serves until Ctrl-C, then says what was asked and what it would have cost.
pub fn run(args: &Simulate) -> Exit {
    let (stop, stopped) = mpsc::channel();
    let listening = ctrlc::set_handler(move || {
        // A second one finds nobody waiting.
        let _ = stop.send(());
    });
    if let Err(error) = listening {
        return output::failure(format!("cannot listen for Ctrl-C: {error}"));
    }
    let running = match Simulator::start(config(args)) {
        Ok(running) => running,
        Err(error) => return output::failure(error),
    };
    let url = running.base_url();
    output::line(&format!("anthropic: {url}   openai: {}", running.openai_base_url()));
    output::line(&format!("journal: {url}/simulator/log and {url}/simulator/stats   stop: Ctrl-C"));
    // A program that reads our output must see where we are before we wait.
    let _ = std::io::stdout().flush();
    if let Some(file) = &args.ready_file
        && let Err(error) = store::write_atomic(file, format!("{url}\n").as_bytes())
    {
        return output::failure(error);
    }
    let _ = stopped.recv();
    running.stop();
    let stats = running.stats();
    output::line(&format!(
        "{}, {}, {}; billed ${:.6}, of which ${:.6} was not received",
        output::counted(stats.requests as usize, "request"),
        output::counted(stats.answers as usize, "answer"),
        output::counted(stats.faults as usize, "fault"),
        stats.billed_pico as f64 / 1e12,
        stats.not_received_pico as f64 / 1e12,
    ));
    Exit::Done
}

fn config(args: &Simulate) -> Config {
    let kinds = if args.fault_kinds.is_empty() { Fault::ALL.to_vec() } else { args.fault_kinds.clone() };
    Config {
        port: args.port,
        faults: Faults { share: args.faults, kinds, seed: args.seed },
        latency: Duration::from_millis(args.latency_ms),
        hang_for: Duration::from_millis(args.hang_ms),
        batch_delay: Duration::from_millis(args.batch_ms),
        rate_limit: args.rate_limit,
        key: args.key.clone(),
        models: args.models.clone(),
        prices: args.prices.unwrap_or_default(),
        log: args.log.clone(),
        // The file has all of them.
        keep: if args.log.is_some() { 1_000 } else { Config::default().keep },
        ..Config::default()
    }
}
