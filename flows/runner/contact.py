"""Who calls, and what Connect knows of the contact while its flow runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.action_type import CHAT, VOICE
from flows.runner.references import resolve, to_text

INSTANCE_ARN = "arn:aws:connect:us-east-1:111122223333:instance/00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a Lex bot makes of the caller's words: an intent ("" when it understands nothing), and how long that takes."""

    intent: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    session_attributes: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what they do: all times in seconds since the call began."""

    address: str = "+15550123"  # "" for a withheld number
    channel: str = VOICE
    language: str = "en-US"
    contact_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    hang_up_after: float | None = None
    keys: tuple[tuple[float, str], ...] = ()  # when which key is pressed
    turns: tuple[Turn, ...] = ()  # what is said to Lex bots, one turn for each
    returns: tuple[float, ...] = ()  # when a chat's silent customer writes again

    @property
    def is_voice(self) -> bool:
        """Whether the contact is a telephone call: all others read."""
        return self.channel == VOICE

    @property
    def is_chat(self) -> bool:
        """Whether the contact is a chat."""
        return self.channel == CHAT


@dataclass(slots=True)
class Contact:
    """One contact's data during its flow; `known` is what its references are looked up in."""

    caller: Caller
    known: dict[str, Any]

    @classmethod
    def begin(cls, caller: Caller) -> Contact:
        """The contact of a call that begins."""
        contact_id = caller.contact_id or str(uuid.uuid4())
        kind = "TELEPHONE_NUMBER" if caller.is_voice else "CONNECT_PHONENUMBER_ARN"
        known: dict[str, Any] = {
            "Attributes": dict(caller.attributes),
            "AwsRegion": "us-east-1",
            "Channel": caller.channel,
            "ContactId": contact_id,
            "CustomerEndpoint": {"Address": caller.address, "Type": kind} if caller.address else None,
            "External": {},
            "FlowAttributes": {},
            "InitialContactId": contact_id,
            "InitiationMethod": "INBOUND",
            "InstanceARN": INSTANCE_ARN,
            "LambdaInvocation": {},
            "LanguageCode": caller.language,
            "Lex": {},
            "Metrics": {},
            "Queue": None,
            "SystemEndpoint": None,
            "TextToSpeechVoice": "Joanna",
        }
        return cls(caller, known)

    def resolve(self, value: Any) -> Any:
        """A parameter's value as it is now."""
        return resolve(value, self.known)

    def text(self, value: Any) -> str:
        """The same as a text; "" where there is none."""
        return to_text(self.resolve(value))

    def event(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What a Lambda is given (admin guide, "Invoke AWS Lambda functions")."""
        names = ("Attributes", "Channel", "ContactId", "CustomerEndpoint", "InitialContactId", "InitiationMethod",
                 "InstanceARN", "LanguageCode", "Queue", "SystemEndpoint")  # fmt: skip
        contact = {name: self.known[name] for name in names}
        contact |= {"Attributes": dict(self.known["Attributes"]), "MediaStreams": {"Customer": {"Audio": None}}}
        contact |= {"PreviousContactId": self.known["ContactId"], "References": {}}
        return {"Name": "ContactFlowEvent", "Details": {"ContactData": contact, "Parameters": dict(parameters)}}
