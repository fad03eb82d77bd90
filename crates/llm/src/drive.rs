//! One request from its first attempt to its end.

use std::sync::Arc;
use std::time::Duration;

use ledger::{Answered, CallId, Dollars, Failed, Kept, Outcome, Tokens};
use store::{Hash, IdBuilder};
use tokio::time::{Instant, sleep};

use crate::call::{Answer, CallError, Usage};
use crate::client::Shared;
use crate::counters::add;
use crate::ending::Cause;
use crate::flights::{End, Flight};
use crate::gate::Permit;
use crate::lane::Lane;
use crate::protocol::Parsed;
use crate::purse::Reservation;
use crate::request::Request;
use crate::settings::{Mode, Retry};
use crate::transport::{Broken, Received};
use crate::verdict::{Failure, Then, Verdict, judge};

/// The header that tells requests with the same body apart. Real servers ignore it.
const REQUEST: &str = "x-whyfirst-request";

/// Sees a request through.
pub(crate) async fn fly(shared: Arc<Shared>, request: Arc<Request>, flight: Flight) {
    let end = attempts(&shared, &request).await;
    flight.land(End::Done(end));
}

async fn attempts(shared: &Shared, request: &Request) -> Result<Answer, CallError> {
    // It may have landed between the look into the store and now.
    if let Some(answer) = shared.stored(request.hash)? {
        return Ok(answer);
    }
    let mut deadline = None;
    let mut number = 1;
    loop {
        let failure = match attempt(shared, request, number, &mut deadline).await? {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        consequence(shared, request, &failure)?;
        if shared.ending.has_begun() {
            return Err(CallError::Ending);
        }
        // Asked to wait for nothing, many would come back at once and again.
        let wait = failure.wait.filter(|wait| !wait.is_zero());
        let pause = wait.unwrap_or_else(|| backoff(&shared.retry, request, number));
        let too_late = deadline.is_some_and(|deadline| Instant::now() + pause >= deadline);
        if number >= shared.retry.attempts || too_late {
            let message = gave_up(number, &failure.message);
            if request.lane.give_up() {
                return Err(shared.end(Cause::Gone(format!("many calls in a row failed: {message}"))));
            }
            return Err(CallError::Failed(message));
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.ending.begun() => return Err(CallError::Ending),
        }
        number += 1;
        add(&shared.tally.retried);
    }
}

/// The end of a call after so many attempts.
pub(crate) fn gave_up(attempts: u32, last: &str) -> String {
    match attempts {
        1 => format!("the only attempt failed: {last}"),
        _ => format!("{attempts} attempts failed, the last one: {last}"),
    }
}

/// Whether the call, or the run, is over.
pub(crate) fn consequence(shared: &Shared, request: &Request, failure: &Failure) -> Result<(), CallError> {
    let lane = &request.lane;
    let message = || failure.message.clone();
    // Nobody should sit before a run that does nothing for hours: it can be run again then, and loses nothing.
    if let Some(wait) = failure.wait.filter(|wait| *wait > shared.timeouts.total) {
        let minutes = wait.as_secs().div_ceil(60);
        let reason =
            format!("{} asks us to wait {minutes} minutes ({}): run again then", lane.url, failure.message);
        return Err(shared.end(Cause::Gone(reason)));
    }
    match failure.then {
        Then::Again => Ok(()),
        Then::Reach if lane.disappoint() => Err(shared.end(Cause::Fatal(message()))),
        Then::Reach => Ok(()),
        Then::Refused if lane.disappoint() => Err(shared.end(Cause::Fatal(message()))),
        Then::Refused | Then::GiveUp => Err(CallError::Failed(message())),
        Then::EndRun => Err(shared.end(Cause::Fatal(message()))),
    }
}

/// One attempt: a slot, money, a row, the bytes; then the row again.
async fn attempt(
    shared: &Shared,
    request: &Request,
    number: u32,
    deadline: &mut Option<Instant>,
) -> Result<Result<Answer, Failure>, CallError> {
    let lane = &request.lane;
    let permit = lane.gate.pass(shared.place(request), request.need).await.ok_or(CallError::Ending)?;
    let reservation = tokio::select! {
        reserved = shared.purse.reserve(request.worst) => reserved.map_err(|cause| shared.end(cause))?,
        () = shared.ending.begun() => return Err(CallError::Ending),
    };
    if shared.ending.has_begun() {
        reservation.settle(Dollars::ZERO, Dollars::ZERO);
        return Err(CallError::Ending);
    }
    // It may have waited for its turn for longer than it had: an attempt that cannot be answered is only paid for.
    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        reservation.settle(Dollars::ZERO, Dollars::ZERO);
        let message = format!("after {} attempts no time was left for another one", number - 1);
        return Err(CallError::Failed(message));
    }
    let call = match shared.ledger.begin(request.attempt(number)).await {
        Ok(call) => call,
        Err(error) => {
            reservation.settle(Dollars::ZERO, Dollars::ZERO);
            return Err(shared.end(Cause::Store(error)));
        }
    };
    add(&shared.tally.sent);
    let start = Instant::now();
    let latest = *deadline.get_or_insert(start + shared.timeouts.total);
    let limit = shared.timeouts.attempt.min(latest - start);
    let mark = Some((REQUEST, request.hash.to_string()));
    let outcome = tokio::select! {
        outcome = lane.transport.post(&lane.url, request.body.clone(), mark, limit) => outcome,
        () = shared.ending.aborted() => Err(Broken::Cut("the run is ending".to_owned())),
    };
    let latency_ms = start.elapsed().as_millis() as u64;
    let verdict = judge(&lane.model, &lane.url, &outcome);
    // The slot is free from here on; the money is not.
    release(permit, request, &verdict);
    let received = Sent { call, reservation, latency_ms, mode: Mode::Direct };
    settle(shared, lane, request.hash, received, verdict, outcome.ok()).await
}

fn release(permit: Permit, request: &Request, verdict: &Verdict) {
    match verdict {
        Verdict::Answer(parsed) => {
            let Usage { input, output, cache_write, .. } = parsed.usage.unwrap_or(Usage {
                input: request.need.input,
                output: request.need.output,
                ..Usage::default()
            });
            // What was read from the cache does not count against the limits.
            permit.answered(input + cache_write, output);
        }
        Verdict::No(failure) if failure.congested => permit.congested(failure.wait),
        Verdict::No(_) => drop(permit),
    }
}

/// An attempt that is over, before that is written down.
pub(crate) struct Sent {
    pub(crate) call: CallId,
    pub(crate) reservation: Reservation,
    pub(crate) latency_ms: u64,
    pub(crate) mode: Mode,
}

/// Writes down what came of an attempt, and only then lets anyone see it.
pub(crate) async fn settle(
    shared: &Shared,
    lane: &Lane,
    request: Hash,
    sent: Sent,
    verdict: Verdict,
    received: Option<Received>,
) -> Result<Result<Answer, Failure>, CallError> {
    let http = received.as_ref().map(|received| received.status.as_u16());
    let raw = received.map(|received| {
        let text = String::from_utf8(received.body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        lane.censor(text)
    });
    match verdict {
        Verdict::Answer(parsed) => {
            lane.prove();
            let (answer, outcome) = answered(lane, request, &sent, parsed, http, raw.unwrap_or_default());
            let Outcome::Answered(Answered { cost, possibly, .. }) = &outcome else {
                return Ok(Ok(answer));
            };
            let (cost, possibly) = (*cost, *possibly);
            let kept = write(shared, sent.call, outcome).await?;
            sent.reservation.settle(cost, possibly);
            add(&shared.tally.answered);
            match kept {
                Kept::First => Ok(Ok(answer)),
                // Somebody was faster: everybody sees the same answer.
                Kept::Extra => Ok(Ok(shared.stored(request)?.unwrap_or(answer))),
            }
        }
        Verdict::No(mut failure) => {
            failure.message = lane.censor(failure.message);
            let possibly = if failure.possibly_billed { sent.reservation.worst() } else { Dollars::ZERO };
            let outcome = Outcome::Failed(Failed {
                http,
                kind: failure.kind.clone(),
                message: failure.message.clone(),
                possibly,
                latency_ms: sent.latency_ms,
                raw,
            });
            write(shared, sent.call, outcome).await?;
            sent.reservation.settle(Dollars::ZERO, possibly);
            add(&shared.tally.failed);
            Ok(Err(failure))
        }
    }
}

async fn write(shared: &Shared, call: CallId, outcome: Outcome) -> Result<Kept, CallError> {
    shared.ledger.finish(call, outcome).await.map_err(|error| shared.end(Cause::Store(error)))
}

fn answered(
    lane: &Lane,
    request: Hash,
    sent: &Sent,
    parsed: Parsed,
    http: Option<u16>,
    raw: String,
) -> (Answer, Outcome) {
    let model = &lane.model;
    let usage = parsed.usage.unwrap_or_default();
    let cost = model.prices.cost(&usage, sent.mode);
    let text = lane.censor(parsed.text);
    let outcome = Outcome::Answered(Answered {
        http,
        stop: parsed.stop.name(),
        tokens: Tokens {
            input: usage.input,
            output: usage.output,
            reasoning: usage.reasoning,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
        },
        cost,
        // A server that does not count leaves us with the worst case.
        possibly: if parsed.usage.is_none() { sent.reservation.worst() } else { Dollars::ZERO },
        latency_ms: sent.latency_ms,
        text: text.clone(),
        raw,
    });
    let answer = Answer { request, text, stop: parsed.stop, usage, cost, model: model.name.clone() };
    (answer, outcome)
}

/// The pause before the next attempt: it doubles, and up to half of it is taken off, so that calls that failed together do
/// not come back together. The same for the same request and attempt.
pub(crate) fn backoff(retry: &Retry, request: &Request, number: u32) -> Duration {
    let doubled = retry.first_pause.saturating_mul(1 << (number - 1).min(20)).min(retry.longest_pause);
    let hash =
        IdBuilder::new("pause").hash("request", request.hash).number("attempt", u64::from(number)).finish();
    let part = f64::from(hash.as_bytes()[0]) / 255.0;
    doubled.mul_f64(1.0 - part / 2.0)
}
