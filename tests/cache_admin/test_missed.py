"""Missed questions: what callers waited for in vain or for long, worst first."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cache_admin.models import CachedAnswer, Call, Topic, WarmBatch
from cache_admin.warming import missed
from cache_admin.warming.missed import find_missed
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import ask, login

PAGE = "/admin/cache_admin/missedquestion/"


@pytest.fixture
def now(db: None) -> datetime:
    return timezone.now()


def make_answer(question: str, *, scope: str = "everyone", topic: str = "faq") -> CachedAnswer:
    asked: AskedQuestion = ask(question, topic=topic)
    names = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    return CachedAnswer.objects.create(
        **{**names, "scope": scope}, state="FAILED", changed_at=timezone.now(), reason="busy"
    )


def make_calls(
    answer: CachedAnswer, count: int, *, outcome: str, seconds: float, at: datetime, source: str = ""
) -> None:
    at -= timedelta(minutes=5)
    Call.objects.bulk_create(
        Call(
            contact_id=f"{answer.pk}-{outcome}-{source}-{n}",
            key=answer.key,
            topic=answer.topic,
            language=answer.language,
            outcome=outcome,
            source=source,
            asked_at=at,
            ended_at=at + timedelta(seconds=seconds),
            last_seen_at=at,
            changed_at=at,
        )
        for n in range(count)
    )


def find(now: datetime, **chosen: str) -> list[missed.Missed]:
    return find_missed(since=now - timedelta(hours=1), until=now, **chosen).rows


def test_callers_seconds_and_those_who_hung_up_are_counted_by_question(now: datetime) -> None:
    answer = make_answer("Do you sell stamps?")
    make_calls(answer, 3, outcome="abandoned", seconds=10, at=now)
    make_calls(answer, 2, outcome="busy", seconds=0, at=now)
    make_calls(answer, 4, outcome="answered", source="generated", seconds=5, at=now)
    make_calls(answer, 1, outcome="answered", source="joined", seconds=5, at=now)
    make_calls(answer, 9, outcome="answered", source="hit", seconds=5, at=now)
    (row,) = find(now)
    assert row.counts == {"abandoned": 3, "busy": 2, "missed": 5}
    assert (row.callers, row.abandoned, round(row.seconds)) == (10, 3, 55)
    assert row.score == pytest.approx(10 * (1 + 5.5) * (1 + 3), rel=1e-4)


def test_the_worst_comes_first(now: datetime) -> None:
    for question, count, outcome, seconds in (
        ("Few who waited?", 2, "timed_out", 20),
        ("Many who waited little?", 5, "failed", 1),
        ("Some who hung up?", 3, "abandoned", 20),
    ):
        make_calls(make_answer(question), count, outcome=outcome, seconds=seconds, at=now)
    rows = missed.add_answers(find(now))
    assert [row.answer.question for row in rows if row.answer] == [
        "Some who hung up?", "Few who waited?", "Many who waited little?",
    ]  # fmt: skip


def test_topic_language_reason_and_time_narrow_it(now: datetime) -> None:
    here, there = make_answer("Is it here?"), make_answer("Is it there?", topic="other")
    make_calls(here, 1, outcome="busy", seconds=1, at=now)
    make_calls(there, 1, outcome="failed", seconds=1, at=now)
    make_calls(there, 1, outcome="timed_out", seconds=1, at=now - timedelta(hours=2))
    assert [row.key for row in find(now, topic="other")] == [there.key]
    assert [row.key for row in find(now, reason="busy")] == [here.key]
    assert find(now, language="de-DE") == []
    assert find(now, reason="timed_out") == []


def test_only_so_many_calls_are_looked_at_and_the_page_says_so(
    now: datetime, monkeypatch: pytest.MonkeyPatch, supervisor: Client
) -> None:
    monkeypatch.setattr(missed, "LOOKED_AT", 3)
    make_calls(make_answer("Why is it slow?"), 5, outcome="busy", seconds=1, at=now)
    found = find_missed(since=now - timedelta(hours=1), until=now)
    assert found.is_capped
    assert found.rows[0].callers == 3
    assert "There were more calls than are counted here" in supervisor.get(PAGE).content.decode()


def test_each_row_leads_to_its_calls_and_its_answer(now: datetime, supervisor: Client) -> None:
    answer = make_answer("Do you sell stamps?")
    make_calls(answer, 2, outcome="abandoned", seconds=10, at=now)
    page = supervisor.get(PAGE).content.decode()
    assert f"/admin/cache_admin/cachedanswer/{answer.pk}/change/" in page
    assert f"/admin/cache_admin/call/?q={answer.key}" in page
    assert "hung up while waiting" in page


def test_the_number_of_queries_does_not_grow_with_the_rows(now: datetime, supervisor: Client) -> None:
    counts = []
    for n in range(2):
        for question in range(20):
            make_calls(make_answer(f"Is it {n} {question}?"), 1, outcome="busy", seconds=1, at=now)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            supervisor.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_one_click_has_the_question_answered(topic: Topic, site: Aws, store: AnswerStore, supervisor: Client) -> None:
    answer = make_answer("Do you sell stamps?")
    make_calls(answer, 1, outcome="busy", seconds=1, at=timezone.now())
    reply = supervisor.post(PAGE, {"generate": answer.pk})
    assert reply["Location"] == f"/admin/cache_admin/cachedanswer/{answer.pk}/change/"
    item = store.read_answer(answer.key, consistent=True)
    assert item is not None
    assert item.state == "PENDING"


def test_a_callers_own_question_is_not_warmed(topic: Topic, site: Aws, store: AnswerStore, supervisor: Client) -> None:
    answer = make_answer("Do you sell stamps?", scope="caller:k1:abc")
    make_calls(answer, 1, outcome="busy", seconds=1, at=timezone.now())
    assert "one caller&#x27;s own" in (page := supervisor.get(PAGE).content.decode()) or "one caller's own" in page
    assert "nothing to warm" in supervisor.post(PAGE, {"generate": answer.pk}, follow=True).content.decode()
    assert store.read_answer(answer.key, consistent=True) is None


def test_whoever_may_only_look_gets_no_buttons_and_cannot_generate(client: Client, now: datetime) -> None:
    answer = make_answer("Do you sell stamps?")
    make_calls(answer, 1, outcome="busy", seconds=1, at=now)
    login(client, "view_missedquestion")
    assert 'name="generate"' not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"generate": answer.pk}).status_code == 403
    login(client, "view_call")
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize(
    "query", ["?hours=x", "?topic=nope", "?reason=;drop", "?page=999", "?hours=99999999", "?page=-1"]
)
def test_a_mistyped_address_shows_the_page_all_the_same(query: str, now: datetime, supervisor: Client) -> None:
    assert supervisor.get(PAGE + query).status_code == 200


@pytest.mark.parametrize("wish", ["", "x", "0", "9" * 40])
def test_a_question_that_is_not_there_is_said_so(wish: str, now: datetime, supervisor: Client) -> None:
    page = supervisor.post(PAGE, {"generate": wish}, follow=True).content.decode()
    assert re.search("Choose a question", page)


def test_the_chosen_ones_become_a_batch_to_be_confirmed(topic: Topic, site: Aws, supervisor: Client) -> None:
    answer, other = make_answer("Do you sell stamps?"), make_answer("Do you sell coins?", scope="caller:k1:abc")
    reply = supervisor.post(PAGE, {"batch": "1", "chosen": [answer.pk, other.pk, "x"]})
    batch = WarmBatch.objects.get()
    assert reply["Location"] == f"/admin/cache_admin/warmbatch/{batch.pk}/change/"
    assert [(row.question, row.chosen) for row in batch.rows.all()] == [("Do you sell stamps?", True)]
    assert "Choose a question" in supervisor.post(PAGE, {"batch": "1"}, follow=True).content.decode()
