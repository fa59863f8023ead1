"""Rules on Wait blocks and asynchronous Lambdas (native asynchronous mode)."""

from __future__ import annotations

from collections.abc import Iterator

from flows.action_type import VOICE
from flows.actions import is_asynchronous
from flows.finding import Finding
from flows.flow_types import CONTACT_FLOW, MODULE, WORDS
from flows.graph import find_nearest
from flows.language import Action
from flows.lint.channels import UNKNOWN, find_channels
from flows.lint.values import INVOCATION_ID, find_flow_attributes, mentions_invocation_id
from flows.lint.view import FlowView, find_known


def check_waits(view: FlowView) -> Iterator[Finding]:
    """Waits where a voice contact cannot wait."""
    waits = list(view.walk("Wait"))
    channels = find_channels(view) if waits else {}
    for action in waits:
        name = view.name(action)
        fix = "Let voice contacts wait in an inbound flow, with a Continue branch or an event; poll with a prompt elsewhere."
        if not {VOICE, UNKNOWN} & channels.get(action.identifier, frozenset()):
            continue
        if view.type not in ("", CONTACT_FLOW, MODULE):
            message = f"{name} stands in {WORDS[view.type]}: a voice contact takes its error branch at once."
            yield Finding("WAIT_ON_VOICE_OUTSIDE_INBOUND", action.identifier, "warning", message, fix)
        elif VOICE in channels[action.identifier] and not _is_event_based(action):
            message = (
                f"{name} is reached by voice contacts, and has neither a Continue branch nor an event to wait for."
            )
            yield Finding("WAIT_ON_VOICE_OUTSIDE_INBOUND", action.identifier, "warning", message, fix)


def _is_event_based(action: Action) -> bool:
    return any(action.parameters.get(name) for name in ("ContinueExecution", "InterruptibleEvents", "Events"))


def check_continue_branches(view: FlowView) -> Iterator[Finding]:
    """What stands in a Wait's Continue branch: no other Wait, and something that does not run out."""
    nested = find_nearest(view.graph, [action.identifier for action in view.walk("Wait")])
    lasts = _find_lasting(view)
    ends = find_nearest(view.ordinary, [action.identifier for action in view.walk() if _is_leaving(action)])
    for action in view.walk("Wait"):
        starts = [way.target for way in action.conditions if way.operand == "Continue" and way.target in view.graph]
        inner = next((nested[start] for start in starts if start in nested), "")
        if inner:
            message = (
                f"The Continue branch of {view.name(action)} comes to {view.name(inner)}: Connect refuses a Wait there."
            )
            fix = "Let the Continue branch only play, in a Loop, and end in a transfer or a disconnect."
            yield Finding("NESTED_WAIT_IN_CONTINUE", inner, "error", message, fix)
        elif any(start in ends and start not in lasts for start in starts):
            message = (
                f"The Continue branch of {view.name(action)} ends when it has played: a Lambda that takes longer than"
                " the audio loses its caller."
            )
            fix = "Lead the prompt into a Loop block, and its Looping branch back to the prompt, while the Wait lasts."
            yield Finding("CONTINUE_BRANCH_TERMINATES", action.identifier, "warning", message, fix)


def _find_lasting(view: FlowView) -> dict[str, str]:
    """The actions from which one comes to a cycle, or to a block that plays on or asks the contact something."""
    cycles = [node for cycle in view.cycles for node in cycle]
    kinds = {action.identifier: find_known(action) for action in view.walk()}
    asking = [node for node, known in kinds.items() if known is None or known.asks]
    looping = [action.identifier for action in view.walk("MessageParticipantIteratively")]
    return find_nearest(view.ordinary, [*cycles, *asking, *looping])


def _is_leaving(action: Action) -> bool:
    known = find_known(action)
    return known is not None and (known.is_end or known.waits)


def check_invocation_ids(view: FlowView) -> Iterator[Finding]:
    """Asynchronous Lambdas whose id nothing has read or saved when the next one starts."""
    readers = {action.identifier for action in view.walk() if mentions_invocation_id(action.parameters)}
    started = [a for a in view.walk("InvokeLambdaFunction") if is_asynchronous(a.type, a.parameters)]
    loads = [a.identifier for a in view.walk("LoadLambdaFunctionResult", "Wait") if a.identifier in readers]
    read_later = find_nearest(view.graph, loads)
    unread = {node: [] if node in readers else others for node, others in view.graph.items()}
    following = [a.identifier for a in started if a.identifier in read_later and a.identifier not in readers]
    overwritten = find_nearest(unread, following)
    for action in started:
        targets = [way.target for way in action.transitions if way.kind != "error" and way.target in overwritten]
        if targets:
            message = (
                f"{view.name(action)} and then {view.name(overwritten[targets[0]])} start, and {INVOCATION_ID} is by"
                " then the latter's: the result of the former can no longer be loaded."
            )
            fix = f"Save {INVOCATION_ID} with Set contact attributes (flow) before the next asynchronous Lambda starts."
            yield Finding("INVOCATION_ID_NOT_SAVED", action.identifier, "warning", message, fix)


def check_kept_ids(view: FlowView) -> Iterator[Finding]:
    """Waits and loads by a flow attribute that nothing in the flow sets: such attributes live in one flow only."""
    kept: set[str] = set()
    for action in view.walk("UpdateFlowAttributes"):
        attributes = action.parameters.get("FlowAttributes")
        kept.update(attributes if isinstance(attributes, dict) else ())
    for action in view.walk("Wait", "LoadLambdaFunctionResult"):
        for name in sorted(find_flow_attributes(action.parameters) - kept):
            message = (
                f"{view.name(action)} goes by $.FlowAttributes.{name}, which nothing in this flow sets: a Wait then runs"
                " to its time limit, and there is no result to load."
            )
            fix = f"Save {INVOCATION_ID} as {name} with Set contact attributes (flow) after the asynchronous Lambda."
            yield Finding("INVOCATION_ID_NOT_SAVED", action.identifier, "warning", message, fix)
