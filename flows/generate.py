"""Flows for a topic, ready to import: one description, three ways to wait, each as a flow or as a flow module.

poll: synchronous polls with a prompt between them, in any type of flow. native: an asynchronous Lambda that the flow
waits for, in inbound flows. queue: a customer queue flow, in which the caller keeps the place in line. docs/flows.md
says when to use which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from connectgenai.wire.phrases import say
from connectgenai.wire.waiting import ASYNC_LIMIT_SECONDS, WaitPolicy
from flows.flow_types import CONTACT_FLOW, CUSTOMER_QUEUE, MODULE
from flows.holding import hold_chat, hold_in_line, hold_voice, make_pause
from flows.language import Flow
from flows.template import make_flow, read_template

POLL, NATIVE, QUEUE = MODES = ("poll", "native", "queue")
QUESTION: Final = "$.Attributes.question"
# Admin guide, "Loop prompts": an agent has 20 s to accept a contact; shorter interrupts may meet the error branch
INTERRUPT_SECONDS: Final = 21
CHAT_HOLD_SECONDS: Final = 3
# Between two Lambdas when there is nothing to play: silence on top of the poll's own hold, so it is short where polls hold long
PAUSE_SECONDS: Final = {POLL: 0.2, NATIVE: 0.3, QUEUE: 0.5}
MOST_ROUNDS: Final = 100
# Rounds beyond those that the longest wait comes to
SPARE_ROUNDS: Final = 20
# Where a mode goes on: to keep waiting, after a part, after the Producer, with a recording, with nothing to play, and
# when something has been played that tells to wait
_POLLED: Final = {
    "keep_waiting": "Poll",
    "next_part": "Poll",
    "after_asking": "Save",
    "play_audio": "AudioChannel",
    "play_nothing": "PauseChannel",
    "told_to_wait": "Backstop",
}
TARGETS: Final = {
    POLL: _POLLED,
    NATIVE: {**_POLLED, "keep_waiting": "Await", "next_part": "NextPart"},
    QUEUE: {
        **_POLLED,
        "keep_waiting": "HoldChannel",
        "after_asking": "AskStatus",
        "play_audio": "StillWaiting",
        "play_nothing": "StillWaiting",
        "told_to_wait": "LookAgain",
    },
}


class FlowSettingsError(ValueError):
    """No flow can be made of these settings; the message says why."""


@dataclass(frozen=True, slots=True)
class _Settings:
    mode: str
    topic: str
    policy: WaitPolicy
    producer_arn: str
    consumer_arn: str
    queue_arn: str
    language: str
    is_module: bool
    question: str
    hold_prompt_arn: str
    interrupt_seconds: int

    @property
    def flow_type(self) -> str:
        """One of flows.flow_types."""
        return MODULE if self.is_module else CUSTOMER_QUEUE if self.mode == QUEUE else CONTACT_FLOW

    @property
    def name(self) -> str:
        """The flow's name in Connect."""
        return f"{self.topic} {self.mode}{' module' if self.is_module else ''}"


def find_consumer_arn(producer_arn: str) -> str:
    """The Consumer's ARN, where the two functions are named alike; "" where that cannot be told."""
    before, name, alias = _split_arn(producer_arn)
    return f"{before}{name.replace('producer', 'consumer')}{alias}" if "producer" in name else ""


def _split_arn(arn: str) -> tuple[str, str, str]:
    before, found, rest = arn.partition(":function:")
    name, colon, alias = (rest if found else arn).partition(":")
    return before + found if found else "", name, colon + alias


def generate_flow(mode: str, **settings: Any) -> dict[str, Any]:
    """The content of `build_flow`'s flow, as the console exports it."""
    return dict(build_flow(mode, **settings).content)


def build_flow(
    mode: str,
    *,
    topic: str,
    policy: WaitPolicy,
    producer_arn: str,
    consumer_arn: str = "",
    queue_arn: str = "",
    language: str = "",
    is_module: bool = False,
    question: str = QUESTION,
    hold_prompt_arn: str = "",
    interrupt_seconds: int = INTERRUPT_SECONDS,
) -> Flow:
    """A topic's flow; FlowSettingsError when settings are missing.

    `question` is the reference to the caller's words. `language` (BCP 47) fixes language and voice; without it the
    contact's own language is asked in. `hold_prompt_arn` is the library prompt that callers hear in the queue, and
    `interrupt_seconds` how often it is interrupted to see whether there is news.
    """
    consumer_arn = consumer_arn or find_consumer_arn(producer_arn)
    settings = _Settings(mode, topic, policy, producer_arn, consumer_arn, queue_arn, language, is_module, question,
                         hold_prompt_arn, interrupt_seconds)  # fmt: skip
    _check(settings)
    return _make(settings)


def _check(settings: _Settings) -> None:
    if settings.mode not in MODES:
        raise FlowSettingsError(f"there is no mode {settings.mode!r}: choose {', '.join(MODES)}")
    if not settings.producer_arn:
        raise FlowSettingsError("the Producer's ARN is missing")
    if not settings.consumer_arn:
        raise FlowSettingsError("the Consumer's ARN is missing, and cannot be told from the Producer's")
    if not settings.queue_arn and not settings.is_module and settings.mode != QUEUE:
        raise FlowSettingsError("the ARN of the queue is missing, to which callers without an answer are handed over")
    if not settings.question.startswith("$."):
        raise FlowSettingsError(f"the question is a reference such as {QUESTION}, not {settings.question!r}")


def _make(settings: _Settings) -> Flow:
    briefs = {**read_template("shared"), **read_template(settings.mode)}
    values = _find_values(settings)
    if settings.mode == NATIVE:
        voice, values["hold"] = hold_voice(settings.policy)
        chat, values["chat_hold"] = hold_chat(settings.policy, moment=values["moment"])
        briefs |= voice | chat
    start = "Ask" if settings.is_module else "Logging"
    description = f"Answers questions about {settings.topic} ({settings.mode} mode). Generated: change its topic and export again."
    return make_flow(
        briefs, start=start, values=values, name=settings.name, flow_type=settings.flow_type, description=description
    )


def _find_values(settings: _Settings) -> dict[str, Any]:
    words = _find_words(settings)
    rounds = _count_rounds(settings)
    voice = read_template("words")["voices"].get(settings.language, "")
    return {
        **TARGETS[settings.mode],
        **_find_ends(settings),
        **words,
        "after_logging": "SetLanguage" if voice else "Ask",
        "after_rounds": "Backstop2" if rounds > MOST_ROUNDS else "Apologize",
        "apology": settings.policy.apology or say("apology", language=settings.language or "en"),
        "chat_interval": str(CHAT_HOLD_SECONDS),
        "consumer": settings.consumer_arn,
        "hold_messages": hold_in_line(words["in_line"], prompt_arn=settings.hold_prompt_arn),
        "interrupt": str(settings.interrupt_seconds),
        "language": settings.language,
        "language_or_contacts": settings.language or "$.LanguageCode",
        "more_rounds": str(min(MOST_ROUNDS, math.ceil(rounds / MOST_ROUNDS))),
        "pause": make_pause(PAUSE_SECONDS[settings.mode]),
        "producer": settings.producer_arn,
        "question": settings.question,
        "queue": settings.queue_arn,
        "rounds": str(min(MOST_ROUNDS, rounds)),
        "topic": settings.topic,
        "voice": voice,
    }


def _find_words(settings: _Settings) -> dict[str, str]:
    spoken = read_template("words")
    words: dict[str, str] = spoken.get((settings.language or "en").lower()[:2], spoken["en"])
    return dict(words)


def _find_ends(settings: _Settings) -> dict[str, str]:
    """Where the flow goes when it has answered, and when a person shall take over."""
    if settings.is_module:
        return {"when_answered": "Return", "hand_over": "Return"}
    if settings.mode == QUEUE:
        return {"when_answered": "Stay", "hand_over": "Stay"}
    return {"when_answered": "Goodbye", "hand_over": "SetQueue"}


def _count_rounds(settings: _Settings) -> int:
    """How often a caller can be told to keep waiting before the longest wait is over, and some more."""
    policy = settings.policy
    if settings.mode == NATIVE:
        return math.ceil(policy.max_wait / ASYNC_LIMIT_SECONDS) + SPARE_ROUNDS
    if settings.mode == QUEUE:
        return math.ceil(policy.max_wait / CHAT_HOLD_SECONDS) + SPARE_ROUNDS
    rounds = policy.max_wait / (policy.hold + 0.5) + policy.max_wait / max(policy.interval, 1.0)
    return math.ceil(rounds) + SPARE_ROUNDS
