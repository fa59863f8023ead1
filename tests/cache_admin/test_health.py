"""The site's probes: for anyone, at any time, at little cost, and without a secret."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cache_admin.health import PROBES, check_migrations
from tests.aws import Aws


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    check_migrations.cache_clear()
    yield
    check_migrations.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROBES)
def test_a_probe_asks_for_no_login_and_no_cookie_and_is_never_cached(client: Client, site: Aws, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Cache-Control"], dict(response.cookies)) == (200, "no-store", {})


@pytest.mark.django_db
def test_a_database_that_is_not_migrated_makes_the_site_unready(client: Client, site: Aws) -> None:
    MigrationRecorder.Migration.objects.filter(app="cache_admin").order_by("-pk")[0].delete()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]["error"]) == (503, "NotMigratedError")
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_a_ready_site_is_asked_again_at_the_cost_of_one_query(
    client: Client, site: Aws, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/readyz")
    with django_assert_num_queries(1):
        assert client.get("/readyz").status_code == 200
