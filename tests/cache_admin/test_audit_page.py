from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cache_admin.admin.audit_words import WORDS
from cache_admin.audit.chain import append
from cache_admin.audit.verbs import list_verbs
from cache_admin.models import AuditEntry, CachedAnswer, Topic, TopicScope
from cache_admin.services.mirror import apply_items
from cache_admin.services.retention import blank_history
from cache_admin.warming.batches import make_typed_batch
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW, login
from tests.cache_admin.test_incidents_admin import switch_on

LIST = "/admin/cache_admin/auditentry/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def trail(topic: Topic) -> Any:
    """Three decisions of two people about two topics."""
    facts: list[dict[str, Any]] = [
        {
            "verb": "answer.edited",
            "user_pk": "71",
            "user_name": "ada",
            "topic": "faq",
            "object_id": "5",
            "label": "faq.one",
        },
        {
            "verb": "policy.saved",
            "user_pk": "72",
            "user_name": "bob",
            "label": "calm",
            "kind": "cache_admin.waitpolicy",
        },
        {
            "verb": "answer.edited.undone",
            "user_pk": "71",
            "user_name": "ada",
            "topic": "other",
            "undoes": 1,
            "label": "other.two",
        },
    ]
    entries = [AuditEntry(at=NOW + timedelta(hours=n), **more) for n, more in enumerate(facts)]
    entries[0].before = '{"text": "We are open on Sunday.", "pinned": true}'
    entries[0].after = '{"text": "We are closed on Sunday. <b>", "pinned": false}'
    append(entries)
    return entries


def read(client: Client, query: str = "") -> str:
    return str(client.get(LIST + query).content.decode())


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("?verb=policy.saved", {"calm"}),
        ("?who=71", {"faq.one", "other.two"}),
        ("?topic=faq", {"faq.one"}),
        ("?object=cache_admin.waitpolicy:", {"calm"}),
        ("?at__gte=2027-01-15+09:30:00%2B00:00", {"other.two"}),
    ],
)
def test_the_list_is_filtered_by_what_who_topic_object_and_time(
    trail: Any, supervisor: Client, query: str, seen: set[str]
) -> None:
    page = read(supervisor, query)
    assert {label for label in ("faq.one", "calm", "other.two") if label in page} == seen


def test_an_entry_shows_before_and_after_side_by_side(trail: Any, supervisor: Client) -> None:
    page = read(supervisor, f"{trail[0].pk}/change/")
    assert "<del>open</del>" in page
    assert "<ins>closed</ins>" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert f"taken back by entry {trail[2].pk}" in page
    assert trail[0].digest in page


def test_an_undone_decision_says_so_in_words(trail: Any, supervisor: Client) -> None:
    assert "undone: answer edited" in read(supervisor)


def test_the_list_costs_few_queries_and_counts_nothing(trail: Any, supervisor: Client) -> None:
    append([AuditEntry(at=NOW, verb="answer.edited", label=f"faq.{n}") for n in range(60)])
    read(supervisor)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        read(supervisor)
    statements = [query["sql"] for query in asked.captured_queries]
    assert len(statements) < 12
    assert not [sql for sql in statements if "COUNT(" in sql and "auditentry" in sql]


def test_the_list_is_taken_away_as_a_file_and_that_is_an_entry_too(trail: Any, supervisor: Client) -> None:
    response = supervisor.get(f"{LIST}export/csv/?verb=policy.saved")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert [row["label"] for row in csv.DictReader(text.splitlines())] == ["calm"]
    assert AuditEntry.objects.latest("sequence").verb == "data.exported"


def test_nobody_changes_an_entry_in_the_admin(trail: Any, supervisor: Client) -> None:
    for page in (f"{trail[0].pk}/change/", f"{trail[0].pk}/delete/", "add/"):
        assert supervisor.post(LIST + page, {"why": "x", "post": "yes"}).status_code == 403


def test_every_object_leads_administrators_to_its_entries(supervisor: Client, topic: Topic) -> None:
    batch = make_typed_batch(["Is there a lift?"], topic="faq", language="en-US", name="x", by=None, now=NOW)
    incident = switch_on(supervisor)
    for page, obj in (
        ("topic_change", topic),
        ("topic_history", topic),
        ("warmbatch_change", batch),
        ("incident_change", incident),
    ):
        link = f"{LIST}?object=cache_admin.{obj._meta.model_name}%3A{obj.pk}"
        assert link in supervisor.get(reverse(f"admin:cache_admin_{page}", args=[obj.pk])).content.decode(), page
    other = Client()
    login(other, "view_topic")
    assert LIST not in other.get(reverse("admin:cache_admin_topic_change", args=[topic.pk])).content.decode()


def test_who_is_restricted_to_topics_sees_their_entries_only(trail: Any, client: Client, topic: Topic) -> None:
    restricted = login(client, "view_auditentry")
    TopicScope.objects.create(user=restricted).topics.add(topic)
    page = read(client)
    assert [label for label in ("faq.one", "calm", "other.two") if label in page] == ["faq.one"]
    assert client.get(f"{LIST}{trail[2].pk}/change/").status_code == 302
    assert client.get(f"{LIST}{trail[0].pk}/change/").status_code == 200


def test_questions_and_texts_are_shown_while_they_are_kept_though_the_trail_has_none(
    supervisor: Client, store: AnswerStore, answer: AskedQuestion
) -> None:
    item = store.read_answer(answer.key)
    assert item is not None
    apply_items([item])
    row = CachedAnswer.objects.get()
    data = {"text": "We are closed on Sunday.", "seen_version": row.version}
    supervisor.post(reverse("admin:cache_admin_cachedanswer_change", args=[row.pk]), data)
    entry = AuditEntry.objects.latest("sequence")
    assert "Are you open on Sunday?" in read(supervisor, f"?verb={entry.verb}")
    page = read(supervisor, f"{entry.pk}/change/")
    assert "<del>open</del>" in page
    assert "<ins>closed</ins>" in page
    blank_history([row.pk])
    assert "<del>open</del>" not in read(supervisor, f"{entry.pk}/change/")


def test_every_verb_has_words_for_people() -> None:
    assert set(list_verbs()) <= set(WORDS)
