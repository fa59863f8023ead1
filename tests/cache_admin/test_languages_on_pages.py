"""Every page of the admin in German: what it shows in the same words as in English are names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django_celery_results.models import TaskResult

from cache_admin import models
from cache_admin.people.urls import urlpatterns as around_signing_in
from cache_admin.preferences.applying import list_zones
from cache_admin.services.mirror import apply_items
from cache_admin.services.policy_versions import keep_version
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import NOW
from tests.cache_admin.page_words import read_words
from tests.cache_admin.test_mirror import answer_item, call_item
from tests.cache_admin.world import make_world

# What somebody has written, and codes
DATA = re.compile(
    r"Questions and answers|Answer briefly\.|Are you open on Sunday\?|Open\?|One moment please, I am looking that up\."
    r"|We are (?:closed|open on Sunday)\.|Come between ten and four\.|First part\.|Second part\.|</?speak>|\w+\*{5,}"
    r"|<Task: zz-1 \(FAILURE\)>"
    r"|\bzz[ -](?:title|be brief|policy|sorry|one moment|then|document|earlier|question|answer|failed|text \d|contact|abandoned|reason"
    r"|message|parked|excerpt|incident|which|file|row|candidate|draft|note|approved|flow|label|why|topic)\b"
    r"|\b(?:faq|ada|calm|zz[\w.-]*|Viewers|Supervisors|Administrators|Reviewers|unreadable|md5|name=value)(?!\w)"
)
# What is called the same in every language
NAMES = re.compile(
    r"ConnectGenAI|Amazon|Bedrock|Connect|DynamoDB|Lambdas?|Deutsch|English|\b[a-z]{2}-[A-Z]{2}\b|\b[A-Z][A-Z0-9]{2,}\b"
    r"|[A-Z]\w+/[A-Z]\w+(?:/\w+)?|\b[a-z0-9]+(?:[_.:-][a-z0-9]+)+\b|\b(?:ms|min|kHz|MB|MiB|ID|S3)\b|https?://\S+"
)
SAME = {
    "Chat", "Flow", "Flows", "Linter", "Markdown", "Name", "Status", "Text", "Version", "Word", "Live", "Worker", "Token", "Filter",
    "Modul", "Start", "System", "Guardrail", "Titel", "Traceback", "Producer", "Consumer",
    "instructions model_id max_tokens temperature guardrail sharing",  # for a script
    "True", "False",  # Django's icons of yes and no
    # Django says this once and for all when it is loaded
    "Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to"
    " authenticate using other backends, such as Single Sign-On or LDAP.",
    "If disabled, the current password for this user will be lost.",
}  # fmt: skip
BY_DJANGO = re.compile(r"Group-permission relationship.*")  # a table that it does not name


@pytest.fixture
def stage(topic: models.Topic, answer: AskedQuestion, store: AnswerStore, policy: models.WaitPolicy) -> None:
    """At least one row of everything that has a page."""
    now = timezone.now()
    apply_items([answer_item(1, state="READY", token="run-zz", chunks=("First part.", "Second part."))])
    apply_items([call_item(1, events=("3000|prompt|1", "9000|part|1"), run="run-zz", outcome="answered")])
    keep_version(policy, user=None, now=NOW)
    incident = models.Incident.objects.create(text="We are closed.", started_at=now, until=now + timedelta(hours=1))
    models.IncidentTopic.objects.create(incident=incident, topic="faq", keys=[], state="on")
    models.WarmSchedule.objects.create(topic=topic, when="daily", at="05:30", days="12345")
    batch = models.WarmBatch.objects.create(kind="prewarm", state="preview", name="zz.csv", created_at=now, read_rows=2)
    for number, verdict in enumerate(("new", "invalid"), start=1):
        reason = "There is no answer." if verdict == "invalid" else ""
        batch.rows.create(number=number, question="zz?", topic="faq", language="en-US", verdict=verdict, reason=reason)
    models.ParkedMessage.objects.create(message_id="zz-1", reason="unreadable", parked_at=now)
    models.Reconciliation.objects.create(
        origin="schedule", asked_at=now, ended_at=now, state="failed", error="the worker stopped"
    )
    models.ModelLimit.objects.create(model_id="local.extractive-v1")
    TaskResult.objects.create(task_id="zz-1", task_name="jobs.generate_answer", status="FAILURE")
    make_world("zz-topic", "zz")
    models.ReviewItem.objects.update(chunks=["zz answer"])  # a comparison would show words by themselves


def list_pages() -> Iterator[str]:
    """The address of each page that has a name, with the first row of its model where it wants one."""
    names = [f"admin:{pattern.name}" for pattern in walk(admin_site.get_urls())]
    for name in [*names, *(str(pattern.name) for pattern in around_signing_in)]:
        for args in ([], *([[pk]] if (pk := find_first(name)) is not None else [])):
            try:
                yield reverse(name, args=args)
            except NoReverseMatch:
                continue


def walk(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        yield from walk(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern]


def find_first(name: str) -> Any:
    for model in admin_site._registry:
        if name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_"):
            return model._base_manager.values_list("pk", flat=True).first()
    return None


def is_english(words: str) -> bool:
    left = BY_DJANGO.sub("", NAMES.sub("", DATA.sub("", words))).strip(" :\u203a\u00b7(){}0123456789")
    return not {words, left} & SAME and bool(re.search(r"[^\W\d_]{2,}", left))


@cache
def list_places() -> set[str]:
    """The names under which the choice of a time zone lists them."""
    return {
        part.replace("_", " ") for zone in list_zones() for part in (zone, *zone.split("/"), zone.partition("/")[2])
    }


def test_no_page_shows_english_words_in_german(supervisor: Client, stage: None) -> None:
    pages, left = sorted(set(list_pages())), {}
    for url in pages:
        shown = []
        for language in ("en", "de"):
            models.Preferences.objects.update_or_create(user=User.objects.get(), defaults={"language": language})
            response = supervisor.get(url)
            is_page = response.status_code == 200 and response["Content-Type"].startswith("text/html")
            shown.append(read_words(response.content.decode()) if is_page else set())
        english, german = shown
        left.update(dict.fromkeys((words for words in english & german - list_places() if is_english(words)), url))
    translation.activate("en")
    assert len(pages) > 60
    assert not left, "\n".join(f"{url}: {words}" for words, url in left.items())
