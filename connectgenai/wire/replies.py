"""What a waiting caller is told next. No I/O: an item, a policy and the time go in, a reply and the caller's new state come out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectgenai.wire.flow import (
    KEEP_WAITING,
    LAST_PART,
    MORE_PARTS,
    NO_ANSWER,
    PATIENCE_SPENT,
    TOO_BUSY,
    FlowCall,
    Reply,
)
from connectgenai.wire.items import GENERATED, INCIDENT, READY, AnswerItem, CallItem, TopicItem
from connectgenai.wire.phrases import say
from connectgenai.wire.waiting import Cursor, WaitPolicy, WaitPrompt, next_prompt, remaining_seconds

OUTCOMES = {
    LAST_PART: "answered",
    MORE_PARTS: "listening",
    KEEP_WAITING: "waiting",
    PATIENCE_SPENT: "timed_out",
    NO_ANSWER: "failed",
    TOO_BUSY: "busy",
}
PARTS = (LAST_PART, MORE_PARTS)
ENDS = (LAST_PART, PATIENCE_SPENT, NO_ANSWER, TOO_BUSY)
# Reasons that are nobody's fault but that of the hour: another time the question may be answered
BUSY_REASONS = ("busy", "model_down", "caller_limit", "topic_limit")


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """One caller, the answer waited for, and how far the caller has come."""

    call: FlowCall
    topic: TopicItem
    policy: WaitPolicy
    language: str
    key: str
    epoch: int
    cursor: Cursor


def give_part(item: AnswerItem, waiting: WaitingCall, *, now_ms: int) -> tuple[Reply, WaitingCall]:
    """The next chunk of the text as it stands; from the start, and saying so, when it is not the text begun with."""
    run, cursor = item.token[:12], waiting.cursor
    is_restart = cursor.run not in ("", run) and cursor.given > 0
    given = cursor.given if cursor.run == run else 0
    chunk = item.chunks[given] if given < len(item.chunks) else ""
    is_last = item.complete and given + 1 >= len(item.chunks)
    after = replace(waiting, epoch=item.epoch, cursor=replace(cursor, run=run, given=given + bool(chunk)))
    if is_restart:
        chunk = f"{waiting.policy.restart_text or say('restart', language=waiting.language)} {chunk}"
    # a person's text is called so however it was met; a model's says whether the caller had to wait for it
    source = item.source if item.source not in ("", GENERATED) else cursor.source or GENERATED
    return _reply(LAST_PART if is_last else MORE_PARTS, after, now_ms=now_ms, text=chunk, source=source), after


def give_incident(waiting: WaitingCall, *, now_ms: int) -> tuple[Reply, WaitingCall]:
    """The next chunk of the topic's incident answer, which stands in for every other."""
    topic = waiting.topic
    item = AnswerItem(
        key=waiting.key,
        topic=topic.name,
        language=waiting.language,
        scope="",
        question="",
        state=READY,
        epoch=waiting.epoch,
        token=f"i{topic.incident_id}",
        chunks=topic.incident_chunks,
        complete=True,
        source=INCIDENT,
    )
    return give_part(item, waiting, now_ms=now_ms)


def keep_waiting(waiting: WaitingCall, *, now_ms: int, is_native: bool = False) -> tuple[Reply, WaitingCall]:
    """Nothing to say yet: a prompt if one is due, comfort audio otherwise, and an end to patience.

    In native asynchronous mode the flow itself plays prompts while it waits, so there is nothing to play.
    """
    policy, cursor = waiting.policy, waiting.cursor
    if now_ms - cursor.asked_at >= policy.max_wait * 1000:
        text = policy.patience_text or say("patience", language=waiting.language)
        return _reply(PATIENCE_SPENT, waiting, now_ms=now_ms, text=text, reason="patience"), waiting
    if is_native:
        return _reply(KEEP_WAITING, waiting, now_ms=now_ms), waiting
    prompt, cursor = next_prompt(policy, cursor, now_ms=now_ms)
    after = replace(waiting, cursor=cursor)
    if prompt is None:
        return _reply(KEEP_WAITING, after, now_ms=now_ms, audio=policy.comfort_audio), after
    text = _prompt_text(prompt, after, now_ms)
    return _reply(KEEP_WAITING, after, now_ms=now_ms, text=text, ssml=prompt.ssml, audio=prompt.audio), after


def start_waiting(waiting: WaitingCall, *, now_ms: int) -> Reply:
    """The first reply to a question that must be waited for: a ticket, and nothing to play yet."""
    return _reply(KEEP_WAITING, waiting, now_ms=now_ms)


def apologize(waiting: WaitingCall, *, reason: str, now_ms: int) -> Reply:
    """There will be no answer: words that lead over to a person."""
    if reason in BUSY_REASONS:
        text = waiting.policy.busy_text or say("busy", language=waiting.language)
        return _reply(TOO_BUSY, waiting, now_ms=now_ms, text=text, reason=reason)
    text = waiting.policy.apology or say("apology", language=waiting.language)
    return _reply(NO_ANSWER, waiting, now_ms=now_ms, text=text, reason=reason or "failed")


def _prompt_text(prompt: WaitPrompt, waiting: WaitingCall, now_ms: int) -> str:
    """The prompt's words; with the first one, and only then, how long it usually takes."""
    if not prompt.text:
        return " ".join(re.sub(r"<[^>]*>", " ", prompt.ssml).split())
    seconds = _remaining(waiting, now_ms)
    if seconds is None or not waiting.policy.say_estimate or waiting.cursor.prompts != 1:
        return prompt.text
    sentence = waiting.policy.estimate_text or say("estimate", language=waiting.language)
    return f"{prompt.text} {sentence.replace('{seconds}', str(seconds))}"


def _remaining(waiting: WaitingCall, now_ms: int) -> int | None:
    return remaining_seconds(waiting.topic.estimate_seconds, waited_ms=now_ms - waiting.cursor.asked_at)


def _reply(
    status: str,
    waiting: WaitingCall,
    *,
    now_ms: int,
    text: str = "",
    ssml: str = "",
    audio: str = "",
    source: str = "",
    reason: str = "",
) -> Reply:
    seconds = _remaining(waiting, now_ms) if status == KEEP_WAITING else None
    return Reply(
        status=status,
        ticket=f"{waiting.key}:{waiting.epoch}",
        cursor=waiting.cursor.encode(),
        text=text,
        ssml=ssml,
        audio=audio,
        source=source,
        reason=reason,
        estimate="" if seconds is None else str(seconds),
    )


def describe_call(waiting: WaitingCall, reply: Reply, *, caller: str, now_ms: int) -> tuple[CallItem, Sequence[str]]:
    """The call's record after a reply, and what the caller is about to hear as "milliseconds since asked|kind|detail"."""
    call, cursor = waiting.call, waiting.cursor
    item = CallItem(
        contact_id=call.contact_id,
        key=waiting.key,
        initial_contact_id=call.initial_contact_id,
        topic=waiting.topic.name,
        language=waiting.language,
        channel=call.channel,
        caller=caller,
        epoch=waiting.epoch,
        run=cursor.run,
        outcome=OUTCOMES[reply.status],
        source=reply.source,
        reason=reply.reason,
        asked_at=cursor.asked_at,
        first_words_at=now_ms if reply.status in PARTS else 0,
        ended_at=now_ms if reply.status in ENDS else 0,
        last_seen_at=now_ms,
        prompts=cursor.prompts,
        parts=cursor.given,
        purge_at=now_ms // 1000 + waiting.topic.keep_seconds,
    )
    kind = _kind(reply, waiting)
    return item, [f"{now_ms - cursor.asked_at}|{kind}"] if kind else []


def _kind(reply: Reply, waiting: WaitingCall) -> str:
    if reply.status in PARTS:
        return f"part|{waiting.cursor.given}"
    if reply.status != KEEP_WAITING:
        return f"end|{reply.reason}"
    if reply.text or reply.audio not in ("", waiting.policy.comfort_audio):
        return f"prompt|{waiting.cursor.prompts}"
    return "comfort|" if reply.audio else ""
