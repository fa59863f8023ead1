from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cache_admin.models import Topic, WaitPolicy, WaitPolicyVersion
from cache_admin.services.audio import measure_recording
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, login
from tests.cache_admin.test_audio import COMFORT, make_pcm
from tests.cache_admin.test_audio_conversion import TONE

LIST = "/admin/cache_admin/waitpolicy/"


def fill_in(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a policy with one prompt."""
    return {
        "name": "calm",
        "hold_seconds": "2.0",
        "first_prompt_after_seconds": "2.0",
        "interval_seconds": "4.0",
        "max_wait_seconds": "90",
        "max_silence_seconds": "2.5",
        "prompts-TOTAL_FORMS": "1",
        "prompts-INITIAL_FORMS": "0",
        "prompts-0-position": "0",
        "prompts-0-text": "One moment please, I am looking that up.",
        **changes,
    }


def fill_in_again(policy: WaitPolicy, **changes: Any) -> dict[str, Any]:
    prompt = policy.prompts.get()
    known = {"prompts-INITIAL_FORMS": "1", "prompts-0-id": str(prompt.pk), "prompts-0-policy": str(policy.pk)}
    return fill_in(**{**known, **changes})


def sound(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("comfort.wav", content)


def test_a_policy_is_saved_with_its_prompts_and_sound(supervisor: Client, site: Aws) -> None:
    filled = fill_in(interval_seconds="20", comfort_audio=sound(COMFORT.read_bytes()))
    assert supervisor.post(f"{LIST}add/", filled)["Location"] == LIST
    policy = WaitPolicy.objects.get()
    assert policy.comfort_seconds == pytest.approx(1.2)
    assert policy.prompts.count() == 1
    stored = site.s3.get_object(Bucket=site.bucket, Key=policy.comfort_audio.name)["Body"].read()
    assert stored == COMFORT.read_bytes()


@pytest.mark.parametrize("file", [SimpleUploadedFile("chime.mp3", TONE.read_bytes()), sound(make_pcm())])
def test_sounds_of_any_kind_are_converted_and_stored_as_connect_plays_them(
    supervisor: Client, site: Aws, file: SimpleUploadedFile
) -> None:
    filled = fill_in(interval_seconds="20", comfort_audio=file)
    assert supervisor.post(f"{LIST}add/", filled)["Location"] == LIST
    policy = WaitPolicy.objects.get()
    assert str(policy.comfort_audio.name).endswith(".wav")
    stored = site.s3.get_object(Bucket=site.bucket, Key=policy.comfort_audio.name)["Body"].read()
    assert policy.comfort_seconds == measure_recording(stored, name="stored") == pytest.approx(1.0, abs=0.15)


def test_a_changed_policy_is_published_with_the_topics_that_use_it(
    supervisor: Client, store: AnswerStore, topic: Topic, policy: WaitPolicy, site: Aws
) -> None:
    changes = {"max_wait_seconds": "45", "prompts-0-text": "", "prompts-0-ssml": "<speak>One moment.</speak>"}
    filled = fill_in_again(policy, comfort_audio=sound(COMFORT.read_bytes()), **changes)
    page = supervisor.post(f"{LIST}{policy.pk}/change/", filled, follow=True).content.decode()
    item = store.read_topic("faq")
    assert item is not None
    published = item.languages()["en-US"]
    assert (published.max_wait, published.prompts[0].ssml) == (45.0, "<speak>One moment.</speak>")
    assert published.comfort_audio == f"s3://{site.bucket}/{WaitPolicy.objects.get().comfort_audio.name}"
    assert item.revision == 1  # how callers wait does not make answers wrong
    assert "Published with 1 topic." in page


def test_prompts_take_turns_in_their_order(
    supervisor: Client, store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    more = {
        "prompts-TOTAL_FORMS": "2",
        "prompts-0-position": "5",
        "prompts-1-position": "1",
        "prompts-1-text": "Hello, I am still looking it up.",
    }
    assert supervisor.post(f"{LIST}{policy.pk}/change/", fill_in_again(policy, **more)).status_code == 302
    item = store.read_topic("faq")
    assert item is not None
    assert [p.text for p in item.languages()["en-US"].prompts] == [
        "Hello, I am still looking it up.",
        "One moment please, I am looking that up.",
    ]
    assert [p.text for p in policy.prompts.all()] == [
        "Hello, I am still looking it up.",
        "One moment please, I am looking that up.",
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"hold_seconds": "7.5"}, "Hold must be 0 to 7 seconds"),
        ({"hold_seconds": "2.6"}, "Hold is silence on the line"),
        ({"max_wait_seconds": "1"}, "The longest wait must be longer than the delay"),
        ({"interval_seconds": "2"}, "The interval is shorter than the longest prompt"),
        ({"interval_seconds": "30"}, "Without comfort audio callers hear up to"),
        ({"prompts-TOTAL_FORMS": "0"}, "Without prompts and comfort audio callers hear nothing at all"),
        ({"prompts-0-ssml": "<speak>Hi.</speak>"}, "Give exactly one of text, SSML and recording."),
        ({"prompts-0-text": "", "prompts-0-ssml": "<speak>"}, "This is not well-formed SSML"),
        ({"estimate_text": "Soon."}, "Write {seconds} where the number goes."),
        ({"comfort_audio": sound(b"ID3" + bytes(99))}, "comfort.wav: it is damaged, or holds no sound."),
        ({"prompts-0-text": "", "prompts-0-audio": sound(b"MP3")}, "comfort.wav: it is neither a WAV nor an MP3 file."),
        ({"hold_seconds": "NaN"}, "Enter a number."),
        ({"max_silence_seconds": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_policy_that_cannot_keep_its_promises_is_refused_with_the_reason(
    supervisor: Client, site: Aws, changes: dict[str, Any], fault: str
) -> None:
    response = supervisor.post(f"{LIST}add/", fill_in(**changes))
    assert response.status_code == 200
    assert fault in response.content.decode()
    assert WaitPolicy.objects.count() == 0


def test_when_dynamodb_does_not_serve_the_policy_is_not_saved_either(
    supervisor: Client, topic: Topic, policy: WaitPolicy, site: Aws
) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    response = supervisor.post(f"{LIST}{policy.pk}/change/", fill_in_again(policy, max_wait_seconds="45"))
    assert "DynamoDB does not serve" in response.content.decode()
    assert WaitPolicy.objects.get().max_wait_seconds == 90.0


def test_a_sound_can_be_taken_away_again(supervisor: Client, policy: WaitPolicy, site: Aws) -> None:
    page = f"{LIST}{policy.pk}/change/"
    supervisor.post(page, fill_in_again(policy, comfort_audio=sound(COMFORT.read_bytes())))
    supervisor.post(page, fill_in_again(policy, **{"comfort_audio-clear": "on"}))
    policy.refresh_from_db()
    assert (policy.comfort_audio.name, policy.comfort_seconds) == ("", 0.0)


def test_a_policy_that_a_topic_uses_is_not_deleted(supervisor: Client, topic: Topic, policy: WaitPolicy) -> None:
    supervisor.post(f"{LIST}{policy.pk}/delete/", {"post": "yes"})
    assert WaitPolicy.objects.count() == 1


# -- versions


def change(supervisor: Client, policy: WaitPolicy, **changes: str) -> None:
    assert supervisor.post(f"{LIST}{policy.pk}/change/", fill_in_again(policy, **changes)).status_code == 302


def test_the_history_says_who_changed_what_and_when(supervisor: Client, topic: Topic, policy: WaitPolicy) -> None:
    change(supervisor, policy, max_wait_seconds="45")
    change(supervisor, policy, max_wait_seconds="45", **{"prompts-0-text": "Hello <b>there</b>, I am looking."})
    page = supervisor.get(f"{LIST}{policy.pk}/history/").content.decode()
    assert page.index("Version 3") < page.index("Version 2") < page.index("Version 1")
    assert "as it was found" in page
    assert "· ada" in page
    assert "<del>90</del>" in page
    assert "<ins>45</ins>" in page
    assert "<ins>Hello &lt;b&gt;there&lt;/b&gt;, I am looking.</ins>" in page
    assert "Have version 3 back" not in page  # it is the one in use


def test_a_version_is_had_back_after_a_question(
    supervisor: Client, store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    change(supervisor, policy, max_wait_seconds="45")
    page = f"{LIST}{policy.pk}/versions/1/"
    asked = supervisor.get(page).content.decode()
    assert "<del>45</del>" in asked
    assert WaitPolicy.objects.get().max_wait_seconds == 45.0
    done = supervisor.post(page, follow=True).content.decode()
    assert "As in version 1 again, published with 1 topic." in done
    assert WaitPolicy.objects.get().max_wait_seconds == 90.0
    item = store.read_topic("faq")
    assert item is not None
    assert item.languages()["en-US"].max_wait == 90.0


def test_when_dynamodb_does_not_serve_the_page_says_so_and_nothing_is_had_back(
    supervisor: Client, site: Aws, topic: Topic, policy: WaitPolicy
) -> None:
    change(supervisor, policy, max_wait_seconds="45")
    site.dynamodb.delete_table(TableName=site.table)
    assert "DynamoDB does not serve" in supervisor.post(f"{LIST}{policy.pk}/versions/1/").content.decode()
    assert WaitPolicy.objects.get().max_wait_seconds == 45.0


def test_who_may_only_look_at_policies_reads_their_history_and_cannot_go_back(
    client: Client, policy: WaitPolicy
) -> None:
    first = WaitPolicyVersion.objects.create(policy=policy, number=1, content={"name": "calm"}, saved_at=NOW)
    WaitPolicyVersion.objects.create(policy=policy, number=2, content={"name": "calm"}, saved_at=NOW)
    login(client, "view_waitpolicy")
    assert "Have version 1 back" not in client.get(f"{LIST}{policy.pk}/history/").content.decode()
    for ask in (client.get, client.post):
        assert ask(f"{LIST}{policy.pk}/versions/{first.number}/").status_code == 403
    login(client, "view_call")
    assert client.get(f"{LIST}{policy.pk}/history/").status_code == 403


def test_a_version_that_never_was_is_not_found(supervisor: Client, policy: WaitPolicy) -> None:
    assert supervisor.get(f"{LIST}{policy.pk}/versions/9/").status_code == 404


def test_a_policy_without_a_version_says_when_there_will_be_one(supervisor: Client, policy: WaitPolicy) -> None:
    assert "from the next save on" in supervisor.get(f"{LIST}{policy.pk}/history/").content.decode()
