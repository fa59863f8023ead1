"""What the contact hears, sees and answers: prompts, keys and Lex bots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.action_type import NO_CONDITION
from flows.language import Action
from flows.runner.call import Call, to_number
from flows.runner.contact import Turn
from flows.runner.hearing import understand
from flows.runner.outcome import HELD, ON, CallEndedError, Outcome, error, result
from flows.runner.speech import Prompt, PromptError, make_prompt

MESSAGES = ("Text", "SSML", "PromptId", "Media")
# Admin guide, "Store customer input": what the attribute holds when nothing was entered
NO_INPUT = "Timeout"
INTERDIGIT_SECONDS = 5.0
# What lasts less passes no time on a clock of microseconds: repeating it would never end
SHORTEST_SECONDS = 1e-3
MOST_KEYS = 20
# How long a bot waits for the first word; a person who types in place of a caller gets more
SPEAKING_SECONDS, TYPING_SECONDS = 5.0, 60.0


def message_participant(call: Call, action: Action) -> Outcome:
    """Play prompt."""
    try:
        call.line.play(_prompt(call, action.parameters), action=action.identifier)
    except PromptError as refused:
        return error(str(refused))
    return ON


def _prompt(call: Call, message: Mapping[str, Any]) -> Prompt:
    looked_up = {name: call.contact.resolve(message[name]) for name in MESSAGES if name in message}
    prompt = make_prompt(
        looked_up,
        is_voice=call.contact.caller.is_voice,
        flow_type=call.flow_type,
        audio_seconds=call.instance.audio_seconds,
    )
    if prompt.ssml and not call.contact.caller.is_voice:
        call.line.note("SSML is shown with its tags: it is for voice only")
    return prompt


def message_participant_iteratively(call: Call, action: Action) -> Outcome:
    """Loop prompts: for ever, or until the interrupt."""
    if not call.contact.caller.is_voice:
        return error("Loop prompts is for voice only")
    messages = action.parameters.get("Messages")
    try:
        prompts = [_prompt(call, _as_map(message)) for message in (messages if isinstance(messages, list) else ())]
    except PromptError as refused:
        return error(str(refused))
    if not prompts or sum(prompt.seconds for prompt in prompts) < SHORTEST_SECONDS:
        return error("Loop prompts has nothing to play")
    interrupt = call.seconds(action, "InterruptFrequencySeconds", 0.0)
    if interrupt <= 0:
        return _play_for_ever(call, action, prompts)
    ends = call.line.now() + interrupt
    while ends - call.line.now() > SHORTEST_SECONDS:
        for prompt in prompts:
            if ends - call.line.now() > SHORTEST_SECONDS:
                call.line.play(_shorten(prompt, ends - call.line.now()), action=action.identifier)
    return result("MessagesInterrupted")


def _shorten(prompt: Prompt, seconds: float) -> Prompt:
    """The prompt as far as it comes before it is interrupted."""
    kept, left = [], seconds
    for segment in prompt.segments:
        if left > 0:
            kept.append(type(segment)(min(segment.seconds, left), segment.is_sound))
            left -= segment.seconds
    return Prompt(prompt.text, prompt.audio, tuple(kept), prompt.ssml)


def _play_for_ever(call: Call, action: Action, prompts: list[Prompt]) -> Outcome:
    while True:
        for prompt in prompts:
            call.line.play(prompt, action=action.identifier)
        if not call.has_end:
            raise CallEndedError(HELD, "the contact waits in the queue")


def get_participant_input(call: Call, action: Action) -> Outcome:
    """Get customer input, and Store customer input: keys, which cut the prompt short."""
    if not call.contact.caller.is_voice:
        return error("keys are for voice only; chat needs Amazon Lex here")
    line = call.line
    line.keys.clear()  # keys pressed before the block are not captured (re:Post, "Store and Get customer input blocks")
    if any(action.parameters.get(name) for name in MESSAGES):
        try:
            line.play(_prompt(call, action.parameters), action=action.identifier, until=lambda: bool(line.keys))
        except PromptError as refused:
            return error(str(refused))
    limit = call.seconds(action, "InputTimeLimitSeconds", 5.0)
    if action.parameters.get("StoreInput") == "True":
        return _store_input(call, action, limit)
    line.wait(limit, until=lambda: bool(line.keys))
    if not line.keys:
        return error("no key was pressed", kind="InputTimeLimitExceeded")
    return result(line.keys.pop(0))


def _store_input(call: Call, action: Action, limit: float) -> Outcome:
    settings = _as_map(action.parameters.get("DTMFConfiguration"))
    validation = _as_map(action.parameters.get("InputValidation"))
    longest = _as_map(validation.get("CustomValidation")).get("MaximumLength")
    try:
        most = int(call.contact.text(longest) or MOST_KEYS)
    except ValueError:
        return error(f"MaximumLength is no number: {longest!r}")
    interdigit = to_number(call.contact.text(settings.get("InterdigitTimeLimitSeconds")), default=INTERDIGIT_SECONDS)
    entered = _collect(call, settings, limit=limit, interdigit=interdigit, most=most)
    call.contact.known["StoredCustomerInput"] = entered or NO_INPUT
    if entered and "PhoneNumberValidation" in validation and not 7 <= len(entered.lstrip("+")) <= 15:
        return error(f"{entered!r} is no phone number", kind="InvalidPhoneNumber")
    if entered and action.parameters.get("InputEncryption"):
        call.line.note(
            "what was entered is stored in the clear here, and encrypted in Connect", action=action.identifier
        )
    return ON


def _collect(call: Call, settings: Mapping[str, Any], *, limit: float, interdigit: float, most: int) -> str:
    line, entered = call.line, ""
    ends_with = call.contact.text(settings.get("InputTerminationSequence")) or "#"
    while len(entered) < most:
        line.wait(interdigit if entered else limit, until=lambda: bool(line.keys))
        if not line.keys:
            break
        key = line.keys.pop(0)
        if key == "*" and str(settings.get("DisableCancelKey")) != "True":
            entered = ""
            continue
        entered += key
        if entered.endswith(ends_with):
            return entered.removesuffix(ends_with)
    return entered


def _hear(call: Call, action: Action) -> Turn | None:
    """What is said next: by the script, or by a person; None when the time is over."""
    if call.turns:
        return call.turns.pop(0)
    line = call.line
    line.wait(TYPING_SECONDS if line.has_person else SPEAKING_SECONDS, until=lambda: bool(line.words))
    return understand(call.flow, action, line.words.pop(0)) if line.words else None


def _as_map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def connect_with_lex_bot(call: Call, action: Action) -> Outcome:
    """Get customer input (Amazon Lex): what the bot understands is in the caller's script."""
    line = call.line
    line.words.clear()
    if any(action.parameters.get(name) for name in MESSAGES):
        try:
            line.play(_prompt(call, action.parameters), action=action.identifier, until=lambda: bool(line.words))
        except PromptError as refused:
            return error(str(refused))
    turn = _hear(call, action)
    if turn is None:
        return error("the caller says nothing more", kind="InputTimeLimitExceeded")
    line.wait(turn.seconds)
    asked = call.contact.resolve(_as_map(action.parameters.get("LexSessionAttributes")))
    call.contact.known["Lex"] = {
        "IntentName": turn.intent,
        "Slots": dict(turn.slots),
        "SessionAttributes": {**asked, **turn.session_attributes},
    }
    return result(turn.intent) if turn.intent else error("the bot understood no intent", kind=NO_CONDITION)
