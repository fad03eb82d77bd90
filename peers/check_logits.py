"""What transformers makes of a model folder: tokens, rendered chats and logits.

Reads one JSON object from standard input:

    folder    a Hugging Face model folder (config, weights, tokenizer, chat template)
    adapter   a PEFT folder to apply on top (optional)
    texts     texts to encode as documents
    chats     [{"messages": [...], "add_generation_prompt": bool, "variables": {...}}], where
              `variables` are passed on to the chat template; all but `messages` optional
    output    the safetensors file to write: `logits.texts.0`, ..., `logits.chats.0`, ...,
              each float32 [tokens, vocabulary]

and prints one: {"texts": [{"tokens"}], "chats": [{"text", "tokens"}], "versions": {...}}.
"""

import json
import sys

import torch
import transformers
from safetensors.torch import save_file


def load(request):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        request["folder"], dtype=torch.float32, attn_implementation="eager"
    )
    if adapter := request.get("adapter"):
        import peft

        model = peft.PeftModel.from_pretrained(model, adapter)
    return model.eval()


def render(tokenizer, chat):
    text = tokenizer.apply_chat_template(
        chat["messages"],
        add_generation_prompt=chat.get("add_generation_prompt", False),
        tokenize=False,
        **chat.get("variables", {}),
    )
    # The template writes the special tokens itself.
    return {"text": text, "tokens": tokenizer(text, add_special_tokens=False)["input_ids"]}


def main():
    request = json.load(sys.stdin)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(request["folder"])
    model = load(request)
    answer = {
        "texts": [{"tokens": tokenizer(text)["input_ids"]} for text in request.get("texts", [])],
        "chats": [render(tokenizer, chat) for chat in request.get("chats", [])],
    }
    logits = {}
    with torch.no_grad():
        for kind, rows in answer.items():
            for i, row in enumerate(rows):
                tokens = torch.tensor([row["tokens"]])
                logits[f"logits.{kind}.{i}"] = model(input_ids=tokens).logits[0].contiguous()
    save_file(logits, request["output"])
    answer["versions"] = {"torch": torch.__version__, "transformers": transformers.__version__}
    json.dump(answer, sys.stdout)
    print()


if __name__ == "__main__":
    main()
