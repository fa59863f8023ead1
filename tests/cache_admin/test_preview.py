from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.models import Topic, WaitPolicy
from cache_admin.previews.waiting import Bar, Preview, preview_wait
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy as WirePolicy
from connectgenai.wire.waiting import WaitPrompt
from flows.rehearsal import make_rehearsed_flow, rehearse
from flows.scenarios import Scenario, ScenarioFile
from flows.stage import Model
from local.memory_dynamodb import MemoryDynamoDB
from tests.aws import Aws
from tests.cache_admin.conftest import login
from tests.cache_admin.test_audio import COMFORT
from tests.cache_admin.test_audio_conversion import TONE
from tests.cache_admin.test_waiting_admin import fill_in, fill_in_again, sound

LIST = "/admin/cache_admin/waitpolicy/"
URI = "s3://bucket/sounds/hum.wav"
CALM = WirePolicy(
    prompts=(
        WaitPrompt(text="One moment please."),
        WaitPrompt(ssml='<speak>Still <break time="1s"/> looking.</speak>'),
    ),
    comfort_audio=URI,
    comfort_seconds=1.5,
)


def preview(
    policy: WirePolicy = CALM, *, answer_seconds: float = 20.0, language: str = "en-US", comfort: float = 1.5
) -> Preview:
    return preview_wait(
        policy, answer_seconds=answer_seconds, language=language, answer="It is.", usual_seconds=15,
        sound_seconds=lambda _uri: comfort,
    )  # fmt: skip


def kinds(found: Preview) -> list[str]:
    return [bar.kind for bar in found.bars if bar.kind != "silence"]


def prompts(found: Preview) -> list[Bar]:
    return [bar for bar in found.bars if bar.kind == "prompt"]


def test_prompts_take_turns_with_the_comfort_sound_until_the_answer() -> None:
    found = preview(answer_seconds=30.0)
    assert [bar.text for bar in prompts(found)][:3] == ["One moment please.", "Still  looking.", "One moment please."]
    assert [bar.number for bar in prompts(found)][:3] == [1, 2, 3]
    assert kinds(found)[:3] == ["comfort", "prompt", "comfort"]
    assert kinds(found)[-1] == "answer"
    assert found.first_words == found.bars[-1].at >= 30.0


def test_silence_is_measured_between_what_sounds_within_prompts_too() -> None:
    found = preview()
    silences = [bar.seconds for bar in found.bars if bar.kind == "silence"]
    assert found.longest_silence == max(silences)
    assert found.total_silence == pytest.approx(sum(silences), abs=0.001)
    second = prompts(found)[1]
    assert any(second.at < bar.at < second.at + second.seconds for bar in found.bars if bar.kind == "silence")


def test_what_sounds_and_what_does_not_fill_the_time_without_gaps() -> None:
    policy = replace(CALM, prompts=CALM.prompts[:1])
    edge = 0.0
    for bar in preview(policy).bars:
        assert bar.at == pytest.approx(edge, abs=0.06)
        edge = bar.at + bar.seconds


def test_patience_that_ends_before_the_answer_hands_over() -> None:
    found = preview(replace(CALM, max_wait=10.0, patience_text="A person will help."), answer_seconds=60.0)
    assert found.first_words is None
    assert (found.bars[-1].kind, found.bars[-1].text) == ("hand-over", "A person will help.")
    assert 10.0 <= found.bars[-1].at < 20.0


def test_the_usual_wait_is_said_once_with_the_first_prompt() -> None:
    found = preview(replace(CALM, say_estimate=True, estimate_text="About {seconds} seconds."))
    assert [("About" in bar.text) for bar in prompts(found)][:2] == [True, False]


def test_built_in_words_are_those_of_the_language() -> None:
    found = preview(replace(CALM, max_wait=8.0), answer_seconds=60.0, language="de-DE")
    assert "Ich verbinde Sie mit einem Menschen." in found.bars[-1].text


def test_without_prompts_and_sounds_there_is_nothing_but_dead_air() -> None:
    found = preview(WirePolicy(), answer_seconds=20.0)
    assert kinds(found) == ["answer"]
    assert found.longest_silence == pytest.approx(found.first_words or 0.0, abs=0.1)


def test_a_preview_is_what_a_rehearsed_call_over_the_whole_protocol_comes_to() -> None:
    file = ScenarioFile(scenarios=(), policy=replace(CALM, comfort_seconds=3.0))  # rehearsals take a recording for 3 s
    scenario = Scenario(name="twenty seconds", models=(Model(("It is.",), first_chunk=20.0),))
    store = AnswerStore(MemoryDynamoDB(), table="answers")
    done = rehearse(scenario, make_rehearsed_flow(file), file=file, store=store)
    rehearsed = [(round(e.at, 1), e.text or e.audio) for e in done.transcript.heard if e.text or e.audio]
    found = [(round(bar.at, 1), bar.text or bar.audio) for bar in preview(comfort=3.0).bars if bar.kind != "silence"]
    assert len(found) > 5
    assert found == rehearsed[: len(found)]


def test_a_preview_leaves_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("connectgenai")
    logger.addHandler(caplog.handler)
    try:
        preview()
    finally:
        logger.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records] == []


# -- for a form


def ask(client: Client, filled: dict[str, Any], query: str = "") -> dict[str, Any]:
    response = client.post(f"{LIST}preview/{query}", filled)
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def test_the_preview_is_of_what_is_typed_and_saves_nothing(supervisor: Client, site: Aws, policy: WaitPolicy) -> None:
    typed = fill_in_again(policy, **{"prompts-0-text": "Typed a moment ago.", "name": ""})
    found = ask(supervisor, typed, f"?policy={policy.pk}&language=en-GB")
    assert [line["answer_seconds"] for line in found["timelines"]] == [5.0, 20.0, 60.0]
    assert "Typed a moment ago." in [bar["text"] for bar in found["timelines"][1]["bars"]]
    assert policy.prompts.get().text == "One moment please, I am looking that up."


def test_a_broken_promise_is_shown_and_said(supervisor: Client, site: Aws) -> None:
    found = ask(supervisor, fill_in(interval_seconds="30"))
    assert "Without comfort audio callers hear up to" in found["faults"][0]
    assert found["timelines"][1]["longest_silence"] > 2.5


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"hold_seconds": "NaN"}, "id_hold_seconds", "Enter a number."),
        ({"max_wait_seconds": "-1"}, "id_max_wait_seconds", "greater than or equal to 0"),
        ({"prompts-0-text": "", "prompts-0-ssml": "<speak>"}, "id_prompts-0-ssml", "not well-formed SSML"),
        ({"prompts-0-ssml": "<speak>Hi.</speak>"}, "id_prompts-0-text", "Give exactly one of"),
        ({"comfort_audio": sound(b"rubbish")}, "id_comfort_audio", "neither a WAV nor an MP3 file"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(
    supervisor: Client, site: Aws, changes: dict[str, Any], field: str, why: str
) -> None:
    found = ask(supervisor, fill_in(**changes))
    assert why in found["errors"][field][0]


def test_files_that_are_not_saved_yet_are_measured_and_found_in_the_form(supervisor: Client, site: Aws) -> None:
    files = {
        "comfort_audio": sound(COMFORT.read_bytes()),
        "prompts-0-text": "",
        "prompts-0-audio": SimpleUploadedFile("tone.mp3", TONE.read_bytes()),
    }
    bars = ask(supervisor, fill_in(interval_seconds="6", **files))["timelines"][1]["bars"]
    comfort = next(bar for bar in bars if bar["kind"] == "comfort")
    prompt = next(bar for bar in bars if bar["kind"] == "prompt")
    assert (comfort["input"], comfort["seconds"]) == ("comfort_audio", pytest.approx(1.2))
    assert (prompt["input"], prompt["seconds"]) == ("prompts-0-audio", pytest.approx(1.0, abs=0.15))


def test_saved_sounds_are_measured_and_can_be_played(supervisor: Client, site: Aws, topic: Topic) -> None:
    supervisor.post(
        f"{LIST}add/", fill_in(name="hum", interval_seconds="20", comfort_audio=sound(COMFORT.read_bytes()))
    )
    policy = WaitPolicy.objects.get(name="hum")
    found = json.loads(supervisor.get(f"{LIST}preview/?policy={policy.pk}").content)
    comfort = next(bar for bar in found["timelines"][1]["bars"] if bar["kind"] == "comfort")
    assert comfort["seconds"] == pytest.approx(1.2, abs=0.02)
    played = supervisor.get(comfort["sound"])
    assert b"".join(played) == COMFORT.read_bytes()
    assert played["Content-Type"] == "audio/wav"


def test_nothing_but_our_sounds_is_played(supervisor: Client, site: Aws) -> None:
    site.s3.put_object(Bucket=site.bucket, Key="documents/secret.wav", Body=b"RIFF")
    for uri in (
        f"s3://{site.bucket}/documents/secret.wav",
        "s3://other/sounds/a.wav",
        "",
        "sounds/../documents/secret.wav",
    ):
        assert supervisor.get(f"{LIST}sound/", {"uri": uri}).status_code == 404


def test_who_may_not_see_policies_sees_no_preview(client: Client, policy: WaitPolicy) -> None:
    login(client, "view_call")
    assert client.get(f"{LIST}preview/?policy={policy.pk}").status_code == 403
    assert client.post(f"{LIST}preview/", fill_in()).status_code == 403
    assert client.get(f"{LIST}sound/").status_code == 403
    login(client, "view_waitpolicy")
    assert client.get(f"{LIST}preview/?policy={policy.pk}").status_code == 200


def test_the_page_offers_the_languages_of_the_topics_that_use_the_policy(
    supervisor: Client, topic: Topic, policy: WaitPolicy
) -> None:
    topic.languages.create(language="de-DE", wait_policy=policy, position=1)
    page = supervisor.get(f"{LIST}{policy.pk}/change/").content.decode()
    assert "<option>de-DE</option><option>en-US</option>" in page


def test_who_may_only_look_sees_the_preview_of_what_is_saved(client: Client, policy: WaitPolicy) -> None:
    login(client, "view_waitpolicy")
    page = client.get(f"{LIST}{policy.pk}/change/").content.decode()
    assert f'data-url="/admin/cache_admin/waitpolicy/preview/?policy={policy.pk}"' in page
    assert 'name="hold_seconds"' not in page
