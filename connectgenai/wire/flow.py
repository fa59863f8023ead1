"""The contract with the flow: an Amazon Connect event in, a flat map of strings out (DESIGN.md, section 5; docs/wire-contract.md)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from connectgenai.wire.speech import to_ssml

LAST_PART, MORE_PARTS, KEEP_WAITING = "200", "206", "202"
BAD_REQUEST, PATIENCE_SPENT, TOO_BUSY, NO_ANSWER = "400", "408", "429", "500"


@dataclass(frozen=True, slots=True)
class FlowCall:
    """What an event says of the call; whatever is missing, null or of another type is "".

    Source of the event's shape: Connect admin guide, "Invoke AWS Lambda functions". CustomerEndpoint, SystemEndpoint and
    Queue may be null, and any channel and initiation method is accepted.
    """

    contact_id: str
    initial_contact_id: str
    channel: str
    language: str
    caller: str
    parameters: Mapping[str, str]

    @classmethod
    def from_event(cls, event: object) -> FlowCall:
        """Reads an event of any shape; never raises."""
        details = _child(event, "Details")
        contact = _child(details, "ContactData")
        parameters = {str(k): _text(v) for k, v in _child(details, "Parameters").items()}
        # without an id two contacts must not share what is kept for a contact alone
        contact_id = _text(contact.get("ContactId"))[:256] or f"none-{uuid.uuid4().hex}"
        return cls(
            contact_id=contact_id,
            initial_contact_id=_text(contact.get("InitialContactId"))[:256] or contact_id,
            channel=_text(contact.get("Channel")).upper()[:20],
            language=parameters.get("language") or _text(contact.get("LanguageCode")),
            caller=parameters.get("caller") or _text(_child(contact, "CustomerEndpoint").get("Address")),
            parameters=parameters,
        )

    def parameter(self, name: str) -> str:
        """One parameter of the flow's block, stripped, or ""."""
        return self.parameters.get(name, "").strip()


def _child(parent: object, name: str) -> dict[Any, Any]:
    child = parent.get(name) if isinstance(parent, dict) else None
    return child if isinstance(child, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, str):
        # JSON's escapes can spell half a surrogate pair, which nothing that is sent on can carry
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the flow gets: at most one thing to play, and what to hand back at the next poll."""

    status: str
    ticket: str = ""
    cursor: str = ""
    text: str = ""
    ssml: str = ""
    audio: str = ""
    source: str = ""
    reason: str = ""
    estimate: str = ""

    @property
    def play(self) -> str:
        """`ssml`, `audio` or `nothing`."""
        return "audio" if self.audio else "ssml" if self.text else "nothing"

    def to_map(self) -> dict[str, str]:
        """Every key of the contract, all strings; under 32 KB, since a text is at most one chunk."""
        plain = {f.name: str(getattr(self, f.name)) for f in fields(self) if f.name != "status"}
        if self.text and not self.ssml:
            plain["ssml"] = to_ssml(self.text)
        return {"statusCode": self.status, "play": self.play, **plain}


def choose_language(wanted: str, *, offered: Mapping[str, object]) -> str:
    """The offered language that fits best: the same, else one of the same primary subtag; the first when none is wanted; else ""."""
    if not wanted:
        return next(iter(offered), "")
    tag = wanted.strip().replace("_", "-").lower()
    same = [o for o in offered if o.lower() == tag]
    related = [o for o in offered if o.lower().split("-")[0] == tag.split("-")[0]]
    return next(iter(same + related), "")
