"""Drift in the admin: asked for, run by housekeeping, every night, and kept with what was found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

import cache_admin.services.reconcile as comparing
from cache_admin.models import CachedAnswer, Call, DriftedRow, Reconciliation
from cache_admin.services import drift
from cache_admin.services.drift import run_if_due, wish_for_reconciliation
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.reconcile import reconcile
from connectgenai.wire.items import CallItem
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from jobs.tasks import reconcile_mirror
from tests.aws import Aws
from tests.cache_admin.conftest import login

LIST = "/admin/cache_admin/reconciliation/"
NOW = timezone.now()
LONG_AGO_MS = round((NOW - timedelta(hours=1)).timestamp() * 1000)
State, Origin = Reconciliation.State, Reconciliation.Origin


@pytest.fixture
def filled(store: AnswerStore) -> AnswerStore:
    """Four answers and a call, mirrored long ago; each answer then goes wrong in its own way, but for the first."""
    for number in range(5):
        asked = AskedQuestion(f"faq.{number}", "faq", "en-US", "everyone", f"Question {number}?", f"question {number}")
        edit = {"seen_version": 0, "revision": 1, "ttl_seconds": 86_400, "now_ms": LONG_AGO_MS}
        store.publish(asked, chunks=[f"Answer {number}."], **edit)  # type: ignore[arg-type]
    call = CallItem("contact-1", "faq.0", asked_at=LONG_AGO_MS, last_seen_at=LONG_AGO_MS, outcome="answered")
    store.record_call(call, now_ms=LONG_AGO_MS)
    mirror_changes(store, now=NOW)
    return store


@pytest.fixture
def wrong(filled: AnswerStore, site: Aws) -> AnswerStore:
    CachedAnswer.objects.filter(key="faq.1").delete()
    CachedAnswer.objects.filter(key="faq.2").update(chunks=["Tampered with."])
    site.dynamodb.delete_item(TableName=site.table, Key={"pk": {"S": "A#faq.3"}})
    Call.objects.update(version=0)
    return filled


def wish(*, repair: bool = False, now: datetime = NOW) -> Reconciliation:
    run = wish_for_reconciliation(origin=Origin.SUPERVISOR, repair=repair, now=now)
    assert run is not None
    return run


def house_keeps(store: AnswerStore, *, now: datetime = NOW) -> Reconciliation | None:
    return run_if_due(store, clock=lambda: now)


# -- running


def test_what_was_wished_for_is_run_and_kept_with_the_rows_that_differ(wrong: AnswerStore) -> None:
    wish()
    run = house_keeps(wrong)
    assert run is not None
    assert (run.state, run.compared, run.missing, run.different, run.vanished, run.outdated) == (
        State.DONE,
        5,
        1,
        1,
        1,
        1,
    )
    found = {(row.verdict, row.key, row.contact_id) for row in DriftedRow.objects.all()}
    assert found == {
        ("missing", "faq.1", ""),
        ("different", "faq.2", ""),
        ("vanished", "faq.3", ""),
        ("outdated", "faq.0", "contact-1"),
    }


def test_a_repair_leaves_nothing_but_what_is_only_here(wrong: AnswerStore) -> None:
    wish(repair=True)
    house_keeps(wrong)
    wish()
    run = house_keeps(wrong)
    assert run is not None
    assert (run.drifted, run.vanished) == (1, 1)
    assert CachedAnswer.objects.get(key="faq.2").text == "Answer 2."


def test_a_repair_never_writes_an_older_item_over_what_the_mirror_has_brought_since(
    filled: AnswerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    CachedAnswer.objects.filter(key="faq.4").update(chunks=["Tampered with."])
    rewrite = comparing._rewrite

    def mirror_comes_first(model: Any, wrong: list[tuple[Any, Any]]) -> None:
        filled.invalidate("faq.4", reason="wrong", now_ms=LONG_AGO_MS + 1)
        mirror_changes(filled, now=NOW)
        rewrite(model, wrong)

    monkeypatch.setattr(comparing, "_rewrite", mirror_comes_first)
    reconcile(filled, repair=True, now=NOW)
    assert CachedAnswer.objects.get(key="faq.4").state == CachedAnswer.State.INVALID


def test_what_changes_while_it_is_compared_is_no_drift(filled: AnswerStore) -> None:
    now_ms = round(NOW.timestamp() * 1000)
    filled.invalidate("faq.4", reason="wrong", now_ms=now_ms - 1_000)  # and the mirror has not come yet
    assert reconcile(filled, repair=False, now=NOW).is_none
    assert reconcile(filled, repair=False, now=NOW + timedelta(minutes=1)).outdated == 1


def test_what_is_past_its_time_is_no_drift_on_either_side(filled: AnswerStore) -> None:
    CachedAnswer.objects.filter(key="faq.1").delete()
    assert reconcile(filled, repair=False, now=NOW + timedelta(days=60)).is_none


def test_every_night_is_compared_once_without_being_asked(filled: AnswerStore) -> None:
    night = datetime(2026, 3, 1, 2, 5, tzinfo=UTC)
    assert house_keeps(filled, now=night - timedelta(hours=1)) is None
    run = house_keeps(filled, now=night)
    assert run is not None
    assert (run.origin, run.repair, run.asked_by) == (Origin.SCHEDULE, False, None)
    assert house_keeps(filled, now=night + timedelta(minutes=30)) is None
    assert house_keeps(filled, now=night + timedelta(days=1)) is not None


def test_of_two_wishes_at_once_one_is_taken(filled: AnswerStore) -> None:
    wish()
    assert wish_for_reconciliation(origin=Origin.SUPERVISOR, repair=True, now=NOW) is None


def test_of_two_workers_one_runs_it(filled: AnswerStore) -> None:
    run = wish()
    assert drift.run_reconciliation(run, filled, clock=lambda: NOW)
    assert not drift.run_reconciliation(run, filled, clock=lambda: NOW)


def test_a_run_whose_worker_died_makes_room_for_the_next(filled: AnswerStore) -> None:
    dead = wish()
    Reconciliation.objects.update(state=State.RUNNING, touched_at=NOW)
    assert wish_for_reconciliation(origin=Origin.SUPERVISOR, repair=False, now=NOW + timedelta(minutes=4)) is None
    wish(now=NOW + timedelta(minutes=6))
    dead.refresh_from_db()
    assert (dead.state, dead.error) == (State.FAILED, "the worker stopped")


def test_an_outage_of_dynamodb_is_the_runs_result(filled: AnswerStore) -> None:
    wish()
    run = house_keeps(AnswerStore(filled._table._client, table="nowhere"))
    assert run is not None
    assert run.state == State.FAILED
    assert "DynamoDB does not serve" in run.error


def test_a_run_tells_how_far_it_is(filled: AnswerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache_admin.services.reconcile.BATCH", 2)
    told = []
    reconcile(filled, repair=False, now=NOW, watch=lambda found: told.append(found.compared))
    assert told == [2, 4, 5, 6]


def test_only_so_many_runs_are_kept(filled: AnswerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "KEPT", 2)
    for minute in range(4):
        wish(now=NOW + timedelta(minutes=minute))
        house_keeps(filled, now=NOW + timedelta(minutes=minute))
    assert Reconciliation.objects.count() == 2


def test_the_command_keeps_its_result_too(filled: AnswerStore) -> None:
    call_command("reconcile")
    run = Reconciliation.objects.get()
    assert (run.origin, run.state, run.compared) == (Origin.COMMAND, State.DONE, 6)


def test_the_command_gives_way_to_a_run_that_is_under_way(filled: AnswerStore) -> None:
    wish(now=timezone.now())
    with pytest.raises(CommandError, match="under way"):
        call_command("reconcile")


def test_the_command_says_when_dynamodb_does_not_serve(filled: AnswerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTGENAI_TABLE", "nowhere")
    with pytest.raises(CommandError, match="DynamoDB does not serve"):
        call_command("reconcile")


# -- the pages


def test_a_supervisor_asks_and_sees_the_result_with_ways_to_the_rows(wrong: AnswerStore, supervisor: Client) -> None:
    page = supervisor.post(f"{LIST}compare/", follow=True).content.decode()
    assert "Waiting for housekeeping" in page
    assert LogEntry.objects.get().user.get_username() == "ada"
    reconcile_mirror()
    assert "4 rows differ from DynamoDB." in supervisor.get(LIST).content.decode()
    run = Reconciliation.objects.get()
    assert run.asked_by == User.objects.get()
    detail = supervisor.get(f"{LIST}{run.pk}/change/").content.decode()
    tampered, call = CachedAnswer.objects.get(key="faq.2"), Call.objects.get()
    assert f"/admin/cache_admin/cachedanswer/{tampered.pk}/change/" in detail
    assert f"/admin/cache_admin/call/{call.pk}/change/" in detail
    assert "Only here, before their time" in detail
    assert "faq.1" in detail


def test_a_repair_asks_first(wrong: AnswerStore, supervisor: Client) -> None:
    page = supervisor.post(f"{LIST}compare/", {"repair": "yes"}).content.decode()
    assert "Repair the copy?" in page
    assert not Reconciliation.objects.exists()
    supervisor.post(f"{LIST}compare/", {"repair": "yes", "confirmed": "yes"})
    assert Reconciliation.objects.get().repair


def test_a_mirror_that_is_true_is_said_to_be(filled: AnswerStore, supervisor: Client) -> None:
    assert "Nothing has been compared yet" in supervisor.get(LIST).content.decode()
    wish()
    house_keeps(filled)
    assert "All 6 rows are as DynamoDB has them." in supervisor.get(LIST).content.decode()


def test_the_first_page_says_how_much_drift_is_known(wrong: AnswerStore, supervisor: Client) -> None:
    assert "rows of drift" not in supervisor.get("/admin/").content.decode()  # nothing is known yet
    wish(repair=True)
    house_keeps(wrong)
    assert "<b>1</b> <span>rows of drift</span>" in supervisor.get("/admin/").content.decode()


def test_a_supervisor_repairs(wrong: AnswerStore, supervisor: Client) -> None:
    supervisor.post(f"{LIST}compare/", {"repair": "yes", "confirmed": "yes"})
    reconcile_mirror()
    assert "4 rows differed." in supervisor.get(LIST).content.decode()
    assert CachedAnswer.objects.get(key="faq.1").text == "Answer 1."


def test_a_running_comparison_shows_how_far_it_is(filled: AnswerStore, supervisor: Client) -> None:
    wish(now=timezone.now())
    values = {"state": State.RUNNING, "touched_at": timezone.now(), "compared": 30, "expected": 120}
    Reconciliation.objects.update(**values)
    page = supervisor.get(f"{LIST}progress/").content.decode()
    assert "30 of about 120" in page
    assert 'value="25"' in page
    assert "under way already" in supervisor.post(f"{LIST}compare/", follow=True).content.decode()


def test_a_wish_that_nobody_takes_up_is_complained_of(filled: AnswerStore, supervisor: Client) -> None:
    wish(now=timezone.now() - timedelta(minutes=2))
    assert "Housekeeping has not begun" in supervisor.get(LIST).content.decode()


def test_comparing_and_repairing_each_need_their_own_right(filled: AnswerStore, client: Client) -> None:
    login(client, "view_reconciliation", "run_reconciliation")
    assert client.post(f"{LIST}compare/", {"repair": "yes"}).status_code == 403
    assert "Compare and repair" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}compare/").status_code == 302


@pytest.mark.parametrize("path", ["", "progress/"])
def test_whoever_may_not_look_sees_nothing(client: Client, path: str, db: None) -> None:
    login(client, "view_call")
    assert client.get(LIST + path).status_code == 403
