"""Chat templates rendered by transformers.

Reads one JSON object from standard input:

    templates      {name: Jinja source}; those of the pinned `trl` package are added, read from its files
    conversations  {name: {"messages", "tools", "documents", "add_generation_prompt", "variables"}}; all but
                   `messages` optional
    specials       {"bos_token": ..., ...}
    now            seconds since 1970 that templates are told it is

and prints one: {name of template: {"source": ..., "texts": {name of conversation: text or null}}}, where null stands
for a conversation that the template refuses.
"""

import datetime
import importlib.util
import json
import pathlib
import sys

import jinja2
import tokenizers
import transformers
from transformers.utils import chat_template_utils


def of_trl():
    # Found, not imported: its files are what matters, and its dependencies are not installed.
    spec = importlib.util.find_spec("trl")
    if spec is None:
        sys.exit("trl is not installed; `cargo xtask peers` installs what peers/requirements.txt lists")
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "chat_templates"
    return {f"trl/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.jinja"))}


def render(tokenizer, source, chat):
    try:
        return tokenizer.apply_chat_template(
            chat["messages"],
            chat_template=source,
            tools=chat.get("tools"),
            documents=chat.get("documents"),
            add_generation_prompt=chat.get("add_generation_prompt", False),
            tokenize=False,
            **chat.get("variables", {}),
        )
    except (jinja2.exceptions.TemplateError, TypeError, KeyError, IndexError, AttributeError):
        return None


def main():
    request = json.load(sys.stdin)
    transformers.logging.set_verbosity_error()

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(request["now"], datetime.timezone.utc).replace(tzinfo=None)

    chat_template_utils.datetime = Clock
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **request["specials"])
    answer = {}
    for name, source in (request["templates"] | of_trl()).items():
        texts = {key: render(tokenizer, source, chat) for key, chat in request["conversations"].items()}
        answer[name] = {"source": source, "texts": texts}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
