"""After the approval: who looks after a text, when it is due, when it is not heard any more; and imports on their way there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localdate

from cache_admin.mapping import epoch_ms
from cache_admin.models import AnswerVersion, ApprovedAnswer, CachedAnswer, ReviewItem, Topic, WarmBatch, WarmRow
from cache_admin.review.caring import count_reviews_due, find_stale, mark_verified
from cache_admin.roles import REVIEWERS, VIEWERS
from cache_admin.services.mirror import apply_items
from cache_admin.services.retention import apply_retention
from cache_admin.services.topics import publish_topic
from cache_admin.warming.publishing import publish_rows
from connectgenai.wire.store import HIT, AnswerStore, find_outcome
from tests.cache_admin.conftest import NOW, ask, generate, login
from tests.cache_admin.test_review import QUESTION, TEXT, ada, bob, made, person, strict
from tests.cache_admin.test_review_admin import ANSWERS, enter

__all__ = ["ada", "bob", "strict"]
LIST = "/admin/cache_admin/approvedanswer/"


def publish(store: AnswerStore, question: str = QUESTION, *, ttl: int = 3_600, seen: int = 0) -> CachedAnswer:
    """A person's text that everybody hears."""
    at, now_ms = ask(question), epoch_ms(timezone.now())
    apply_items([
        store.publish(at, chunks=[TEXT], seen_version=seen, revision=1, ttl_seconds=ttl, now_ms=now_ms)
    ])  # fmt: skip
    return CachedAnswer.objects.get(key=at.key)


def due(question: str, days: int, store: AnswerStore, owner: User | None = None) -> ApprovedAnswer:
    answer = publish(store, question)
    day = localdate(timezone.now()) + timedelta(days=days)
    ApprovedAnswer.objects.filter(answer=answer).update(verify_by=day, owner=owner)
    return ApprovedAnswer.objects.get(answer=answer)


@pytest.mark.parametrize(
    ("query", "questions"),
    [
        ("", ["Is it dry?", "Is it far?"]),
        ("owner=me", ["Is it far?"]),
        ("due=later", ["Is it new?"]),
        ("q=dry", ["Is it dry?"]),
        ("due=all", ["Is it dry?", "Is it far?", "Is it new?"]),
    ],
)
def test_what_is_due_is_listed_overdue_first(
    client: Client, strict: Topic, store: AnswerStore, query: str, questions: list[str]
) -> None:
    enter(client, REVIEWERS)
    due("Is it far?", 0, store, User.objects.get())
    due("Is it dry?", -3, store)
    due("Is it new?", 4, store)
    publish(store, "Is it old?")  # has no date
    assert [row.question for row in client.get(f"{LIST}?{query}").context["cl"].result_list] == questions


def test_still_right_moves_the_date_on_and_the_date_can_be_set(
    client: Client, strict: Topic, store: AnswerStore
) -> None:
    enter(client, REVIEWERS)
    user, row = User.objects.get(), due(QUESTION, -3, store)
    client.post(LIST, {"action": "still_right", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (row.verify_by, row.verified_by) == (localdate(timezone.now()) + timedelta(days=30), user)
    page = client.get(f"{ANSWERS}{row.answer_id}/change/").content.decode()
    assert "Verified: still right" in page
    client.post(f"{LIST}care/{row.answer_id}/", {"do": "care", "owner": user.pk, "verify_by": "2027-03-01"})
    row.refresh_from_db()
    assert (str(row.verify_by), row.owner) == ("2027-03-01", user)
    client.post(f"{LIST}care/{row.answer_id}/", {"do": "care", "owner": "", "verify_by": "soon"})
    assert str(ApprovedAnswer.objects.get().verify_by) == "2027-03-01"


def test_who_only_looks_sets_no_date(client: Client, strict: Topic, store: AnswerStore) -> None:
    row = due(QUESTION, 0, store)
    enter(client, VIEWERS)
    assert client.post(f"{LIST}care/{row.answer_id}/", {"do": "verify"}).status_code == 403
    assert "Verified: still right" not in client.get(f"{ANSWERS}{row.answer_id}/change/").content.decode()


def test_an_approved_text_of_an_older_state_of_its_topic_is_stale_until_somebody_says_it_is_right(
    client: Client, strict: Topic, store: AnswerStore
) -> None:
    enter(client, REVIEWERS)
    answer = publish(store)
    mark_verified(answer.key, by=person("carl"), now=NOW)
    AnswerVersion.objects.update(author=person("dora"))
    Topic.objects.update(instructions="Answer at length.")
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    assert [stale.why for stale in find_stale(now=timezone.now())] == ["stale"]
    assert QUESTION in client.get(f"{LIST}stale/").content.decode()
    client.post(f"{LIST}care/{answer.pk}/", {"do": "verify", "back": "stale"})
    found, topic = store.read_answer(answer.key, consistent=True), store.read_topic("faq")
    assert topic is not None
    assert find_outcome(found, topic, now_ms=epoch_ms(timezone.now())) == HIT
    assert find_stale(now=timezone.now()) == []
    latest = AnswerVersion.objects.latest("pk")
    assert (latest.why, str(latest.author)) == ("Verified: still right.", "dora")


def test_a_text_whose_time_is_over_is_stale_also_when_the_models_has_taken_its_place(
    topic: Topic, store: AnswerStore
) -> None:
    answer = publish(store, ttl=1)
    later = timezone.now() + timedelta(seconds=5)
    assert [stale.why for stale in find_stale(now=later)] == ["expired"]
    generate(store, ask(QUESTION), "Perhaps.", now_ms=epoch_ms(later))
    item = store.read_answer(answer.key, consistent=True)
    assert item is not None
    apply_items([item])
    assert [stale.why for stale in find_stale(now=later)] == ["replaced"]


def test_what_somebody_has_withdrawn_needs_nobody_to_look_after_it(topic: Topic, store: AnswerStore) -> None:
    answer = publish(store)
    apply_items([store.invalidate(answer.key, reason="wrong", now_ms=epoch_ms(timezone.now()))])
    assert not ApprovedAnswer.objects.exists()


@pytest.mark.parametrize("four_eyes", [False, True])
def test_who_wrote_a_text_does_not_verify_it_alone_where_it_takes_four_eyes(
    client: Client, strict: Topic, store: AnswerStore, four_eyes: bool
) -> None:
    Topic.objects.update(four_eyes=four_eyes)
    enter(client, REVIEWERS)
    row = due(QUESTION, 0, store)
    AnswerVersion.objects.update(author=User.objects.get())
    client.post(f"{LIST}care/{row.answer_id}/", {"do": "verify"})
    row.refresh_from_db()
    assert (row.verified_at is None) is four_eyes


def test_what_waits_is_counted_for_everybody_and_for_one(strict: Topic, store: AnswerStore, ada: User) -> None:
    due("Is it far?", 0, store, ada)
    due("Is it dry?", -3, store)
    apply_items([made(), made(question="Is it open?")])
    ReviewItem.objects.filter(question=QUESTION).update(owner=ada)
    assert count_reviews_due(ada, now=timezone.now()) == {"in_review": 2, "due": 2, "mine": 2}
    assert count_reviews_due(None, now=timezone.now()) == {"in_review": 2, "due": 2, "mine": 0}


@pytest.mark.parametrize(("writer", "is_heard"), [("ada", True), ("bob", False)])
def test_imported_answers_go_to_review_unless_who_imports_may_approve(
    strict: Topic, store: AnswerStore, ada: User, bob: User, writer: str, is_heard: bool
) -> None:
    by = {"ada": ada, "bob": bob}[writer]
    batch = WarmBatch.objects.create(kind="answers", state="running", name="hours.csv", created_by=by, created_at=NOW)
    facts: dict[str, Any] = {"batch": batch, "number": 1, "topic": "faq", "language": "en-US", "state": "waiting"}
    row = WarmRow.objects.create(question=QUESTION, answer=TEXT, **facts)
    for _ in range(2):  # the second time after having been cut off
        publish_rows([row], batch=batch, store=store, now=NOW)
    row.refresh_from_db()
    assert row.state == "done"
    assert (store.read_answer(ask(QUESTION).key, consistent=True) is not None) is is_heard
    items = ReviewItem.objects.values_list("source", "state", "note", "version")
    assert list(items) == ([] if is_heard else [("import", "in_review", "Imported from hours.csv", 1)])


def test_items_go_when_the_topic_keeps_words_no_longer(strict: Topic, store: AnswerStore) -> None:
    apply_items([made(), made(question="Is it open?")])
    old = timezone.now() - timedelta(days=strict.keep_days + 1)
    ReviewItem.objects.filter(question=QUESTION).update(changed_at=old)
    apply_retention(store, now=timezone.now())
    assert [item.question for item in ReviewItem.objects.all()] == ["Is it open?"]


def test_who_may_not_see_approvals_sees_no_stale_list(client: Client, strict: Topic) -> None:
    login(client, "view_cachedanswer")
    assert client.get(f"{LIST}stale/").status_code == 403
