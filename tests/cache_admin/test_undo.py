from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cache_admin.audit.undoing import UNDOS, find_undo
from cache_admin.audit.verbs import list_verbs
from cache_admin.incidents.switching import find_running
from cache_admin.models import (
    AnswerVersion,
    ApprovedAnswer,
    AuditEntry,
    CachedAnswer,
    Incident,
    ModelLimit,
    ReviewItem,
    Topic,
    WaitPolicy,
    WarmBatch,
    WarmRow,
    WarmSchedule,
)
from cache_admin.review.candidates import submit_text
from cache_admin.review.deciding import asked
from cache_admin.services.mirror import apply_items
from cache_admin.warming import batches
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW, ask, generate, login
from tests.cache_admin.test_incidents_admin import switch_on
from tests.cache_admin.test_review import strict
from tests.cache_admin.test_review_admin import decide, item
from tests.cache_admin.test_waiting_admin import fill_in, fill_in_again

__all__ = ["item", "strict"]
FIRST = "We are open on Sunday. Come between ten and four."


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    return mirror(store, answer)


def mirror(store: AnswerStore, asked: AskedQuestion) -> CachedAnswer:
    item = store.read_answer(asked.key)
    assert item is not None
    apply_items([item])
    return CachedAnswer.objects.get(key=asked.key)


def invalidate(client: Client, *rows: CachedAnswer) -> None:
    query = "&".join(f"pk={row.pk}" for row in rows)
    client.post(reverse("admin:cache_admin_cachedanswer_invalidate") + f"?{query}", {"reason": "wrong"})


def find_offer(client: Client) -> str:
    """Where the button on the next page leads, "" when there is none."""
    page = client.get(reverse("admin:index")).content.decode()
    _, found, rest = page.partition('class="undo-offer" action="')
    return rest.partition('"')[0] if found else ""


def undo(client: Client) -> str:
    """What the page says after the button was pressed."""
    url = find_offer(client)
    assert url
    return client.post(url, {"next": reverse("admin:index")}, follow=True).content.decode()


def post(client: Client, page: str, *args: Any, **data: Any) -> None:
    response = client.post(reverse(f"admin:cache_admin_{page}", args=args), data)
    assert response.status_code == 302


def test_answers_that_were_invalidated_are_heard_again(
    supervisor: Client, store: AnswerStore, row: CachedAnswer
) -> None:
    other = ask("Is there a lift?")
    generate(store, other, "Yes, beside the door.")
    invalidate(supervisor, row, mirror(store, other))
    assert "2 decisions undone." in undo(supervisor)
    assert [a.text for a in CachedAnswer.objects.filter(state="READY").order_by("pk")] == [
        FIRST,
        "Yes, beside the door.",
    ]
    item = store.read_answer(row.key, consistent=True)
    assert item is not None
    assert item.state == "READY"
    undone = AuditEntry.objects.latest("sequence")
    assert undone.verb == "answer.invalidated.undone"
    assert undone.undoes is not None
    assert AnswerVersion.objects.filter(author__username="ada", why="The earlier text, by undoing.").count() == 2


def test_the_button_is_there_once_and_works_once(supervisor: Client, row: CachedAnswer) -> None:
    invalidate(supervisor, row)
    url = find_offer(supervisor)
    assert find_offer(supervisor) == ""
    supervisor.post(url)
    assert "This cannot be undone any more." in supervisor.post(url, follow=True).content.decode()
    assert AuditEntry.objects.exclude(undoes=None).count() == 1


def test_undoing_is_no_way_around_approval(supervisor: Client, row: CachedAnswer) -> None:
    Topic.objects.update(needs_approval=True)
    invalidate(supervisor, row)
    assert "not approved" in undo(supervisor)
    row.refresh_from_db()
    assert row.state == "INVALID"


def test_an_edit_is_undone_with_its_pin(supervisor: Client, row: CachedAnswer) -> None:
    post(supervisor, "cachedanswer_change", row.pk, text="Closed.", seen_version=row.version, pinned="on")
    undo(supervisor)
    row.refresh_from_db()
    assert (row.text, row.pinned) == (FIRST, False)


def test_what_has_changed_since_is_not_undone(supervisor: Client, store: AnswerStore, row: CachedAnswer) -> None:
    invalidate(supervisor, row)
    url = find_offer(supervisor)
    generate(store, ask(row.question), "A caller has asked again.")
    assert "It has changed since" in supervisor.post(url, follow=True).content.decode()
    assert mirror(store, ask(row.question)).text == "A caller has asked again."


def test_after_ten_minutes_it_is_too_late(
    supervisor: Client, row: CachedAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    invalidate(supervisor, row)
    url = find_offer(supervisor)
    monkeypatch.setattr("cache_admin.audit.undoing.MINUTES", timedelta(0))
    assert "cannot be undone any more" in supervisor.post(url, follow=True).content.decode()


def test_nobody_undoes_what_somebody_else_did_or_what_they_may_not_do(supervisor: Client, row: CachedAnswer) -> None:
    invalidate(supervisor, row)
    url = find_offer(supervisor)
    colleague, viewer = Client(), Client()
    login(colleague, "change_cachedanswer", "invalidate_cachedanswer")
    login(viewer, "view_auditentry")
    for client in (colleague, viewer):
        client.post(url)
    row.refresh_from_db()
    assert row.state == "INVALID"


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_link_does_not_undo(supervisor: Client, row: CachedAnswer, method: str) -> None:
    invalidate(supervisor, row)
    assert getattr(supervisor, method)(find_offer(supervisor)).status_code == 405


def test_the_way_back_leads_nowhere_else(supervisor: Client, row: CachedAnswer) -> None:
    invalidate(supervisor, row)
    found = supervisor.post(find_offer(supervisor), {"next": "https://evil.example.com/"})
    assert found.headers["Location"] == reverse("admin:index")


def test_an_incident_that_was_switched_off_is_on_again_until_the_same_time(supervisor: Client, topic: Topic) -> None:
    first = switch_on(supervisor)
    post(supervisor, "incident_off", first.pk)
    undo(supervisor)
    again = Incident.objects.exclude(pk=first.pk).get()
    assert (again.text, again.until) == (first.text, first.until)
    assert again.topics.get().state == "on"


def test_an_incident_that_was_switched_on_is_off_again(supervisor: Client, topic: Topic) -> None:
    switch_on(supervisor)
    undo(supervisor)
    assert Incident.objects.get().ended_by == User.objects.get()
    assert not find_running(now=NOW).exists()


def test_an_incident_that_was_prolonged_ends_when_it_would_have(supervisor: Client, topic: Topic) -> None:
    until = switch_on(supervisor).until
    post(supervisor, "incident_prolong", Incident.objects.get().pk, minutes="240")
    assert Incident.objects.get().until > until
    undo(supervisor)
    assert Incident.objects.get().until == until


def test_a_policy_is_as_it_was_before_it_was_saved(
    supervisor: Client, store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    post(supervisor, "waitpolicy_change", policy.pk, **fill_in_again(policy, interval_seconds="4.5"))
    undo(supervisor)
    policy.refresh_from_db()
    assert policy.interval_seconds == 4.0
    item = store.read_topic("faq")
    assert item is not None
    assert item.languages()["en-US"].interval == 4.0


def test_what_changed_nothing_offers_no_undo(supervisor: Client, topic: Topic, policy: WaitPolicy) -> None:
    post(supervisor, "waitpolicy_add", **fill_in(name="another"))
    assert find_offer(supervisor) == ""
    post(supervisor, "waitpolicy_change", policy.pk, **fill_in_again(policy))
    post(supervisor, "waitpolicy_change", policy.pk, **fill_in_again(policy))
    assert find_offer(supervisor) == ""


@pytest.mark.parametrize(("wish", "states"), [("pause", ("paused", "running")), ("cancel", ("cancelled", "running"))])
def test_a_batch_goes_on_where_it_was(supervisor: Client, topic: Topic, wish: str, states: tuple[str, str]) -> None:
    batch = batches.make_typed_batch(["Is there a lift?"], topic="faq", language="en-US", name="x", by=None, now=NOW)
    assert batches.confirm(batch, now=NOW)
    post(supervisor, "warmbatch_steer", batch.pk, do=wish)
    assert WarmBatch.objects.get().state == states[0]
    undo(supervisor)
    assert WarmBatch.objects.get().state == states[1]
    assert list(WarmRow.objects.values_list("state", "ended_at")) == [("waiting", None)]


def test_settings_are_put_back_unless_somebody_has_changed_them_again(supervisor: Client, topic: Topic) -> None:
    schedule = WarmSchedule.objects.create(topic=topic, when=WarmSchedule.When.ENDED, days="12345", most_asked=5)
    wish = {
        "topic": topic.pk,
        "when": "ended",
        "at": "",
        "days": "12345",
        "most_asked": "7",
        "hours_ahead": 12,
        "enabled": "on",
    }
    post(supervisor, "warmschedule_change", schedule.pk, **wish)
    undo(supervisor)
    assert WarmSchedule.objects.get().most_asked == 5
    post(supervisor, "warmschedule_change", schedule.pk, **wish)
    url = find_offer(supervisor)
    WarmSchedule.objects.update(most_asked=9)
    assert "It has changed since" in supervisor.post(url, follow=True).content.decode()
    assert WarmSchedule.objects.get().most_asked == 9


def test_a_models_limit_is_put_back_for_the_workers_first(supervisor: Client, store: AnswerStore) -> None:
    limit = ModelLimit.objects.create(model_id="m", requests_per_minute=60, input_price=Decimal("0.20"))
    data = {
        "requests_per_minute": 6,
        "tokens_per_minute": 0,
        "output_weight": 5,
        "input_price": "0.3",
        "output_price": 0,
    }
    post(supervisor, "modellimit_change", limit.pk, **data)
    assert store.limits.read_capacity("m").requests_per_minute == 6
    undo(supervisor)
    limit.refresh_from_db()
    assert (limit.requests_per_minute, limit.input_price) == (60, Decimal("0.20"))
    assert store.limits.read_capacity("m").requests_per_minute == 60


def test_a_first_approval_is_withdrawn_and_the_text_is_in_review_again(
    supervisor: Client, store: AnswerStore, item: ReviewItem
) -> None:
    assert decide(supervisor, item, "approve").status_code == 302
    heard = store.read_answer(item.key)
    assert heard is not None
    assert heard.state == "READY"
    undo(supervisor)
    withdrawn = store.read_answer(item.key, consistent=True)
    assert withdrawn is not None
    assert withdrawn.state == "INVALID"
    item.refresh_from_db()
    assert (item.state, item.decided_by) == ("in_review", None)
    assert not ApprovedAnswer.objects.exists()
    assert AuditEntry.objects.latest("sequence").verb == "answer.approved.undone"


def test_an_approval_over_an_earlier_text_is_left_to_the_history(
    supervisor: Client, store: AnswerStore, item: ReviewItem
) -> None:
    decide(supervisor, item, "approve")
    invalidate(supervisor, CachedAnswer.objects.get(key=item.key))
    again = submit_text(asked(item), chunks=["Another text."], by=User.objects.get(), now=NOW)
    shared = CachedAnswer.objects.get(key=item.key).version
    assert decide(supervisor, again, "approve", shared_version=shared).status_code == 302
    assert AuditEntry.objects.latest("sequence").verb == "answer.approved"
    assert not find_undo(AuditEntry.objects.latest("sequence"), user=User.objects.get(), now=timezone.now())


def test_every_verb_that_can_be_undone_is_one_that_is_entered() -> None:
    assert set(UNDOS) <= set(list_verbs())
