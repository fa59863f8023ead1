"""Ways out of a flow: into queues, other flows and modules, and to the end."""

from __future__ import annotations

from flows.flow_types import CUSTOMER_QUEUE
from flows.language import Action
from flows.runner.call import Call
from flows.runner.instance import find_by_name
from flows.runner.outcome import (
    AGENT,
    DISCONNECTED,
    FLOW_ENDED,
    ON,
    QUEUE,
    TRANSFERRED,
    CallEndedError,
    Outcome,
    error,
)

MOST_MODULES = 5  # within each other; developer guide, "InvokeFlowModule"
LONG_SECONDS = 1e9


class ModuleReturnedError(Exception):
    """A module has come to its Return."""


def transfer_contact_to_queue(call: Call, _: Action) -> Outcome:
    """Transfer to queue, into the working queue that was set before."""
    if not call.queue:
        return error("no working queue has been set")
    if call.instance.is_queue_full:
        return error("the queue is full", kind="QueueAtCapacity")
    raise CallEndedError(QUEUE, queue=call.queue)


def dequeue_contact_and_transfer_to_queue(call: Call, action: Action) -> Outcome:
    """Transfer from one queue to another."""
    call.queue = call.parameter(action, "QueueId") or call.parameter(action, "AgentId") or call.queue
    return transfer_contact_to_queue(call, action)


def transfer_contact_to_agent(_: Call, __: Action) -> Outcome:
    """Transfer to agent."""
    raise CallEndedError(AGENT)


def transfer_to_third_party(call: Call, action: Action) -> Outcome:
    """Transfer to phone number."""
    raise CallEndedError(TRANSFERRED, f"to {call.parameter(action, 'ThirdPartyPhoneNumber') or 'a phone number'}")


def transfer_to_flow(call: Call, action: Action) -> Outcome:
    """Transfer to flow: goes on in it, if the instance has it."""
    wanted = call.parameter(action, "ContactFlowId")
    flow = find_by_name(call.instance.flows, wanted)
    if flow is None:
        raise CallEndedError(TRANSFERRED, f"to the flow {wanted}, which is not here")
    call.contact.known["FlowAttributes"] = {}
    call.run(flow, flow.start)
    raise CallEndedError(FLOW_ENDED)


def invoke_flow_module(call: Call, action: Action) -> Outcome:
    """Invoke module: its flow attributes are its own."""
    module = find_by_name(call.instance.modules, call.parameter(action, "FlowModuleId"))
    if module is None:
        return error(f"the module {call.parameter(action, 'FlowModuleId')} is not here")
    if call.depth >= MOST_MODULES:
        return error("modules are nested more than five deep")
    kept, outer = call.contact.known["FlowAttributes"], call.flow
    call.contact.known["FlowAttributes"] = {}
    call.depth += 1
    try:
        call.run(module, module.start)
    except ModuleReturnedError:
        pass
    finally:
        call.depth -= 1
        call.flow = outer
    call.contact.known["FlowAttributes"] = kept
    return ON


def end_flow_module_execution(_: Call, __: Action) -> Outcome:
    """Return."""
    raise ModuleReturnedError


def end_flow_execution(call: Call, _: Action) -> Outcome:
    """End flow: in a queue the contact goes on waiting, in silence."""
    if call.flow_type == CUSTOMER_QUEUE and call.has_end:
        call.line.wait(LONG_SECONDS)
    raise CallEndedError(FLOW_ENDED)


def disconnect_participant(_: Call, __: Action) -> Outcome:
    """Disconnect."""
    raise CallEndedError(DISCONNECTED)
