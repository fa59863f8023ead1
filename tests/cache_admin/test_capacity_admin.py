"""Models' quotas in the admin: what is saved binds the workers, and a model that is left alone can be tried again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cache_admin.models import ModelLimit
from connectgenai.wire.capacity import open_breaker, take
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import login

LIST = "/admin/cache_admin/modellimit/"
FORM = {"model_id": "amazon.nova-lite-v1:0", "requests_per_minute": 60, "tokens_per_minute": 9_000, "output_weight": 5}


@pytest.fixture
def limit(supervisor: Client, store: AnswerStore) -> ModelLimit:
    assert supervisor.post(f"{LIST}add/", FORM).headers["Location"] == LIST
    return ModelLimit.objects.get()


def test_a_saved_limit_binds_the_workers(limit: ModelLimit, store: AnswerStore) -> None:
    capacity = store.limits.read_capacity("amazon.nova-lite-v1:0")
    assert (capacity.requests_per_minute, capacity.tokens_per_minute, capacity.output_weight) == (60, 9_000, 5)


def test_a_changed_limit_leaves_what_is_spoken_for(limit: ModelLimit, store: AnswerStore, supervisor: Client) -> None:
    now = round(timezone.now().timestamp() * 1000)
    spent = store.limits.change_capacity(
        store.limits.read_capacity(limit.model_id), lambda found: take(found, tokens=0, requests=20, now_ms=now)
    )
    assert "new questions wait" in supervisor.get(LIST).content.decode()
    supervisor.post(f"{LIST}{limit.pk}/change/", {**FORM, "requests_per_minute": 0})
    after = store.limits.read_capacity(limit.model_id)
    assert (after.requests_per_minute, after.requests_full_at) == (0, spent.requests_full_at)


def test_a_model_that_is_left_alone_is_seen_and_can_be_tried_again(
    limit: ModelLimit, store: AnswerStore, supervisor: Client
) -> None:
    now = round(timezone.now().timestamp() * 1000)
    assert "has room" in supervisor.get(LIST).content.decode()
    store.limits.change_capacity(
        store.limits.read_capacity(limit.model_id), lambda found: open_breaker(found, reason="model_busy", now_ms=now)
    )
    assert "left alone: model_busy" in supervisor.get(LIST).content.decode()
    supervisor.post(LIST, {"action": "try_models_again", "_selected_action": [limit.pk]})
    assert store.limits.read_capacity(limit.model_id).openings == 0


def test_without_dynamodb_nothing_is_saved_and_the_list_still_opens(
    limit: ModelLimit, supervisor: Client, site: Aws
) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(f"{LIST}{limit.pk}/change/", {**FORM, "requests_per_minute": 7})
    assert "DynamoDB does not serve at the moment" in page.content.decode()
    limit.refresh_from_db()
    assert limit.requests_per_minute == 60
    assert "unknown" in supervisor.get(LIST).content.decode()


def test_who_may_only_look_cannot_change_a_limit(limit: ModelLimit, client: Client) -> None:
    login(client, "view_modellimit")
    assert client.get(LIST).status_code == 200
    assert client.post(f"{LIST}{limit.pk}/change/", FORM).status_code == 403


@pytest.mark.parametrize("changes", [{"requests_per_minute": -1}, {"output_weight": 0}, {"model_id": ""}])
def test_a_wrong_limit_is_refused_at_its_field(supervisor: Client, site: Aws, changes: dict[str, Any]) -> None:
    page = supervisor.post(f"{LIST}add/", {**FORM, **changes})
    assert "errorlist" in page.content.decode()
    assert not ModelLimit.objects.exists()
