"""What a Lex bot would make of a person's words, where there is no bot: enough for a flow to go on."""

from __future__ import annotations

import re

from flows.language import Action, Flow
from flows.runner.contact import Turn

_SLOT = re.compile(r"\$\.Lex\.Slots\.([A-Za-z_]\w*)")
FALLBACK = "FallbackIntent"


def understand(flow: Flow, action: Action, words: str) -> Turn:
    """The intent that the words name, or else the first that the action knows; the words fill every slot the flow reads.

    As a bot's code hook usually does, they are kept as the session attribute `question` too.
    """
    intents = [way.operand for way in action.conditions if way.operand and way.operand != FALLBACK]
    said = _simplify(words)
    named = (intent for intent in intents if _simplify(intent) in said)
    intent = next(named, intents[0] if intents else "")
    slots = dict.fromkeys(_SLOT.findall(flow.to_json()), words)
    return Turn(intent, slots=slots, session_attributes={"question": words}, seconds=0.0)


def _simplify(name: str) -> str:
    """A name without case, gaps and the usual ending: "BookTable_Intent" is "booktable"."""
    return re.sub(r"[\W_]|intent$", "", name.lower())
