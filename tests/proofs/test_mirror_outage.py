"""Either database away: calls do not notice PostgreSQL's absence, and supervisors are told of DynamoDB's, with nothing half-done."""
# ruff: noqa: F401, F811 - fixtures of the supervisors' own tests, which pytest finds by their names here

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import serializers
from django.test import Client

from benchmarks.proofs.calls import ANSWERED
from benchmarks.proofs.hops import WHOLE_CALL, count_unmirrored, try_cell
from benchmarks.proofs.yard import HOPS, open_yard
from cache_admin.models import CachedAnswer, SourceDocument, Topic
from cache_admin.services.mirror import mirror_changes
from connectgenai.wire.config import aws_client
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from local.emulator import Emulator
from local.fault_proxy import Fault, FaultProxy
from tests.aws import Aws
from tests.cache_admin import test_answers_admin as answers_pages
from tests.cache_admin import test_topics_admin as topics_pages
from tests.cache_admin.conftest import NOW, answer, policy, site, store, supervisor, topic
from tests.postgres import find_binaries

SILENCE = {"refused": Fault(is_refusing=True), "cut": Fault(cut_after_bytes=0), "503": Fault(status=503)}
WORK: dict[str, Callable[[Client, Topic, CachedAnswer], Any]] = {
    "edit an answer": lambda browser, topic, row: browser.post(
        answers_pages.page_of(row), answers_pages.edit(row, "Closed on Sundays.")
    ),
    "invalidate an answer": lambda browser, topic, row: browser.post(
        f"{answers_pages.LIST}invalidate/?pk={row.pk}", {"reason": "wrong"}, follow=True
    ),
    "publish a topic": lambda browser, topic, row: browser.post(
        topics_pages.page_of(topic), topics_pages.fill_in_again(topic, title="Another", **topics_pages.upload())
    ),
    "invalidate a topic": lambda browser, topic, row: browser.post(
        topics_pages.LIST,
        {"action": "invalidate_selected", "_selected_action": str(topic.pk), "confirmed": "yes"},
        follow=True,
    ),
}


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    mirror_changes(store, now=NOW)
    return CachedAnswer.objects.get()


@pytest.fixture
def proxy(site: Aws, row: CachedAnswer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """The site's way to DynamoDB from now on; tests look past it."""
    with FaultProxy(site.endpoint_url) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", running.url)
        aws_client.cache_clear()
        yield running


def take_stock(site: Aws) -> tuple[str, list[Any]]:
    """All that both databases hold."""
    rows = [*Topic.objects.all(), *CachedAnswer.objects.all(), *SourceDocument.objects.all()]
    items = site.dynamodb.scan(TableName=site.table, ConsistentRead=True)["Items"]
    return serializers.serialize("json", rows), sorted(items, key=lambda item: item["pk"]["S"])


@pytest.mark.parametrize("fault", SILENCE)
@pytest.mark.parametrize("work", WORK)
def test_what_supervisors_do_while_dynamodb_is_away_is_refused_and_changes_nothing(
    supervisor: Client, site: Aws, topic: Topic, row: CachedAnswer, proxy: FaultProxy, work: str, fault: str
) -> None:
    before = take_stock(site)
    with proxy.failing(SILENCE[fault]):
        response = WORK[work](supervisor, topic, row)
    assert response.status_code == 200
    assert "DynamoDB does not serve" in response.content.decode()
    assert take_stock(site) == before
    WORK[work](supervisor, topic, row)
    assert take_stock(site) != before  # the same wish, when it is back


def test_while_postgresql_is_away_calls_are_answered_and_the_mirror_catches_up(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with open_yard(emulator.url, tmp_path_factory.mktemp("yard"), hops=HOPS) as yard:
        cell = try_cell(yard, "PostgreSQL", "refused", WHOLE_CALL)
        assert cell.end == ANSWERED, cell
        assert cell.is_kept, cell
        assert count_unmirrored(yard, patience_seconds=60) == 0
