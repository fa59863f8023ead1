"""Calls that are not seen any more: what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from cache_admin.models import CachedAnswer, Call
from connectgenai.wire.speech import CHARACTERS_PER_SECOND, MAX_SPOKEN_CHARACTERS, speech_seconds

# A waiting caller's flow polls again within seconds. In native asynchronous mode it may take a minute; then the next
# poll's record, being newer, takes back what was concluded here.
SILENT_SECONDS = 30
AT_ONCE = 500
OPEN = (Call.Outcome.WAITING, Call.Outcome.LISTENING)


def close_silent_calls(*, now: datetime) -> int:
    """Gives each call without a sign of life an ending; how many."""
    last = now - timedelta(seconds=SILENT_SECONDS)
    silent = list(Call.objects.filter(outcome__in=OPEN, last_seen_at__lt=last).order_by("last_seen_at")[:AT_ONCE])
    answers = CachedAnswer.objects.filter(key__in={call.key for call in silent}).in_bulk(field_name="key")
    endings = [(call, find_ending(call, answers.get(call.key), now=now)) for call in silent]
    return sum(_close(call, ending) for call, ending in endings if ending)


def find_ending(call: Call, answer: CachedAnswer | None, *, now: datetime) -> str:
    """Who has been given the whole answer and hangs up has been answered; who waits for words has abandoned the call;
    who hangs up among them has left. "" while the last part may still be spoken."""
    if call.parts and (now - call.last_seen_at).total_seconds() < SILENT_SECONDS + _part_seconds(call, answer):
        return ""
    if answer and _is_its_text(call, answer) and answer.complete and call.parts >= len(answer.chunks) > 0:
        return Call.Outcome.ANSWERED
    return Call.Outcome.LEFT if call.outcome == Call.Outcome.LISTENING else Call.Outcome.ABANDONED


def _part_seconds(call: Call, answer: CachedAnswer | None) -> float:
    """How long the part that was given last is heard; the longest possible when its text is not known."""
    if call.outcome != Call.Outcome.LISTENING:
        return 0.0
    if answer and _is_its_text(call, answer) and call.parts <= len(answer.chunks):
        return speech_seconds(answer.chunks[call.parts - 1])
    return MAX_SPOKEN_CHARACTERS / CHARACTERS_PER_SECOND


def _is_its_text(call: Call, answer: CachedAnswer) -> bool:
    return bool(call.run) and answer.token[: len(call.run)] == call.run


def _close(call: Call, ending: str) -> int:
    """Unless the call has been heard of since."""
    same = Call.objects.filter(pk=call.pk, version=call.version, outcome=call.outcome)
    return same.update(outcome=ending, ended_at=call.last_seen_at)
