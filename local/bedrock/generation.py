"""One reply of the model: its text, why it ended, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.bedrock.faults import ENDINGS, Fault
from local.bedrock.prompt import Prompt
from local.bedrock.prompt_cache import CacheUse
from local.bedrock.tokens import count_tokens, cut_to_tokens

TextModel = Callable[[Prompt], str]
BLOCKED = "Sorry, the model cannot answer this question."  # Bedrock's own example of a guardrail's message


@dataclass(frozen=True, slots=True)
class Generation:
    """What the model said; `stop_reason` as Bedrock names it."""

    text: str
    stop_reason: str
    cache: CacheUse

    def usage(self) -> dict[str, int]:
        """Bedrock's TokenUsage: what was read from or written to the cache is not among the input tokens."""
        fresh, out = self.cache.total - self.cache.read - self.cache.written, count_tokens(self.text)
        cached = {"cacheReadInputTokens": self.cache.read, "cacheWriteInputTokens": self.cache.written}
        return {"inputTokens": fresh, "outputTokens": out, "totalTokens": self.cache.total + out, **cached}


def generate(
    prompt: Prompt, *, config: Mapping[str, Any], model: TextModel, cache: CacheUse, fault: Fault | None
) -> Generation:
    """The reply to a prompt, within the limits of Bedrock's inferenceConfig, and as the fault wants it."""
    generation = _stop_at(Generation(model(prompt), "end_turn", cache), config.get("stopSequences") or [])
    limit = config.get("maxTokens")
    if limit is not None and count_tokens(generation.text) > limit:
        generation = replace(generation, text=cut_to_tokens(generation.text, limit), stop_reason="max_tokens")
    return _spoil(generation, fault)


def _stop_at(generation: Generation, sequences: list[str]) -> Generation:
    found = [place for stop in sequences if (place := generation.text.find(stop)) >= 0]
    return replace(generation, text=generation.text[: min(found)], stop_reason="stop_sequence") if found else generation


def _spoil(generation: Generation, fault: Fault | None) -> Generation:
    """A reply that is none although it looks like a success: cut off, blocked or empty."""
    if fault is None or fault.kind not in ENDINGS:
        return generation
    texts = {"guardrail": BLOCKED, "empty": "", "content_filtered": ""}
    text = texts.get(fault.kind, cut_to_tokens(generation.text, max(1, count_tokens(generation.text) // 2)))
    return replace(generation, text=text, stop_reason=ENDINGS[fault.kind])
