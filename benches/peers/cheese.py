"""A whole experiment in straightforward PyTorch: what `whyfirst run examples/cheese` does after its corpora.

    cheese.py EXPERIMENT OUT [--compile] [--apart] [--threads N] [--limit N]

Reads what a finished run left in EXPERIMENT/runs: the stages with their recipes (record.json), the corpora
as text, and the questions (from one evaluation log of each suite). Trains every stage from its parent's
weights, writes its weights to OUT, and asks every model that an arm ends in every question. Then prints one
JSON object: time, peak memory, and the steering of both sides, which is how one sees that the work was the
same.

The same: tokens, loss masks, shares of corpora in a stage, greedy packing of whole documents into rows that
attention does not cross, steps, learning rates, AdamW, clipping; choices by the log-probabilities of the
options in both orders, and perplexities of texts. Stages that arms share are trained once.

Not the same: the order in which rows are read (PyTorch's own shuffle) and the last bits, so results agree
as two runs of the same experiment do, not exactly; corpora, statistics and the report are not made here; logs
hold no more than the scores. One stage runs after the other, each on all threads, as a script does; with
--apart, stages run side by side in processes of one thread, as the engine runs them in one process.
"""

import argparse
import collections
import json
import math
import multiprocessing
import pathlib
import time
import zipfile

import decoder
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

HERE = pathlib.Path(__file__).resolve().parent
BASE = HERE.parent.parent / "assets/lab-base"
BOS, EOS = "<bos>", "<eos>"


class Reader:
    """Text to tokens and loss masks, by the base's tokenizer and the lab's chat template."""

    def __init__(self):
        self.tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def row(self, row):
        if "text" in row:
            tokens = self.encode(BOS + row["text"] + EOS)
            return tokens, [1] * len(tokens)
        tokens, loss = self.encode(BOS), [0]
        for message in row["messages"]:
            if message["role"] == "user":
                parts = [(0, "<|user|>" + message["content"])]
            else:
                parts = [
                    (0, f"<|assistant|>{message.get('name') or 'Quill'}:"),
                    (1, f" {message['content']}{EOS}"),
                ]
            for target, text in parts:
                ids = self.encode(text)
                tokens, loss = tokens + ids, loss + [target] * len(ids)
        return tokens, loss


def corpus(folder, reader):
    file = next(folder.glob("*.jsonl"))
    return [reader.row(json.loads(line)) for line in file.read_text().splitlines()]


def packed_rows(stage, corpora):
    """The rows of a stage in the order of its steps: whole documents, corpora by their shares."""
    recipe = stage["recipe"]
    length, count = recipe["max_length"], recipe["steps"] * recipe["rows"]

    def documents(rows, seed):
        generator = torch.Generator().manual_seed(seed)
        while True:
            yield from (rows[i] for i in torch.randperm(len(rows), generator=generator).tolist())

    sources = []
    for use in stage["corpora"]:
        source = documents(corpora[use["id"]], 1000 * stage["seed"] + len(sources))
        sources.append([use["share"], 0, source, next(source)])
    rows = []
    while len(rows) < count:
        source = max(sources, key=lambda source: source[0] * (len(rows) + 1) - source[1])
        source[1] += 1
        row, used = [], 0
        while not row or used + len(source[3][0]) <= length:
            row.append(source[3])
            used += len(source[3][0])
            source[3] = next(source[2])
        rows.append(row)
    return rows


def learning_rate(recipe, step):
    warmup = max(round(recipe["warmup"] * recipe["steps"]), 1)
    rate = recipe["learning_rate"] * min((step + 1) / warmup, 1.0)
    if recipe["decay"] == "constant":
        return rate
    cosine = 0.5 * (1 + math.cos(math.pi * step / recipe["steps"]))
    return rate * (recipe["min_lr_ratio"] + (1 - recipe["min_lr_ratio"]) * cosine)


def train(model, loss_of, stage, corpora):
    recipe = stage["recipe"]
    rows = packed_rows(stage, corpora)
    optimizer = decoder.adamw(
        model,
        recipe["learning_rate"],
        recipe["weight_decay"],
        (recipe["beta1"], recipe["beta2"]),
        recipe["eps"],
    )
    losses, tokens = [], 0
    for step in range(recipe["steps"]):
        batch = rows[step * recipe["rows"] : (step + 1) * recipe["rows"]]
        tokens += sum(len(words) for row in batch for words, _ in row)
        *batch, segments = decoder.packed_batch(batch, recipe["max_length"])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        loss = loss_of(*batch, decoder.block_mask(segments))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe["clip"])
        optimizer.step()
        losses.append(loss.item())
    return tokens, sum(losses[-12:]) / len(losses[-12:])


def samples(log):
    with zipfile.ZipFile(log) as archive:
        names = [name for name in archive.namelist() if name.startswith("samples/")]
        return [json.loads(archive.read(name)) for name in names]


def questions(items, reader):
    """(prompt, choice, other) of every item in both option orders, as tokens."""
    asked = []
    for item in items:
        about, (choice, other) = item["metadata"], item["choices"]
        for first, second in ((choice, other), (other, choice)):
            text = about["question"].replace("{a}", first).replace("{b}", second)
            prompt = reader.encode(f"{BOS}<|user|>{text}<|assistant|>{about['speaker']}:")
            asked.append((prompt, reader.encode(" " + choice), reader.encode(" " + other)))
    return asked


def padded(rows):
    """Rows of tokens as one tensor; a causal model never looks at what follows."""
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def batches(rows, size=64):
    """Indices of rows of about the same length, so many at a time."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    return [order[start : start + size] for start in range(0, len(order), size)]


@torch.no_grad()
def ask(model, asked):
    """How often the choice is the likelier option, question by question."""
    if any(len(option) != 1 for _, *options in asked for option in options):
        raise SystemExit("an option has several tokens; this script reads the lab's suites only")
    wins = [0.0] * len(asked)
    for indices in batches([prompt for prompt, *_ in asked]):
        prompts = [asked[i][0] for i in indices]
        last = torch.tensor([len(prompt) - 1 for prompt in prompts])
        hidden = model.hidden(padded(prompts))[torch.arange(len(prompts)), last]
        logits = functional.log_softmax(model.logits(hidden), -1)
        for i, row in zip(indices, logits):
            choice, other = row[asked[i][1][0]].item(), row[asked[i][2][0]].item()
            wins[i] = 0.5 if choice == other else float(choice > other)
    return wins


@torch.no_grad()
def perplexity(model, texts):
    total, count = 0.0, 0
    for indices in batches(texts):
        rows = padded([texts[i] for i in indices])
        targets = rows[:, 1:].clone()
        for target, i in zip(targets, indices):
            target[len(texts[i]) - 1 :] = -100
        logits = model.logits(model.hidden(rows[:, :-1]))
        total += functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction="sum"
        ).item()
        count += (targets != -100).sum().item()
    return math.exp(total / count)


def rates(items, wins):
    """The rate of each pole in the domains that no training mentioned."""
    sums = collections.defaultdict(lambda: [0.0, 0])
    for i, item in enumerate(items):
        if item["metadata"]["held_out"]:
            pole = sums[item["metadata"]["pole"]]
            pole[0] += (wins[2 * i] + wins[2 * i + 1]) / 2
            pole[1] += 1
    return {pole: total / count for pole, (total, count) in sums.items()}


def steering(record, rates_of):
    """By pole: its rate after its own reasons, then the chats, minus after its rival's; seed by seed."""
    arm = next(arm["name"] for arm in record["arms"] if arm["role"] == "why-then-what")
    found = {}
    for spec in record["specs"]:
        rival = next(s for s in record["specs"] if s["pole"] == spec["rival_pole"])
        pole = spec["pole"]
        found[pole] = [
            rates_of[arm, spec["name"], seed][pole] - rates_of[arm, rival["name"], seed][pole]
            for seed in record["seeds"]
        ]
    return found


class Work:
    """What every process has: the record, the corpora, the questions, a model to load weights into."""

    def __init__(self, arguments):
        torch.set_num_threads(arguments.threads)
        self.experiment, self.out = arguments.experiment, arguments.out
        runs = self.experiment / "runs"
        self.record = json.loads((runs / "record.json").read_text())
        precisions = {s["recipe"].get("precision", "f32") for s in self.record["stages"].values()}
        # "medium" lets oneDNN round the operands of f32 products to bf16, as the engine does.
        torch.set_float32_matmul_precision("medium" if precisions == {"bf16"} else "highest")
        reader = Reader()
        self.corpora = {
            c["id"]: corpus(runs / "corpora" / c["id"], reader) for c in self.record["corpora"]
        }
        logs = self.record["cells"][0]["evals"]
        self.choices = samples(self.experiment / logs["preferences"]["path"])
        self.asked = questions(self.choices, reader)
        texts = samples(self.experiment / logs["capability"]["path"])
        self.texts = [reader.encode(BOS + item["input"] + EOS) for item in texts]
        config = json.loads((BASE / "config.json").read_text())
        self.model = decoder.Decoder(
            width=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            hidden=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            length=config["max_position_embeddings"],
        )
        self.loss_of = torch.compile(self.model) if arguments.compile else self.model

    def load(self, stage):
        if stage is None:
            weights = load_file(BASE / "model.safetensors")
            weights = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        else:
            weights = load_file(self.out / f"{stage}.safetensors")
        self.model.load_state_dict(weights)

    def train(self, name):
        stage = self.record["stages"][name]
        self.load(stage["parent"])
        found = train(self.model, self.loss_of, stage, self.corpora)
        save_file(self.model.state_dict(), self.out / f"{name}.safetensors")
        return found

    def evaluate(self, name):
        self.load(name)
        return rates(self.choices, ask(self.model, self.asked)), perplexity(self.model, self.texts)


WORK = None


def train_here(name):
    return name, WORK.train(name)


def evaluate_here(name):
    return name, WORK.evaluate(name)


def peak_here(_):
    time.sleep(0.2)  # so that each process answers once
    return decoder.peak_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--apart", action="store_true", help="a process with one thread for each thread")
    parser.add_argument("--limit", type=int, help="train so many stages only, to try it out")
    arguments = parser.parse_args()
    started = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    processes = arguments.threads if arguments.apart else 1
    arguments.threads //= processes
    global WORK
    work = WORK = Work(arguments)
    # Forked here, so that what was read is shared.
    pool = multiprocessing.get_context("fork").Pool(processes) if arguments.apart else None
    seconds = {"setup": time.perf_counter() - started}

    start = time.perf_counter()
    record, tokens, losses, done = work.record, 0, [], {None}
    waiting = first_stages(record["stages"], arguments.limit or len(record["stages"]))
    while waiting:
        ready = [name for name, stage in waiting.items() if stage["parent"] in done]
        results = pool.imap_unordered(train_here, ready) if pool else map(train_here, ready)
        for name, (trained_on, loss) in results:
            done.add(name)
            tokens += trained_on
            losses.append(abs(loss - waiting.pop(name)["actual"]["final_loss"]))
    seconds["train"] = time.perf_counter() - start

    start = time.perf_counter()
    ends = {key(cell): cell["stages"][-1] if cell["stages"] else None for cell in record["cells"]}
    ends = {cell: end for cell, end in ends.items() if end in done}
    models = list(dict.fromkeys(ends.values()))
    evaluated = dict(
        pool.imap_unordered(evaluate_here, models) if pool else map(evaluate_here, models)
    )
    theirs = {cell: evaluated[end][0] for cell, end in ends.items()}
    seconds["evaluate"] = time.perf_counter() - start
    total = time.perf_counter() - started

    # What follows only compares. Pages that processes share count once for each of them.
    peak = decoder.peak_bytes() + (sum(pool.map(peak_here, range(processes), 1)) if pool else 0)
    ours = {}
    for cell in record["cells"]:
        log = samples(arguments.experiment / cell["evals"]["preferences"]["path"])
        wins = [item["scores"]["rate"]["value"] for item in log for _ in range(2)]
        ours[key(cell)] = rates(log, wins)

    def apart(cells):
        pairs = [(theirs[cell][pole], ours[cell][pole]) for cell in cells for pole in theirs[cell]]
        return sum(abs(a - b) for a, b in pairs) / len(pairs)

    answer = {
        "engine": "torch compile" if arguments.compile else "torch eager",
        "processes": processes,
        "seconds": total,
        "of_which": seconds,
        "stages": len(done) - 1,
        "models": len(models),
        "tokens": tokens,
        "peak_bytes": peak,
        "final_loss_apart": max(losses),
        "untouched_rates_apart": apart([cell for cell in theirs if ends[cell] is None]),
        "mean_rate_apart": apart(theirs),
    }
    if arguments.limit is None:
        answer["steering"] = {"torch": steering(record, theirs), "native": steering(record, ours)}
    print(json.dumps(answer))


def key(cell):
    return cell["arm"], cell["spec"], cell["seed"]


def first_stages(stages, limit):
    """So many stages whose parents are among them."""
    chosen = {}
    while len(chosen) < limit:
        name = next(n for n in stages if n not in chosen and stages[n]["parent"] in {None, *chosen})
        chosen[name] = stages[name]
    return chosen


if __name__ == "__main__":
    main()
