from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from cache_admin.audit import intents
from cache_admin.audit.middleware import HARMLESS, ON_THE_WAY
from cache_admin.audit.pages import AuditedPages
from cache_admin.audit.verifying import verify_chain
from cache_admin.models import AuditEntry, AuditIntent, CachedAnswer, Topic, WaitPolicy, WarmSchedule
from cache_admin.services.mirror import apply_items
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import generate
from tests.cache_admin.test_incidents_admin import switch_on
from tests.cache_admin.test_waiting_admin import fill_in_again

NUMBER = "+15550100"
WORDS = "Why was my card 4711 blocked?"


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    item = store.read_answer(answer.key)
    assert item is not None
    apply_items([item])
    return CachedAnswer.objects.get()


def edit(
    client: Client, row: CachedAnswer, text: str = "We are closed on Sunday.", why: str = "The boss says so."
) -> Any:
    data = {"text": text, "why": why, "seen_version": row.version}
    return client.post(reverse("admin:cache_admin_cachedanswer_change", args=[row.pk]), data)


def read_last() -> AuditEntry:
    return AuditEntry.objects.latest("sequence")


def test_an_edit_is_entered_with_who_why_and_what_was_before(supervisor: Client, row: CachedAnswer) -> None:
    assert edit(supervisor, row).status_code == 302
    entry = read_last()
    assert (entry.verb, entry.user_name, entry.why) == ("answer.edited", "ada", "The boss says so.")
    assert (entry.kind, entry.object_id, entry.label, entry.topic) == (
        "cache_admin.cachedanswer",
        str(row.pk),
        row.key,
        "faq",
    )
    assert entry.old["source"] == "generated"
    assert entry.old["run"] == row.token
    assert entry.new["text"] == "We are closed on Sunday."
    assert verify_chain()[0] == AuditEntry.objects.count()


def test_of_what_callers_asked_and_models_answered_no_word_is_entered(supervisor: Client, row: CachedAnswer) -> None:
    edit(supervisor, row)
    data = {"reason": "wrong"}
    supervisor.post(reverse("admin:cache_admin_cachedanswer_invalidate") + f"?pk={row.pk}", data)
    assert read_last().verb == "answer.invalidated"
    assert read_last().why == "wrong"
    trail = str(list(AuditEntry.objects.values()))
    assert "open on Sunday" not in trail  # the question, and the model's words


def test_a_caller_can_be_forgotten_without_touching_the_trail(
    supervisor: Client, topic: Topic, store: AnswerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTGENAI_CALLER_KEYS", "k1:a-secret-of-at-least-16-characters")
    own = identify_question(WORDS, topic="faq", language="en-US", sharing="caller", caller="a" * 64, contact_id="c1")
    generate(store, own, "Because of 4711.")
    item = store.read_answer(own.key)
    assert item is not None
    apply_items([item])
    edit(supervisor, CachedAnswer.objects.get(key=own.key), text="Your card 4711 was lost, Mr Smith.")
    call_command("erase_caller", number=NUMBER, stdout=io.StringIO())
    assert read_last().verb == "command.erase_caller"
    trail = str(list(AuditEntry.objects.values()))
    assert [word for word in ("4711", "Smith", NUMBER, "blocked") if word in trail] == []


def test_a_form_enters_what_it_changed_and_nothing_else(supervisor: Client, topic: Topic, policy: WaitPolicy) -> None:
    filled = fill_in_again(policy, interval_seconds="4.5", **{"prompts-0-text": "Please hold the line, I am looking."})
    supervisor.post(reverse("admin:cache_admin_waitpolicy_change", args=[policy.pk]), filled)
    entry = read_last()
    assert entry.verb == "policy.saved"
    assert (entry.old["interval_seconds"], entry.new["interval_seconds"]) == (4.0, 4.5)
    assert "hold_seconds" not in entry.old
    assert {"text": "One moment please, I am looking that up."} in entry.old.values()
    assert {"text": "Please hold the line, I am looking."} in entry.new.values()


def test_rights_that_change_are_entered_and_passwords_never(supervisor: Client, db: None) -> None:
    secret = "Xy12-long-enough"
    data: dict[str, Any] = {"username": "eve", "usable_password": "true", "password1": secret, "password2": secret}
    supervisor.post(reverse("admin:auth_user_add"), data)
    assert (read_last().verb, read_last().label) == ("user.added", "eve")
    eve, group = User.objects.get(username="eve"), Group.objects.first()
    assert group is not None
    data = {
        "username": "eve",
        "is_active": "on",
        "groups": [group.pk],
        "topic_scope-TOTAL_FORMS": 0,
        "topic_scope-INITIAL_FORMS": 0,
        "date_joined_0": "2027-01-01",
        "date_joined_1": "10:00",
    }
    supervisor.post(reverse("admin:auth_user_change", args=[eve.pk]), data)
    assert read_last().new["groups"] == [group.name]
    supervisor.post(reverse("admin:auth_user_delete", args=[eve.pk]), {"post": "yes"})
    assert (read_last().verb, read_last().label, read_last().old["username"]) == (
        "user.deleted",
        "eve",
        "eve",
    )
    trail = str(list(AuditEntry.objects.values()))
    assert "Xy12" not in trail
    assert "md5$" not in trail


def test_who_comes_in_is_entered_and_of_a_wrong_name_nothing(client: Client, db: None) -> None:
    User.objects.create_superuser("ada", password="right")
    for name, password in (("ada", "wrong"), ("my-secret-password", "x"), ("ada", "right")):
        client.post(reverse("admin:login"), {"username": name, "password": password})
    client.post(reverse("admin:logout"))
    entries = list(AuditEntry.objects.order_by("sequence").values_list("verb", "label"))
    assert entries == [
        ("person.sign_in_failed", "ada"),
        ("person.sign_in_failed", ""),
        ("person.signed_in", "ada"),
        ("person.signed_out", "ada"),
    ]
    assert "secret" not in str(list(AuditEntry.objects.values()))


def test_an_address_is_kept_only_if_that_is_wanted_and_then_the_nearest_proxys_word(
    supervisor: Client, row: CachedAnswer, settings: Any
) -> None:
    assert edit(supervisor, row).status_code == 302
    assert read_last().address == ""
    settings.AUDIT_ADDRESS = "HTTP_X_FORWARDED_FOR"
    supervisor.post(reverse("admin:logout"), headers={"x-forwarded-for": "6.6.6.6, 10.0.0.7"})
    assert read_last().address == "10.0.0.7"


def test_an_export_is_entered_with_its_filters_but_without_what_was_searched_for(
    supervisor: Client, row: CachedAnswer
) -> None:
    url = reverse("admin:cache_admin_cachedanswer_export", args=["csv"])
    supervisor.get(f"{url}?topic=faq&q=card+4711")
    entry = read_last()
    assert entry.verb == "data.exported"
    assert entry.new == {
        "page": "cache_admin_cachedanswer_export", "kind": "csv", "filters": {"topic": "faq"}, "searched": True,
    }  # fmt: skip


def test_what_cannot_be_noted_is_not_done(
    supervisor: Client, row: CachedAnswer, store: AnswerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(AuditIntent.objects, "create", refuse)
    supervisor.raise_request_exception = False
    assert edit(supervisor, row).status_code == 500
    item = store.read_answer(row.key, consistent=True)
    assert item is not None
    assert item.version == row.version


def test_a_decision_whose_entry_could_not_be_written_is_entered_as_unfinished(
    supervisor: Client, row: CachedAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr("cache_admin.audit.recording.append", refuse)
        supervisor.raise_request_exception = False
        assert edit(supervisor, row).status_code == 500
    assert intents.sweep(now=timezone.now()) == 0
    assert intents.sweep(now=timezone.now() + timedelta(minutes=6)) == 1
    entry = read_last()
    assert (entry.verb, entry.user_name, entry.object_id) == ("decision.unfinished", "ada", str(row.pk))
    assert entry.new["page"] == "cache_admin_cachedanswer_change"
    assert not AuditIntent.objects.exists()


def test_a_page_that_forgets_to_log_leaves_an_entry_all_the_same(supervisor: Client, topic: Topic) -> None:
    chosen = {"action": "publish_selected", "_selected_action": topic.pk}
    supervisor.post(reverse("admin:cache_admin_topic_changelist"), chosen)
    assert read_last().verb in ("page.submitted", "topic.published")
    assert not AuditIntent.objects.exists()


def test_what_is_looked_at_or_refused_leaves_nothing(supervisor: Client, row: CachedAnswer) -> None:
    count = AuditEntry.objects.count()
    supervisor.get(reverse("admin:cache_admin_cachedanswer_changelist"))
    assert edit(supervisor, row, text="").status_code == 200
    asked = {"action": "invalidate_selected", "_selected_action": row.pk}
    assert supervisor.post(reverse("admin:cache_admin_cachedanswer_changelist"), asked).status_code == 302
    assert AuditEntry.objects.count() == count


def test_a_command_is_entered_with_the_login_that_ran_it(site: Aws, topic: Topic) -> None:
    call_command("redrive", discard=True, reason="failed", stdout=io.StringIO())
    entry = read_last()
    assert entry.verb == "command.redrive"
    assert entry.user_name
    assert entry.new == {"discard": "True", "reason": "failed", "limit": "100", "outcome": "done"}


def find_names() -> dict[str, list[str]]:
    """Every address of the admin by its name, with what it wants in it."""
    found = {}
    for pattern in admin_site.urls[0]:
        for inner in getattr(pattern, "url_patterns", [pattern]):
            if inner.name:
                found[inner.name] = list(inner.pattern.converters)
    return found


FILLED = {"kind": "csv", "call": "00000000-0000-0000-0000-000000000000", "app_label": "cache_admin"}


def test_every_page_that_takes_a_form_notes_it_before_it_runs(
    supervisor: Client, site: Aws, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever page is added, its forms begin with an intent, and end with an entry if it redirects."""
    begun: list[str] = []
    begin = intents.begin

    def spy(request: Any, place: str, **more: Any) -> Any:
        begun.append(place)
        return begin(request, place, **more)

    monkeypatch.setattr("cache_admin.audit.intents.begin", spy)
    supervisor.raise_request_exception = False
    names = find_names()
    assert set(names) >= HARMLESS | ON_THE_WAY - {"preferences"}
    for name, wanted in names.items():
        if name in HARMLESS:
            continue
        try:
            url = reverse(f"admin:{name}", kwargs={part: FILLED.get(part, "1") for part in wanted})
        except NoReverseMatch:
            continue
        supervisor.post(url)
        assert begun.pop() == name
    assert len(names) > 60


def test_every_registered_page_logs_into_the_trail(db: None) -> None:
    plain = [model for model, page in admin_site._registry.items() if not isinstance(page, AuditedPages)]
    assert plain == []


def test_schedules_are_entered_under_words_that_stay(supervisor: Client, topic: Topic) -> None:
    data = {
        "topic": topic.pk,
        "enabled": "on",
        "when": WarmSchedule.When.ENDED,
        "days": "1234567",
        "most_asked": 5,
        "hours_ahead": 12,
    }
    supervisor.post(reverse("admin:cache_admin_warmschedule_add"), data)
    schedule = WarmSchedule.objects.get()
    supervisor.post(reverse("admin:cache_admin_warmschedule_change", args=[schedule.pk]), data | {"most_asked": 7})
    supervisor.post(reverse("admin:cache_admin_warmschedule_delete", args=[schedule.pk]), {"post": "yes"})
    verbs = list(AuditEntry.objects.filter(kind="cache_admin.warmschedule").order_by("sequence"))
    assert [entry.verb for entry in verbs] == ["schedule.added", "schedule.changed", "schedule.deleted"]
    assert (verbs[1].old, verbs[1].new) == ({"most_asked": 5}, {"most_asked": 7})
    assert verbs[2].old["most_asked"] == 7


def test_who_changes_the_own_password_leaves_an_entry_without_it(supervisor: Client, db: None) -> None:
    secret = "Xy12-long-enough"
    data = {"old_password": "x", "new_password1": secret, "new_password2": secret}
    assert supervisor.post(reverse("admin:password_change"), data).status_code == 302
    entry = read_last()
    assert (entry.verb, entry.user_name) == ("person.password_changed", "ada")
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_new_group_is_entered_with_its_rights_and_topics(supervisor: Client, topic: Topic) -> None:
    right = Permission.objects.get(codename="view_call")
    scope = {"topic_scope-TOTAL_FORMS": 1, "topic_scope-INITIAL_FORMS": 0, "topic_scope-0-topics": [topic.pk]}
    supervisor.post(reverse("admin:auth_group_add"), {"name": "Night shift", "permissions": [right.pk], **scope})
    entry = read_last()
    assert (entry.verb, entry.label, entry.new["permissions"]) == ("group.added", "Night shift", ["view_call"])
    assert [str(topic)] in [row["topics"] for row in entry.new.values() if isinstance(row, dict)]


def test_an_incident_is_entered_with_its_topics(supervisor: Client, topic: Topic) -> None:
    incident = switch_on(supervisor)
    entry = read_last()
    assert (entry.verb, entry.topic, entry.why) == ("incident.switched_on", "faq", "")
    assert (entry.new["topics"], entry.new["text"]) == (["faq"], incident.text)
