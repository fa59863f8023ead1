"""Lambda functions, and waiting for those that run beside the flow.

Sources: admin guide, "Flow block: Wait" and "Flow block: AWS Lambda function"; the spelling is that of real exports.
What no document settles is said at the place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flows.actions import MAX_ASYNC_LAMBDA_SECONDS, MAX_LAMBDA_SECONDS, is_asynchronous
from flows.flow_types import CONTACT_FLOW
from flows.language import Action
from flows.lint.timing import DEFAULT_SECONDS
from flows.runner.call import Call
from flows.runner.deciding import find_condition
from flows.runner.lambdas import LambdaFailedError, find_function_name
from flows.runner.outcome import ON, InterruptedByEventError, Outcome, error, result
from flows.runner.transcript import Visit

CONTINUE, RETURNED, COMPLETED, CUSTOMER = "Continue", "LambdaReturned", "WaitCompleted", "CustomerReturned"


def invoke_lambda_function(call: Call, action: Action) -> Outcome:
    """AWS Lambda function: the flow waits for a synchronous one in silence, and goes on beside an asynchronous one."""
    function = call.parameter(action, "LambdaFunctionARN")
    given = action.parameters.get("LambdaInvocationAttributes") or {}
    if not isinstance(given, Mapping):
        return error("LambdaInvocationAttributes is not a map")
    event = call.contact.event(call.contact.resolve(given))
    validation = action.parameters.get("ResponseValidation")
    response = str(validation.get("ResponseType", "")) if isinstance(validation, Mapping) else ""
    limit = call.seconds(action, "InvocationTimeLimitSeconds", DEFAULT_SECONDS)
    if is_asynchronous(action.type, action.parameters):
        limit = min(limit, MAX_ASYNC_LAMBDA_SECONDS)
        started = call.lambdas.begin(function, event, limit=limit, response=response)
        call.contact.known["LambdaInvocation"] = {"InvocationId": started.id}
        call.line.note(f"{find_function_name(function)} begins", action=action.identifier)
        return ON
    began = call.line.now()
    try:
        reply = call.lambdas.call(function, event, limit=min(limit, MAX_LAMBDA_SECONDS), response=response)
    except LambdaFailedError as failed:
        seconds = call.line.now() - began
        call.tell("invoke", action, at=began, seconds=seconds, function=function, text=str(failed))
        return error(f"the Lambda gave nothing: {failed}")
    call.tell("invoke", action, at=began, seconds=call.line.now() - began, function=function, reply=reply)
    call.contact.known["External"] = dict(reply)
    call.contact.known["LambdaInvocation"] = {**call.contact.known["LambdaInvocation"], "ResultData": dict(reply)}
    return ON


def load_lambda_function_result(call: Call, action: Action) -> Outcome:
    """AWS Lambda function (load result)."""
    found = call.lambdas.invocations.get(call.parameter(action, "LambdaInvocationId"))
    if found is None:
        return error("there is no invocation of this id")
    if not found.is_done:
        return error(f"{found.function} is still running", kind="InProgress")
    at = round(found.began - call.line.began, 6)
    if found.failure:
        call.tell("invoke", action, at=at, seconds=found.seconds, function=found.function, text=found.failure)
        return error(f"the Lambda gave nothing: {found.failure}")
    call.tell("invoke", action, at=at, seconds=found.seconds, function=found.function, reply=found.reply)
    call.contact.known["External"] = dict(found.reply)
    return ON


def wait(call: Call, action: Action) -> Outcome:
    """Wait: for a time, for a Lambda, or for a chat's customer, perhaps with a branch that plays meanwhile."""
    continues = str(action.parameters.get("ContinueExecution")).upper() == "TRUE"
    events = action.parameters.get("InterruptibleEvents") or {}
    if call.is_waiting:
        return error("a Wait within the Continue branch of another Wait is not supported")
    is_inbound = call.flow_type in ("", CONTACT_FLOW)
    if call.contact.caller.is_voice and not (is_inbound and (continues or events)):
        return error("a voice contact waits only in inbound flows, for an event or with a Continue branch")
    ends = call.line.now() + call.seconds(action, "TimeLimitSeconds", 0.0)
    find = _make_finder(call, action, ends)
    if continues and (way := find_condition(call, action, CONTINUE)) is not None:
        call.visits.append(Visit(call.flow.name, action.identifier, f"{way.operator} {way.operand}"))
        _play_meanwhile(call, way.target, find)
    call.line.wait(max(0.0, ends - call.line.now()), until=lambda: bool(find()))
    return result(find() or COMPLETED)


def _make_finder(call: Call, action: Action, ends: float) -> Callable[[], str]:
    """What tells which of the things waited for has happened by now; "" while none has."""
    began, events = call.line.now(), action.parameters.get("InterruptibleEvents") or {}
    # an id that no invocation has is waited for until the time is over
    waits_for = _dig(events, RETURNED, "AsyncLambdaCompletionEvent", "Identifier")
    invocation = call.lambdas.invocations.get(call.contact.text(waits_for))
    # What MinimumWaitTimeSeconds does is not documented: taken as the earliest time at which the wait may end
    earliest = began + call.seconds(action, "MinimumWaitTimeSeconds", 0.0)
    call.lambdas.clock.at(earliest - began, lambda: None)  # so that whoever waits looks again by then
    listed = action.parameters.get("Events")
    awaits_customer = isinstance(listed, list) and CUSTOMER in listed

    def find() -> str:
        now = call.line.now()
        if invocation is not None and invocation.is_done and now >= earliest:
            return RETURNED
        if awaits_customer and any(began < at <= now for at in call.line.returns):
            return CUSTOMER
        return COMPLETED if now >= ends else ""

    return find


def _dig(found: Any, *names: str) -> Any:
    """What lies that deep in maps; None where there is none."""
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _play_meanwhile(call: Call, target: str, find: Callable[[], str]) -> None:
    """Runs the Continue branch until the wait is over, or the branch runs out."""
    call.is_waiting, call.line.interrupt = True, lambda: bool(find())
    try:
        call.run(call.flow, target)
    except InterruptedByEventError:
        pass
    finally:
        call.is_waiting, call.line.interrupt = False, None
