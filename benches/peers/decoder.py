"""The decoder of the comparisons: straightforward PyTorch, from its own fast parts.

A Llama-shaped decoder in f32 (scaled_dot_product_attention, rms_norm, cross_entropy), with LoRA on all
seven projections where a rank is given. Names are those of Hugging Face, so that safetensors files load.
"""

import resource
import sys

import torch
from torch import nn
from torch.nn import functional


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


class Attention(nn.Module):
    def __init__(self, width, heads, kv_heads, rank):
        super().__init__()
        head = width // heads
        self.heads, self.kv_heads = heads, kv_heads
        self.q_proj, self.o_proj = (linear(width, width, rank) for _ in range(2))
        self.k_proj, self.v_proj = (linear(width, kv_heads * head, rank) for _ in range(2))

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        q, k, v = (
            project(x).view(batch, length, heads, -1).transpose(1, 2)
            for project, heads in (
                (self.q_proj, self.heads),
                (self.k_proj, self.kv_heads),
                (self.v_proj, self.kv_heads),
            )
        )
        mixed = functional.scaled_dot_product_attention(
            rotate(q, cos, sin),
            rotate(k, cos, sin),
            v,
            attn_mask=mask,
            is_causal=mask is None,
            enable_gqa=self.heads != self.kv_heads,
        )
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, width))


class Mlp(nn.Module):
    def __init__(self, width, hidden, rank):
        super().__init__()
        self.gate_proj, self.up_proj = (linear(width, hidden, rank) for _ in range(2))
        self.down_proj = linear(hidden, width, rank)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, width, heads, kv_heads, hidden, rank):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.self_attn = Attention(width, heads, kv_heads, rank)
        self.post_attention_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.mlp = Mlp(width, hidden, rank)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Sizes are in the words of benches/shapes.json; the output projection is the embedding."""

    def __init__(self, width, layers, heads, hidden, vocabulary, length, rank=0, kv_heads=None, **_):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        kv_heads = kv_heads or heads
        self.layers = nn.ModuleList(
            Layer(width, heads, kv_heads, hidden, rank) for _ in range(layers)
        )
        self.norm = nn.RMSNorm(width, eps=1e-5)
        frequency = 10000.0 ** -(torch.arange(0, width // heads, 2) / (width // heads))
        angles = torch.outer(torch.arange(length), frequency).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        if rank:
            for name, parameter in self.named_parameters():
                parameter.requires_grad_("lora" in name)

    def hidden(self, tokens, positions=None, mask=None):
        """The last layer's output. Without positions a row is one document; `mask` says who sees whom."""
        if positions is None:
            cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        else:
            cos, sin = self.cos[positions].unsqueeze(1), self.sin[positions].unsqueeze(1)
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return self.norm(x)

    def logits(self, hidden):
        return functional.linear(hidden, self.embed_tokens.weight)

    def forward(self, tokens, targets, positions=None, mask=None):
        """The mean loss over the targets that are not -100."""
        logits = self.logits(self.hidden(tokens, positions, mask))
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def adamw(model, rate=1e-3, decay=0.01, betas=(0.9, 0.95), eps=1e-8):
    """The engine's optimizer: decay on matrices only, as PyTorch does it fastest."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        dict(params=[p for p in trained if p.dim() >= 2], weight_decay=decay),
        dict(params=[p for p in trained if p.dim() < 2], weight_decay=0.0),
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=eps, fused=True)


def packed_batch(rows, length):
    """Packed rows, each a list of (tokens, loss), as tensors: no document sees another.

    Where nothing is to be predicted the target is -100, at the end of every document and in the padding.
    """
    shape = (len(rows), length)
    tokens = torch.zeros(shape, dtype=torch.long)
    targets = torch.full(shape, -100)
    positions = torch.zeros(shape, dtype=torch.long)
    segments = torch.full(shape, -1)
    for i, row in enumerate(rows):
        start = 0
        for number, (words, loss) in enumerate(row):
            words, loss = words[:length], loss[:length]
            end = start + len(words)
            tokens[i, start:end] = torch.tensor(words)
            positions[i, start:end] = torch.arange(len(words))
            segments[i, start:end] = number
            wanted = torch.tensor(words[1:]).where(torch.tensor(loss[1:]).bool(), -100)
            targets[i, start : end - 1] = wanted
            start = end
    return tokens, targets, positions, segments


def block_mask(segments):
    """Who sees whom in packed rows: earlier tokens of the same document, and oneself."""
    length = segments.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    return ((segments[:, :, None] == segments[:, None, :]) & causal).unsqueeze(1)


def peak_bytes():
    """The most memory this process has held so far."""
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# Before anything was made with it: what importing PyTorch takes.
IMPORTED_BYTES = peak_bytes()
