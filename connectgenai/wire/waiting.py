"""How callers are kept while they wait: the policy, the cursor that the flow carries, and what to play next."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from connectgenai.wire.speech import speech_seconds

POLL_LIMIT_SECONDS = 7.0  # a flow waits 8 s for a synchronous Lambda
ASYNC_LIMIT_SECONDS = 55.0  # and 60 s for an asynchronous one


@dataclass(frozen=True, slots=True)
class WaitPrompt:
    """One spoken variant: exactly one of text, SSML, or the S3 URI of a recording."""

    text: str = ""
    ssml: str = ""
    audio: str = ""

    @property
    def seconds(self) -> float:
        """How long it is heard, in seconds; a recording is taken for 3 s."""
        return 3.0 if self.audio else speech_seconds(self.ssml or self.text)


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """What a topic's callers hear in one language while they wait; all times in seconds."""

    hold: float = 2.0
    first_prompt_after: float = 3.0
    interval: float = 8.0
    max_wait: float = 90.0
    max_silence: float = 2.5
    prompts: tuple[WaitPrompt, ...] = ()
    comfort_audio: str = ""
    comfort_seconds: float = 0.0
    say_estimate: bool = False
    estimate_text: str = ""
    apology: str = ""
    patience_text: str = ""
    restart_text: str = ""
    busy_text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; fields at their defaults are left out."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        if self.prompts:
            plain["prompts"] = [{k: v for k, v in asdict(p).items() if v} for p in self.prompts]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> WaitPolicy:
        """The policy in `to_dict`'s form; unknown fields, from a newer writer, are ignored."""
        known = {k: v for k, v in plain.items() if k in cls.__slots__}
        known["prompts"] = tuple(WaitPrompt(**p) for p in plain.get("prompts", ()))
        return cls(**known)


def find_policy_faults(policy: WaitPolicy) -> list[str]:
    """Why a policy cannot keep its promise of silence or patience, in sentences for a supervisor; empty when it can."""
    faults = []
    if not 0 <= policy.hold <= POLL_LIMIT_SECONDS:
        faults.append(f"Hold must be 0 to {POLL_LIMIT_SECONDS:g} seconds: Connect waits 8 seconds for a Lambda.")
    if policy.hold > policy.max_silence:
        faults.append("Hold is silence on the line: it must not be longer than the longest silence.")
    if policy.max_wait <= policy.first_prompt_after:
        faults.append("The longest wait must be longer than the delay before the first prompt.")
    if policy.prompts and policy.interval < max(p.seconds for p in policy.prompts):
        faults.append("The interval is shorter than the longest prompt: callers would hear prompts without a pause.")
    if not policy.prompts and not policy.comfort_audio:
        faults.append("Without prompts and comfort audio callers hear nothing at all: add at least one.")
    if not policy.comfort_audio and policy.prompts:
        quiet = max(policy.first_prompt_after, policy.interval - min(p.seconds for p in policy.prompts))
        if quiet > policy.max_silence:
            faults.append(
                f"Without comfort audio callers hear up to {quiet:.1f} seconds of silence, more than the"
                f" {policy.max_silence:g} allowed: add comfort audio or shorten the interval and the first delay."
            )
    return faults


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where one caller is: the run whose chunks were given, how many, and which prompts have begun; times in epoch milliseconds."""

    run: str = ""
    given: int = 0
    prompts: int = 0
    prompt_at: int = 0
    asked_at: int = 0
    source: str = ""  # how the ask was met: "hit", "joined", or "" for a generation of its own

    def encode(self) -> str:
        """The opaque string that the flow hands back at the next poll."""
        return f"{self.run or '-'}.{self.given}.{self.prompts}.{self.prompt_at}.{self.asked_at}.{self.source or '-'}"

    @classmethod
    def decode(cls, text: str, *, now_ms: int) -> Cursor:
        """The cursor; one that is missing or damaged starts the caller's wait afresh, it is never an error."""
        run, *numbers, source = text.split(".") if text.count(".") == 5 else ("", "damaged", "")
        if not all(n.isascii() and n.isdigit() and len(n) < 15 for n in numbers):
            return cls(asked_at=now_ms)
        given, prompts, prompt_at, asked_at = map(int, numbers)
        return cls(
            run="" if run == "-" else run[:40],
            given=given,
            prompts=prompts,
            # a clock in the future would hold the patience open for ever
            prompt_at=min(prompt_at, now_ms),
            asked_at=min(asked_at, now_ms) or now_ms,
            source=source if source in ("hit", "joined") else "",
        )


def next_prompt_due_ms(policy: WaitPolicy, cursor: Cursor) -> int:
    """When the next spoken prompt is due, in epoch milliseconds; a policy without prompts is never due."""
    if not policy.prompts:
        return cursor.asked_at + 10**12
    if cursor.prompts == 0:
        return cursor.asked_at + round(policy.first_prompt_after * 1000)
    return cursor.prompt_at + round(policy.interval * 1000)


def hold_until_ms(policy: WaitPolicy, cursor: Cursor, *, now_ms: int, budget_seconds: float | None) -> int:
    """Until when this poll may wait in silence: the hold, cut short by a prompt that falls due and by the patience."""
    hold = policy.hold if budget_seconds is None else budget_seconds
    patience_ends = cursor.asked_at + round(policy.max_wait * 1000)
    if hold > POLL_LIMIT_SECONDS:
        return min(now_ms + round(min(hold, ASYNC_LIMIT_SECONDS) * 1000), patience_ends)
    # the first poll's silence began when the question was asked: a slow start of the Lambdas must not be added to it
    began = cursor.asked_at if now_ms - cursor.asked_at < hold * 1000 else now_ms
    return min(began + round(hold * 1000), next_prompt_due_ms(policy, cursor), patience_ends)


def next_prompt(policy: WaitPolicy, cursor: Cursor, *, now_ms: int) -> tuple[WaitPrompt | None, Cursor]:
    """The prompt to play now, if one is due, and the cursor after it; variants take turns."""
    if now_ms < next_prompt_due_ms(policy, cursor):
        return None, cursor
    prompt = policy.prompts[cursor.prompts % len(policy.prompts)]
    return prompt, replace(cursor, prompts=cursor.prompts + 1, prompt_at=now_ms)


def remaining_seconds(typical_seconds: int, *, waited_ms: int) -> int | None:
    """Seconds until the answer is expected, rounded up to 5; None when there is no estimate, or it has been overrun."""
    left = typical_seconds - waited_ms / 1000
    return math.ceil(left / 5) * 5 if typical_seconds and left > 0 else None


def policies_to_json(policies: dict[str, WaitPolicy]) -> str:
    """One JSON object, language -> policy, as the topic item stores it."""
    return json.dumps({language: policy.to_dict() for language, policy in policies.items()}, ensure_ascii=False)


def policies_from_json(text: str) -> dict[str, WaitPolicy]:
    """The policies of `policies_to_json`."""
    return {language: WaitPolicy.from_dict(plain) for language, plain in json.loads(text or "{}").items()}
