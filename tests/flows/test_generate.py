"""Our flows import into Connect: no finding, exported spelling, a tidy drawing, and clear words for settings that make none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.flow_types import CONTACT_FLOW, CUSTOMER_QUEUE, MODULE
from flows.generate import MODES, NATIVE, POLL, QUEUE, FlowSettingsError, build_flow, find_consumer_arn, generate_flow
from flows.language import Flow, parse_flow
from flows.linter import lint
from flows.rehearsal import EXAMPLE_ARNS

SOUND = "s3://sounds/comfort.wav"
PROMPT_ARN = "arn:aws:connect:us-east-1:111122223333:instance/example/prompt/QueueMusic"
POLICIES = {
    "nothing set": WaitPolicy(),
    "texts and a sound": WaitPolicy(
        comfort_audio=SOUND, comfort_seconds=1.2, prompts=(WaitPrompt(text="One moment."), WaitPrompt(text="Soon."))
    ),
    "SSML and recordings": WaitPolicy(
        prompts=(WaitPrompt(ssml='<speak>One <break time="1s"/> moment.</speak>'), WaitPrompt(audio="s3://b/soon.wav"))
    ),
    "a sound of unknown length alone": WaitPolicy(comfort_audio=SOUND),
    "more prompts than take turns, for ten minutes": WaitPolicy(
        max_wait=600, interval=3, prompts=tuple(WaitPrompt(text=f"Prompt {n}.") for n in range(12))
    ),
    "hardly any patience": WaitPolicy(max_wait=5, hold=0.0, interval=0.5, first_prompt_after=0.1),
}
EVERY = [
    pytest.param(mode, is_module, policy, id=f"{mode}{'-module' * is_module}-{name}")
    for (mode, is_module, (name, policy)) in product(MODES, (False, True), POLICIES.items())
]


def build(mode: str = POLL, **settings: Any) -> Flow:
    return build_flow(mode, **{"topic": "store-faq", "policy": WaitPolicy(), **EXAMPLE_ARNS, **settings})


@pytest.mark.parametrize("language", ["", "en-US", "de-DE", "ja-JP"])
@pytest.mark.parametrize(("mode", "is_module", "policy"), EVERY)
def test_the_linter_finds_nothing(mode: str, is_module: bool, policy: WaitPolicy, language: str) -> None:
    for prompt_arn in ("", PROMPT_ARN):
        flow = build(mode, is_module=is_module, policy=policy, language=language, hold_prompt_arn=prompt_arn)
        exported = parse_flow(flow.to_json().encode())
        assert lint(exported) == []
        assert lint(exported, channels=("VOICE", "CHAT")) == []


@pytest.mark.parametrize(("mode", "is_module", "policy"), EVERY)
def test_every_scalar_parameter_is_a_text_as_in_exports(mode: str, is_module: bool, policy: WaitPolicy) -> None:
    for action in build(mode, is_module=is_module, policy=policy).actions:
        assert [value for value in find_scalars(action.parameters) if not isinstance(value, str)] == []


def find_scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from find_scalars(inner)
    else:
        yield value


@pytest.mark.parametrize(("mode", "is_module", "policy"), EVERY)
def test_no_two_blocks_lie_on_each_other_in_the_designer(mode: str, is_module: bool, policy: WaitPolicy) -> None:
    drawn = build(mode, is_module=is_module, policy=policy).content["Metadata"]["ActionMetadata"]
    places = [(data["position"]["x"], data["position"]["y"]) for data in drawn.values()]
    near = [
        (a, b) for i, a in enumerate(places) for b in places[:i] if abs(a[0] - b[0]) < 200 and abs(a[1] - b[1]) < 150
    ]
    assert near == []


@pytest.mark.parametrize(("mode", "is_module", "policy"), EVERY)
def test_it_stays_far_within_connects_limits(mode: str, is_module: bool, policy: WaitPolicy) -> None:
    flow = build(mode, is_module=is_module, policy=policy)
    assert len(flow.actions) < 80
    assert len(flow.to_json()) < 60_000
    assert max(len(action.identifier) for action in flow.actions) <= 20


@pytest.mark.parametrize(
    ("mode", "is_module", "kind"),
    [
        (POLL, False, CONTACT_FLOW),
        (NATIVE, False, CONTACT_FLOW),
        (QUEUE, False, CUSTOMER_QUEUE),
        *[(mode, True, MODULE) for mode in MODES],
    ],
)
def test_its_type_is_the_one_that_it_has_to_be_imported_as(mode: str, is_module: bool, kind: str) -> None:
    assert build(mode, is_module=is_module).type == kind


def test_the_same_settings_make_the_same_file() -> None:
    assert build(NATIVE).to_json() == build(NATIVE).to_json()


def test_the_content_is_that_of_the_flow() -> None:
    settings = {"topic": "store-faq", "policy": WaitPolicy(), **EXAMPLE_ARNS}
    assert generate_flow(POLL, **settings) == build(POLL).content


def test_a_language_sets_the_contacts_language_and_a_voice_of_it() -> None:
    flow = build(language="de-DE")
    assert flow.by_id["SetLanguage"].parameters == {"LanguageCode": "de-DE"}
    assert flow.by_id["SetVoice"].parameters["TextToSpeechVoice"] == "Vicki"
    assert flow.by_id["Moment"].parameters["Text"] == "Einen Moment, bitte."


def test_without_a_language_the_contacts_own_is_asked_in() -> None:
    flow = build()
    assert "SetLanguage" not in flow.by_id
    assert flow.by_id["Ask"].parameters["LambdaInvocationAttributes"]["language"] == "$.LanguageCode"


def test_the_topics_own_apology_is_said() -> None:
    assert build(policy=WaitPolicy(apology="So sorry!")).by_id["Apologize"].parameters == {"Text": "So sorry!"}


@pytest.mark.parametrize("max_wait", [5, 60, 600, 3_600])
def test_the_back_stop_comes_after_the_longest_wait(max_wait: float) -> None:
    flow = build(policy=WaitPolicy(max_wait=max_wait, hold=2.0))
    counts = [int(flow.by_id[name].parameters["LoopCount"]) for name in ("Backstop", "Backstop2") if name in flow.by_id]
    assert (math.prod(counts) * 2.5) > max_wait


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "push"}, "there is no mode 'push': choose poll, native, queue"),
        ({"producer_arn": ""}, "the Producer's ARN is missing"),
        (
            {"producer_arn": "arn:aws:lambda:us-east-1:1:function:ask", "consumer_arn": ""},
            "the Consumer's ARN is missing",
        ),
        ({"queue_arn": ""}, "the ARN of the queue is missing"),
        ({"question": "Why?"}, "the question is a reference"),
    ],
)
def test_settings_that_make_no_flow_are_named(settings: dict[str, str], said: str) -> None:
    with pytest.raises(FlowSettingsError, match=said):
        build(**settings)


def test_a_module_and_a_queue_flow_need_no_queue_to_hand_over_to() -> None:
    assert "SetQueue" not in build(POLL, is_module=True, queue_arn="").by_id
    assert "SetQueue" not in build(QUEUE, queue_arn="").by_id


def test_the_consumers_arn_is_told_from_the_producers() -> None:
    before = "arn:aws:lambda:us-east-1:111122223333:function:"
    assert find_consumer_arn(f"{before}faq-producer-prod:live") == f"{before}faq-consumer-prod:live"
    assert find_consumer_arn("connectgenai-producer") == "connectgenai-consumer"
    assert find_consumer_arn(f"{before}ask:live") == ""
