"""Rules on what is said: how long a prompt may be, and where prompts from S3 can be played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.actions import MAX_BILLED_CHARACTERS, MAX_TOTAL_CHARACTERS
from flows.finding import Finding, Severity
from flows.flow_types import QUEUE, WHISPERS, WORDS
from flows.language import Action
from flows.lint.values import count_spoken
from flows.lint.view import FlowView

SPEAKING = (
    "MessageParticipant",
    "MessageParticipantIteratively",
    "GetParticipantInput",
    "ConnectParticipantWithLexBot",
)


def check_prompts(view: FlowView) -> Iterator[Finding]:
    """Prompts that are too long for one block, counting only what stands in the flow itself."""
    for action in view.actions:
        for message in _find_messages(action):
            for name in ("Text", "SSML"):
                text = message.get(name)
                if isinstance(text, str) and len(text) > MAX_BILLED_CHARACTERS:
                    yield from _check_length(view, action, name, text)


def _find_messages(action: Action) -> list[dict[str, Any]]:
    if action.type not in SPEAKING:
        return []
    messages = action.parameters.get("Messages")
    listed = messages if isinstance(messages, list) else []
    return [message for message in (action.parameters, *listed) if isinstance(message, dict)]


def _check_length(view: FlowView, action: Action, name: str, text: str) -> Iterator[Finding]:
    spoken = count_spoken(text, is_ssml=name == "SSML")
    if spoken > MAX_BILLED_CHARACTERS or len(text) > MAX_TOTAL_CHARACTERS:
        message = (
            f"The {name} of {view.name(action)} has {spoken:,} spoken characters of {len(text):,}; Connect takes"
            f" {MAX_BILLED_CHARACTERS:,} of {MAX_TOTAL_CHARACTERS:,}, and takes the error branch beyond."
        )
        fix = "Split it at the end of a sentence into several blocks."
        yield Finding("PROMPT_OVER_3000", action.identifier, "error", message, fix)


def check_s3_prompts(view: FlowView) -> Iterator[Finding]:
    """Prompts from S3 in flows that play prompts of the library only."""
    if view.type not in QUEUE | WHISPERS:
        return
    for action in view.actions:
        if any(isinstance(message.get("Media"), dict) for message in _find_messages(action)):
            message = f"{view.name(action)} plays a file from S3; {WORDS[view.type]} plays prompts of the library only."
            # The designer offers S3 in Loop prompts, which stands in queue flows alone: the documentation disagrees with itself
            loops = action.type == "MessageParticipantIteratively"
            severity: Severity = "warning" if loops or not view.is_type_sure else "error"
            fix = "Upload the file as a prompt of Amazon Connect and use its PromptId."
            yield Finding("S3_PROMPT_IN_QUEUE_FLOW", action.identifier, severity, message, fix)
