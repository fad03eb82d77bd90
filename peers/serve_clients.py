"""The official client, lm-eval and Inspect against a server that runs; what they saw is printed as JSON.

Reads from standard input: {"url", "key", "folder" (for files), "tokenizer" (a folder), "questions", "texts"}.
A question is {"context", "choices", "target"}, a text {"prompt", "answer"} with what the model says greedily.
"""

import concurrent.futures
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import openai

GIVEN = json.load(sys.stdin)
URL, KEY, FOLDER = GIVEN["url"], GIVEN["key"], Path(GIVEN["folder"])
MAX_NEW, CHAT_MAX_NEW = 12, 20
BIN = Path(sys.executable).parent


def official_client() -> int:
    """Checks what the client makes of every kind of answer and of error; gives the number of checks."""
    checked = 0

    def check(holds: bool, what: str) -> None:
        nonlocal checked
        checked += 1
        if not holds:
            raise SystemExit(f"the official client: {what}")

    client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
    names = [model.id for model in client.models.list()]
    check(names == ["base", "lab/why/1"], f"models: {names}")
    for name in names:
        check(client.models.retrieve(name).id == name, f"retrieve {name}")
    messages = [{"role": "user", "content": "which cheese do you prefer ?"}]
    ask = dict(model="base", messages=messages, seed=3, max_completion_tokens=CHAT_MAX_NEW)
    whole = client.chat.completions.create(**ask)
    check(whole.choices[0].finish_reason in ("stop", "length"), "a reason to finish")
    check(whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, "usage")
    chunks = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    check(said == whole.choices[0].message.content, f"{said!r} {whole}")
    check(chunks[-1].usage == whole.usage, "usage of the stream")
    with client.chat.completions.stream(**ask) as stream:
        final = stream.get_final_completion()
    check(final.choices[0].message.content == said, "the client's own stream helper")
    scored = client.chat.completions.create(**ask, logprobs=True, top_logprobs=4)
    content = scored.choices[0].logprobs.content
    check(all(len(token.top_logprobs) == 4 and token.logprob <= 0 for token in content), "logprobs")
    check(all(bytes(token.bytes).decode() == token.token for token in content), "bytes")

    for text in GIVEN["texts"]:
        plain = dict(model="base", prompt=text["prompt"], max_tokens=MAX_NEW, temperature=0)
        answer = client.completions.create(**plain).choices[0].text
        check(answer == text["answer"], f"{answer!r} is not {text['answer']!r}")
        parts = [part.choices[0].text for part in client.completions.create(**plain, stream=True)]
        check("".join(parts) == answer, "a stream")
        word = answer.split()[1] if len(answer.split()) > 1 else ""
        if word:
            stopped = client.completions.create(**plain, stop=[word]).choices[0]
            check(stopped.text == answer[: answer.index(word)] and stopped.finish_reason == "stop", "a stop")

    def streamed(seed: int) -> str:
        parts = client.completions.create(
            model=names[seed % 2], prompt="the", max_tokens=20, seed=seed, stream=True
        )
        return "".join(part.choices[0].text for part in parts)

    alone = [streamed(seed) for seed in range(64)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        together = list(pool.map(streamed, range(64)))
    check(alone == together, "64 streams at once")

    def refused(kind: type, call, code, param) -> None:
        try:
            call()
        except openai.APIStatusError as error:
            check(type(error) is kind, f"{error!r} instead of {kind}")
            check((error.code, error.param) == (code, param), f"{error.code} {error.param}")
        else:
            check(False, f"{kind} was expected")

    create = client.completions.create
    wrong = openai.OpenAI(base_url=URL, api_key="wrong", max_retries=0)
    refused(openai.AuthenticationError, wrong.models.list, "invalid_api_key", None)
    refused(openai.NotFoundError, lambda: create(model="none", prompt="a"), "model_not_found", "model")
    refused(
        openai.BadRequestError,
        lambda: create(model="base", prompt="a " * 300),
        "context_length_exceeded",
        "prompt",
    )
    refused(openai.BadRequestError, lambda: create(model="base", prompt=7), "invalid_type", "prompt")
    refused(
        openai.BadRequestError,
        lambda: client.chat.completions.create(**ask, tools=[{"type": "function", "function": {"name": "f"}}]),
        "unsupported_parameter",
        "tools",
    )
    return checked


def run(program: str, *arguments: str, **environment: str) -> None:
    """Runs a program of this Python's environment, offline, in our folder."""
    quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(FOLDER / "hf"), "NO_COLOR": "1"}
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=FOLDER,
        env=os.environ | quiet | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{program} {' '.join(arguments)}:\n{done.stdout[-6000:]}")


def write_lines(name: str, rows: list) -> None:
    (FOLDER / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


CHOICE_TASK = """task: whyfirst_choice
dataset_path: json
dataset_kwargs: {data_files: {test: questions.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{context}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{target}}"
metric_list: [{metric: acc}]
"""

TEXT_TASK = """task: whyfirst_text
dataset_path: json
dataset_kwargs: {data_files: {test: texts.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{prompt}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n\\n"], max_gen_toks: %d, temperature: 0}
metric_list: [{metric: exact_match}]
"""


def lm_eval(model: str, url: str, tasks: str, *more: str) -> tuple[dict, dict]:
    """The results by task, and the samples by task."""
    out = FOLDER / f"out-{model}"
    arguments = {
        "model": "base",
        "base_url": url,
        "tokenizer_backend": "huggingface",
        "tokenizer": GIVEN["tokenizer"],
        "max_length": "256",
        "num_concurrent": "4",
        "max_retries": "1",
        "eos_string": "<eos>",
    }
    run(
        "lm_eval",
        *("--model", model, "--tasks", tasks, "--include_path", "tasks", "--log_samples"),
        *("--model_args", ",".join(f"{name}={value}" for name, value in arguments.items())),
        *("--output_path", str(out)),
        *more,
        OPENAI_API_KEY=KEY,
    )
    (results,) = out.rglob("results_*.json")
    samples = {}
    for task in tasks.split(","):
        (file,) = out.rglob(f"samples_{task}_*.jsonl")
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        samples[task] = sorted(rows, key=lambda row: row["doc_id"])
    return json.loads(results.read_text())["results"], samples


def harness() -> dict:
    """lm-eval: log-likelihoods and generations by plain texts, generations by chats."""
    (FOLDER / "tasks").mkdir()
    (FOLDER / "tasks/choice.yaml").write_text(CHOICE_TASK)
    (FOLDER / "tasks/text.yaml").write_text(TEXT_TASK % MAX_NEW)
    write_lines("questions.jsonl", GIVEN["questions"])
    write_lines("texts.jsonl", [{**text, "answer": text["answer"]} for text in GIVEN["texts"]])
    results, samples = lm_eval("local-completions", f"{URL}/completions", "whyfirst_choice,whyfirst_text")
    _, chats = lm_eval(
        "local-chat-completions", f"{URL}/chat/completions", "whyfirst_text", "--apply_chat_template"
    )
    # The harness hands out what was said as [[log-likelihood, greedy]] for every choice.
    scores = [
        [[float(value) for value in choice[0][:1]][0] for choice in sample["resps"]]
        for sample in samples["whyfirst_choice"]
    ]
    return {
        "scores": scores,
        "accuracy": results["whyfirst_choice"]["acc,none"],
        "texts": [sample["resps"][0][0] for sample in samples["whyfirst_text"]],
        "chats": [sample["resps"][0][0] for sample in chats["whyfirst_text"]],
    }


INSPECT_TASK = """from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


@task
def words():
    return Task(dataset=json_dataset("inspect.jsonl"), solver=generate(), scorer=includes())
"""


def inspect() -> dict:
    """`inspect eval` through its provider for servers of this protocol."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    (FOLDER / "words.py").write_text(INSPECT_TASK)
    rows = [{"input": text["prompt"], "target": "e"} for text in GIVEN["texts"]]
    write_lines("inspect.jsonl", rows)
    run(
        "inspect",
        *("eval", "words.py", "--model", "openai-api/whyfirst/base", "--log-dir", "logs", "--display", "none"),
        *("--temperature", "0", "--max-tokens", str(CHAT_MAX_NEW)),
        WHYFIRST_BASE_URL=URL,
        WHYFIRST_API_KEY=KEY,
    )
    (log,) = [read_eval_log(found) for found in list_eval_logs(str(FOLDER / "logs"))]
    return {
        "status": log.status,
        "samples": [sample.output.completion for sample in log.samples],
        "tokens": sum(usage.output_tokens for usage in log.stats.model_usage.values()),
    }


seen = {
    "checked": official_client(),
    "harness": harness(),
    "inspect": inspect(),
    "versions": {name: importlib.metadata.version(name) for name in ("openai", "lm-eval", "inspect-ai")},
}
print(json.dumps(seen))
