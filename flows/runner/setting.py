"""What sets things: attributes, language, voice, and settings that a call without a telephone does not feel."""

from __future__ import annotations

from collections.abc import Mapping

from flows.language import Action
from flows.runner.call import Call
from flows.runner.outcome import ON, Outcome, error
from flows.runner.references import to_text

# Connect admin guide, "Amazon Connect service quotas": attributes of a contact, and of a flow
MAX_ATTRIBUTE_BYTES = 32 * 1024


def update_contact_attributes(call: Call, action: Action) -> Outcome:
    """Set contact attributes."""
    found = call.contact.resolve(action.parameters.get("Attributes"))
    if not isinstance(found, Mapping):
        return error("Attributes is not a map")
    return _keep(call, "Attributes", {name: to_text(value) for name, value in found.items()})


def update_flow_attributes(call: Call, action: Action) -> Outcome:
    """Set contact attributes (flow)."""
    found = action.parameters.get("FlowAttributes")
    if not isinstance(found, Mapping) or not all(isinstance(value, Mapping) for value in found.values()):
        return error('FlowAttributes are not of the form {"name": {"Value": "text"}}')
    return _keep(call, "FlowAttributes", {name: call.contact.text(value.get("Value")) for name, value in found.items()})


def _keep(call: Call, name: str, values: Mapping[str, str]) -> Outcome:
    kept = {**call.contact.known[name], **values}
    size = sum(len(key.encode()) + len(value.encode()) for key, value in kept.items())
    if size > MAX_ATTRIBUTE_BYTES:
        return error(f"the attributes have {size:,} bytes together, more than 32 KB")
    call.contact.known[name] = kept
    return ON


def update_contact_data(call: Call, action: Action) -> Outcome:
    """Set contact attributes (language, name and other data of the contact)."""
    names = ("LanguageCode", "Name", "Description", "CustomerId", "References")
    found = {name: call.contact.resolve(action.parameters[name]) for name in names if name in action.parameters}
    call.contact.known.update(found)
    return ON


def update_contact_text_to_speech_voice(call: Call, action: Action) -> Outcome:
    """Set voice."""
    call.contact.known["TextToSpeechVoice"] = call.parameter(action, "TextToSpeechVoice")
    return ON


def update_contact_target_queue(call: Call, action: Action) -> Outcome:
    """Set working queue: a queue, or an agent's own."""
    queue = call.parameter(action, "QueueId") or call.parameter(action, "AgentId")
    if not queue:
        return error("there is no queue: QueueId is empty")
    call.queue = queue
    call.contact.known["Queue"] = {"ARN": queue, "Name": queue.rpartition("/")[2], "OutboundCallerId": None}
    return ON


def take_note(_: Call, __: Action) -> Outcome:
    """A setting without effect on what is heard."""
    return ON


NO_EFFECT: tuple[str, ...] = (
    "UpdateFlowLoggingBehavior",
    "UpdateContactRecordingBehavior",
    "UpdateContactRecordingAndAnalyticsBehavior",
    "UpdateContactMediaStreamingBehavior",
    "UpdateContactMediaProcessing",
    "UpdateContactEventHooks",
    "UpdateContactRoutingBehavior",
    "UpdateContactRoutingCriteria",
    "UpdateRoutingCriteria",
    "UpdateContactCallbackNumber",
    "TagContact",
    "UntagContact",
    "CreateCallbackContact",
)
