"""Batches of questions: previewed, sent a few at a time, paused, cancelled, tried again, and cut off anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.test import Client
from django.utils import timezone

from cache_admin import gateways
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, ModelLimit, Topic, WarmBatch, WarmRow
from cache_admin.warming import batches, driving
from cache_admin.warming.batches import make_typed_batch
from cache_admin.warming.driving import drive_batches
from cache_admin.warming.estimate import estimate_batch, measure_batch
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore, Usage
from tests.aws import Aws
from tests.cache_admin.conftest import ask, generate, login

LIST = "/admin/cache_admin/warmbatch/"
Drive = Callable[..., None]


@pytest.fixture
def drive(site: Aws, store: AnswerStore) -> Drive:
    """One turn of housekeeping, now or later."""

    def turn(later: timedelta = timedelta(0), queue: Any = None) -> None:
        queue = queue or gateways.prewarm_queue()
        drive_batches(store, queue, InMemoryStorage(), clock=lambda: timezone.now() + later)

    return turn


def make(*questions: str, topic: str = "faq", language: str = "") -> WarmBatch:
    return make_typed_batch(questions, topic=topic, language=language, name="typed", by=None, now=timezone.now())


def start(*questions: str) -> WarmBatch:
    batch = make(*questions)
    assert batches.confirm(batch, now=timezone.now())
    return batch


def states(batch: WarmBatch) -> list[str]:
    return [str(row.state) for row in batch.rows.order_by("number")]


def verdicts(batch: WarmBatch) -> list[str]:
    return [str(row.verdict) for row in batch.rows.order_by("number")]


def work(store: AnswerStore, question: str, *, fails: bool = False) -> None:
    """Plays the worker on a question that has been claimed."""
    asked: AskedQuestion = ask(question)
    item = store.read_answer(asked.key, consistent=True)
    assert item is not None
    run: dict[str, Any] = {"epoch": item.epoch, "token": "worker", "now_ms": epoch_ms(timezone.now())}
    store.start(asked.key, revision=1, **run)
    if fails:
        store.fail(asked.key, reason="model_down", remember_seconds=0, **run)
    else:
        usage = Usage(model="local.extractive-v1", input_tokens=100, output_tokens=20)
        store.finish(asked.key, chunks=["So it is."], revision=1, ttl_seconds=900, usage=usage, **run)


def count_queued() -> int:
    return gateways.count_queued("CONNECTGENAI_PREWARM_QUEUE_URL")


# -- the preview


def test_the_preview_says_what_is_new_known_doubled_and_no_question(topic: Topic, store: AnswerStore) -> None:
    generate(store, ask("Are you open?"), "We are.", now_ms=epoch_ms(timezone.now()))
    item = store.read_answer(ask("Are you open?").key, consistent=True)
    assert item is not None
    from cache_admin.services.mirror import apply_items

    apply_items([item])
    batch = make("Are you open?", "Do you sell stamps?", "do you sell stamps", "???", "", "Where is my order 12345?")
    assert verdicts(batch) == ["same", "new", "conflict", "invalid", "invalid"]
    assert [row.chosen for row in batch.rows.order_by("number")] == [False, True, False, False, False]
    assert "row 2" in batch.rows.get(number=3).reason


def test_an_outdated_text_of_a_supervisor_is_a_conflict(topic: Topic, store: AnswerStore) -> None:
    asked = ask("Are you open?")
    names = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    CachedAnswer.objects.create(
        **names, state="READY", source="curated", chunks=["Yes."], changed_at=timezone.now(), version=3
    )
    batch = make("Are you open?")
    assert verdicts(batch) == ["conflict"]
    assert not batches.confirm(batch, now=timezone.now())


def test_topics_that_are_not_shared_and_languages_that_are_not_offered_are_refused_row_by_row(topic: Topic) -> None:
    assert verdicts(make("Are you open?", topic="nope")) == ["invalid"]
    assert verdicts(make("Are you open?", language="de-DE")) == ["invalid"]
    Topic.objects.update(sharing="caller")
    assert verdicts(make("Are you open?")) == ["invalid"]


def test_only_chosen_rows_begin_and_invalid_ones_never(topic: Topic, drive: Drive) -> None:
    batch = make("Do you sell stamps?", "Do you sell coins?", "???")
    rows = list(batch.rows.order_by("number"))
    batches.choose_rows(batch, shown=[row.pk for row in rows], chosen=[rows[1].pk, rows[2].pk])
    batches.choose_all(batch, verdict="invalid", chosen=True)
    assert batches.confirm(batch, now=timezone.now())
    drive()
    assert states(batch) == ["planned", "sent", "planned"]


def test_a_second_click_confirms_nothing_twice(topic: Topic) -> None:
    batch = start("Do you sell stamps?")
    assert not batches.confirm(batch, now=timezone.now())
    batches.choose_all(batch, verdict="new", chosen=False)
    assert batch.rows.filter(chosen=True).count() == 1


# -- working off


def test_no_more_than_so_many_are_under_way(topic: Topic, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "UNDER_WAY", 2)
    batch = start(*(f"Do you sell {thing}?" for thing in ("stamps", "coins", "books", "pens")))
    drive()
    drive()
    assert states(batch) == ["sent", "sent", "waiting", "waiting"]
    assert count_queued() == 2


def test_rows_end_with_what_became_of_them_and_the_batch_with_its_rows(
    topic: Topic, store: AnswerStore, drive: Drive
) -> None:
    batch = start("Do you sell stamps?", "Do you sell coins?")
    drive()
    work(store, "Do you sell stamps?")
    work(store, "Do you sell coins?", fails=True)
    drive()
    batch.refresh_from_db()
    assert states(batch) == ["done", "failed"]
    assert batch.rows.get(number=2).failure == "model_down"
    assert batch.state == WarmBatch.State.DONE
    progress = batches.read_progress(batch)
    assert (progress.input_tokens, progress.output_tokens, progress.total, progress.over) == (100, 20, 2, 2)


def test_failures_can_be_tried_again(topic: Topic, store: AnswerStore, drive: Drive) -> None:
    batch = start("Do you sell stamps?")
    drive()
    work(store, "Do you sell stamps?", fails=True)
    drive()
    assert batches.retry_failures(batch) == 1
    drive()
    work(store, "Do you sell stamps?")
    drive()
    batch.refresh_from_db()
    assert (states(batch), batch.state) == (["done"], "done")
    assert batches.retry_failures(batch) == 0


def test_a_paused_batch_sends_nothing_more_and_goes_on_where_it_was(
    topic: Topic, store: AnswerStore, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "UNDER_WAY", 1)
    batch = start("Do you sell stamps?", "Do you sell coins?")
    drive()
    assert batches.pause(batch)
    work(store, "Do you sell stamps?")
    drive()
    assert states(batch) == ["sent", "waiting"]
    assert batches.resume(batch)
    drive()
    assert states(batch) == ["done", "sent"]


def test_a_cancelled_batch_stays_cancelled(topic: Topic, store: AnswerStore, drive: Drive) -> None:
    batch = start("Do you sell stamps?")
    drive()
    assert batches.cancel(batch, now=timezone.now())
    work(store, "Do you sell stamps?")
    drive()
    batch.refresh_from_db()
    assert (states(batch), batch.state) == (["cancelled"], "cancelled")
    assert not batches.resume(batch)
    assert not batches.cancel(batch, now=timezone.now())


def test_a_row_whose_worker_died_between_claim_and_note_is_taken_up_again(
    topic: Topic, store: AnswerStore, drive: Drive
) -> None:
    batch = start("Do you sell stamps?")
    drive()
    WarmRow.objects.update(state="waiting", sent_at=None, epoch=0)  # as if the note had never been made
    drive()
    assert states(batch) == ["sent"]
    assert count_queued() == 1
    work(store, "Do you sell stamps?")
    drive()
    assert batches.read_progress(batch).output_tokens == 20


def test_what_got_lost_on_the_way_is_sent_again(topic: Topic, site: Aws, drive: Drive) -> None:
    start("Do you sell stamps?")
    drive()
    site.sqs.purge_queue(QueueUrl=site.environment["CONNECTGENAI_PREWARM_QUEUE_URL"])
    drive(timedelta(seconds=30))
    assert count_queued() == 0
    drive(timedelta(minutes=31))
    drive(timedelta(minutes=31, seconds=1))
    assert count_queued() == 1


def test_an_answer_that_never_comes_fails_at_last(topic: Topic, drive: Drive) -> None:
    batch = start("Do you sell stamps?")
    drive()
    drive(timedelta(hours=2))
    assert states(batch) == ["failed"]


def test_without_sqs_nothing_is_lost(topic: Topic, store: AnswerStore, drive: Drive) -> None:
    class Silent:
        def send(self, request: GenerationRequest) -> None:
            raise QueueUnavailableError("away")

    batch = start("Do you sell stamps?")
    drive(queue=Silent())
    assert states(batch) == ["waiting"]
    drive()
    assert states(batch) == ["sent"]


def test_two_workers_do_not_drive_one_batch_at_the_same_time(topic: Topic, drive: Drive) -> None:
    batch = start("Do you sell stamps?")
    WarmBatch.objects.update(leased_until=timezone.now() + timedelta(seconds=30))
    drive()
    assert states(batch) == ["waiting"]
    drive(timedelta(seconds=31))  # the other one has died
    assert states(batch) == ["sent"]


# -- what it costs


def test_the_estimate_counts_prompt_and_typical_answer_and_prices_if_they_are_known(topic: Topic) -> None:
    Topic.objects.update(instructions="x" * 4_000, max_tokens=50)
    batch = make("Do you sell stamps?", "Do you sell coins?")
    estimate = estimate_batch(batch)
    assert (estimate.questions, estimate.input_tokens, estimate.output_tokens) == (2, 2_340, 100)
    assert estimate.dollars is None
    prices = {"input_price": Decimal("0.001"), "output_price": Decimal("0.01")}
    ModelLimit.objects.create(model_id=topic.model_id, **prices)
    assert estimate_batch(batch).dollars == Decimal("0.00334")


def test_what_was_used_is_measured_and_known_answers_cost_nothing(
    topic: Topic, store: AnswerStore, drive: Drive
) -> None:
    batch = start("Do you sell stamps?", "Do you sell coins?")
    generate(store, ask("Do you sell coins?"), "We do.", now_ms=epoch_ms(timezone.now()))
    drive()
    work(store, "Do you sell stamps?")
    drive()
    assert states(batch) == ["done", "done"]
    used = measure_batch(batch)
    assert (used.questions, used.input_tokens, used.output_tokens) == (1, 100, 20)


# -- the pages


def test_questions_are_typed_previewed_confirmed_and_watched(topic: Topic, supervisor: Client, drive: Drive) -> None:
    wish = {"questions": "Do you sell stamps?\n\nDo you sell coins?\n???", "topic": "faq"}
    reply = supervisor.post(f"{LIST}type/", wish)
    batch = WarmBatch.objects.get()
    page = supervisor.get(reply["Location"]).content.decode()
    assert "Do you sell coins?" in page
    assert "2 rows are chosen" in page
    rows = list(batch.rows.filter(verdict="new").order_by("number"))
    form = {"shown": [row.pk for row in rows], "take": [rows[0].pk], "confirm": "1"}
    assert (
        "It begins within seconds" in supervisor.post(f"{LIST}{batch.pk}/choose/", form, follow=True).content.decode()
    )
    drive()
    found = supervisor.get(f"{LIST}{batch.pk}/progress/").json()
    assert (found["state"], found["is_moving"], found["percent"]) == ("running", True, 0)
    assert {"name": "under way", "value": "1"} in found["figures"]


@pytest.mark.parametrize("wish", ["pause", "resume", "cancel", "retry", "explode"])
def test_steering_twice_or_out_of_turn_changes_nothing(topic: Topic, supervisor: Client, wish: str) -> None:
    batch = make("Do you sell stamps?")
    for _ in range(2):
        reply = supervisor.post(f"{LIST}{batch.pk}/steer/", {"do": wish}, follow=True)
        assert reply.status_code == 200
    batch.refresh_from_db()
    assert batch.state == ("cancelled" if wish == "cancel" else "preview")


def test_what_was_typed_is_kept_when_it_cannot_be_read(topic: Topic, supervisor: Client) -> None:
    page = supervisor.post(f"{LIST}type/", {"questions": "Do you sell stamps?", "topic": "nope"}).content.decode()
    assert "Do you sell stamps?" in page
    assert "Please correct what is marked below" in page
    many = supervisor.post(f"{LIST}type/", {"questions": "a b\n" * 2_001, "topic": "faq"}).content.decode()
    assert "more than 2,000 lines" in many


def test_each_right_opens_its_own_pages_only(topic: Topic, client: Client) -> None:
    batch = make("Do you sell stamps?")
    login(client, "view_warmbatch", "import_warmbatch")
    assert client.get(f"{LIST}{batch.pk}/change/").status_code == 200
    assert client.get(f"{LIST}{batch.pk}/progress/").status_code == 200
    for path in ("type/", "warm/"):
        assert client.get(LIST + path).status_code == 403
    for path in ("choose/", "steer/"):
        assert client.get(f"{LIST}{batch.pk}/{path}").status_code == 405
        assert client.post(f"{LIST}{batch.pk}/{path}").status_code == 403
    assert "Type or paste" not in client.get(LIST).content.decode()
    login(client, "prewarm_cachedanswer")
    assert client.get(f"{LIST}{batch.pk}/change/").status_code == 403
    assert client.get(f"{LIST}answers/").status_code == 403


def test_a_post_without_the_token_is_refused(topic: Topic, site: Aws) -> None:
    from django.contrib.auth.models import User

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("eve", password="x"))
    batch = make("Do you sell stamps?")
    assert browser.post(f"{LIST}{batch.pk}/steer/", {"do": "cancel"}).status_code == 403


def test_pages_of_rows_follow_one_another(topic: Topic, supervisor: Client) -> None:
    batch = make(*(f"Do you sell {n} stamps and {n} coins?" for n in range(60)))
    first = supervisor.get(f"{LIST}{batch.pk}/change/").content.decode()
    assert 'value="verdict=new&amp;after=50"' in first
    second = supervisor.get(f"{LIST}{batch.pk}/change/?verdict=new&after=50").content.decode()
    assert second.count('name="shown"') == 10
    odd = supervisor.get(f"{LIST}{batch.pk}/change/?verdict=no&after=x")
    assert odd.status_code == 200


def is_recent(time: datetime | None) -> bool:
    return time is not None and timezone.now() - time < timedelta(minutes=1)


def test_the_page_of_a_batch_that_is_over_says_so(
    topic: Topic, supervisor: Client, store: AnswerStore, drive: Drive
) -> None:
    batch = start("Do you sell stamps?")
    drive()
    work(store, "Do you sell stamps?", fails=True)
    drive()
    page = supervisor.get(f"{LIST}{batch.pk}/change/").content.decode()
    assert "Retry what failed" in page
    assert "left alone for a while" in page
    batch.refresh_from_db()
    assert is_recent(batch.ended_at)
