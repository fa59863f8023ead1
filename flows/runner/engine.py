"""Runs an exported flow for one contact: step by step, by Connect's rules, on a clock of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flows.action_type import NO_CONDITION, NO_ERROR
from flows.actions import ACTIONS
from flows.language import Action, Flow
from flows.runner import deciding, leaving, setting, talking, waiting
from flows.runner.call import Call, Handler
from flows.runner.clock import Clock
from flows.runner.contact import Caller, Contact
from flows.runner.instance import Instance
from flows.runner.lambdas import Invoke, Lambdas
from flows.runner.leaving import ModuleReturnedError
from flows.runner.line import Line
from flows.runner.outcome import FAILED, MODULE_RETURNED, STUCK, CallEndedError, Outcome, error, result
from flows.runner.transcript import Event, Transcript, Visit

MOST_STEPS: Final = 5_000
LONGEST_CALL_SECONDS: Final = 1_800.0
MOST_NAMED: Final = 8

HANDLERS: Final[Mapping[str, Handler]] = {
    "MessageParticipant": talking.message_participant,
    "MessageParticipantIteratively": talking.message_participant_iteratively,
    "GetParticipantInput": talking.get_participant_input,
    "ConnectParticipantWithLexBot": talking.connect_with_lex_bot,
    "InvokeLambdaFunction": waiting.invoke_lambda_function,
    "LoadLambdaFunctionResult": waiting.load_lambda_function_result,
    "Wait": waiting.wait,
    "Compare": deciding.compare,
    "Loop": deciding.loop,
    "CheckHoursOfOperation": deciding.check_hours_of_operation,
    "CheckMetricData": deciding.check_metric_data,
    "DistributeByPercentage": deciding.distribute_by_percentage,
    "GetMetricData": deciding.get_metric_data,
    "UpdateContactAttributes": setting.update_contact_attributes,
    "UpdateFlowAttributes": setting.update_flow_attributes,
    "UpdateContactData": setting.update_contact_data,
    "UpdateContactTextToSpeechVoice": setting.update_contact_text_to_speech_voice,
    "UpdateContactTargetQueue": setting.update_contact_target_queue,
    "TransferContactToQueue": leaving.transfer_contact_to_queue,
    "DequeueContactAndTransferToQueue": leaving.dequeue_contact_and_transfer_to_queue,
    "TransferContactToAgent": leaving.transfer_contact_to_agent,
    "TransferParticipantToThirdParty": leaving.transfer_to_third_party,
    "TransferToFlow": leaving.transfer_to_flow,
    "InvokeFlowModule": leaving.invoke_flow_module,
    "EndFlowModuleExecution": leaving.end_flow_module_execution,
    "EndFlowExecution": leaving.end_flow_execution,
    "DisconnectParticipant": leaving.disconnect_participant,
    **dict.fromkeys(setting.NO_EFFECT, setting.take_note),
}


def run_flow(
    flow: Flow,
    *,
    caller: Caller,
    invoke: Invoke,
    clock: Clock,
    instance: Instance | None = None,
    listen: Callable[[Event], None] | None = None,
    answer: Callable[[Line], None] | None = None,
    longest_call: float = LONGEST_CALL_SECONDS,
    most_steps: int = MOST_STEPS,
) -> Transcript:
    """One contact's whole way through a flow; never raises for what a flow, a Lambda or a caller does.

    `invoke` is given a function's name or ARN and Connect's event. `listen` hears each event as it happens. `answer` is
    given the line of a call that a person is on, to press keys and hang up. `longest_call` is in seconds.
    """
    instance = instance or Instance()
    line = Line(
        clock,
        longest_call=longest_call,
        listen=listen,
        has_person=answer is not None,
        cuts_prompts=instance.cuts_prompt_on_return,
    )
    call = Call(
        contact=Contact.begin(caller),
        line=line,
        lambdas=Lambdas(invoke, clock, wait=lambda seconds, until: line.wait(seconds, until=until)),
        instance=instance,
        flow=flow,
        run=lambda other, start: _run(call, other, start),
        has_end=answer is not None or caller.hang_up_after is not None or instance.agent_after is not None,
        steps_left=most_steps,
        turns=list(caller.turns),
        faults={identifier: list(errors) for identifier, errors in instance.faults.items()},
    )
    _script(line, clock, caller, instance)
    if answer is not None:
        answer(line)
    return _transcribe(call, _find_end(call))


def _script(line: Line, clock: Clock, caller: Caller, instance: Instance) -> None:
    for at, key in caller.keys:
        clock.at(at, lambda key=key: line.press(key))  # type: ignore[misc]
    for at in caller.returns:
        clock.at(at, lambda: line.say("(writes again)"))
    if caller.hang_up_after is not None:
        clock.at(caller.hang_up_after, line.hang_up)
    if instance.agent_after is not None:
        clock.at(instance.agent_after, line.join)


def _find_end(call: Call) -> CallEndedError:
    try:
        _run(call, call.flow, call.flow.start)
    except CallEndedError as ended:
        return ended
    except ModuleReturnedError:
        return CallEndedError(MODULE_RETURNED)
    return CallEndedError(FAILED, "the flow leads nowhere")


def _run(call: Call, flow: Flow, start: str) -> None:
    """Goes from action to action; returns when an action leads nowhere, and raises when the call is over."""
    call.flow = flow
    identifier = start
    while identifier:
        action = flow.by_id.get(identifier)
        if action is None:
            raise CallEndedError(FAILED, f"there is no action {identifier!r}")
        call.line.check()
        if call.steps_left <= 0:
            raise CallEndedError(STUCK, f"the flow goes round without end: {_find_round(call)}")
        call.steps_left -= 1
        identifier = _step(call, action)


def _find_round(call: Call) -> str:
    """The actions that the call goes round in, from the last one back to where it was come to before."""
    names = [visit.action for visit in call.visits]
    round_ = [names.pop()]
    while names and names[-1] != round_[0]:
        round_.append(names.pop())
    return " -> ".join(reversed(round_[:MOST_NAMED]))


def _step(call: Call, action: Action) -> str:
    """Does what the action does; where the flow goes on, "" where nowhere."""
    known = ACTIONS.get(action.type)
    try:
        outcome = _act(call, action)
    except (CallEndedError, ModuleReturnedError):
        _leave(call, action, "end")
        raise
    if known is not None and (known.speaks or known.waits) and outcome.kind != "error":
        call.lambdas.silent_seconds = 0.0
    way, target = _find_way(call, action, outcome)
    _leave(call, action, way, why=outcome.why)
    if not target and outcome.kind == "error":
        raise CallEndedError(FAILED, f"{action.identifier}: {outcome.why}, and there is no branch for it")
    return target


def _act(call: Call, action: Action) -> Outcome:
    faults = call.faults.get(action.identifier)
    if faults and (forced := faults.pop(0)):
        is_result = any(way.operand == forced for way in action.conditions)
        return result(forced) if is_result else error("it is made to fail", kind=forced)
    handler = HANDLERS.get(action.type)
    if handler is None:
        call.line.note(f"{action.type} is not played here: it takes its error branch", action=action.identifier)
        return error(f"{action.type} is not played here")
    return handler(call, action)


def _find_way(call: Call, action: Action, outcome: Outcome) -> tuple[str, str]:
    """The way's name and its target: "next", "Equals 200" or "NoMatchingError"."""
    if outcome.kind == "error":
        for kind in (outcome.value, NO_ERROR):
            if target := action.target_of_error(kind):
                return kind, target
        # Play prompt had no error branch until 2022, and a type that is not known here may have none: the flow goes on
        goes_on = action.type not in HANDLERS or action.type == "MessageParticipant"
        return ("next", action.next) if goes_on else (outcome.value, "")
    if outcome.kind == "result":
        found = deciding.find_condition(call, action, outcome.value)
        if found is not None:
            return f"{found.operator} {found.operand}".strip(), found.target
        if target := action.target_of_error(NO_CONDITION):
            return NO_CONDITION, target
    return "next", action.next


def _leave(call: Call, action: Action, way: str, *, why: str = "") -> None:
    call.visits.append(Visit(call.flow.name, action.identifier, way))
    call.line.tell(Event(call.line.now(), "step", action.identifier, text=why, way=way))


def _transcribe(call: Call, ended: CallEndedError) -> Transcript:
    line = call.line
    line.end()
    line.tell(Event(line.now(), "end", text=ended.why, way=ended.kind))
    return Transcript(
        end=ended.kind,
        why=ended.why,
        queue=ended.queue,
        seconds=line.now(),
        longest_silence=round(line.longest_silence, 6),
        total_silence=round(line.total_silence, 6),
        lambda_calls=call.lambdas.calls,
        lambda_seconds=round(call.lambdas.seconds, 6),
        attributes=dict(call.contact.known["Attributes"]),
        events=tuple(line.events),
        visits=tuple(call.visits),
    )
