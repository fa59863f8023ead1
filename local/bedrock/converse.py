"""Converse and ConverseStream: the reply's JSON, and the stream's messages with the time at which each is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.bedrock.eventstream import encode_event, encode_exception
from local.bedrock.faults import CUTS, EXCEPTIONS, Fault
from local.bedrock.generation import Generation
from local.bedrock.pace import Pace
from local.bedrock.tokens import count_tokens, split_events


@dataclass(frozen=True, slots=True)
class Due:
    """One message of a stream, and when it is sent: in seconds from the request."""

    message: bytes
    after_seconds: float


def converse_reply(generation: Generation, *, latency_ms: int) -> dict[str, Any]:
    """The body of a Converse reply (API reference, Converse)."""
    content = [{"text": generation.text}] if generation.text else []
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": generation.stop_reason,
        "usage": generation.usage(),
        "metrics": {"latencyMs": latency_ms},
    }


def open_stream(generation: Generation, *, pace: Pace, fault: Fault | None) -> Iterator[Due]:
    """The stream up to the end of its text: messageStart, the text in small deltas, contentBlockStop.

    With a fault that cuts the stream it ends in the middle, as that fault does.
    """
    reading = generation.cache.total
    yield Due(encode_event("messageStart", {"role": "assistant"}), pace.first_token_after(reading))
    yield from (
        _cut(_speak(generation, pace=pace), fault) if fault and fault.kind in CUTS else _speak(generation, pace=pace)
    )


def _speak(generation: Generation, *, pace: Pace) -> Iterator[Due]:
    pieces = split_events(generation.text, tokens_per_event=pace.tokens_per_event)
    whole, after = count_tokens(generation.text), 0.0
    for number, piece in enumerate(pieces, start=1):
        after = pace.token_after(whole * number / len(pieces), of=whole, input_tokens=generation.cache.total)
        yield Due(encode_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}), after)
    if pieces:
        yield Due(encode_event("contentBlockStop", {"contentBlockIndex": 0}), after)


def _cut(messages: Iterator[Due], fault: Fault) -> Iterator[Due]:
    """The first half of the messages, and then what the fault puts in the place of the rest."""
    due = list(messages)
    half = due[: len(due) // 2]
    after = half[-1].after_seconds if half else 0.0
    yield from half
    if fault.kind in EXCEPTIONS:
        kind, message = EXCEPTIONS[fault.kind]
        yield Due(encode_exception(kind, message), after)
    if fault.kind == "broken_frame":
        whole = encode_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "never heard"}})
        yield Due(whole[: len(whole) // 2], after)


def close_stream(generation: Generation, *, latency_ms: int) -> list[bytes]:
    """The stream's end: why it ended, and what it cost."""
    metadata = {"usage": generation.usage(), "metrics": {"latencyMs": latency_ms}}
    return [encode_event("messageStop", {"stopReason": generation.stop_reason}), encode_event("metadata", metadata)]
