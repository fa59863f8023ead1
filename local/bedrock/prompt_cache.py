"""Prompt caching: which part of a prompt up to a cachePoint was seen a short while ago."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.bedrock.prompt import block_text
from local.bedrock.tokens import count_tokens

# Bedrock user guide, "Prompt caching": 5 minutes from the last use unless the cachePoint says "1h"; most models cache
# nothing shorter than 1,024 tokens.
SECONDS = {"5m": 300.0, "1h": 3_600.0}
MIN_CACHED_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Input tokens of one request: read from the cache, written to it, and the whole."""

    read: int
    written: int
    total: int


class PromptCache:
    """Remembers prefixes of prompts, each for its time to live from its last use."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def measure(self, request: Mapping[str, Any], *, model: str, now_seconds: float) -> CacheUse:
        """What the cache saves for this request, which it then remembers."""
        total = count_prompt_tokens(request)
        points = list(_cache_points(request, model=model))
        with self._lock:
            self._until = {key: until for key, until in self._until.items() if until > now_seconds}
            read = max((tokens for key, tokens, _ in points if key in self._until), default=0)
            for key, _, ttl in points:
                self._until[key] = now_seconds + SECONDS.get(ttl, SECONDS["5m"])
        written = max((tokens for _, tokens, _ in points), default=0) - read
        return CacheUse(read, written, total)


def count_prompt_tokens(request: Mapping[str, Any]) -> int:
    """The tokens of a request's system text and messages."""
    return sum(count_tokens(block_text(block)) for _, block in _blocks(request))


def _cache_points(request: Mapping[str, Any], *, model: str) -> Iterator[tuple[str, int, str]]:
    """Each cachePoint as (digest of all before it, tokens before it, time to live)."""
    so_far = 0
    for tokens, digest, ttl in _walk(request, model=model):
        so_far += tokens
        if ttl and so_far >= MIN_CACHED_TOKENS:
            yield digest, so_far, ttl


def _walk(request: Mapping[str, Any], *, model: str) -> Iterator[tuple[int, str, str]]:
    """Each block of system and messages as (its tokens, digest so far, "" or the time to live of a cachePoint)."""
    digest = hashlib.sha256(model.encode())
    for role, block in _blocks(request):
        if "cachePoint" in block:
            yield 0, digest.hexdigest(), str(block["cachePoint"].get("ttl", "5m"))
            continue
        text = block_text(block)
        digest.update(f"\0{role}\0{text}".encode("utf-8", "replace"))
        yield count_tokens(text), digest.hexdigest(), ""


def _blocks(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for block in request.get("system") or []:
        yield "system", block
    for message in request.get("messages") or []:
        for block in message["content"]:
            yield message["role"], block
