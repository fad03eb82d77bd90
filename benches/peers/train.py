"""How fast PyTorch trains the models that the native engine is measured on.

    train.py SHAPE [--compile] [--seconds S] [--threads N]

SHAPE is one of 0.8M, 17M and 17M-lora. Straightforward PyTorch: a Llama-shaped decoder in f32 from
its own fast parts (scaled_dot_product_attention, rms_norm, cross_entropy, fused AdamW), gradient
clipping, and nothing between steps that a training loop would not do. Prints one JSON object with
tokens a second, the time of the first step (with --compile, mostly compiling) and the peak memory
of the process.
"""

import argparse
import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

SHAPES = {
    "0.8M": dict(width=128, layers=4, heads=4, hidden=320, vocabulary=420, batch=32, length=128),
    "17M": dict(width=384, layers=8, heads=6, hidden=1024, vocabulary=8192, batch=16, length=256),
}
SHAPES["17M-lora"] = SHAPES["17M"] | dict(rank=16)


class LoraLinear(nn.Linear):
    """A frozen linear map plus a trained one of low rank, scaled as PEFT does at alpha = 2 r."""

    def __init__(self, inputs, outputs, rank):
        super().__init__(inputs, outputs, bias=False)
        self.weight.requires_grad_(False)
        self.lora_a = nn.Parameter(torch.randn(rank, inputs) * inputs**-0.5)
        self.lora_b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        low = functional.linear(functional.linear(x, self.lora_a), self.lora_b)
        return super().forward(x) + 2.0 * low


def linear(inputs, outputs, rank):
    return LoraLinear(inputs, outputs, rank) if rank else nn.Linear(inputs, outputs, bias=False)


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Block(nn.Module):
    def __init__(self, width, heads, hidden, rank):
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.RMSNorm(width, eps=1e-5)
        self.norm_mlp = nn.RMSNorm(width, eps=1e-5)
        self.q, self.k, self.v, self.o = (linear(width, width, rank) for _ in range(4))
        self.gate, self.up = (linear(width, hidden, rank) for _ in range(2))
        self.down = linear(hidden, width, rank)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        normed = self.norm_attention(x)
        q, k, v = (
            project(normed).view(batch, length, self.heads, -1).transpose(1, 2)
            for project in (self.q, self.k, self.v)
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(mixed.transpose(1, 2).reshape(batch, length, width))
        normed = self.norm_mlp(x)
        return x + self.down(functional.silu(self.gate(normed)) * self.up(normed))


class Decoder(nn.Module):
    def __init__(self, width, layers, heads, hidden, vocabulary, length, rank=0, **_):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads, hidden, rank) for _ in range(layers))
        self.norm = nn.RMSNorm(width, eps=1e-5)
        frequency = 10000.0 ** -(torch.arange(0, width // heads, 2) / (width // heads))
        angles = torch.outer(torch.arange(length), frequency).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        if rank:
            for name, parameter in self.named_parameters():
                parameter.requires_grad_("lora" in name)

    def forward(self, tokens):
        x = self.embedding(tokens[:, :-1])
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = functional.linear(self.norm(x), self.embedding.weight)
        return functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seconds", type=float, default=8.0, help="time measured")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)

    shape = SHAPES[arguments.shape]
    model = Decoder(**shape)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.01, fused=True
    )
    loss_of = torch.compile(model) if arguments.compile else model
    # One token more than is trained on: inputs and targets are the same row, one apart.
    size = (shape["batch"], shape["length"] + 1)

    def step():
        loss = loss_of(torch.randint(shape["vocabulary"], size))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        return loss.item()

    start = time.perf_counter()
    loss = step()
    first = time.perf_counter() - start
    step()
    steps, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < arguments.seconds or steps < 2:
        loss = step()
        steps += 1
    if not math.isfinite(loss):
        sys.exit("the loss is not finite")

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = {
        "engine": "torch compile" if arguments.compile else "torch eager",
        "version": torch.__version__,
        "shape": arguments.shape,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in trained),
        "threads": arguments.threads,
        "steps": steps,
        "tokens_per_second": steps * shape["batch"] * shape["length"] / elapsed,
        "first_step_seconds": first,
        # Linux counts in KiB, macOS in bytes.
        "peak_bytes": peak * (1 if sys.platform == "darwin" else 1024),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
