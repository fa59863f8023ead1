"""How a flow invokes Lambdas: time limits, retries, the 20 s of silence, and what a reply may be.

Sources: Connect admin guide, "Flow block: AWS Lambda function" and "Grant Connect access to your Lambda functions".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.actions import MAX_SILENT_LAMBDA_SECONDS
from flows.runner.clock import Clock

# Invokes a function by the name or ARN that the flow gives; whatever it raises is the function's failure
Invoke = Callable[[str, dict[str, Any]], Any]
MOST_TRIES = 4  # the first, and three more within the time limit
MAX_REPLY_BYTES = 32 * 1024


class LambdaFailedError(Exception):
    """There is no reply that the flow can use; the message says why."""


@dataclass(slots=True)
class Invocation:
    """One asynchronous invocation; once it is `done`, there is a reply or a failure."""

    id: str
    function: str
    began: float
    is_done: bool = False
    seconds: float = 0.0
    reply: Any = None
    failure: str = ""


@dataclass(slots=True)
class _Try:
    is_done: bool = False
    reply: Any = None
    failure: str = ""

    def run(self, invoke: Invoke, function: str, event: dict[str, Any]) -> None:
        try:
            self.reply = invoke(function, event)
        except Exception as error:  # noqa: BLE001 - whatever a function raises, the flow takes its error branch
            self.failure = f"{type(error).__name__}: {error}"
        self.is_done = True


@dataclass(slots=True)
class Lambdas:
    """The Lambdas of one call. `wait` lets the call's time pass until a condition holds."""

    invoke: Invoke
    clock: Clock
    wait: Callable[[float, Callable[[], bool]], None]
    calls: int = 0
    seconds: float = 0.0
    silent_seconds: float = 0.0  # of Lambdas in a row, since something was played last
    invocations: dict[str, Invocation] = field(default_factory=dict)

    def call(self, function: str, event: dict[str, Any], *, limit: float, response: str) -> Any:
        """A function's reply within `limit` seconds; LambdaFailedError when there is none that can be used."""
        began = self.clock.now()
        allowed = min(limit, max(0.0, MAX_SILENT_LAMBDA_SECONDS - self.silent_seconds))
        try:
            return _check_reply(self._try(function, event, began + allowed, self.wait), response)
        except LambdaFailedError as error:
            if allowed < limit and self.clock.now() >= began + allowed:
                raise LambdaFailedError("the Lambdas since the last prompt took 20 s together") from error
            raise
        finally:
            self.calls += 1
            self.seconds += self.clock.now() - began
            self.silent_seconds += self.clock.now() - began

    def _try(
        self, function: str, event: dict[str, Any], deadline: float, wait: Callable[[float, Callable[[], bool]], None]
    ) -> Any:
        failure = "it took longer than its time limit"
        for _ in range(MOST_TRIES):
            attempt = _Try()
            self.clock.start(lambda attempt=attempt: attempt.run(self.invoke, function, event))  # type: ignore[misc]
            wait(deadline - self.clock.now(), lambda attempt=attempt: attempt.is_done)  # type: ignore[misc]
            if not attempt.is_done:
                break
            if not attempt.failure:
                return attempt.reply
            failure = attempt.failure
            if self.clock.now() >= deadline:
                break
        raise LambdaFailedError(failure)

    def begin(self, function: str, event: dict[str, Any], *, limit: float, response: str) -> Invocation:
        """Starts a function beside the flow."""
        number = uuid.UUID(int=(4 << 76) + (8 << 60) + len(self.invocations) + 1)
        invocation = Invocation(str(number), function, self.clock.now())
        self.invocations[invocation.id] = invocation
        self.calls += 1
        self.clock.start(lambda: self._finish(invocation, event, limit, response))
        return invocation

    def _finish(self, invocation: Invocation, event: dict[str, Any], limit: float, response: str) -> None:
        def wait(seconds: float, until: Callable[[], bool]) -> None:
            self.clock.wait(seconds, until=until)

        try:
            reply = self._try(invocation.function, event, invocation.began + limit, wait)
            invocation.reply = _check_reply(reply, response)
        except LambdaFailedError as error:
            invocation.failure = str(error)
        invocation.seconds = self.clock.now() - invocation.began
        invocation.is_done = True


def _check_reply(reply: Any, response: str) -> Mapping[str, Any]:
    """A reply as the block's response validation takes it; without one, whatever is an object is taken."""
    if not isinstance(reply, Mapping):
        raise LambdaFailedError(f"the reply is not an object, but {type(reply).__name__}")
    size = len(json.dumps(reply, ensure_ascii=False, default=str).encode())
    if size > MAX_REPLY_BYTES:
        raise LambdaFailedError(f"the reply has {size:,} bytes, more than 32 KB")
    wrong = [name for name, value in reply.items() if not isinstance(value, str)] if response == "STRING_MAP" else []
    if wrong:
        raise LambdaFailedError(f"STRING_MAP takes texts only, and {wrong[0]!r} is {reply[wrong[0]]!r}")
    return reply


class Functions:
    """The functions that may be invoked, by name; a flow names them by ARN, with or without an alias.

    Nothing else is ever invoked: an unknown function fails as one without permission does.
    """

    def __init__(self, handlers: Mapping[str, Callable[[dict[str, Any]], Any]]) -> None:
        self._handlers = handlers

    def __call__(self, function: str, event: dict[str, Any]) -> Any:
        name = find_function_name(function)
        if name not in self._handlers:
            raise LookupError(f"Connect may not invoke {name!r}")
        return self._handlers[name](event)


def find_function_name(function: str) -> str:
    """The name in a function's ARN, without version or alias."""
    return function.partition(":function:")[2].partition(":")[0] or function
