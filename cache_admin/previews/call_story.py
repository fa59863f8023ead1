"""A call that was -> what its caller heard, when, and in which version, as far as is still known.

The Consumer notes that something began to play, not its words: they are looked up in the texts of that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final

from cache_admin.incidents.switching import make_chunks
from cache_admin.models import AnswerVersion, CachedAnswer, Call, Incident, TopicLanguage, WaitPolicyVersion
from cache_admin.services.policy_versions import PROMPTS, describe_content
from connectgenai.wire.items import INCIDENT
from connectgenai.wire.speech import speech_seconds

PART, PROMPT, COMFORT, END, SILENCE = "part", "prompt", "comfort", "end", "silence"
RUN_LENGTH: Final = 12  # how much of a run's name a call keeps
NOTICED_SECONDS: Final = 0.3  # lengths are worked out: a shorter gap may be none


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that began to play, `at` seconds after the question, or a silence between; `seconds` is worked out."""

    at: float
    kind: str
    detail: str = ""
    seconds: float = 0.0
    text: str = ""
    ssml: str = ""
    audio: str = ""  # a recording's name in the bucket


@dataclass(frozen=True, slots=True)
class HeardVersion:
    """Which text it was: an answer's n-th version, or an incident's; `number` is 0 where it is not kept."""

    chunks: tuple[str, ...] = ()
    number: int = 0
    version: AnswerVersion | None = None
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """The whole call."""

    moments: tuple[Moment, ...]
    last: float  # seconds until the end, or until the call was last heard of
    heard: HeardVersion
    is_policy_sure: bool  # whether the prompts' words are surely those of that moment


def read_events(call: Call) -> Iterator[Moment]:
    """The call's events in their order; what cannot be read is left out."""
    for event in call.events:
        at, _sep, rest = str(event).partition("|")
        kind, _sep, detail = rest.partition("|")
        if at.isascii() and at.isdigit() and len(at) < 12:
            yield Moment(int(at) / 1000, kind, detail)


def tell_story(call: Call, *, sound_seconds: Callable[[str], float]) -> Story:
    """The call with the words that were heard; `sound_seconds` is the length of a recording by its name."""
    heard = find_heard(call)
    content, is_sure = find_policy(call)
    events = list(read_events(call))
    restart = _find_restart(events)
    words = [_find_words(e, heard if n >= restart else HeardVersion(), content) for n, e in enumerate(events)]
    timed = [replace(moment, seconds=_measure(moment, sound_seconds)) for moment in words]
    last = _find_last(call, timed)
    return Story(tuple(_with_silences(timed, call)), last, heard, is_sure)


def _find_restart(events: Sequence[Moment]) -> int:
    """Where the text began that the call ended with: a part's number that is not the next one belongs to another."""
    begins = [n for n, event in enumerate(events) if event.kind == PART and event.detail == "1"]
    return begins[-1] if begins else 0


def find_heard(call: Call) -> HeardVersion:
    """The text that the call's run names."""
    if call.source == INCIDENT and call.run[:1] == "i" and call.run[1:].isdigit():
        incident = Incident.objects.filter(pk=int(call.run[1:])).first()
        return HeardVersion(tuple(make_chunks(incident.text)), incident=incident) if incident else HeardVersion()
    if not call.run:
        return HeardVersion()
    version = AnswerVersion.objects.filter(answer__key=call.key, run__startswith=call.run).first()
    if version is not None:
        return HeardVersion(tuple(version.chunks), number=count_version(version), version=version)
    answer = CachedAnswer.objects.filter(key=call.key).first()
    is_its = answer is not None and answer.token[:RUN_LENGTH] == call.run
    return HeardVersion(tuple(answer.chunks)) if answer and is_its else HeardVersion()


def count_version(version: AnswerVersion) -> int:
    """Its number, counted from 1."""
    return AnswerVersion.objects.filter(answer_id=version.answer_id, pk__lte=version.pk).count()


def find_policy(call: Call) -> tuple[dict[str, Any], bool]:
    """The wait policy's content when the question was asked, and whether it surely was this one."""
    use = TopicLanguage.objects.filter(topic__name=call.topic, language=call.language).select_related("wait_policy")
    row = use.first()
    if row is None:
        return {}, False
    versions = WaitPolicyVersion.objects.filter(policy=row.wait_policy)
    then = versions.filter(saved_at__lte=call.asked_at).first()
    if then is not None:
        return then.content, True
    earliest = versions.last()  # what was there before the first change
    if earliest is not None:
        return earliest.content, False
    return describe_content(row.wait_policy, row.wait_policy.prompts.all()), False


def _find_words(moment: Moment, heard: HeardVersion, content: dict[str, Any]) -> Moment:
    number = int(moment.detail) if moment.detail.isascii() and moment.detail.isdigit() and len(moment.detail) < 6 else 0
    if moment.kind == PART and 0 < number <= len(heard.chunks):
        return replace(moment, text=heard.chunks[number - 1])
    prompts = content.get(PROMPTS, ())
    if moment.kind == PROMPT and number and prompts:
        return replace(moment, **prompts[(number - 1) % len(prompts)])
    if moment.kind == COMFORT:
        return replace(moment, audio=str(content.get("comfort_audio", "")))
    return moment


def _measure(moment: Moment, sound_seconds: Callable[[str], float]) -> float:
    if moment.audio:
        return sound_seconds(moment.audio)
    return speech_seconds(moment.ssml or moment.text)


def _find_last(call: Call, moments: Sequence[Moment]) -> float:
    seen = _since(call, call.ended_at or call.last_seen_at)
    return max([seen, *(moment.at + moment.seconds for moment in moments)])


def _since(call: Call, moment: datetime) -> float:
    return max(timedelta(0), moment - call.asked_at).total_seconds()


def _with_silences(moments: Sequence[Moment], call: Call) -> Iterator[Moment]:
    """The moments, none longer than until the next begins, and the gaps between them.

    What follows a thing of unknown length is not known to be silence.
    """
    edge: float | None = 0.0
    for moment, following in zip_longest(moments, moments[1:]):
        if edge is not None and moment.at - edge >= NOTICED_SECONDS:
            yield Moment(edge, SILENCE, seconds=moment.at - edge)
        room = following.at - moment.at if following else moment.seconds
        seconds = min(moment.seconds, max(room, 0.0))
        yield replace(moment, seconds=seconds)
        edge = moment.at + seconds if moment.seconds else None
    end = _since(call, call.ended_at) if call.ended_at and not call.parts else 0.0
    if edge is not None and end - edge >= NOTICED_SECONDS:
        yield Moment(edge, SILENCE, seconds=end - edge)
