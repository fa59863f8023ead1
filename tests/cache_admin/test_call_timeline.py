from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cache_admin.models import AnswerVersion, CachedAnswer, Call, Incident, Topic, WaitPolicy, WaitPolicyVersion
from cache_admin.previews.call_story import Moment, Story, tell_story
from cache_admin.services.mirror import apply_items, mirror_changes
from cache_admin.services.policy_versions import keep_version
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, generate, login
from tests.cache_admin.test_audio import COMFORT
from tests.cache_admin.test_incidents import flow_event, start
from tests.cache_admin.test_mirror import answer_item, call_item

LIST = "/admin/cache_admin/call/"
RUN = "run-abcdefgh-and-more"
EVENTS = ("3000|prompt|1", "7000|comfort|", "11000|prompt|2", "15250|part|1", "20000|part|2")


@pytest.fixture
def use(db: None, policy: WaitPolicy) -> WaitPolicy:
    """The policy, used by the topic of the calls."""
    topic = Topic.objects.create(name="faq", instructions="Answer.", model_id="m")
    topic.languages.create(language="en-US", wait_policy=policy)
    return policy


def make_call(*events: str, **changes: Any) -> Call:
    call = call_item(1, events=events or EVENTS, run=RUN[:12], outcome="answered", **changes)
    apply_items([answer_item(1, state="READY", token=RUN, chunks=("First part.", "Second part.")), call])
    return Call.objects.get()


def tell(call: Call) -> Story:
    return tell_story(call, sound_seconds=lambda _name: 1.5)


def heard(call: Call) -> list[tuple[str, str]]:
    return [(moment.kind, moment.text) for moment in tell(call).moments if moment.kind != "silence"]


def test_a_call_is_told_in_the_words_of_its_policy_and_its_answer(use: WaitPolicy) -> None:
    use.prompts.create(position=1, text="Still looking.")
    assert heard(make_call()) == [
        ("prompt", "One moment please, I am looking that up."),
        ("comfort", ""),
        ("prompt", "Still looking."),
        ("part", "First part."),
        ("part", "Second part."),
    ]


def test_prompts_are_those_of_the_version_that_was_in_use_then(use: WaitPolicy) -> None:
    keep_version(use, user=None, now=NOW - timedelta(days=1))
    use.prompts.update(text="Words of today.")
    keep_version(use, user=None, now=NOW + timedelta(days=1))
    story = tell(make_call("3000|prompt|1"))
    assert story.is_policy_sure
    assert "One moment please, I am looking that up." in [moment.text for moment in story.moments]


def test_before_the_first_version_the_oldest_is_a_guess_and_said_to_be_one(use: WaitPolicy) -> None:
    keep_version(use, user=None, now=NOW + timedelta(days=1))
    assert not tell(make_call()).is_policy_sure


def test_silence_is_what_lies_between_the_end_of_one_thing_and_the_next(use: WaitPolicy) -> None:
    first, prompt, second, *_rest = tell(make_call()).moments
    assert first == Moment(0.0, "silence", seconds=3.0)
    assert prompt.seconds == pytest.approx(40 / 15)
    assert second.at == pytest.approx(3.0 + 40 / 15)
    assert second.at + second.seconds == pytest.approx(7.0)


def test_a_thing_ends_at_the_latest_when_the_next_begins(use: WaitPolicy) -> None:
    moments = tell(make_call("1000|prompt|1", "1500|part|1")).moments
    assert [moment.seconds for moment in moments if moment.kind == "prompt"] == [0.5]


def test_a_caller_who_hung_up_waiting_heard_silence_until_then(use: WaitPolicy) -> None:
    call = make_call("3000|prompt|1", ended_at=NOW_MS + 9_000)
    assert tell(call).moments[-1].kind == "silence"
    assert tell(call).last == 9.0


def test_the_text_of_a_version_that_was_replaced_is_still_told(use: WaitPolicy) -> None:
    call = make_call()
    apply_items([answer_item(2, state="READY", token="another-run-x", chunks=("Quite another text.",))])
    story = tell(call)
    assert [moment.text for moment in story.moments if moment.kind == "part"] == ["First part.", "Second part."]
    assert story.heard.number == 1


def test_parts_of_a_text_that_was_taken_back_are_told_by_number_only(use: WaitPolicy) -> None:
    call = make_call("1000|part|1", "4000|part|2", "9000|part|1", "12000|part|2")
    texts = [moment.text for moment in tell(call).moments if moment.kind == "part"]
    assert texts == ["", "", "First part.", "Second part."]


def test_an_incident_is_told_by_its_text(db: None) -> None:
    incident = Incident.objects.create(text="All shops are closed.", started_at=NOW, until=NOW)
    apply_items([call_item(1, events=("10|part|1",), run=f"i{incident.pk}", source="incident")])
    assert heard(Call.objects.get()) == [("part", "All shops are closed.")]


@pytest.mark.parametrize(
    "events", [(), ("rubbish",), ("5|prompt|x",), ("5|prompt|99999999999999",), ("5|part|0",), ("9" * 40 + "|part|1",)]
)
def test_whatever_the_record_holds_it_can_be_told(db: None, events: tuple[str, ...]) -> None:
    apply_items([call_item(1, events=events, run="gone")])
    assert tell(Call.objects.get()).heard.chunks == ()


def test_a_real_call_over_the_emulator_is_told_from_the_question_to_its_end(
    store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    now = NOW_MS
    desk = AnswerDesk(store=store, send=lambda _: None, caller_keys=(("k1", b"secret"),), now_ms=lambda: now)
    asked = desk.ask(flow_event(topic="faq", question="Are you open on Sunday?"))
    now += 2_500
    waited = desk.poll(flow_event(ticket=asked.ticket, cursor=asked.cursor, budget="0"))
    start(store, "faq")
    now += 4_000
    desk.poll(flow_event(ticket=waited.ticket, cursor=waited.cursor, budget="0"))
    mirror_changes(store, now=NOW)
    assert heard(Call.objects.get()) == [
        ("prompt", "One moment please, I am looking that up."),
        ("part", "Our shops are closed today because of the storm."),
    ]


# -- the page


def test_the_page_has_a_table_a_drawing_and_the_version(supervisor: Client, site: Aws, use: WaitPolicy) -> None:
    call = make_call("3000|prompt|1", "15250|part|1", ended_at=NOW_MS + 20_000, first_words_at=NOW_MS + 15_250, parts=1)
    page = supervisor.get(f"{LIST}{call.pk}/change/").content.decode()
    assert '<td class="words">First part.</td>' in page
    assert "version 1 of this answer" in page
    assert "the end: answered" in page
    found = re.search(r'<script id="call-drawing" type="application/json">(.*?)</script>', page)
    assert found is not None
    drawing = json.loads(found[1])
    assert [bar["kind"] for bar in drawing["bars"]] == ["silence", "prompt", "silence", "answer"]
    assert drawing["marks"] == [15.25]


def test_words_cannot_break_out_of_the_page(supervisor: Client, site: Aws, use: WaitPolicy) -> None:
    use.prompts.update(text="</script><script>alert(1)</script>")
    page = supervisor.get(f"{LIST}{make_call().pk}/change/").content.decode()
    assert "<script>alert(1)" not in page


def test_recordings_that_were_heard_can_be_played(supervisor: Client, site: Aws, use: WaitPolicy) -> None:
    site.s3.put_object(Bucket=site.bucket, Key="sounds/abc/hum.wav", Body=COMFORT.read_bytes())
    WaitPolicy.objects.update(comfort_audio="sounds/abc/hum.wav")
    page = supervisor.get(f"{LIST}{make_call().pk}/change/").content.decode()
    assert f"s3://{site.bucket}/sounds/abc/hum.wav" in page
    played = supervisor.get(f"{LIST}sound/", {"uri": f"s3://{site.bucket}/sounds/abc/hum.wav"})
    assert b"".join(played) == COMFORT.read_bytes()
    assert supervisor.get(f"{LIST}sound/", {"uri": f"s3://{site.bucket}/documents/a.txt"}).status_code == 404


def test_who_heard_a_version_is_listed_by_its_number(
    supervisor: Client, store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    mirror_changes(store, now=NOW)
    first = CachedAnswer.objects.get().token[:12]
    generate_again(store, answer)
    second = CachedAnswer.objects.get().token[:12]
    apply_items([call_item(1, f"c{n}", key=answer.key, run=run) for n, run in enumerate((first, second, second))])
    call = Call.objects.get(contact_id="c1")
    page = supervisor.get(f"{LIST}{call.pk}/change/").content.decode()
    assert "version 2 of this answer" in page
    link = re.search(r'href="([^"]+)">who else heard it', page)
    assert link is not None
    listed = supervisor.get(link[1].replace("&amp;", "&"))
    assert {row.contact_id for row in listed.context["cl"].result_list} == {"c1", "c2"}
    assert "Calls that heard version 2 of “Are you open on Sunday?”" in listed.content.decode()
    assert AnswerVersion.objects.count() == 2


def test_the_timeline_and_its_sounds_are_for_those_who_may_see_calls(client: Client, site: Aws, db: None) -> None:
    apply_items([call_item(1)])
    login(client, "view_topic")
    assert client.get(f"{LIST}{Call.objects.get().pk}/change/").status_code == 403
    assert client.get(f"{LIST}sound/").status_code == 403


def test_a_page_asks_the_database_a_bounded_number_of_times(
    supervisor: Client, site: Aws, use: WaitPolicy, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        WaitPolicyVersion.objects.create(policy=use, number=n + 1, content={}, saved_at=NOW)
    call = make_call(*(f"{n}000|prompt|{n}" for n in range(1, 60)))
    supervisor.get(f"{LIST}{call.pk}/change/")
    with django_assert_max_num_queries(16):
        supervisor.get(f"{LIST}{call.pk}/change/")


def test_each_text_in_an_answers_history_leads_to_those_who_heard_it(
    supervisor: Client, store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    mirror_changes(store, now=NOW)
    generate_again(store, answer)
    row = CachedAnswer.objects.get()
    page = supervisor.get(f"/admin/cache_admin/cachedanswer/{row.pk}/change/").content.decode()
    for run in AnswerVersion.objects.values_list("run", flat=True):
        assert f"?key__exact={answer.key}&amp;run__exact={run[:12]}" in page


def generate_again(store: AnswerStore, answer: AskedQuestion) -> None:
    store.invalidate(answer.key, reason="old", now_ms=NOW_MS)
    generate(store, answer, "Closed on Sunday.", now_ms=NOW_MS + 60_000)
    mirror_changes(store, now=NOW)
