"""The one line that a Lambda logs for each reply: who, which answer, what was said to them, and how long it took."""

from __future__ import annotations

from connectgenai.wire.flow import BAD_REQUEST, KEEP_WAITING, NO_ANSWER, TOO_BUSY, FlowCall, Reply
from connectgenai.wire.items import INCIDENT, AnswerItem
from connectgenai.wire.log import log_event
from connectgenai.wire.replies import PARTS, WaitingCall

ASKED, POLLED = "asked", "polled"
# What an ask can come to.
HIT, JOIN, MISS, INCIDENT_GIVEN, BUSY, REFUSED, INVALID, UNAVAILABLE = (
    "hit", "join", "miss", "incident", "busy", "refused", "invalid", "unavailable",
)  # fmt: skip
OUTCOMES = (HIT, JOIN, MISS, INCIDENT_GIVEN, BUSY, REFUSED, INVALID, UNAVAILABLE)


def log_reply(waiting: WaitingCall, reply: Reply, item: AnswerItem | None, *, now_ms: int) -> None:
    """Logs a reply to an ask, or to a poll that saw `item`."""
    is_poll = bool(waiting.call.parameter("ticket"))
    log_event(
        POLLED if is_poll else ASKED,
        contact_id=waiting.call.contact_id,
        key=waiting.key,
        epoch=waiting.epoch,
        topic=waiting.topic.name,
        outcome="" if is_poll else name_outcome(waiting, reply),
        status=reply.status,
        play=reply.play,
        source=reply.source,
        reason=reply.reason,
        **_measure_words(waiting, reply, item, now_ms),
    )


def log_refusal(call: FlowCall, status: str, reason: str) -> None:
    """Logs a reply to what is no question or no ticket, or to anything when DynamoDB does not serve."""
    is_poll = reason == "ticket_malformed"
    outcome = {BAD_REQUEST: INVALID, NO_ANSWER: UNAVAILABLE}[status]
    log_event(
        POLLED if is_poll else ASKED,
        contact_id=call.contact_id,
        outcome="" if is_poll else outcome,
        status=status,
        reason=reason,
    )


def name_outcome(waiting: WaitingCall, reply: Reply) -> str:
    """What an ask came to, in one of OUTCOMES."""
    if reply.source == INCIDENT:
        return INCIDENT_GIVEN
    if reply.status in PARTS:
        return HIT
    if reply.status == KEEP_WAITING:
        return JOIN if waiting.cursor.source else MISS
    return BUSY if reply.status == TOO_BUSY else REFUSED


def _measure_words(waiting: WaitingCall, reply: Reply, item: AnswerItem | None, now_ms: int) -> dict[str, int]:
    """For the first part of an answer only: milliseconds since the question, and since the answer's first part was written."""
    cursor = waiting.cursor
    if reply.status not in PARTS or cursor.given != 1:
        return {}
    measured = {"ms_to_words": max(now_ms - cursor.asked_at, 0)}
    written_at = (item.first_chunk_at or item.finished_at) if item else 0
    if written_at and reply.source != INCIDENT:
        measured["ms_ready"] = max(now_ms - max(written_at, cursor.asked_at), 0)
    return measured
