"""Makes the committed fixtures that the native engine is tested against.

Each architecture gets a folder that transformers wrote, holding a tiny model with random weights
(norms and biases included, so that a forgotten one shows), and what PyTorch computes with it in
float32:

    config.json, model.safetensors   the model
    case.safetensors                 documents, their logits, the loss, every parameter's gradient
    adapter/                         a PEFT LoRA adapter with B already away from zero
    lora.safetensors                 the loss and the adapter's gradients on the same documents
    steps.safetensors                (llama only) 20 training steps

Documents lie end to end in `tokens` and `loss_mask`; `lengths` cuts them apart. Each attends to
itself alone, from position 0. `loss_mask[i] = 1` makes token i a target, predicted from the tokens
before it in its document. The loss is the sum over targets divided by their number, over all
documents together.

    make_fixtures.py           rewrites the fixtures
    make_fixtures.py --check   recomputes them and compares, changing nothing
"""

import argparse
import json
import math
import pathlib
import shutil
import sys
import tempfile
import warnings

import numpy as np
import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

FOLDER = pathlib.Path(__file__).parent.parent / "crates/model/tests/fixtures"
VOCAB = 97
# One document longer than any block an attention kernel is likely to use, one of a single token.
LENGTHS = [70, 9, 1, 33]
# Recomputing on another kind of CPU moves the last bits; 20 steps of Adam carry them further.
TOLERANCE = {"case": 1e-5, "lora": 1e-5, "steps": 1e-3}

SHAPE = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
    "attention_dropout": 0.0,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0}
ROPE_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    # So short that all three bands of frequencies occur: kept, blended, and divided by `factor`.
    "original_max_position_embeddings": 32,
}
ARCHITECTURES = {
    "llama": transformers.LlamaConfig(
        **SHAPE | {"num_hidden_layers": 3}, tie_word_embeddings=True, rope_parameters=ROPE
    ),
    "llama3": transformers.LlamaConfig(
        **SHAPE | {"num_key_value_heads": 1}, tie_word_embeddings=False, rope_parameters=ROPE_LLAMA3
    ),
    "mistral": transformers.MistralConfig(
        **SHAPE | {"num_hidden_layers": 1},
        tie_word_embeddings=False,
        sliding_window=None,
        rope_parameters=ROPE,
    ),
    "qwen2": transformers.Qwen2Config(
        **SHAPE, tie_word_embeddings=False, rope_parameters=ROPE | {"rope_theta": 1000000.0}
    ),
    # Its heads are wider than hidden_size / num_attention_heads, as in the released models.
    "qwen3": transformers.Qwen3Config(
        **SHAPE | {"rms_norm_eps": 1e-6}, head_dim=12, tie_word_embeddings=True, rope_parameters=ROPE
    ),
}
LORA = {
    "r": 4,
    "lora_alpha": 8,
    "lora_dropout": 0.0,
    "bias": "none",
    "task_type": "CAUSAL_LM",
    "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}
STEPS = {"steps": 20, "warmup": 2, "peak": 5e-3, "floor": 0.1, "lengths": [24, 17, 11, 5]}


def random(rng, shape, scale):
    # NumPy's generator gives the same numbers everywhere; torch's depends on the CPU.
    return torch.from_numpy((rng.standard_normal(shape) * scale).astype(np.float32))


@torch.no_grad()
def randomise(model, rng):
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.copy_(1 + random(rng, parameter.shape, 0.3))
        elif parameter.dim() == 1:
            parameter.copy_(random(rng, parameter.shape, 0.5))
        elif "embed" in name:
            parameter.copy_(random(rng, parameter.shape, 0.5))
        else:
            parameter.copy_(random(rng, parameter.shape, parameter.shape[1] ** -0.5))


def documents(rng, lengths):
    """Token rows, and masks that leave out some targets (never the first token: nothing precedes it)."""
    tokens = [torch.from_numpy(rng.integers(0, VOCAB, n)) for n in lengths]
    masks = [torch.from_numpy((rng.random(n) < 0.7) & (np.arange(n) > 0)) for n in lengths]
    return tokens, masks


def forward(model, tokens, masks):
    logits = [model(input_ids=row[None]).logits[0] for row in tokens]
    sums = [
        torch.nn.functional.cross_entropy(row[:-1][mask[1:]], target[mask], reduction="sum")
        for row, target, mask in zip(logits, tokens, masks)
    ]
    return logits, torch.stack(sums).sum() / sum(int(mask.sum()) for mask in masks)


def inputs(tokens, masks):
    return {
        "tokens": torch.cat(tokens),
        "loss_mask": torch.cat(masks).to(torch.uint8),
        "lengths": torch.tensor([len(row) for row in tokens]),
    }


def save(path, tensors):
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def make_case(model, rng, folder):
    tokens, masks = documents(rng, LENGTHS)
    logits, loss = forward(model, tokens, masks)
    model.zero_grad()
    loss.backward()
    gradients = {f"grad.{name}": p.grad for name, p in model.named_parameters()}
    results = {"logits": torch.cat(logits), "loss": loss.reshape(1)}
    save(folder / "case.safetensors", inputs(tokens, masks) | results | gradients)
    return tokens, masks


def make_lora(model, rng, folder, tokens, masks):
    model = peft.get_peft_model(model, peft.LoraConfig(**LORA))
    adapter = {n: p for n, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for name, parameter in adapter.items():
            scale = parameter.shape[1] ** -0.5 if "lora_A" in name else 0.2
            parameter.copy_(random(rng, parameter.shape, scale))
    _, loss = forward(model, tokens, masks)
    loss.backward()
    saved = {name.replace(".default", ""): p.grad for name, p in adapter.items()}
    gradients = {f"grad.{name}": gradient for name, gradient in saved.items()}
    save(folder / "lora.safetensors", {"loss": loss.reshape(1)} | gradients)
    model.peft_config["default"].base_model_name_or_path = ".."
    model.save_pretrained(folder / "adapter", save_embedding_layers=False)
    (folder / "adapter/README.md").unlink()
    # PEFT keeps the modules in a set, whose order differs from run to run.
    path = folder / "adapter/adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2) + "\n")


def learning_rate(step):
    cosine = 0.5 * (1 + math.cos(math.pi * step / STEPS["steps"]))
    warm = min(1, (step + 1) / STEPS["warmup"])
    return STEPS["peak"] * warm * (STEPS["floor"] + (1 - STEPS["floor"]) * cosine)


def make_steps(model, rng, folder):
    """AdamW with decay on matrices only, clipping at norm 1, a warm-up and a cosine."""
    parameters = dict(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters.values() if p.dim() == 2], "weight_decay": 0.01},
            {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.95),
        eps=1e-8,
    )
    batches, losses, norms, rates = [], [], [], []
    for step in range(STEPS["steps"]):
        tokens, masks = documents(rng, STEPS["lengths"])
        # Half of the tokens follow from the one before, so that there is something to learn.
        for row in tokens:
            for i in range(1, len(row)):
                row[i] = (3 * row[i - 1] + 1) % VOCAB if row[i] % 2 else row[i]
        batches.append(inputs(tokens, masks))
        rates.append(learning_rate(step))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        optimizer.zero_grad()
        _, loss = forward(model, tokens, masks)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
        optimizer.step()
        losses.append(loss.detach())
    save(
        folder / "steps.safetensors",
        {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}
        | {"loss": torch.stack(losses), "grad_norm": torch.stack(norms)}
        | {"learning_rate": torch.tensor(rates, dtype=torch.float64)}
        | {f"weight.{name}": p for name, p in parameters.items()}
        | {f"norm.{name}": p.norm().reshape(1) for name, p in parameters.items()},
    )


def make(root):
    for seed, (name, config) in enumerate(ARCHITECTURES.items()):
        folder, rng = root / name, np.random.default_rng(seed)
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        model = model.float().eval()
        randomise(model, rng)
        model.save_pretrained(folder)
        tokens, masks = make_case(model, rng, folder)
        if name == "llama":
            twin = transformers.AutoModelForCausalLM.from_pretrained(
                folder, attn_implementation="eager"
            ).eval()
            make_steps(twin, rng, folder)
        make_lora(model, rng, folder, tokens, masks)


def compare(made, committed):
    """The largest difference, relative to each tensor's largest value, per kind of file."""
    files = sorted(p.relative_to(made) for p in made.rglob("*.safetensors"))
    if files != sorted(p.relative_to(committed) for p in committed.rglob("*.safetensors")):
        sys.exit(f"{committed}: not the same set of files; run without --check")
    for path in files:
        new, old = load_file(made / path), load_file(committed / path)
        if new.keys() != old.keys():
            sys.exit(f"{committed / path}: not the same tensors; run without --check")
        tolerance, worst = TOLERANCE.get(path.stem, 0.0), 0.0
        for name, tensor in new.items():
            scale = tensor.abs().max().item() or 1.0
            difference = (tensor.double() - old[name].double()).abs().max().item() / scale
            worst = max(worst, difference)
            if difference > tolerance:
                sys.exit(f"{committed / path}: {name} is off by {difference:.1e} (relative)")
        print(f"{path}: {len(new)} tensors, within {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, change nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)
    with tempfile.TemporaryDirectory() as temporary:
        made = pathlib.Path(temporary)
        make(made)
        if check:
            compare(made, FOLDER)
        else:
            shutil.rmtree(FOLDER, ignore_errors=True)
            shutil.copytree(made, FOLDER)
            files = [path for path in FOLDER.rglob("*") if path.is_file()]
            for path in files:
                path.chmod(0o644)
            print(f"{FOLDER}: {sum(path.stat().st_size for path in files) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
