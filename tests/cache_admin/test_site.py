from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.sites import site as admin_site
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import BooleanField, DateTimeField
from django.test import Client
from django_celery_results.models import TaskResult

from cache_admin import health
from tests.aws import Aws
from tests.cache_admin.conftest import login

PAGES = [
    "/admin/", "/admin/cache_admin/topic/", "/admin/cache_admin/topic/add/", "/admin/cache_admin/waitpolicy/",
    "/admin/cache_admin/waitpolicy/add/", "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/cachedanswer/prewarm/",
    "/admin/cache_admin/cachedanswer/invalidate/", "/admin/cache_admin/call/", "/admin/django_celery_results/taskresult/",
    "/admin/auth/user/", "/admin/auth/group/",
]  # fmt: skip


def test_the_address_alone_leads_to_the_login(client: Client, db: None) -> None:
    response = client.get("/", follow=True)
    assert [url for url, _ in response.redirect_chain] == ["/admin/", "/admin/login/?next=/admin/"]
    assert "What callers hear" in response.content.decode()


@pytest.mark.parametrize("url", PAGES)
def test_every_page_opens_and_keeps_to_the_content_security_policy(supervisor: Client, url: str) -> None:
    response = supervisor.get(url)
    page = response.content.decode()
    policy = response["Content-Security-Policy"]
    assert response.status_code == 200
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert (
        re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=\"|https?://(?!www\.w3\.org)", page) == []
    )


@pytest.mark.parametrize("url", [url for url in PAGES if url != "/admin/"])
def test_nobody_gets_in_without_a_login_or_without_rights(client: Client, db: None, url: str) -> None:
    assert client.get(url)["Location"].startswith("/admin/login/")
    login(client)
    assert client.get(url).status_code == 403


def test_a_page_says_that_it_wants_no_frame_and_no_guessing(supervisor: Client) -> None:
    response = supervisor.get("/admin/")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_our_own_rights_can_be_given_to_people(supervisor: Client) -> None:
    user = User.objects.get()
    page = supervisor.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    assert "Can publish topics to callers" in page
    assert "Can invalidate answers" in page


def test_the_task_history_can_be_looked_at(supervisor: Client) -> None:
    result = TaskResult.objects.create(
        task_id="m-1", task_name="jobs.generate_answer", status="FAILURE", traceback="Oh"
    )
    page = supervisor.get("/admin/django_celery_results/taskresult/?q=m-1&task=jobs.generate_answer").content.decode()
    assert '<span class="badge badge-bad">FAILURE</span>' in page
    url = f"/admin/django_celery_results/taskresult/{result.pk}/change/"
    assert "Oh" in supervisor.get(url).content.decode()
    assert supervisor.post(url, {}).status_code == 403


def test_no_list_filters_by_a_column_without_choices() -> None:
    """Django would look through the whole table for them, on every page."""
    ours = [
        (m, a) for m, a in admin_site._registry.items() if m._meta.app_label in ("cache_admin", "django_celery_results")
    ]
    assert len(ours) >= 10
    for model, page in ours:
        for entry in (entry for entry in page.list_filter if isinstance(entry, str)):
            field: Any = model._meta.get_field(entry)
            assert field.choices or isinstance(field, BooleanField | DateTimeField), f"{model.__name__}.{entry}"


# probes


def test_the_process_says_that_it_lives_even_to_an_unknown_host(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_site_that_is_ready_times_each_part(client: Client, site: Aws) -> None:
    response = client.get("/readyz", headers={"host": "10.0.0.7"})
    report = response.json()
    assert (response.status_code, report.pop("status")) == (200, "ok")
    assert set(report) == {"database", "migrations", "dynamodb", "sqs"}
    assert all(part["ok"] and 0 <= part["seconds"] < 30 for part in report.values())


@pytest.mark.django_db
def test_a_site_that_cannot_work_says_which_part_fails_and_no_more(client: Client, site: Aws) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    response = client.get("/readyz")
    report = response.json()
    assert response.status_code == 503
    assert [name for name, part in report.items() if name != "status" and not part["ok"]] == ["dynamodb"]
    assert report["dynamodb"]["error"] == "StoreError"
    assert site.table not in response.content.decode()


@pytest.mark.django_db
def test_a_silent_database_makes_the_site_unready(client: Client, site: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("no")

    monkeypatch.setitem(health.CHECKS, "database", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]["error"]) == (503, "OperationalError")
