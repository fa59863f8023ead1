"""Batches that begin by themselves: at a time of day, or when answers' time is over."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from cache_admin.models import CachedAnswer, Topic, WarmBatch, WarmSchedule
from cache_admin.warming.schedules import is_due, run_due
from connectgenai.wire.question import AskedQuestion
from tests.cache_admin.conftest import ask

NOW = datetime(2027, 1, 15, 5, 30, tzinfo=UTC)  # a Friday
PAGE = "/admin/cache_admin/warmschedule/"


def make_answer(
    question: str, *, calls: int = 1, ends: datetime = NOW - timedelta(hours=1), **more: Any
) -> CachedAnswer:
    asked = ask(question)
    names = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    facts = {
        "state": "READY",
        "source": "generated",
        "chunks": ["Yes."],
        "revision": 1,
        "version": 1,
        "changed_at": NOW,
    }
    return CachedAnswer.objects.create(**{**names, **facts, "calls": calls, "expires_at": ends, **more})


def make_schedule(topic: Topic, **wish: Any) -> WarmSchedule:
    return WarmSchedule.objects.create(topic=topic, **{"when": "daily", "at": time(5, 0), **wish})


def find_questions() -> list[str]:
    return [row.question for row in WarmBatch.objects.get().rows.filter(chosen=True).order_by("number")]


def test_what_is_asked_most_and_has_no_good_answer_is_warmed_by_itself(topic: Topic) -> None:
    make_schedule(topic, most_asked=3)
    make_answer("Asked rarely?", calls=1)
    make_answer("Asked often?", calls=9)
    make_answer("Asked most?", calls=12, ends=NOW + timedelta(days=1))
    make_answer("Asked sometimes?", calls=5)
    make_answer("Never asked?", calls=0)
    assert run_due(now=NOW) == 1
    assert WarmBatch.objects.get().state == "running"
    assert find_questions() == ["Asked often?", "Asked sometimes?"]


def test_a_time_of_day_comes_once_a_day(topic: Topic) -> None:
    make_schedule(topic)
    make_answer("Are you open?")
    assert [run_due(now=NOW + timedelta(minutes=n)) for n in range(3)] == [1, 0, 0]
    WarmBatch.objects.all().delete()
    assert run_due(now=NOW + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("wish", "now", "expected"),
    [
        ({}, NOW, True),
        ({}, NOW - timedelta(hours=1), False),
        ({}, NOW + timedelta(hours=3), False),
        ({"days": "12345"}, NOW + timedelta(days=1), False),
        ({"days": "123456"}, NOW + timedelta(days=1), True),
        ({"at": None}, NOW, False),
        ({"when": "ended"}, NOW + timedelta(hours=9), True),
        ({"when": "ended", "last_run_at": NOW}, NOW + timedelta(seconds=30), False),
    ],
)
def test_it_is_due_on_its_days_at_its_time(topic: Topic, wish: Any, now: datetime, expected: bool) -> None:
    assert is_due(make_schedule(topic, **wish), now=now) is expected


def test_the_time_is_the_sites_own(topic: Topic, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    schedule = make_schedule(topic)
    assert not is_due(schedule, now=NOW)
    assert is_due(schedule, now=NOW + timedelta(hours=5))


def test_answers_whose_time_is_over_are_renewed_and_supervisors_texts_are_not(topic: Topic) -> None:
    make_schedule(topic, when="ended")
    make_answer("Is it over?")
    make_answer("Is it written?", source="curated")
    make_answer("Is it good?", ends=NOW + timedelta(days=1))
    assert run_due(now=NOW) == 1
    assert find_questions() == ["Is it over?"]


def test_what_is_under_way_already_is_not_begun_twice(topic: Topic) -> None:
    make_schedule(topic, when="ended")
    make_answer("Is it over?")
    assert [run_due(now=NOW), run_due(now=NOW + timedelta(minutes=2))] == [1, 0]
    assert WarmBatch.objects.count() == 1


def test_nothing_to_do_leaves_no_batch_behind(topic: Topic) -> None:
    make_schedule(topic)
    make_answer("Is it good?", ends=datetime(2100, 1, 1, tzinfo=UTC))
    assert run_due(now=NOW) == 0
    assert not WarmBatch.objects.exists()


def test_what_is_switched_off_does_not_run(topic: Topic) -> None:
    make_schedule(topic, enabled=False)
    make_answer("Are you open?")
    assert run_due(now=NOW) == 0


def test_a_schedule_is_made_in_the_admin_and_needs_its_time(topic: Topic, supervisor: Client) -> None:
    wish = {
        "topic": topic.pk,
        "enabled": "on",
        "when": "daily",
        "at": "",
        "days": "12345",
        "most_asked": "50",
        "hours_ahead": "12",
    }
    assert "Say at what time" in supervisor.post(f"{PAGE}add/", wish).content.decode()
    supervisor.post(f"{PAGE}add/", {**wish, "at": "05:30"})
    schedule = WarmSchedule.objects.get()
    assert (schedule.at, schedule.days, schedule.most_asked) == (time(5, 30), "12345", 50)
    assert "Monday to Friday" in supervisor.get(PAGE).content.decode()
