from __future__ import annotations

from typing import Any

from cache_admin.models import Topic
from cache_admin.services.estimates import learn_estimates, typical_seconds
from cache_admin.services.mirror import apply_items
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW, NOW_MS
from tests.cache_admin.test_mirror import answer_item


def made(seconds: float, number: int, **changes: Any) -> None:
    """An answer whose first words came after so many seconds."""
    began = NOW_MS + number * 60_000
    first = round(began + seconds * 1000)
    times = {"asked_at": began - 5_000, "started_at": began, "first_chunk_at": first, "finished_at": first + 9_000}
    apply_items([answer_item(1, f"faq.{number}", **{**times, "source": "generated", "state": "READY", **changes})])


def test_the_median_of_generated_answers_is_told_to_the_lambdas(store: AnswerStore, topic: Topic) -> None:
    for number, seconds in enumerate((3.0, 4.2, 100.0, 1.0, 6.0)):
        made(seconds, number)
    assert learn_estimates(store, now=NOW) == {"faq": 5}
    item = store.read_topic("faq")
    assert item is not None
    assert item.estimate_seconds == 5


def test_four_answers_are_too_few_to_say(store: AnswerStore, topic: Topic) -> None:
    for number in range(4):
        made(3.0, number)
    made(3.0, 4, source="curated")
    made(3.0, 5, topic="other")
    assert learn_estimates(store, now=NOW) == {"faq": 0}


def test_an_unchanged_estimate_is_not_written_again(store: AnswerStore, topic: Topic) -> None:
    for number in range(5):
        made(3.0, number)
    learn_estimates(store, now=NOW)
    before = store.read_topic("faq")
    learn_estimates(store, now=NOW)
    assert before is not None
    assert store.read_topic("faq") == before


def test_only_the_last_fifty_answers_count(db: None) -> None:
    for number in range(60):
        made(30.0 if number < 10 else 2.0, number)
    assert typical_seconds("faq") == 2
    for number in range(60, 100):
        made(9.0, number)
    assert typical_seconds("faq") == 9


def test_a_text_that_was_held_until_checked_is_timed_by_its_end(db: None) -> None:
    for number in range(5):
        made(3.0, number, first_chunk_at=0)
    assert typical_seconds("faq") == 12


def test_a_topic_that_was_never_published_is_passed_over(store: AnswerStore, db: None) -> None:
    Topic.objects.create(name="draft", instructions="x", model_id="y")
    assert learn_estimates(store, now=NOW) == {"draft": 0}
