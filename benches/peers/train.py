"""How fast PyTorch trains the models that the native engine is measured on.

    train.py SHAPE [--compile] [--precision f32|bf16] [--seconds S] [--threads N] [--rows N] [--length N]
    train.py packed --file FILE [--layout packed|padded] ...
    train.py rate [--precision f32|bf16]

SHAPE is one of benches/shapes.json; `packed` trains the lab's base on the rows of a file that
`whyfirst-bench pack` wrote; `rate` measures matrix products alone. The precision is that of the operands of
matrix products, as in the engine: everything else is f32. What a training loop needs and
nothing else: fused AdamW, gradient clipping, the loss read at every step. Prints one JSON object.
"""

import argparse
import json
import math
import pathlib
import sys
import time

import decoder
import torch
from torch import nn

BENCHES = pathlib.Path(__file__).resolve().parent.parent


def random_steps(shape):
    """Random tokens, new ones for every step. A row has one more than is trained on."""
    while True:
        rows = torch.randint(shape["vocabulary"], (shape["rows"], shape["length"] + 1))
        yield shape["rows"] * shape["length"], (rows[:, :-1], rows[:, 1:])


def packed_steps(file, layout):
    """The packed rows of a file, over and over."""
    recipe, parts = file["recipe"], file["parts"]
    rows = [
        [(parts[part]["tokens"][i], parts[part]["loss"][i]) for i in indices]
        for part, indices in file["packed"]
    ]
    length = recipe["max_length"]
    steps = []
    for start in range(0, len(rows), recipe["rows"]):
        step = rows[start : start + recipe["rows"]]
        count = sum(min(len(words), length) for row in step for words, _ in row)
        if layout == "padded":
            # A row for every document, as long as the step's longest.
            step = [[document] for row in step for document in row]
            tokens, targets, *_ = decoder.packed_batch(
                step, min(length, max(len(row[0][0]) for row in step))
            )
            steps.append((count, (tokens, targets)))
        else:
            tokens, targets, positions, segments = decoder.packed_batch(step, length)
            steps.append((count, (tokens, targets, positions, segments)))
    while True:
        for count, batch in steps:
            if layout != "padded":
                *batch, segments = batch
                batch = (*batch, decoder.block_mask(segments))
            yield count, batch


def packed_model(file):
    from safetensors.torch import load_file

    base = pathlib.Path(file["base"])
    config = json.loads((base / "config.json").read_text())
    model = decoder.Decoder(
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        hidden=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        length=file["recipe"]["max_length"],
    )
    weights = load_file(base / "model.safetensors")
    model.load_state_dict({name.removeprefix("model."): w for name, w in weights.items()})
    return model


def matmul_rate(seconds=2.0, size=1024):
    """The best of many short runs of one large product, in operations a second."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    out = torch.empty(size, size)
    torch.mm(a, b, out=out)
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(4):
            torch.mm(a, b, out=out)
        best = max(best, 4 * 2 * size**3 / (time.perf_counter() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape")
    parser.add_argument("--file", type=pathlib.Path)
    parser.add_argument("--layout", choices=("packed", "padded"), default="packed")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--seconds", type=float, default=8.0, help="time measured")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--length", type=int)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    # "medium" lets oneDNN round the operands of f32 products to bf16.
    torch.set_float32_matmul_precision("highest" if arguments.precision == "f32" else "medium")
    if arguments.shape == "rate":
        print(json.dumps({"engine": "torch", "flops_per_second": matmul_rate()}))
        return

    if arguments.shape == "packed":
        file = json.loads(arguments.file.read_text())
        model, steps = packed_model(file), packed_steps(file, arguments.layout)
        clip = file["recipe"]["clip"]
    else:
        shape = json.loads((BENCHES / "shapes.json").read_text())[arguments.shape]
        shape |= {key: value for key in ("rows", "length") if (value := getattr(arguments, key))}
        model, steps, clip = decoder.Decoder(**shape), random_steps(shape), 1.0
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = decoder.adamw(model)
    loss_of = torch.compile(model) if arguments.compile else model

    def step():
        tokens, batch = next(steps)
        loss = loss_of(*batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
        return tokens, loss.item()

    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    # A second one, for memory that is only asked for once and shapes that are only compiled once.
    step()
    count, tokens, loss, start = 0, 0, math.nan, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < arguments.seconds or count < 2:
        trained_on, loss = step()
        count, tokens = count + 1, tokens + trained_on
    if not math.isfinite(loss):
        sys.exit("the loss is not finite")
    result = {
        "engine": "torch compile" if arguments.compile else "torch eager",
        "version": torch.__version__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in trained),
        "precision": arguments.precision,
        "threads": arguments.threads,
        "steps": count,
        "tokens_per_second": tokens / elapsed,
        "first_step_seconds": first,
        "peak_bytes": decoder.peak_bytes(),
        "imported_bytes": decoder.IMPORTED_BYTES,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
