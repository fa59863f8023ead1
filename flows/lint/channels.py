"""Which channels' contacts certainly reach an action, by the Check contact attributes blocks on $.Channel before it."""

from __future__ import annotations

from collections.abc import Iterator

from flows.action_type import CHAT, VOICE
from flows.finding import Finding
from flows.language import Action, Transition
from flows.lint.view import FlowView, find_known

UNKNOWN = "?"
# What is left when a flow has sorted out its voice contacts
OTHER = "OTHER"
# Who compares with one of these lets data choose what is played: which contacts go where is then not for sure
FORMATS = frozenset({"ssml", "text", "prompt", "audio", "media", "voice", "chat", "nothing"})


def find_channels(view: FlowView) -> dict[str, frozenset[str]]:
    """For each reachable action the channels whose contacts come to it: known ones, OTHER than voice, or UNKNOWN."""
    start = view.channels or frozenset({UNKNOWN})
    found: dict[str, frozenset[str]] = {view.flow.start: start} if view.flow.start in view.graph else {}
    waiting = list(found)
    while waiting:
        action = view.get(waiting.pop())
        for way, channels in _split(action, found[action.identifier]):
            before = found.get(way.target, frozenset())
            if way.target in view.graph and not channels <= before:
                found[way.target] = before | channels
                waiting.append(way.target)
    return found


def _split(action: Action, channels: frozenset[str]) -> Iterator[tuple[Transition, frozenset[str]]]:
    if action.type != "Compare" or action.parameters.get("ComparisonValue") != "$.Channel":
        chosen = any(way.operand.lower() in FORMATS for way in action.conditions)
        yield from ((way, frozenset({UNKNOWN}) if chosen else channels) for way in action.transitions)
        return
    left = channels
    for way in action.conditions:
        named = way.operand.upper()
        if way.operator == "Equals" and (named in left or UNKNOWN in left or (OTHER in left and named != VOICE)):
            yield way, frozenset({named})
        left = left - {named}
        if named == VOICE and UNKNOWN in left:
            left = left - {UNKNOWN} | {OTHER}
    yield from ((way, left) for way in action.transitions if way.kind != "condition")


def check_channels(view: FlowView) -> Iterator[Finding]:
    """What chat contacts cannot hear or answer, where they certainly come to it."""
    channels = find_channels(view)
    for action in view.walk():
        chat = channels.get(action.identifier, frozenset()) & {CHAT, OTHER}
        if not chat:
            continue
        who = "chat contacts" if CHAT in chat else "contacts that are not voice (chat, for one)"
        known = find_known(action)
        fix = "Ask $.Channel before it (Check contact attributes), and give chat contacts a Text of their own."
        if action.parameters.get("SSML") and action.type == "MessageParticipant":
            message = f"{view.name(action)} speaks SSML and is reached by {who}, who read its tags."
            yield Finding("SSML_ON_CHAT", action.identifier, "warning", message, fix)
        elif _is_audio(action) or (known is not None and VOICE in known.channels):
            message = f"{view.name(action)} works for voice only and is reached by {who}: they take its error branch."
            yield Finding("VOICE_ONLY_ON_CHAT", action.identifier, "warning", message, fix)


def _is_audio(action: Action) -> bool:
    return action.type == "MessageParticipant" and any(action.parameters.get(name) for name in ("PromptId", "Media"))
