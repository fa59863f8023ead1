"""What may be made to go wrong on a call: around the Lambdas everywhere, behind them only where nothing is real.

The Bedrock endpoint of the local stack has a control API (PUT /_control/faults), and the emulator's queue can be told to
hold messages back. Neither is touched unless that control API answers: a fault must never reach other callers.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectgenai.wire.config import aws_client, read_url
from flows.caller import CONSUMER
from flows.runner.lambdas import Invoke, find_function_name

CONTROL_SECONDS: Final = 1.0
SLOW_SECONDS: Final = 10.0
ABSENT_SECONDS: Final = 20
LAMBDA_SECONDS: Final = 4.0
LAMBDA_FAILURES: Final = 5  # one more than Connect tries: the flow's error branch is taken once


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong. `model` is the Bedrock endpoint's fault; `holds_queue` keeps the worker away."""

    label: str | Promise
    model: Mapping[str, Any] | None = None
    holds_queue: bool = False
    spoil: Callable[[Invoke], Invoke] | None = None

    @property
    def is_local(self) -> bool:
        """Whether it needs the local stack."""
        return self.model is not None or self.holds_queue


def _make_slow(invoke: Invoke) -> Invoke:
    def work(function: str, event: dict[str, Any]) -> Any:
        reply = invoke(function, event)
        time.sleep(LAMBDA_SECONDS)
        return reply

    return work


def _make_failing(invoke: Invoke) -> Invoke:
    left = LAMBDA_FAILURES

    def work(function: str, event: dict[str, Any]) -> Any:
        nonlocal left
        if left and find_function_name(function) == CONSUMER:
            left -= 1
            raise RuntimeError("made to fail")
        return invoke(function, event)

    return work


FAULTS: Final[Mapping[str, Fault]] = {
    "": Fault(_("Nothing")),
    "slow": Fault(_("The model is slow (10 s to its first word)"), {"kind": "slow_start", "seconds": SLOW_SECONDS}),
    "throttled": Fault(_("The model throttles twice"), {"kind": "throttle", "times": 2}),
    "refused": Fault(_("The model refuses for good"), {"kind": "access_denied"}),
    "breaks": Fault(_("The model breaks off once in mid-answer"), {"kind": "exception_event", "times": 1}),
    "worker": Fault(_("No worker for 20 s"), holds_queue=True),
    "lambda-slow": Fault(_("Lambdas take 4 s longer"), spoil=_make_slow),
    "lambda-fails": Fault(_("The Consumer fails five times"), spoil=_make_failing),
}


def find_control_url() -> str:
    """The control API of the Bedrock endpoint that is configured; "" where it has none, as AWS's own."""
    url = str(aws_client("bedrock-runtime").meta.endpoint_url)
    if not url.startswith("http://"):  # AWS is spoken to over TLS only
        return ""
    try:
        with urllib.request.urlopen(f"{url}/_control/pace", timeout=CONTROL_SECONDS) as reply:  # noqa: S310
            return f"{url}/_control" if "tokens_per_second" in json.load(reply) else ""
    except (OSError, ValueError):
        return ""


def switch_on(fault: Fault, *, question: str, undo: ExitStack) -> None:
    """Makes it go wrong until `undo` is closed; OSError or botocore's errors where that cannot be done."""
    if fault.model is not None:
        url = find_control_url()
        _put_faults(url, [{**fault.model, "match": " ".join(question.split())}])
        undo.callback(_put_faults, url, [])
    if fault.holds_queue:
        if not find_control_url():
            raise OSError(_("the queue is not a local one"))
        _hold_queue(ABSENT_SECONDS)
        undo.callback(_hold_queue, 0)


def _put_faults(url: str, faults: list[dict[str, Any]]) -> None:
    if not url:
        raise OSError(_("the Bedrock endpoint has no control API"))
    request = urllib.request.Request(f"{url}/faults", json.dumps(faults).encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=CONTROL_SECONDS):  # noqa: S310
        pass


def _hold_queue(seconds: int) -> None:
    """How long the queue keeps each message from the workers; what is sent later is not held any more at 0."""
    url = read_url("CONNECTGENAI_LIVE_QUEUE_URL")
    aws_client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": str(seconds)})


UNAVAILABLE = (OSError, ClientError, BotoCoreError)
