"""Tiny random models of every supported architecture as transformers saves them, and what it makes of them.

    make_checkpoints.py FOLDER           writes FOLDER/<name>/ (a model folder) and FOLDER/<name>.safetensors
    make_checkpoints.py FOLDER --check   loads FOLDER/<name>.saved/, which another program wrote from <name>/, and
                                         fails unless it is the same model with the same files beside it

`<name>.safetensors` holds, computed in float32: `prompt` [1, n]; `logits` [n, vocabulary]; `log_probs` [n - 1], of each
token of the prompt after those before it; `greedy`, the tokens that are generated after it, end-of-text included.
"""

import argparse
import copy
import filecmp
import json
import pathlib
import sys

import make_fixtures
import numpy as np
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file

# Architecture of make_fixtures, what its configuration is changed by, type of the weights, size of a shard.
CHECKPOINTS = {
    "llama-bf16": ("llama", {}, torch.bfloat16, "20KB"),
    "llama-untied-one-file": ("llama", {"tie_word_embeddings": False}, torch.float32, "1GB"),
    "llama-all-heads-f16": ("llama", {"num_key_value_heads": 4}, torch.float16, "20KB"),
    "llama3-f32": ("llama3", {}, torch.float32, "30KB"),
    "llama3-tied-bf16": ("llama3", {"tie_word_embeddings": True}, torch.bfloat16, "15KB"),
    "mistral-f16": ("mistral", {}, torch.float16, "15KB"),
    "mistral-window-f32": ("mistral", {"sliding_window": 60}, torch.float32, "30KB"),
    "qwen2-bf16": ("qwen2", {}, torch.bfloat16, "15KB"),
    "qwen2-tied-f32": ("qwen2", {"tie_word_embeddings": True}, torch.float32, "1GB"),
    "qwen3-f16": ("qwen3", {}, torch.float16, "15KB"),
    "qwen3-untied-bf16": ("qwen3", {"tie_word_embeddings": False}, torch.bfloat16, "15KB"),
}
PROMPT, NEW = 36, 24
STOPS = [1, 5, 17]
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
# What a saved folder has to have unchanged.
UNCHANGED = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]


def save_tokenizer(folder):
    vocabulary = {f"w{i}": i for i in range(make_fixtures.VOCAB)}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="w0"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="w0", eos_token="w1", unk_token="w0"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


@torch.no_grad()
def compute(model, prompt):
    logits = model(input_ids=prompt).logits[0]
    log_probs = torch.log_softmax(logits[:-1].double(), -1)
    of_tokens = log_probs.gather(1, prompt[0, 1:, None])[:, 0]
    greedy = model.generate(prompt, max_new_tokens=NEW, do_sample=False)[0, prompt.shape[1] :]
    return {"prompt": prompt, "logits": logits, "log_probs": of_tokens, "greedy": greedy}


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def make(root):
    for seed, (name, (architecture, changes, dtype, shard)) in enumerate(CHECKPOINTS.items()):
        rng = np.random.default_rng(100 + seed)
        config = copy.deepcopy(make_fixtures.ARCHITECTURES[architecture])
        for key, value in changes.items():
            setattr(config, key, value)
        model = transformers.AutoModelForCausalLM.from_config(config).float()
        make_fixtures.randomise(model, rng)
        model.generation_config.eos_token_id = STOPS
        model.to(dtype).save_pretrained(root / name, max_shard_size=shard)
        save_tokenizer(root / name)
        prompt = torch.from_numpy(rng.integers(0, make_fixtures.VOCAB, (1, PROMPT)))
        made = {key: x.contiguous() for key, x in compute(load(root / name), prompt).items()}
        save_file(made, root / f"{name}.safetensors")
        shards = len(list((root / name).glob("*.safetensors")))
        print(f"{name}: {shards} file(s), {len(made['greedy'])} tokens generated")


def check(root):
    for name in CHECKPOINTS:
        original, saved = root / name, root / f"{name}.saved"
        for file in UNCHANGED:
            if not filecmp.cmp(original / file, saved / file, shallow=False):
                sys.exit(f"{saved / file} is not {original / file}")
        generation = [json.loads((f / "generation_config.json").read_text()) for f in (original, saved)]
        if generation[0] != generation[1]:
            sys.exit(f"{saved}: another generation_config.json: {generation[1]}")
        configs = [transformers.AutoConfig.from_pretrained(f).to_dict() for f in (original, saved)]
        for config in configs:
            for key in ("dtype", "_name_or_path"):
                config.pop(key, None)
        if configs[0] != configs[1]:
            sys.exit(f"{saved}: another configuration: {configs[1]}")
        expected = load_file(root / f"{name}.safetensors")
        for key, tensor in compute(load(saved), expected["prompt"]).items():
            if not torch.equal(tensor, expected[key]):
                sys.exit(f"{saved}: other {key}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="load what was saved from them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if arguments.check:
        check(arguments.folder)
    else:
        make(arguments.folder)


if __name__ == "__main__":
    main()
