//! What a run of writing talks to: the store, the models, and in a rehearsal the built-in server.

use std::fmt::Display;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ledger::{Ledger, LedgerError};
use llm::{Cause, Client, Concurrency, Model, Role, Settings, SettingsError, Timeouts};
use simulator::{Config, Faults, Running, Simulator};
use writing::WritingError;

use super::{WriteEnd, WriteOptions};
use crate::error::{ExperimentError, Result};
use crate::progress::Event;
use crate::writer::Writer;

/// The built-in server, if any model is played by it.
pub(super) fn serve(writer: &Writer) -> Result<Option<Running>> {
    if !writer.is_simulated() {
        return Ok(None);
    }
    let faults = Faults { share: writer.faults, ..Faults::default() };
    let config = Config { faults, ..Config::default() };
    Simulator::start(config).map(Some).map_err(|error| failed("cannot start the simulated writer", &error))
}

/// The store of the experiment.
pub(super) fn ledger(path: &Path) -> Result<Ledger> {
    Ledger::open(path).map_err(|error| store(&error))
}

/// What connections run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failed("cannot start threads for connections", &error))
}

/// What the client is told: for these roles and corpora, with keys from the environment or from `dir`.
pub(super) fn settings(
    dir: &Path,
    writer: &Writer,
    roles: &[Role],
    corpora: Vec<String>,
    options: &WriteOptions,
    server: Option<&Running>,
) -> Result<Settings> {
    let mut settings = Settings {
        corpora,
        max_cost: options.max_cost,
        timeouts: Timeouts { attempt: writer.timeout, total: writer.total_timeout, ..Timeouts::default() },
        ..Settings::default()
    };
    settings.retry.attempts = writer.attempts;
    for role in roles.iter().copied() {
        let used = writer.model(role);
        let mut model = used.model.clone();
        if let Some(server) = server.filter(|_| used.simulated) {
            model.base_url = match model.protocol {
                llm::Protocol::Anthropic => server.base_url(),
                llm::Protocol::OpenAi => format!("{}/v1", server.base_url()),
            };
            settings.retry.first_pause = Duration::from_millis(20);
            settings.retry.longest_pause = Duration::from_millis(500);
        } else {
            model.key = llm::require_key(&model, dir).map_err(|error| ExperimentError::Writing {
                message: error.to_string(),
                help: format!(
                    "set {} in the environment or in a file .env in the experiment's folder; \
                     `whyfirst run --rehearse` needs no key",
                    model.key_env
                ),
                invalid: true,
            })?;
        }
        let max = u32::try_from(writer.concurrency).unwrap_or(u32::MAX);
        model.concurrency = Concurrency { start: max.min(model.concurrency.start).max(1), max };
        settings.models.insert(role, model);
    }
    // Nobody on this machine minds being asked often; a provider does.
    if settings.models.values().all(Model::is_local) {
        settings.batching.poll = Duration::from_millis(100);
        settings.batching.quiet = Duration::from_millis(100);
    }
    Ok(settings)
}

/// What the client's reason to end means for the run.
pub(super) fn why(cause: Cause) -> Result<WriteEnd> {
    match cause {
        Cause::Interrupted => Ok(WriteEnd::Interrupted),
        Cause::Budget { .. } => Ok(WriteEnd::Stopped(format!(
            "{cause}; what was written is kept: run again with a higher --max-cost to go on"
        ))),
        Cause::Fatal(message) => Err(ExperimentError::Writing {
            message,
            help: "nothing was lost: mend this and run again".to_owned(),
            invalid: true,
        }),
        Cause::Gone(message) => Err(ExperimentError::Writing {
            message,
            help: "nothing was lost: run again when the provider answers".to_owned(),
            invalid: false,
        }),
        Cause::Store(error) => Err(store(&error)),
    }
}

/// Shows how it is going, and passes an interrupt on, until the work is done.
pub(super) async fn watch(
    client: &Client,
    options: &WriteOptions<'_>,
    mut done: tokio::sync::watch::Receiver<bool>,
) {
    let mut ticks: u64 = 0;
    while !*done.borrow() {
        tokio::select! {
            _ = done.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        if options.interrupt.load(Ordering::SeqCst) {
            client.stop(Cause::Interrupted);
        }
        ticks += 1;
        let counters = client.counters();
        options.progress.event(Event::Calls { counters: &counters, quiet: !ticks.is_multiple_of(50) });
    }
}

/// The store cannot be used.
pub(super) fn store(error: &LedgerError) -> ExperimentError {
    let help = error.help().unwrap_or_else(|| "what was stored is kept: mend this and run again".to_owned());
    ExperimentError::Writing { message: error.to_string(), help, invalid: false }
}

/// The client cannot be made.
pub(super) fn unusable(error: &SettingsError) -> ExperimentError {
    match error {
        SettingsError::Ledger(error) => store(error),
        other => ExperimentError::Writing {
            message: other.to_string(),
            help: "mend it under [writer]".to_owned(),
            invalid: true,
        },
    }
}

/// A pipeline cannot go on.
pub(super) fn writing(error: &WritingError) -> ExperimentError {
    match error {
        WritingError::Ledger(error) => store(error),
        WritingError::Prompt(error) => ExperimentError::Writing {
            message: error.to_string(),
            help: "prompts are overridden by files in prompts/; docs/writing.md says what each may use"
                .to_owned(),
            invalid: true,
        },
        WritingError::Input(message) => ExperimentError::Writing {
            message: message.clone(),
            help: "mend the input and run again".to_owned(),
            invalid: true,
        },
        WritingError::Plan(_) => ExperimentError::Writing {
            message: error.to_string(),
            help: "look at the planner's answers in the store (table `calls`), or choose another planner"
                .to_owned(),
            invalid: false,
        },
        WritingError::Ending => failed("the run ended", &"no reason was given"),
    }
}

/// Something of this machine failed.
pub(super) fn failed(what: &str, error: &dyn Display) -> ExperimentError {
    ExperimentError::Writing {
        message: format!("{what}: {error}"),
        help: "try again; what was stored is kept".to_owned(),
        invalid: false,
    }
}
