"""One hundred LoRA steps in PEFT and transformers, for comparing them with the native engine's.

    make_lora_steps.py FOLDER           writes, for each architecture, FOLDER/<name>/
        base/                the model, start/ its fresh adapter, trained/ the adapter after the steps, merged/ the
                             model with that adapter merged into it
        steps.safetensors    the batches (`tokens`, `loss_mask` [steps, n]; `lengths` [documents] is the same in all) and
                             `loss` [steps]
        logits.safetensors   `probe` [n] and the `logits` of trained/ on it
    make_lora_steps.py FOLDER --check   reads ours/, an adapter that another program trained, and ours-merged/, and writes
                                        ours.safetensors with the logits of both on `probe`: `adapter`, `merged`
"""

import argparse
import math
import pathlib

import make_fixtures
import numpy as np
import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

NAMES = ["llama", "qwen2", "qwen3"]
STEPS, WARMUP, PEAK, FLOOR = 100, 5, 2e-3, 0.1
LENGTHS = [24, 17, 11, 9, 30]
# The published recipe.
LORA = make_fixtures.LORA | {"r": 64, "lora_alpha": 128}


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


@torch.no_grad()
def logits(model, probe):
    return model(input_ids=probe[None]).logits[0].contiguous()


def learning_rate(step):
    cosine = 0.5 * (1 + math.cos(math.pi * step / STEPS))
    return PEAK * min(1, (step + 1) / WARMUP) * (FLOOR + (1 - FLOOR) * cosine)


def batch(rng):
    tokens, masks = make_fixtures.documents(rng, LENGTHS)
    # Half of the tokens follow from the one before, so that there is something to learn.
    for row in tokens:
        for i in range(1, len(row)):
            row[i] = (3 * row[i - 1] + 1) % make_fixtures.VOCAB if row[i] % 2 else row[i]
    return tokens, masks


def train(model, rng):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01)
    batches, losses = [], []
    for step in range(STEPS):
        tokens, masks = batch(rng)
        batches.append(make_fixtures.inputs(tokens, masks))
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        optimizer.zero_grad()
        _, loss = make_fixtures.forward(model, tokens, masks)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.detach())
    made = {name: torch.stack([b[name] for b in batches]) for name in ("tokens", "loss_mask")}
    return made | {"lengths": torch.tensor(LENGTHS), "loss": torch.stack(losses)}


def make(root):
    for seed, name in enumerate(NAMES):
        folder, rng = root / name, np.random.default_rng(500 + seed)
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(make_fixtures.ARCHITECTURES[name]).float()
        make_fixtures.randomise(model, rng)
        model.save_pretrained(folder / "base")
        model = peft.get_peft_model(load(folder / "base"), peft.LoraConfig(**LORA)).eval()
        model.save_pretrained(folder / "start", save_embedding_layers=False)
        save_file(train(model, rng), folder / "steps.safetensors")
        model.save_pretrained(folder / "trained", save_embedding_layers=False)
        probe = torch.from_numpy(rng.integers(0, make_fixtures.VOCAB, 40))
        save_file({"probe": probe, "logits": logits(model, probe)}, folder / "logits.safetensors")
        model.merge_and_unload().save_pretrained(folder / "merged")


def check(root):
    for name in NAMES:
        folder = root / name
        probe = load_file(folder / "logits.safetensors")["probe"]
        adapter = peft.PeftModel.from_pretrained(load(folder / "base"), folder / "ours").eval()
        made = {"adapter": logits(adapter, probe), "merged": logits(load(folder / "ours-merged"), probe)}
        save_file(made, folder / "ours.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="load what another program trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    (check if arguments.check else make)(arguments.folder)


if __name__ == "__main__":
    main()
