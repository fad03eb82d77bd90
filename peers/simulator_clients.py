"""What the official clients of both protocols make of the built-in server.

Reads one JSON object from standard input: the base URLs of servers by name. `plain` has no faults, a key,
one model and a small limit of bodies; `flaky` fails half of the time in ways that clients try again after;
every other one always has the fault that it is named after. Prints one JSON object: how much was checked,
and the versions of the clients. Any surprise is an exception.
"""

import io
import json
import sys
import time

import anthropic
import openai

URLS = json.load(sys.stdin)
KEY, MODEL = "right-key", "sim-1"
MESSAGES = [{"role": "user", "content": "Hello there, what is this?"}]
ENDED = "end_turn"
checked = []


def check(name, condition, shown=None):
    assert condition, f"{name}: {shown!r}"
    checked.append(name)


def raises(name, kind, call, status=None):
    """`call` fails with exactly this kind of error; returns it."""
    try:
        result = call()
    except Exception as error:
        check(name, isinstance(error, kind), error)
        if status is not None:
            check(f"{name}: status", error.status_code == status, error)
        return error
    raise AssertionError(f"{name}: no error but {result!r}")


def anthropic_client(server, key=KEY, retries=0, timeout=20.0):
    return anthropic.Anthropic(base_url=URLS[server], api_key=key, max_retries=retries, timeout=timeout)


def openai_client(server, key=KEY, retries=0, timeout=20.0):
    return openai.OpenAI(base_url=URLS[server] + "/v1", api_key=key, max_retries=retries, timeout=timeout)


def message(client, **changes):
    return client.messages.create(**{"model": MODEL, "max_tokens": 100, "messages": MESSAGES, **changes})


def completion(client, **changes):
    return client.chat.completions.create(**{"model": MODEL, "messages": MESSAGES, **changes})


def anthropic_messages():
    client = anthropic_client("plain")
    system = [{"type": "text", "text": "Be brief."}]
    answer = message(client, system=system, extra_body={"temperature": 1.0})
    check("message: type", (answer.type, answer.role, answer.model) == ("message", "assistant", MODEL), answer)
    check("message: text", answer.content[0].type == "text" and len(answer.content[0].text) > 20, answer)
    check("message: stop", answer.stop_reason == ENDED and answer.stop_sequence is None, answer)
    usage = answer.usage
    # A quarter of the bytes, rounded up.
    check("message: input tokens", usage.input_tokens == -(-(9 + 26) // 4), usage)
    check("message: output tokens", usage.output_tokens == -(-len(answer.content[0].text) // 4), usage)
    check("message: cache", usage.cache_read_input_tokens == usage.cache_creation_input_tokens == 0, usage)
    check("message: request id", answer._request_id.startswith("req_"), answer._request_id)
    again = message(client, system=system, extra_body={"temperature": 1.0})
    check("message: same text, another id", again.content == answer.content and again.id != answer.id, again)
    other = message(client, extra_headers={"x-whyfirst-request": "1"})
    check("message: the header counts", other.content != message(client).content, other)
    cut = message(client, max_tokens=3)
    limit = (cut.stop_reason, cut.usage.output_tokens, len(cut.content[0].text))
    check("message: limit", limit == ("max_tokens", 3, 12), cut)
    raw = client.messages.with_raw_response.create(model=MODEL, max_tokens=9, messages=MESSAGES)
    check("message: headers", raw.headers["anthropic-ratelimit-requests-remaining"].isdigit(), raw.headers)
    check("message: content type", raw.headers["content-type"] == "application/json", raw.headers)
    models = list(client.models.list())
    check("models", [model.id for model in models] == [MODEL] and client.models.retrieve(MODEL).id == MODEL, models)


def openai_completions():
    client = openai_client("plain")
    answer = completion(client, temperature=1.0)
    choice = answer.choices[0]
    check("completion: object", (answer.object, answer.model) == ("chat.completion", MODEL), answer)
    check("completion: text", choice.message.role == "assistant" and len(choice.message.content) > 20, answer)
    stop = (choice.finish_reason, choice.index, choice.message.refusal)
    check("completion: stop", stop == ("stop", 0, None), answer)
    usage = answer.usage
    check("completion: input tokens", usage.prompt_tokens == -(-26 // 4), usage)
    check("completion: output tokens", usage.completion_tokens == -(-len(choice.message.content) // 4), usage)
    check("completion: total", usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage)
    check("completion: details", usage.completion_tokens_details.reasoning_tokens == 0, usage)
    check("completion: request id", answer._request_id.startswith("req_"), answer._request_id)
    again = completion(client, temperature=1.0)
    check("completion: same text", again.choices[0].message.content == choice.message.content and again.id != answer.id)
    for field in ["max_tokens", "max_completion_tokens"]:
        cut = completion(client, **{field: 3})
        limit = (cut.choices[0].finish_reason, cut.usage.completion_tokens)
        check(f"completion: {field}", limit == ("length", 3), cut)
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES)
    check("completion: headers", raw.headers["x-ratelimit-remaining-requests"].isdigit(), raw.headers)
    models = client.models.list()
    check("models", [model.id for model in models] == [MODEL] and client.models.retrieve(MODEL).id == MODEL, models)


def anthropic_errors():
    client = anthropic_client("plain")
    wrong = anthropic_client("plain", key="wrong-key")
    error = raises("wrong key", anthropic.AuthenticationError, lambda: message(wrong), 401)
    check("wrong key: type", error.body["error"]["type"] == "authentication_error", error.body)
    check("wrong key: request id", error.request_id and error.request_id == error.body["request_id"], error.body)
    error = raises("unknown model", anthropic.NotFoundError, lambda: message(client, model="other"), 404)
    check("unknown model: type", error.body["error"]["type"] == "not_found_error" and "other" in str(error), error)
    without = {"max_tokens": None}
    error = raises("no max_tokens", anthropic.BadRequestError, lambda: message(client, extra_body=without), 400)
    check("no max_tokens: type", error.body["error"]["type"] == "invalid_request_error", error.body)
    hot = {"temperature": 1.5}
    raises("temperature", anthropic.BadRequestError, lambda: message(client, extra_body=hot), 400)
    raises("no messages", anthropic.BadRequestError, lambda: message(client, messages=[]), 400)
    error = raises("stream", anthropic.BadRequestError, lambda: message(client, stream=True), 400)
    check("stream: says so", "does not stream" in str(error), error)
    large = [{"role": "user", "content": "x" * 200_000}]
    error = raises("too large", anthropic.APIStatusError, lambda: message(client, messages=large), 413)
    check("too large: type", error.body["error"]["type"] == "request_too_large", error.body)
    raises("no such batch", anthropic.NotFoundError, lambda: client.messages.batches.retrieve("msgbatch_x"), 404)
    raises("no requests", anthropic.BadRequestError, lambda: client.messages.batches.create(requests=[]), 400)
    for server, kind, status in [
        ("rate_limit", anthropic.RateLimitError, 429),
        ("rate_limit_retry_after", anthropic.RateLimitError, 429),
        ("server_error", anthropic.InternalServerError, 500),
        ("overloaded", anthropic.InternalServerError, 529),
    ]:
        error = raises(server, kind, lambda: message(anthropic_client(server)), status)
        waits = "retry-after" in error.response.headers
        check(f"{server}: retry-after", waits == (server == "rate_limit_retry_after"), error.response.headers)
    raises("hang", anthropic.APITimeoutError, lambda: message(anthropic_client("hang", timeout=0.5)))
    for server in ["cut_before", "cut_middle"]:
        raises(server, anthropic.APIConnectionError, lambda: message(anthropic_client(server)))
    raises("malformed_body", ValueError, lambda: message(anthropic_client("malformed_body")))
    check("drip", message(anthropic_client("drip")).content == message(client).content)
    check("truncated", message(anthropic_client("truncated")).stop_reason == "max_tokens")
    refusal = message(anthropic_client("refusal"))
    check("refusal", refusal.stop_reason == "refusal" and refusal.stop_details.type == "refusal", refusal)
    check("empty", message(anthropic_client("empty")).content == [])


def openai_errors():
    client = openai_client("plain")
    wrong = openai_client("plain", key="wrong-key")
    error = raises("wrong key", openai.AuthenticationError, lambda: completion(wrong), 401)
    check("wrong key: code", (error.code, error.type) == ("invalid_api_key", "invalid_request_error"), error)
    check("wrong key: request id", error.request_id.startswith("req_"), error)
    error = raises("unknown model", openai.NotFoundError, lambda: completion(client, model="other"), 404)
    check("unknown model: code", error.code == "model_not_found", error)
    raises("unknown model itself", openai.NotFoundError, lambda: client.models.retrieve("other"), 404)
    error = raises("no messages", openai.BadRequestError, lambda: completion(client, messages=None), 400)
    check("no messages: param", error.param == "messages", error)
    error = raises("stream", openai.BadRequestError, lambda: completion(client, stream=True), 400)
    check("stream: says so", "does not stream" in str(error), error)
    raises("n", openai.BadRequestError, lambda: completion(client, n=2), 400)
    large = [{"role": "user", "content": "x" * 200_000}]
    raises("too large", openai.APIStatusError, lambda: completion(client, messages=large), 413)
    raises("no such file", openai.NotFoundError, lambda: client.files.retrieve("file-x"), 404)
    raises("no such batch", openai.NotFoundError, lambda: client.batches.retrieve("batch_x"), 404)
    batch = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    raises("no input", openai.BadRequestError, lambda: client.batches.create(input_file_id="file-x", **batch), 400)
    for server, kind, status in [
        ("rate_limit", openai.RateLimitError, 429),
        ("rate_limit_retry_after", openai.RateLimitError, 429),
        ("server_error", openai.InternalServerError, 500),
        ("overloaded", openai.InternalServerError, 503),
    ]:
        error = raises(server, kind, lambda: completion(openai_client(server)), status)
        waits = "retry-after" in error.response.headers
        check(f"{server}: retry-after", waits == (server == "rate_limit_retry_after"), error.response.headers)
    raises("hang", openai.APITimeoutError, lambda: completion(openai_client("hang", timeout=0.5)))
    for server in ["cut_before", "cut_middle"]:
        raises(server, openai.APIConnectionError, lambda: completion(openai_client(server)))
    raises("malformed_body", ValueError, lambda: completion(openai_client("malformed_body")))
    text = completion(client).choices[0].message.content
    check("drip", completion(openai_client("drip")).choices[0].message.content == text)
    check("truncated", completion(openai_client("truncated")).choices[0].finish_reason == "length")
    # One of the two ways of refusing, by the number of the request.
    ways = set()
    for _ in range(4):
        choice = completion(openai_client("refusal")).choices[0]
        said = "words" if choice.message.refusal else "nothing"
        ways.add("filter" if choice.finish_reason == "content_filter" else said)
    check("refusal", ways == {"filter", "words"}, ways)
    check("empty", completion(openai_client("empty")).choices[0].message.content == "")


def retries():
    """The clients' own retries get through what is passing."""
    for number in range(6):
        header = {"x-whyfirst-request": str(number)}
        answer = message(anthropic_client("flaky", retries=12), extra_headers=header)
        check("flaky message", answer.stop_reason == ENDED, answer)
        answer = completion(openai_client("flaky", retries=12), extra_headers=header)
        check("flaky completion", answer.choices[0].finish_reason == "stop", answer)


def until(name, call, done):
    """Polls until it is done."""
    for _ in range(200):
        state = call()
        if done(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"{name}: never done: {state!r}")


def anthropic_batches():
    client = anthropic_client("plain")
    batches = client.messages.batches
    # In the order in which the client writes them: an answer is a function of bytes.
    params = {"max_tokens": 100, "messages": MESSAGES, "model": MODEL}
    requests = [{"custom_id": f"r{n}", "params": params} for n in range(20)]
    requests.append({"custom_id": "bad", "params": {**params, "model": "other"}})
    made = batches.create(requests=requests)
    check("batch: made", (made.processing_status, made.request_counts.processing) == ("in_progress", 21), made)
    check("batch: no results", made.results_url is None and made.ended_at is None, made)
    raises("batch: early", anthropic.AnthropicError, lambda: list(batches.results(made.id)))
    ended = until("batch", lambda: batches.retrieve(made.id), lambda batch: batch.processing_status == "ended")
    counts = ended.request_counts
    check("batch: counts", (counts.succeeded, counts.errored, counts.processing) == (20, 1, 0), counts)
    results = list(batches.results(made.id))
    order = [result.custom_id for result in results]
    asked = [request["custom_id"] for request in requests]
    check("batch: all", sorted(order) == sorted(asked), order)
    check("batch: out of order", order != asked, order)
    by_id = {result.custom_id: result.result for result in results}
    check("batch: errored", by_id["bad"].type == "errored", by_id["bad"])
    check("batch: error", by_id["bad"].error.error.type == "not_found_error", by_id["bad"])
    good = [by_id[f"r{n}"].message for n in range(20)]
    check("batch: messages", all(answer.stop_reason == ENDED for answer in good))
    check("batch: ids tell answers apart", len({answer.content[0].text for answer in good}) == 20)
    check("batch: tier", good[0].usage.service_tier == "batch", good[0].usage)
    # The id plays the part of the header.
    alone = message(client, extra_headers={"x-whyfirst-request": "r7"})
    check("batch: as alone", alone.content == good[7].content, alone)
    second = batches.create(requests=requests[:3])
    cancelled = batches.cancel(second.id)
    check("batch: cancel", cancelled.processing_status == "canceling" and cancelled.cancel_initiated_at, cancelled)
    until("cancel", lambda: batches.retrieve(second.id), lambda batch: batch.processing_status == "ended")
    kinds = {result.result.type for result in batches.results(second.id)}
    check("batch: cancelled", kinds == {"canceled"}, kinds)
    listed = [batch.id for batch in batches.list(limit=1)]
    check("batch: list", listed == [second.id, made.id], listed)
    twice = [requests[0], requests[0]]
    raises("batch: same id twice", anthropic.BadRequestError, lambda: batches.create(requests=twice), 400)


def openai_batches():
    client = openai_client("plain")
    body = {"messages": MESSAGES, "model": MODEL}
    line = {"method": "POST", "url": "/v1/chat/completions"}
    lines = [{"custom_id": f"r{n}", **line, "body": body} for n in range(20)]
    lines.append({"custom_id": "bad", **line, "body": {**body, "model": "other"}})
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file = client.files.create(file=("input.jsonl", io.BytesIO(content)), purpose="batch")
    seen = (file.object, file.purpose, file.bytes, file.filename)
    check("file", seen == ("file", "batch", len(content), "input.jsonl"), file)
    check("file: kept", client.files.content(file.id).content == content)
    check("file: found", client.files.retrieve(file.id).id == file.id)
    batch = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    made = client.batches.create(input_file_id=file.id, metadata={"purpose": "test"}, **batch)
    check("batch: made", made.status in ("validating", "in_progress") and made.input_file_id == file.id, made)
    check("batch: metadata", made.metadata == {"purpose": "test"}, made)
    ended = until("batch", lambda: client.batches.retrieve(made.id), lambda batch: batch.status == "completed")
    counts = ended.request_counts
    check("batch: counts", (counts.total, counts.completed, counts.failed) == (21, 20, 1), counts)
    results = [json.loads(line) for line in client.files.content(ended.output_file_id).text.splitlines()]
    order = [result["custom_id"] for result in results]
    check("batch: all", sorted(order) == sorted(f"r{n}" for n in range(20)), order)
    check("batch: out of order", order != [f"r{n}" for n in range(20)], order)
    check("batch: status", all(r["response"]["status_code"] == 200 and r["error"] is None for r in results))
    read = openai.types.chat.ChatCompletion.model_validate
    answers = {result["custom_id"]: read(result["response"]["body"]) for result in results}
    texts = {name: answer.choices[0].message.content for name, answer in answers.items()}
    check("batch: ids tell answers apart", len(set(texts.values())) == 20)
    errors = [json.loads(line) for line in client.files.content(ended.error_file_id).text.splitlines()]
    check("batch: errored", [error["custom_id"] for error in errors] == ["bad"], errors)
    check("batch: error", errors[0]["response"]["status_code"] == 404, errors)
    output_tokens = sum(answer.usage.completion_tokens for answer in answers.values())
    check("batch: usage", ended.usage.output_tokens == output_tokens, ended.usage)
    second = client.batches.create(input_file_id=file.id, **batch)
    check("batch: cancel", client.batches.cancel(second.id).status == "cancelling")
    until("cancel", lambda: client.batches.retrieve(second.id), lambda batch: batch.status == "cancelled")
    listed = [batch.id for batch in client.batches.list(limit=1)]
    check("batch: list", listed == [second.id, made.id], listed)
    wrong = client.files.create(file=("wrong.jsonl", io.BytesIO(b"{}\nnot json\n")), purpose="batch")
    third = client.batches.create(input_file_id=wrong.id, **batch)
    failed = until("fail", lambda: client.batches.retrieve(third.id), lambda batch: batch.status == "failed")
    check("batch: failed", failed.errors.data[1].line == 2, failed)
    check("file: deleted", client.files.delete(wrong.id).deleted)


for test in [
    anthropic_messages,
    openai_completions,
    anthropic_errors,
    openai_errors,
    retries,
    anthropic_batches,
    openai_batches,
]:
    test()
versions = {"anthropic": anthropic.__version__, "openai": openai.__version__}
print(json.dumps({"checked": len(checked), "versions": versions}))
