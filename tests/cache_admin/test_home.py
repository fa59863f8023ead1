"""The first page: what matters now, each number with the rows behind it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from cache_admin.home.figures import count_hours, find_waiting, sum_up_hour
from cache_admin.home.silence import find_longest_gap
from cache_admin.models import CachedAnswer, Call, ModelLimit
from cache_admin.services.mirror import apply_items
from connectgenai.wire.capacity import open_breaker
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import login
from tests.cache_admin.test_mirror import answer_item, call_item

MEASURED = {"first_words", "first_words_p95", "longest_gap", "cost", "money_saved", "tokens", "tokens_saved", "saved"}
REVIEWS = {"in_review", "due"}
NUMBER = re.compile(r'data-number="(\w+)" href="([^"]+)"><b>([^<]+)</b> <span>([^<]+)</span>')


@pytest.fixture(autouse=True)
def _fresh(db: None) -> None:
    cache.clear()


def now_ms() -> int:
    return round(timezone.now().timestamp() * 1000)


def call(contact: str, **changes: Any) -> Any:
    known = {"asked_at": now_ms() - 60_000, "last_seen_at": now_ms() - 1_000, **changes}
    return call_item(1, contact, **known)


def read_numbers(client: Client) -> dict[str, tuple[str, str]]:
    """Each number's value and address."""
    page = client.get("/admin/").content.decode()
    return {name: (value, html.unescape(url)) for name, url, value, _ in NUMBER.findall(page)}


def test_each_number_leads_to_the_rows_behind_it(supervisor: Client, site: Aws) -> None:
    ends = [("waiting", ""), ("answered", "hit"), ("answered", "hit"), ("answered", "joined"), ("abandoned", "")]
    ends += [("failed", ""), ("busy", ""), ("answered", "curated"), ("answered", "generated"), ("timed_out", "")]
    calls = [call(f"c{n}", outcome=outcome, source=source) for n, (outcome, source) in enumerate(ends)]
    apply_items(
        [answer_item(1, changed_at=now_ms()), *calls, call("old", outcome="failed", asked_at=now_ms() - 4_000_000)]
    )
    numbers = read_numbers(supervisor)
    assert {name: value for name, (value, _) in numbers.items() if name not in {*MEASURED, *REVIEWS}} == {
        "waiting": "1", "generating": "1", "calls": "10", "hit_rate": "30 %", "hit": "2", "joined": "1", "generated": "1",
        "curated": "1", "incident": "0", "abandoned": "1", "timed_out": "1", "failed": "1", "busy": "1", "parked": "0",
    }  # fmt: skip
    for name, (value, url) in numbers.items():
        rows = supervisor.get(url)
        assert rows.status_code == 200, url
        if value.isdigit() and name not in MEASURED:
            assert len(rows.context["cl"].result_list) == int(value), name
    assert len(supervisor.get(numbers["hit_rate"][1]).context["cl"].result_list) == 3


def test_the_questions_that_most_callers_wait_for_come_first() -> None:
    apply_items(
        [answer_item(1, key="faq.a", question="Is the ferry late?"), answer_item(1, key="faq.b", question="Open?")]
    )
    apply_items([call(f"a{n}", key="faq.a", outcome="waiting", asked_at=now_ms() - 20_000) for n in range(3)])
    apply_items(
        [call("b", key="faq.b", outcome="waiting"), call("c", key="faq.c", outcome="waiting", last_seen_at=1_000)]
    )
    callers, waiting = find_waiting(now=timezone.now())
    assert callers == 4  # who has not been seen for minutes has hung up
    assert [(row.question, row.callers) for row in waiting] == [("Is the ferry late?", 3), ("Open?", 1)]
    assert 19 <= waiting[0].longest_seconds <= 40


def test_the_first_words_are_measured_over_those_who_heard_any() -> None:
    started = now_ms() - 60_000
    apply_items([call(f"c{n}", asked_at=started, first_words_at=started + n * 1_000) for n in range(1, 21)])
    apply_items([call("none", asked_at=started)])
    hour = sum_up_hour(now=timezone.now())
    assert (hour.median_seconds, hour.p95_seconds) == (10.0, 19.0)


def test_nothing_to_measure_is_said_so() -> None:
    hour = sum_up_hour(now=timezone.now())
    assert (hour.calls, hour.median_seconds, hour.hit_percent) == (0, None, None)


def test_what_the_cache_saved_is_what_the_answer_once_took() -> None:
    apply_items([answer_item(1, key="faq.a")])
    started = timezone.now() - timedelta(days=1)
    CachedAnswer.objects.filter(key="faq.a").update(
        started_at=started, first_chunk_at=started + timedelta(seconds=7), input_tokens=900, output_tokens=100
    )
    apply_items([call(f"h{n}", key="faq.a", source="hit", outcome="answered") for n in range(3)])
    apply_items([call("j", key="faq.a", source="joined", outcome="answered")])
    hour = sum_up_hour(now=timezone.now())
    assert (hour.seconds_saved, hour.tokens_saved) == (21, 4_000)  # who joined still waited


def test_dollars_are_what_the_models_prices_say(supervisor: Client, site: Aws) -> None:
    hour_ago = timezone.now() - timedelta(minutes=30)
    apply_items([answer_item(1, key="faq.a", source="generated", changed_at=now_ms())])
    CachedAnswer.objects.filter(key="faq.a").update(
        model="m", input_tokens=2_000, output_tokens=1_000, finished_at=hour_ago
    )
    apply_items([call(f"h{n}", key="faq.a", source="hit", outcome="answered") for n in range(3)])
    assert [read_numbers(supervisor)[name][0] for name in ("cost", "money_saved")] == ["-", "-"]
    ModelLimit.objects.create(model_id="m", input_price="0.5", output_price="2")
    numbers = read_numbers(supervisor)
    assert [numbers[name][0] for name in ("cost", "money_saved")] == ["$3.00", "$9.00"]
    rows = supervisor.get(numbers["cost"][1]).context["cl"].result_list
    assert [row.key for row in rows] == ["faq.a"]


def test_the_longest_silence_leads_to_its_call(supervisor: Client, site: Aws) -> None:
    apply_items([call("short", events=("1000|prompt|1", "3000|part|1"), outcome="answered")])
    apply_items([call("long", events=("1000|prompt|1", "9500|part|1"), outcome="answered")])
    value, url = read_numbers(supervisor)["longest_gap"]
    assert value == "8.5 s"
    assert url.endswith(f"/call/{Call.objects.get(contact_id='long').pk}/change/")


def test_who_still_waits_has_heard_nothing_since_the_last_prompt() -> None:
    asked = now_ms() - 60_000
    apply_items([call("c", outcome="waiting", asked_at=asked, last_seen_at=asked + 40_000, events=("9000|prompt|1",))])
    gap = find_longest_gap(now=timezone.now())
    assert gap is not None
    assert gap.seconds == 31.0


def test_the_chart_counts_calls_by_the_hour_of_all_topics_or_one(supervisor: Client, site: Aws) -> None:
    now = timezone.now()
    apply_items([call(f"n{n}", source="hit", outcome="answered", asked_at=now_ms()) for n in range(2)])
    Call.objects.create(
        contact_id="x", key="other.x", topic="other", language="en-US", outcome="abandoned",
        asked_at=now - timedelta(hours=3), last_seen_at=now, changed_at=now,
    )  # fmt: skip
    rows = count_hours(now=now)
    assert len(rows) == 24
    assert (rows[-1]["known"], rows[-4]["unhappy"], sum(row["calls"] for row in rows)) == (2, 1, 3)
    chart = supervisor.get("/admin/hours/?topic=other").json()
    assert {row["kind"]: sum(row["values"]) for row in chart["series"]} == {
        "known": 0, "joined": 0, "generated": 0, "unhappy": 1
    }  # fmt: skip


def test_the_page_can_be_kept_open(supervisor: Client, site: Aws) -> None:
    apply_items([call("c1", outcome="waiting")])
    now = supervisor.get("/admin/now/").json()
    assert {number["name"]: number["value"] for group in now["groups"] for number in group["numbers"]}["waiting"] == "1"
    assert now["waiting"][0]["callers"] == "1 waiting on this"
    assert {sign["name"]: sign["tone"] for sign in now["signs"]} == {
        "Workers": "good", "Pre-warming": "good", "This site's copy": "good"
    }  # fmt: skip


def test_the_numbers_are_for_those_who_may_see_calls(client: Client, site: Aws) -> None:
    assert client.get("/admin/now/").status_code == 302
    login(client, "view_topic")
    assert "waiting now" not in client.get("/admin/").content.decode()
    assert client.get("/admin/now/").json() == client.get("/admin/hours/").json() == {}
    login(client, "view_call")
    assert "parked" not in read_numbers(client)


def test_questions_that_no_worker_takes_are_seen(supervisor: Client, site: Aws) -> None:
    site.sqs.send_message(QueueUrl=site.queue_urls["cgai-live"], MessageBody="{}")
    apply_items([answer_item(1, state="PENDING", started_at=0, asked_at=now_ms() - 120_000)])
    signs = {sign["name"]: sign for sign in supervisor.get("/admin/now/").json()["signs"]}
    assert signs["Workers"]["tone"] == "bad"
    assert "is one running?" in signs["Workers"]["text"]


def test_a_model_that_is_left_alone_is_seen(supervisor: Client, site: Aws, topic: Any, store: AnswerStore) -> None:
    seen = store.limits.read_capacity(topic.model_id)
    store.limits.change_capacity(seen, lambda found: open_breaker(found, reason="model_busy", now_ms=now_ms()))
    signs = {sign["name"]: sign for sign in supervisor.get("/admin/now/").json()["signs"]}
    assert signs[topic.model_id]["tone"] == "bad"


def test_without_aws_the_page_still_opens_and_says_what_is_missing(supervisor: Client, site: Aws) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    for url in site.queue_urls.values():
        site.sqs.delete_queue(QueueUrl=url)
    page = supervisor.get("/admin/")
    assert page.status_code == 200
    assert "DynamoDB does not answer" in page.content.decode()
    assert "SQS does not answer" in page.content.decode()
