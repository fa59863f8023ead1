"""The types of flow (CreateContactFlow's Type), and how the console's metadata spells them."""

from __future__ import annotations

from typing import Any

CONTACT_FLOW = "CONTACT_FLOW"
CUSTOMER_QUEUE = "CUSTOMER_QUEUE"
CUSTOMER_HOLD = "CUSTOMER_HOLD"
CUSTOMER_WHISPER = "CUSTOMER_WHISPER"
AGENT_HOLD = "AGENT_HOLD"
AGENT_WHISPER = "AGENT_WHISPER"
OUTBOUND_WHISPER = "OUTBOUND_WHISPER"
AGENT_TRANSFER = "AGENT_TRANSFER"
QUEUE_TRANSFER = "QUEUE_TRANSFER"
CAMPAIGN = "CAMPAIGN"
# A module runs as the type of whichever flow invokes it
MODULE = "MODULE"

INBOUND = frozenset({CONTACT_FLOW})
TRANSFERS = frozenset({AGENT_TRANSFER, QUEUE_TRANSFER})
WHISPERS = frozenset({CUSTOMER_WHISPER, AGENT_WHISPER, OUTBOUND_WHISPER})
HOLDS = frozenset({CUSTOMER_HOLD, AGENT_HOLD})
QUEUE = frozenset({CUSTOMER_QUEUE})

WORDS = {
    CONTACT_FLOW: "an inbound flow",
    CUSTOMER_QUEUE: "a customer queue flow",
    CUSTOMER_HOLD: "a customer hold flow",
    CUSTOMER_WHISPER: "a customer whisper flow",
    AGENT_HOLD: "an agent hold flow",
    AGENT_WHISPER: "an agent whisper flow",
    OUTBOUND_WHISPER: "an outbound whisper flow",
    AGENT_TRANSFER: "a transfer to agent flow",
    QUEUE_TRANSFER: "a transfer to queue flow",
    CAMPAIGN: "a campaign flow",
    MODULE: "a flow module",
}

_SPELLINGS = {name.replace("_", "").lower(): name for name in WORDS} | {
    "inboundflow": CONTACT_FLOW,
    "transfertoagent": AGENT_TRANSFER,
    "transfertoqueue": QUEUE_TRANSFER,
    "contactflowmodule": MODULE,
}


def read_flow_type(spelled: Any) -> str:
    """The type by CreateContactFlow's name, from that name or the console's ("customerQueue"); "" where unknown."""
    if not isinstance(spelled, str):
        return ""
    return _SPELLINGS.get("".join(filter(str.isalpha, spelled)).lower(), "")
