from __future__ import annotations

import base64
import json
from datetime import timedelta
from itertools import chain

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import TaskResult

from cache_admin.models import CachedAnswer, Call
from tests.cache_admin.conftest import NOW

ANSWERS, CALLS = "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/call/"
TASKS = "/admin/django_celery_results/taskresult/"


@pytest.fixture
def rows(db: None) -> int:
    """120 answers; many changed in the same second, and have as many calls as others."""
    CachedAnswer.objects.bulk_create(
        CachedAnswer(
            key=f"faq.{n}", topic="faq", language="en-US", scope="everyone", question=f"Question {n}?", words=f"{n}",
            state="READY" if n % 3 else "FAILED", changed_at=NOW + timedelta(seconds=n // 7), calls=n % 5,
        )
        for n in range(120)
    )  # fmt: skip
    return 120


def walk(client: Client, url: str, link: str = "older_link") -> list[list[int]]:
    """The primary keys of each page, as far as the link leads."""
    pages, query = [], ""
    while True:
        changes = client.get(url + query if query else url).context["cl"]
        pages.append([row.pk for row in changes.result_list])
        query = getattr(changes, link)
        if not query:
            return pages
        url = url.partition("?")[0]


@pytest.mark.parametrize("order", ["", "?o=-8", "?o=8", "?o=-6", "?o=6"])
def test_the_pages_together_hold_every_row_once_and_in_order(supervisor: Client, rows: int, order: str) -> None:
    pages = walk(supervisor, ANSWERS + order)
    column = {"": "-changed_at", "?o=-8": "-changed_at", "?o=8": "changed_at", "?o=-6": "-calls", "?o=6": "calls"}[
        order
    ]
    tie = "-pk" if column.startswith("-") else "pk"
    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(chain.from_iterable(pages)) == list(
        CachedAnswer.objects.order_by(column, tie).values_list("pk", flat=True)
    )


def test_the_way_back_leads_over_the_same_pages(supervisor: Client, rows: int) -> None:
    first = supervisor.get(ANSWERS).context["cl"]
    second = supervisor.get(ANSWERS + first.older_link).context["cl"]
    third = supervisor.get(ANSWERS + second.older_link).context["cl"]
    back = supervisor.get(ANSWERS + third.newer_link).context["cl"]
    start = supervisor.get(ANSWERS + back.newer_link).context["cl"]
    assert (first.newer_link, third.older_link, start.newer_link) == ("", "", "")
    assert [row.pk for row in back.result_list] == [row.pk for row in second.result_list]
    assert [row.pk for row in start.result_list] == [row.pk for row in first.result_list]


def test_filters_hold_over_pages_and_begin_at_the_first(supervisor: Client, rows: int) -> None:
    pages = walk(supervisor, f"{ANSWERS}?state__exact=READY")
    assert [len(page) for page in pages] == [50, 30]
    first = supervisor.get(f"{ANSWERS}?state__exact=READY").context["cl"]
    assert "state__exact=READY" in first.older_link
    second = supervisor.get(ANSWERS + first.older_link).context["cl"]
    assert "cursor" not in second.get_query_string({"state__exact": "FAILED"})


@pytest.mark.parametrize(
    "cursor",
    ["x", "%%%", base64.urlsafe_b64encode(b"[]").decode(), base64.urlsafe_b64encode(b'[1,"never",2]').decode(),
     base64.urlsafe_b64encode(json.dumps([False, None, 1]).encode()).decode(),
     base64.urlsafe_b64encode(json.dumps([False, "2027-01-15", 10**30]).encode()).decode(), "ü"],
)  # fmt: skip
def test_a_damaged_cursor_leads_to_the_first_page(supervisor: Client, rows: int, cursor: str) -> None:
    response = supervisor.get(ANSWERS, {"cursor": cursor})
    assert response.status_code == 200
    assert len(response.context["cl"].result_list) in (0, 50)


def test_page_numbers_and_show_all_are_not_known_here(supervisor: Client, rows: int) -> None:
    assert len(supervisor.get(f"{ANSWERS}?p=9&all=").context["cl"].result_list) == 50


def test_only_indexed_columns_can_be_sorted_by(supervisor: Client, rows: int) -> None:
    page = supervisor.get(ANSWERS).content.decode()
    assert page.count('class="sortable column-') + page.count('class="sortable sorted') == 2


@pytest.mark.parametrize(
    "url", [ANSWERS, f"{ANSWERS}?q=question", f"{ANSWERS}?topic=faq&state__exact=READY", CALLS, TASKS]
)
def test_a_list_takes_few_statements_and_counts_nothing(supervisor: Client, rows: int, url: str) -> None:
    calls = [
        Call(
            contact_id=f"c{n}",
            key=f"faq.{n}",
            topic="faq",
            language="en-US",
            asked_at=NOW,
            last_seen_at=NOW,
            changed_at=NOW,
        )
        for n in range(60)
    ]
    Call.objects.bulk_create(calls)
    TaskResult.objects.bulk_create(TaskResult(task_id=f"t{n}", status="SUCCESS") for n in range(60))
    with CaptureQueriesContext(connection) as queries:
        response = supervisor.get(url)
    statements = [query["sql"] for query in queries]
    assert len(response.context["cl"].result_list) == 50
    # session, user, choices of language and zone, rows, whether the list is capped, and one for each filter that knows its choices
    assert len(statements) <= 9, statements
    assert not [
        sql
        for sql in statements
        if "COUNT(" in sql or "DISTINCT" in sql.replace('SELECT DISTINCT "cache_admin_topiclanguage"', "")
    ]


def test_a_page_deep_in_the_list_is_found_by_its_index(supervisor: Client, rows: int) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics, which so few rows do not have")
    first = supervisor.get(ANSWERS).context["cl"]
    with CaptureQueriesContext(connection) as queries:
        supervisor.get(ANSWERS + first.older_link)
    [sql] = [q["sql"] for q in queries if 'FROM "cache_admin_cachedanswer"' in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "USING INDEX answer_changed" in plan
    assert "TEMP B-TREE" not in plan


def test_the_supervisor_of_the_first_start_can_log_in(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_PASSWORD", "a-password")
    call_command("ensure_supervisor", "ada")
    assert User.objects.get().check_password("a-password")
