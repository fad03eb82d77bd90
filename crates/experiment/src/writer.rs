//! `[writer]`: which models write, plan, criticise and judge, and how hard they are worked.

use std::collections::BTreeMap;
use std::time::Duration;

use llm::{Limits, MaxTokensField, Mode, Model, Prices, Protocol, Reasoning, Role};
use toml::Spanned;

use crate::defaults::writing as defaults;
use crate::file::writing::{ModelTable, PricesTable, WriterTables};
use crate::problem::{FileProblem, Source};

/// What stands for the built-in server's address wherever that must not depend on its port.
const SIMULATED: &str = "simulated";

/// Calls under way at least where there are batches: their prompts, a few ten kilobytes each, are held until they are answered.
const BATCHED: usize = 1_000;

/// How corpora are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Writer {
    /// The model of every role.
    pub models: BTreeMap<Role, ModelUse>,
    /// Most calls under way at once.
    pub concurrency: usize,
    /// What one attempt may take.
    pub timeout: Duration,
    /// What a call may take, with all its attempts.
    pub total_timeout: Duration,
    /// Most attempts of a call.
    pub attempts: u32,
    /// Whether the user insists that one model criticises itself.
    pub same_critic: bool,
    /// Rows written first.
    pub probe: u64,
    /// The part of all rows written next.
    pub pilot: f64,
    /// For the simulated writer: the share of calls that go wrong.
    pub faults: f64,
}

/// A model of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelUse {
    /// The model and how it is reached; its key is not looked for before it is needed.
    pub model: Model,
    /// Whether it is the built-in server.
    pub simulated: bool,
    /// Tokens that may go into reasoning.
    pub reasoning_tokens: u32,
    /// Sampling temperature of planner and writer.
    pub temperature: f64,
}

impl Writer {
    /// The simulated writer in all roles, without an experiment.
    pub fn simulated() -> Writer {
        let used = |role: Role| {
            let protocol = Protocol::OpenAi;
            let name = format!("simulated {role}");
            let mut model = Model::new(protocol, protocol.default_base_url(), &name);
            model.base_id = Some(SIMULATED.to_owned());
            ModelUse { model, simulated: true, reasoning_tokens: 0, temperature: 1.0 }
        };
        Writer {
            models: Role::ALL.into_iter().map(|role| (role, used(role))).collect(),
            concurrency: defaults::CONCURRENCY as usize,
            timeout: Duration::from_secs_f64(defaults::TIMEOUT),
            total_timeout: Duration::from_secs_f64(defaults::TOTAL_TIMEOUT),
            attempts: defaults::ATTEMPTS as u32,
            same_critic: false,
            probe: defaults::PROBE,
            pilot: defaults::PILOT,
            faults: 0.0,
        }
    }

    /// Has the simulated writer play all roles, at the prices of the real models.
    pub fn simulate(&mut self) {
        for (role, used) in &mut self.models {
            if !used.simulated {
                used.model.name = format!("simulated {role} for {}", used.model.name);
            }
            used.simulated = true;
            used.model.base_id = Some(SIMULATED.to_owned());
            // What limits a provider does not limit a rehearsal.
            used.model.limits = Limits::default();
        }
    }

    /// The model of a role.
    pub fn model(&self, role: Role) -> &ModelUse {
        &self.models[&role]
    }

    /// Calls that the pipelines have under way at once. Only calls that are under way together can go into one batch, and a batch
    /// takes minutes to hours.
    pub fn under_way(&self) -> usize {
        let batched = self.models.values().any(|used| used.model.mode == Mode::Batch);
        if batched { self.concurrency.max(BATCHED) } else { self.concurrency }
    }

    /// Whether any model is the built-in server.
    pub fn is_simulated(&self) -> bool {
        self.models.values().any(|used| used.simulated)
    }
}

/// Reads `[writer]`.
///
/// # Errors
/// An unknown api, a model or a price that is missing, a critic that is the writer, a number out of range.
pub fn read(tables: &WriterTables, source: &Source) -> Result<Writer, FileProblem> {
    let mut models = BTreeMap::new();
    for role in Role::ALL {
        let own = tables.roles.iter().find(|(name, _)| name.get_ref() == role.name()).map(|(_, table)| table);
        models.insert(role, model(role, own, tables, source)?);
    }
    let run = &tables.run;
    let same_critic = run.same_critic.as_ref().is_some_and(|same| *same.get_ref());
    let same = |a: &ModelUse, b: &ModelUse| {
        (a.model.protocol, a.model.base_in_hash(), &a.model.name)
            == (b.model.protocol, b.model.base_in_hash(), &b.model.name)
    };
    if same(&models[&Role::Critic], &models[&Role::Writer]) && !same_critic {
        return Err(source.problem(
            format!("the critic is the writer, `{}`", models[&Role::Writer].model.name),
            tables.span.clone(),
            "needs another critic",
            "a writer that criticises its own drafts passes them: add [writer.critic] with another `model`, or insist with \
             `same_critic = true`, which is recorded as a deviation",
        ));
    }
    Ok(Writer {
        models,
        concurrency: whole("concurrency", &run.concurrency, defaults::CONCURRENCY, 1, 4_096, source)?
            as usize,
        timeout: seconds("timeout", &run.timeout, defaults::TIMEOUT, source)?,
        total_timeout: seconds("total_timeout", &run.total_timeout, defaults::TOTAL_TIMEOUT, source)?,
        attempts: whole("attempts", &run.attempts, defaults::ATTEMPTS, 1, 100, source)? as u32,
        same_critic,
        probe: whole("probe", &run.probe, defaults::PROBE, 0, 10_000, source)?,
        pilot: share("pilot", &run.pilot, defaults::PILOT, source)?,
        faults: share("faults", &run.faults, 0.0, source)?,
    })
}

fn model(
    role: Role,
    own: Option<&ModelTable>,
    tables: &WriterTables,
    source: &Source,
) -> Result<ModelUse, FileProblem> {
    let all = &tables.all;
    let one = |pick: fn(&ModelTable) -> &Option<Spanned<String>>| {
        own.and_then(|own| pick(own).as_ref()).or(pick(all).as_ref())
    };
    let number = |pick: fn(&ModelTable) -> &Option<Spanned<u64>>| {
        own.and_then(|own| pick(own).as_ref()).or(pick(all).as_ref()).map(|value| *value.get_ref())
    };
    let apis = ["anthropic", "openai", "simulated"];
    let (protocol, simulated) = match one(|table| &table.api).map(|api| (api.get_ref().as_str(), api.span()))
    {
        Some(("anthropic", _)) => (Protocol::Anthropic, false),
        Some(("openai", _)) => (Protocol::OpenAi, false),
        Some(("simulated", _)) => (Protocol::OpenAi, true),
        Some((other, span)) => return Err(source.unknown(other, span, "api", &apis)),
        None => {
            return Err(source.problem(
                "[writer] does not say which api to use",
                tables.span.clone(),
                "no `api` here",
                "add `api = \"anthropic\"`, `api = \"openai\"` (any compatible endpoint) or `api = \"simulated\"` (costs nothing)",
            ));
        }
    };
    let name = match one(|table| &table.model) {
        Some(name) if !name.get_ref().trim().is_empty() => name.get_ref().trim().to_owned(),
        _ if simulated => format!("simulated {role}"),
        written => {
            return Err(source.problem(
                format!("[writer] names no model for the {role}"),
                written.map_or(tables.span.clone(), Spanned::span),
                "no `model` here",
                "add `model = \"...\"`, as the provider spells it",
            ));
        }
    };
    let base_url = one(|table| &table.base_url).filter(|_| !simulated);
    let url = base_url.map_or(protocol.default_base_url(), |url| url.get_ref().as_str());
    let mut model = Model::new(protocol, url.trim_end_matches('/'), &name);
    if let Err(error) = model.check() {
        return Err(source.problem(
            error.to_string(),
            base_url.map_or(tables.span.clone(), Spanned::span),
            "not the address of an api",
            "write it with its scheme and path, such as \"http://127.0.0.1:8000/v1\"",
        ));
    }
    let prices = own.and_then(|own| own.prices.as_ref()).or(all.prices.as_ref());
    model.prices = match prices {
        Some(prices) => read_prices(prices, source)?,
        None if simulated || model.is_local() => Prices::default(),
        None => {
            return Err(source.problem(
                format!("the price of `{name}` is not known"),
                tables.span.clone(),
                "no `prices` here",
                "add `prices = { input = 1.00, output = 5.00 }`: dollars per million tokens, from the provider's price list; \
                 estimates and --max-cost need them",
            ));
        }
    };
    model.mode = match one(|table| &table.mode).map(|mode| (mode.get_ref().as_str(), mode.span())) {
        None | Some(("direct", _)) => Mode::Direct,
        Some(("batch", _)) => Mode::Batch,
        Some((other, span)) => return Err(source.unknown(other, span, "mode", &["direct", "batch"])),
    };
    let keys = ["max_tokens", "max_completion_tokens"];
    model.max_tokens_field =
        match one(|table| &table.max_tokens_key).map(|key| (key.get_ref().as_str(), key.span())) {
            None => MaxTokensField::Auto,
            Some(("max_tokens", _)) => MaxTokensField::MaxTokens,
            Some(("max_completion_tokens", _)) => MaxTokensField::MaxCompletionTokens,
            Some((other, span)) => return Err(source.unknown(other, span, "key", &keys)),
        };
    let temperature = own.and_then(|own| own.temperature.as_ref()).or(all.temperature.as_ref());
    if let Some(value) = temperature.filter(|value| !(0.0..=2.0).contains(value.get_ref())) {
        return Err(source.problem(
            format!("`temperature` is {}", value.get_ref()),
            value.span(),
            "must be between 0 and 2",
            "remove the line for the default, 1",
        ));
    }
    let reasoning_tokens = number(|table| &table.reasoning_tokens).unwrap_or(0).min(1_000_000) as u32;
    let ways = ["none", "budget", "adaptive"];
    model.reasoning = match one(|table| &table.reasoning).map(|way| (way.get_ref().as_str(), way.span())) {
        None if reasoning_tokens > 0 => Reasoning::Budget,
        None | Some(("none", _)) => Reasoning::None,
        Some(("budget", _)) => Reasoning::Budget,
        Some(("adaptive", _)) => Reasoning::Adaptive,
        Some((other, span)) => return Err(source.unknown(other, span, "way to reason", &ways)),
    };
    model.effort = one(|table| &table.effort).map(|effort| effort.get_ref().clone());
    let sent = own.and_then(|own| own.send_temperature.as_ref()).or(all.send_temperature.as_ref());
    model.temperature = sent.is_none_or(|sent| *sent.get_ref());
    if let Some(name) = one(|table| &table.key_env) {
        model.key_env = name.get_ref().clone();
    }
    model.limits = Limits {
        requests: number(|table| &table.requests_per_minute),
        input_tokens: number(|table| &table.input_tokens_per_minute),
        output_tokens: number(|table| &table.output_tokens_per_minute),
    };
    if simulated {
        model.base_id = Some(SIMULATED.to_owned());
    }
    Ok(ModelUse {
        model,
        simulated,
        reasoning_tokens,
        temperature: temperature.map_or(1.0, |value| *value.get_ref()),
    })
}

fn read_prices(prices: &Spanned<PricesTable>, source: &Source) -> Result<Prices, FileProblem> {
    let p = *prices.get_ref();
    let all = [Some(p.input), Some(p.output), p.cache_read, p.cache_write];
    let fit = all.into_iter().flatten().all(|price| price <= 1e6)
        && p.batch.is_none_or(|part| (0.0..=1.0).contains(&part));
    match Prices::per_million(p.input, p.output, p.cache_read, p.cache_write).filter(|_| fit) {
        Some(prices) => Ok(prices.with_batch_factor(p.batch.unwrap_or(1.0))),
        None => Err(source.problem(
            "a price is out of range",
            prices.span(),
            "dollars per million tokens, not negative; `batch` is a part of them",
            "write them as the provider's price list has them, such as { input = 1.00, output = 5.00, batch = 0.5 }",
        )),
    }
}

fn whole(
    key: &str,
    value: &Option<Spanned<u64>>,
    default: u64,
    least: u64,
    most: u64,
    source: &Source,
) -> Result<u64, FileProblem> {
    let Some(value) = value else { return Ok(default) };
    if (least..=most).contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    Err(source.problem(
        format!("`{key}` is {}", value.get_ref()),
        value.span(),
        format!("must be between {least} and {most}"),
        format!("remove the line for the default, {default}"),
    ))
}

fn share(key: &str, value: &Option<Spanned<f64>>, default: f64, source: &Source) -> Result<f64, FileProblem> {
    let Some(value) = value else { return Ok(default) };
    if (0.0..=1.0).contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    Err(source.problem(
        format!("`{key}` is {}, but it is a share", value.get_ref()),
        value.span(),
        "must be between 0 and 1",
        format!("remove the line for the default, {default}"),
    ))
}

fn seconds(
    key: &str,
    value: &Option<Spanned<f64>>,
    default: f64,
    source: &Source,
) -> Result<Duration, FileProblem> {
    let value_or = value.as_ref().map_or(default, |value| *value.get_ref());
    match value {
        Some(value) if !(0.1..=86_400.0).contains(value.get_ref()) => Err(source.problem(
            format!("`{key}` is {} seconds", value.get_ref()),
            value.span(),
            "must be between 0.1 and 86400",
            format!("remove the line for the default, {default}"),
        )),
        _ => Ok(Duration::from_secs_f64(value_or)),
    }
}
