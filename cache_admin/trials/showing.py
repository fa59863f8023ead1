"""An answer as it comes, and what it took: for pages that watch one being made, or lay two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from cache_admin.amounts import show_count, show_decimal, show_seconds
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer
from cache_admin.services.versions import Piece, compare_texts
from cache_admin.trials.reasons import explain_failure
from cache_admin.warming.estimate import estimate_questions, find_price
from connectgenai.wire.items import FAILED, PENDING, READY, AnswerItem
from connectgenai.wire.speech import speech_seconds, to_ssml

_BETWEEN = "\n\n"  # no part has it within
_TIMES = ("asked_at", "started_at", "first_chunk_at", "finished_at")


@dataclass(frozen=True, slots=True)
class Made:
    """Which facts of an answer, wherever it was read, the pages tell; times are epoch milliseconds, 0 for none."""

    source: str
    model: str
    input_tokens: int
    output_tokens: int
    seconds: float
    asked_at: int
    started_at: int
    first_chunk_at: int
    finished_at: int


def read_made(answer: AnswerItem | CachedAnswer) -> Made:
    """The facts of an item, or of its mirror."""
    times = {name: getattr(answer, name) for name in _TIMES}
    if isinstance(answer, CachedAnswer):
        times = {name: epoch_ms(time) if time else 0 for name, time in times.items()}
    return Made(
        source=answer.source,
        model=answer.model,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        seconds=sum(speech_seconds(chunk) for chunk in answer.chunks),
        **times,
    )


def list_parts(chunks: Sequence[str]) -> list[dict[str, Any]]:
    """The parts as they are spoken one after the other, each with its SSML and its seconds."""
    return [{"text": chunk, "ssml": to_ssml(chunk), "seconds": round(speech_seconds(chunk))} for chunk in chunks]


def lay_side_by_side(old: Sequence[str], new: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both texts part by part, as they are spoken, each part in pieces that say what the other text has not."""
    left, right = compare_texts(_BETWEEN.join(old), _BETWEEN.join(new))
    return _divide(left, old), _divide(right, new)


def _divide(pieces: Sequence[Piece], chunks: Sequence[str]) -> list[dict[str, Any]]:
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        for number, text in enumerate(piece.text.split(_BETWEEN)):
            if number:
                parts.append([])
            if text:
                parts[-1].append(Piece(piece.kind, text))
    return [{**part, "pieces": some} for part, some in zip(list_parts(chunks), parts, strict=False)]


def list_figures(made: Made) -> list[tuple[str, str]]:
    """What it is like, and what it took, each with its name; what is not known is left out."""
    sources = dict(CachedAnswer.Source.choices)
    found = [
        (_("to hear"), show_seconds(made.seconds, 0) if made.seconds else ""),
        (_("by"), str(sources.get(made.source, ""))),
        (_("model"), made.model),
        (_("tokens"), _show_tokens(made)),
        (_("cost"), _show_cost(made)),
        *_list_times(made),
    ]
    return [(name, value) for name, value in found if value]


def _show_tokens(made: Made) -> str:
    if not made.input_tokens + made.output_tokens:
        return ""
    numbers = {"read": show_count(made.input_tokens), "written": show_count(made.output_tokens)}
    return _("%(read)s read, %(written)s written") % numbers


def _show_cost(made: Made) -> str:
    dollars = find_price(made.model, input_tokens=made.input_tokens, output_tokens=made.output_tokens)
    return "" if dollars is None or not made.output_tokens else _show_dollars(dollars)


def _show_dollars(dollars: Decimal) -> str:
    """One answer costs less than a cent."""
    return f"${show_decimal(dollars, 4)}"


def show_estimate(topic: str) -> str:
    """What one more answer in a topic costs, in tokens, and in dollars if its model's prices are known."""
    one = estimate_questions(topic, 1)
    tokens = _("about %s tokens") % show_count(one.input_tokens + one.output_tokens)
    return tokens if one.dollars is None else f"{tokens}, {_show_dollars(one.dollars)}"


def _list_times(made: Made) -> list[tuple[str, str]]:
    """How long it queued, until its first words, and in all; of a text that was not generated where it lies nothing is known."""
    if not made.started_at:
        return []
    spans = (
        (_("queued"), made.asked_at, made.started_at),
        (_("first words after"), made.asked_at, made.first_chunk_at or made.finished_at),
        (_("finished after"), made.asked_at, made.finished_at),
    )
    return [(name, show_seconds((end - begin) / 1000)) for name, begin, end in spans if 0 < begin <= end]


def describe_progress(draft: AnswerItem) -> dict[str, Any]:
    """A draft for a page that asks again until `is_over`: its parts as far as they are there, and a line to read out."""
    return {
        "is_over": draft.state != PENDING,
        "epoch": draft.epoch,
        "line": tell(draft),
        "parts": list_parts(draft.chunks),
    }


def tell(draft: AnswerItem) -> str:
    """How far it is."""
    if draft.state == PENDING:
        if draft.chunks:
            return _("The answer is coming.")
        return _("The model is at it.") if draft.started_at else _("It waits for a worker.")
    if draft.state == READY:
        return _("The answer is there.")
    if draft.state == FAILED:
        return explain_failure(draft.reason)
    return _("It was withdrawn meanwhile.")
