"""What a flow itself plays while an asynchronous Lambda runs: a topic's prompts in turn, and its sound between them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

from connectgenai.wire.speech import escape_ssml
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.runner.speech import LONGEST_BREAK_SECONDS

# A sound whose length nobody has measured
COMFORT_SECONDS: Final = 2.0
MOST_PROMPTS: Final = 8
VOICE_ROW, CHAT_ROW = 6, 8

Brief = dict[str, Any]
Briefs = dict[str, Brief]


def hold_voice(policy: WaitPolicy) -> tuple[Briefs, str]:
    """The Continue branch for voice, and where it begins: gap, prompt, gap, prompt ... and again from the first prompt."""
    prompts = policy.prompts[:MOST_PROMPTS]
    briefs: Briefs = {}
    names = ["Gap0", *(name for i in range(1, len(prompts) + 1) for name in (f"Prompt{i}", f"Gap{i}")), "HoldLoop"]
    places = {name: column for column, name in enumerate(names)}
    for name, following in pairwise(names):
        number = int(name.removeprefix("Gap").removeprefix("Prompt"))
        if name.startswith("Prompt"):
            message = speak(prompts[number - 1])
            briefs[name] = _play(message, following, at=[places[name], VOICE_ROW])
        else:
            seconds = policy.interval - prompts[number - 1].seconds if number else policy.first_prompt_after
            briefs |= _make_gap(name, policy, seconds, following, column=places[name])
    again = "Prompt1" if prompts else "Gap0"
    briefs["HoldLoop"] = _make_loop("100", again, "Apologize", at=[places["HoldLoop"], VOICE_ROW])
    return briefs, "Gap0"


def speak(prompt: WaitPrompt) -> dict[str, Any]:
    """A wait prompt as the parameters of a Play prompt."""
    if prompt.audio:
        return {"Media": {"Uri": prompt.audio, "SourceType": "S3", "MediaType": "Audio"}}
    return {"SSML": prompt.ssml} if prompt.ssml else {"Text": prompt.text}


def _play(message: dict[str, Any], following: str, *, at: list[int]) -> Brief:
    return {
        "at": at,
        "does": "MessageParticipant",
        "with": message,
        "next": following,
        "errors": {"NoMatchingError": following},
    }


def _make_gap(name: str, policy: WaitPolicy, seconds: float, following: str, *, column: int) -> Briefs:
    """The comfort sound as often as fits between two prompts; without one, a pause within the longest silence."""
    at = [column, VOICE_ROW]
    if not policy.comfort_audio:
        pause = min(max(seconds, 0.5), policy.max_silence, LONGEST_BREAK_SECONDS)
        return {name: _play({"SSML": make_pause(pause)}, following, at=at)}
    times = max(1, round(seconds / (policy.comfort_seconds or COMFORT_SECONDS)))
    message = {"Media": {"Uri": policy.comfort_audio, "SourceType": "S3", "MediaType": "Audio"}}
    if times == 1:
        return {name: _play(message, following, at=at)}
    again = f"{name}Again"
    # a Loop counts the times that it sends back: one less than the sound is played
    count = _make_loop(str(times - 1), name, following, at=[column, VOICE_ROW + 1])
    return {name: _play(message, again, at=at), again: count}


def _make_loop(count: str, again: str, done: str, *, at: list[int]) -> Brief:
    ways = {"Equals ContinueLooping": again, "Equals DoneLooping": done}
    return {"at": at, "does": "Loop", "with": {"LoopCount": count}, "when": ways}


def make_pause(seconds: float) -> str:
    """SSML that is silent for so long."""
    return f'<speak><break time="{round(seconds * 1000)}ms"/></speak>'


def hold_chat(policy: WaitPolicy, *, moment: str) -> tuple[Briefs, str]:
    """Waits for chat, each ending in the next prompt's words, and where they begin.

    A chat is not played to: between two prompts it waits for the Lambda, without a Continue branch.
    """
    texts = [prompt.text for prompt in policy.prompts[:MOST_PROMPTS] if prompt.text] or [moment]
    briefs: Briefs = {"ChatWait0": _make_wait(policy.first_prompt_after, "ChatPrompt1", column=1)}
    for number, text in enumerate(texts, start=1):
        following = f"ChatPrompt{number + 1}" if number < len(texts) else "ChatLoop"
        briefs[f"ChatPrompt{number}"] = _play({"Text": text}, f"ChatWait{number}", at=[2 * number, CHAT_ROW])
        briefs[f"ChatWait{number}"] = _make_wait(policy.interval, following, column=1 + 2 * number)
    briefs["ChatLoop"] = _make_loop("100", "ChatPrompt1", "Apologize", at=[2 + 2 * len(texts), CHAT_ROW])
    return briefs, "ChatWait0"


def _make_wait(seconds: float, following: str, *, column: int) -> Brief:
    returned = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": "$.FlowAttributes.invocation"}}}
    return {
        "at": [column, CHAT_ROW],
        "does": "Wait",
        "with": {"TimeLimitSeconds": str(max(1, math.ceil(seconds))), "InterruptibleEvents": returned},
        "when": {"Equals LambdaReturned": "Load", "Equals WaitCompleted": following},
        "errors": {"NoMatchingError": "Apologize"},
    }


def hold_in_line(words: str, *, prompt_arn: str) -> list[dict[str, str]]:
    """What Loop prompts plays to callers in a queue: a prompt of the library, or words with a pause."""
    if prompt_arn:
        return [{"PromptId": prompt_arn}]
    return [{"SSML": f'<speak>{escape_ssml(words)}<break time="8s"/></speak>'}]
