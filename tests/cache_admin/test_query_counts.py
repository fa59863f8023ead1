"""What pages ask of the database: no more for fifty rows than for one, and no walk through a table that may have a million."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cache_admin.models import AnswerVersion, CachedAnswer, Call, WaitPolicy
from tests.cache_admin.conftest import NOW

ANSWERS, CALLS = "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/call/"
MOST_QUERIES = 25
LARGE = ("cache_admin_cachedanswer", "cache_admin_call", "cache_admin_answerversion")
LISTS = (
    ANSWERS,
    f"{ANSWERS}?topic=faq",
    f"{ANSWERS}?state__exact=READY",
    f"{ANSWERS}?topic=faq&state__exact=READY",
    f"{ANSWERS}?o=-6",
    f"{ANSWERS}?q=question",
    f"{ANSWERS}?topic=faq&q=spok",
    f"{ANSWERS}?q=faq.{7:032x}",
    CALLS,
    f"{CALLS}?topic=faq",
    f"{CALLS}?outcome__exact=answered",
    f"{CALLS}?q=contact-7",
)
PAGES = (
    *LISTS,
    f"{ANSWERS}1/change/",
    f"{CALLS}1/change/",
    "/admin/now/",
    "/admin/hours/",
)


def keep_rows(count: int) -> None:
    """So many answers of three versions each, and calls; what stood there before goes."""
    for model in (AnswerVersion, Call, CachedAnswer):
        model._default_manager.all().delete()
    soon = timezone.now() + timedelta(days=1)
    about = {"topic": "faq", "language": "en-US", "state": "READY", "expires_at": soon, "chunks": ["Spoken."]}
    CachedAnswer.objects.bulk_create(
        CachedAnswer(
            pk=n, key=f"faq.{n:032x}", scope="everyone", question=f"Question {n}?", words=f"{n}",
            changed_at=NOW + timedelta(seconds=n), **about,
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    AnswerVersion.objects.bulk_create(
        AnswerVersion(answer_id=1 + n // 3, run=f"v{n}", epoch=1, chunks=["Spoken."], finished_at=NOW)
        for n in range(3 * count)
    )
    Call.objects.bulk_create(
        Call(
            pk=n, contact_id=f"contact-{n}", key=f"faq.{n:032x}", topic="faq", language="en-US", outcome="answered",
            source="hit", asked_at=timezone.now(), last_seen_at=timezone.now(), changed_at=timezone.now(),
        )
        for n in range(1, count + 1)
    )  # fmt: skip


def read_queries(client: Client, url: str) -> list[str]:
    client.get(url)  # what is kept from then on is not the page's
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_asks_no_more_for_fifty_rows_than_for_one(admin_client: Client, policy: WaitPolicy, url: str) -> None:
    keep_rows(1)
    for_one = read_queries(admin_client, url)
    keep_rows(50)
    for_fifty = read_queries(admin_client, url)
    assert len(for_fifty) <= min(len(for_one) + 1, MOST_QUERIES), "\n".join(for_fifty)


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are read as SQLite writes them")
def test_a_list_walks_through_no_large_table(admin_client: Client, policy: WaitPolicy, url: str) -> None:
    keep_rows(50)
    for sql in read_queries(admin_client, url):
        if sql.startswith("SELECT"):
            assert find_walks(sql) == [], sql


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are read as SQLite writes them")
@pytest.mark.parametrize(
    "sql", ["SELECT COUNT(*) FROM {0} WHERE model = 'x'", "SELECT * FROM {0} ORDER BY epoch LIMIT 9"]
)
@pytest.mark.django_db
def test_a_walk_would_be_noticed(sql: str) -> None:
    assert find_walks(sql.format(LARGE[0]))


def find_walks(sql: str) -> list[str]:
    """Steps of SQLite's plan that may read a large table to its end. Walking along an index is none for the first rows of all."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%", "%%"), ())
        steps = [row[3] for row in cursor.fetchall()]
    is_first_page = " LIMIT " in sql and " WHERE " not in sql and not any("ORDER BY" in step for step in steps)
    allowed = r"SCAN \S+ USING (?:COVERING )?INDEX .*" if is_first_page else r"(?!)"
    scans = [step for step in steps if re.match(rf"SCAN (?:{'|'.join(LARGE)})\b", step)]
    return [step for step in scans if not re.fullmatch(allowed, step)]
