"""How fast transformers continues texts and scores options with a model that the native engine is measured on.

    asking.py work FOLDER FILE           prompts and items for this model, for both sides
    asking.py generate FOLDER FILE --texts N [--seconds S] [--threads N]
    asking.py score FOLDER FILE [--prefix] [--seconds S] [--threads N]

`generate` is `model.generate` with its key-value cache on a batch of prompts of one length, greedily. `score` puts every option
after its prompt, as evaluation programs do, 32 rows a batch, shortest first; with --prefix an item's prompt is run once, and
its options, as a batch, from its cache: as much sharing as takes a few lines. Prints one JSON object.
"""

import argparse
import json
import pathlib
import random
import time

import decoder
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, DynamicCache

# Prompts of the generation, items of the scoring: a beginning that all share, then words of their own.
PROMPTS, PROMPT, NEW = 16, 96, 128
ITEMS, SHARED, OWN, OPTIONS, OPTION = 48, 96, 64, 4, 8
BATCH = 32


def make_work(folder, file):
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    draw = random.Random(1)
    words = lambda count: [draw.randrange(vocabulary) for _ in range(count)]
    shared = words(SHARED)
    work = {
        "prompts": [words(PROMPT) for _ in range(PROMPTS)],
        "new_tokens": NEW,
        "items": [(shared + words(OWN), [words(OPTION) for _ in range(OPTIONS)]) for _ in range(ITEMS)],
    }
    file.write_text(json.dumps(work))
    return {"items": ITEMS, "prompts": PROMPTS}


@torch.inference_mode()
def generate(model, work, texts):
    prompts = torch.tensor(work["prompts"][:texts])
    out = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        do_sample=False,
        min_new_tokens=work["new_tokens"],
        max_new_tokens=work["new_tokens"],
        pad_token_id=0,
    )
    return out[:, prompts.shape[1] :]


@torch.inference_mode()
def score(model, work):
    rows = [
        (item, option, prompt, tokens)
        for item, (prompt, options) in enumerate(work["items"])
        for option, tokens in enumerate(options)
    ]
    rows.sort(key=lambda row: len(row[2]) + len(row[3]))
    scores = [[0.0] * len(options) for _, options in work["items"]]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        length = max(len(prompt) + len(option) - 1 for _, _, prompt, option in batch)
        tokens = torch.zeros(len(batch), length, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for i, (_, _, prompt, option) in enumerate(batch):
            row = torch.tensor(prompt + option[:-1])
            tokens[i, : len(row)], mask[i, : len(row)] = row, 1
        # Only the last rows' logits are asked for, where all rows end together.
        keep = max(len(option) for *_, option in batch)
        even = all(len(prompt) + len(option) - 1 == length for _, _, prompt, option in batch)
        keep = keep if even else 0
        logits = model(tokens, attention_mask=mask, logits_to_keep=keep, use_cache=False).logits
        offset = length - logits.shape[1]
        for i, (item, number, prompt, option) in enumerate(batch):
            first = len(prompt) - 1 - offset
            own = functional.log_softmax(logits[i, first : first + len(option)].float(), dim=-1)
            scores[item][number] = own.gather(1, torch.tensor(option)[:, None]).sum().item()
    return scores


@torch.inference_mode()
def score_from_prefix(model, work):
    scores = []
    for prompt, options in work["items"]:
        cache = DynamicCache()
        out = model(torch.tensor([prompt]), past_key_values=cache, logits_to_keep=1)
        first = functional.log_softmax(out.logits[0, -1].float(), dim=-1)
        cache = out.past_key_values
        cache.batch_repeat_interleave(len(options))
        tokens = torch.tensor(options)
        out = model(tokens[:, :-1], past_key_values=cache)
        rest = functional.log_softmax(out.logits.float(), dim=-1)
        rest = rest.gather(2, tokens[:, 1:, None]).sum(dim=(1, 2))
        scores.append((first[tokens[:, 0]] + rest).tolist())
    return scores


def measure(work, seconds, count):
    """The rate of some work, after a first round that touches memory for the first time."""
    result = work()
    taken, done = 0.0, 0
    while taken < seconds:
        start = time.perf_counter()
        result = work()
        taken += time.perf_counter() - start
        done += count
    return done / taken, result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["work", "generate", "score"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--texts", type=int, default=1)
    parser.add_argument("--prefix", action="store_true")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.what == "work":
        print(json.dumps(make_work(options.folder, options.file)))
        return
    torch.set_num_threads(options.threads)
    work = json.loads(options.file.read_text())
    model = AutoModelForCausalLM.from_pretrained(options.folder, dtype=torch.float32).eval()
    if options.what == "generate":
        count = options.texts * work["new_tokens"]
        rate, out = measure(lambda: generate(model, work, options.texts), options.seconds, count)
        answer = {"tokens_per_second": rate, "first": out[0].tolist()}
    else:
        way = score_from_prefix if options.prefix else score
        rate, out = measure(lambda: way(model, work), options.seconds, len(work["items"]))
        answer = {"items_per_second": rate, "scores": out}
    print(json.dumps({**answer, "peak_bytes": decoder.peak_bytes()}))


if __name__ == "__main__":
    main()
