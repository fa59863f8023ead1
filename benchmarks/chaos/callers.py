"""Callers: each asks, and polls as the flow does, until the call has come to an end; all that they heard is kept."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from xml.etree import ElementTree

from benchmarks.chaos.script import ask_about

# What is played takes a caller's time; here it is made short, so that more happens in a minute
PROMPT_SECONDS, PART_SECONDS = 0.8, 0.25
GIVES_UP_AFTER = 180.0  # twice the wait policy's patience: whoever is still on the line then is lost
Reply = dict[str, str]
Ask = Callable[[str, str], Reply]  # question, contact id
Poll = Callable[[Reply, str], Reply]  # the reply before, contact id


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply: between which moments it was made, and what its caller heard of it."""

    began: float
    ended: float
    status: str
    text: str
    reason: str


@dataclass(slots=True)
class Call:
    """One caller's wait for one case; `error` is what a handler raised."""

    case: str
    replies: list[Heard] = field(default_factory=list)
    error: str = ""

    @property
    def end(self) -> str:
        """The last status, "" when there was none."""
        return self.replies[-1].status if self.replies else ""


@dataclass(slots=True)
class Board:
    """Which cases are on the line at this moment, once for each caller, and which have ever been: whom a meddler can meet."""

    on_the_line: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def place_calls(
    cases: Sequence[str], *, callers: int, lines: int, ask: Ask, poll: Poll, board: Board | None = None
) -> list[Call]:
    """`callers` calls about each case, at most `lines` at once, those about one case soon after each other."""
    shown = board or Board()

    def place(call: Call) -> None:
        shown.on_the_line.append(call.case)
        shown.asked.append(call.case)
        _place(call, ask, poll)
        shown.on_the_line.remove(call.case)

    planned = [Call(case) for case in cases for _ in range(callers)]
    with ThreadPoolExecutor(lines, thread_name_prefix="caller") as pool:
        list(pool.map(place, planned))
    return planned


def _place(call: Call, ask: Ask, poll: Poll) -> None:
    contact, deadline = f"chaos-{uuid.uuid4()}", time.monotonic() + GIVES_UP_AFTER
    try:
        reply = _note(call, lambda: ask(ask_about(call.case), contact))
        while reply["statusCode"] in ("202", "206") and time.monotonic() < deadline:
            time.sleep(PART_SECONDS if reply["statusCode"] == "206" else PROMPT_SECONDS)
            last = reply
            reply = _note(call, lambda last=last: poll(last, contact))  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001 - it is what the proof looks for
        call.error = f"{type(error).__name__}: {error}"


def _note(call: Call, act: Callable[[], Reply]) -> Reply:
    began = time.time()
    reply = act()
    call.replies.append(Heard(began, time.time(), reply["statusCode"], hear(reply), reply["reason"]))
    return reply


def hear(reply: Reply) -> str:
    """The words that are played, out of the SSML; whatever is in the reply and not played is not heard. ParseError."""
    if reply["play"] != "ssml":
        return ""
    return " ".join("".join(ElementTree.fromstring(reply["ssml"]).itertext()).split())
