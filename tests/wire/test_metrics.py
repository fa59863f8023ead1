"""Metrics are read off events; a Lambda's line carries them as CloudWatch wants it."""

from __future__ import annotations

import ast
import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest

from connectgenai.wire.log import Event
from connectgenai.wire.metrics import COUNTER, GAUGE, METRICS, NONE, SECONDS, EmbeddedFormatter, measure_event

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("connectgenai", "lambdas", "cache_admin", "jobs")
PAGE = (ROOT / "docs" / "observability.md").read_text()


def embed(name: str, **fields: Any) -> dict[str, Any]:
    record = logging.LogRecord("connectgenai", logging.INFO, "x.py", 1, Event(name, fields), None, None)
    line: dict[str, Any] = json.loads(EmbeddedFormatter().format(record))
    return line


def find_logged_events() -> set[str]:
    """The names in every call of log_event, log_problem and Event, and the constants that stand for one."""
    calls = ("log_event", "log_problem", "Event")
    found = {"asked", "polled"}
    for folder in PRODUCT:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in calls and node.args:
                    first = node.args[0]
                    found |= {str(first.value)} if isinstance(first, ast.Constant) else set()
    return found


def test_an_event_is_counted_under_its_labels() -> None:
    fields: dict[str, str | int | float] = {"outcome": "answered", "model": "m", "ms_total": 2500, "input_tokens": 7}
    found = {m.metric.name: (m.value, m.labels) for m in measure_event(Event("generation", fields))}
    assert found == {
        "generations_total": (1, ("answered", "m")),
        "generation_seconds": (2.5, ("m",)),
        "input_tokens_total": (7, ("m",)),
    }


def test_an_interrupted_run_is_a_retry_and_a_failed_one_is_none() -> None:
    names = [
        {m.metric.name for m in measure_event(Event("generation", {"outcome": outcome, "reason": "throttled"}))}
        for outcome in ("interrupted", "failed")
    ]
    assert names == [{"generations_total", "retries_total"}, {"generations_total", "failures_total"}]


def test_what_an_event_does_not_say_is_named_none() -> None:
    (found,) = measure_event(Event("generation", {"outcome": "duplicate"}))
    assert found.labels == ("duplicate", NONE)


def test_a_lambdas_line_is_what_cloudwatch_reads() -> None:
    line = embed("asked", outcome="hit", status="200", ms_to_words=12, contact_id="c1")
    directives = line["_aws"]["CloudWatchMetrics"]
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 600
    for directive in directives:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        for metric in directive["Metrics"]:
            assert isinstance(line[metric["Name"]], int | float)
        for dimension in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(line[dimension], str)
    named = {metric["Name"] for directive in directives for metric in directive["Metrics"]}
    assert named == {"asks_total", "replies_total", "first_words_seconds"}
    assert line["first_words_seconds"] == 0.012


def test_a_line_without_metrics_stays_as_it_is() -> None:
    assert "_aws" not in embed("queued", contact_id="c1")


def test_every_metric_is_made_of_events_that_are_logged() -> None:
    logged = find_logged_events()
    assert len(logged) > 15
    assert {event for metric in METRICS for event in metric.events} <= logged
    assert all(metric.events or metric.kind == GAUGE for metric in METRICS)


def test_every_event_is_in_the_guide() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Metrics")[0], re.M))
    assert listed == find_logged_events()


def test_every_metric_is_in_the_guide_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.partition("## Metrics")[2], re.M))
    assert rows == {metric.name: metric.kind for metric in METRICS}
    for metric in METRICS:
        (row,) = re.findall(rf"^\| `{metric.name}` \| .*$", PAGE, re.M)
        assert row.split(" | ")[2] == (", ".join(f"`{label}`" for label in metric.labels) or "none")


def test_every_metric_that_an_alarm_or_text_of_the_guide_names_exists() -> None:
    named = set(re.findall(r"\b(?!ms_)[a-z_]+_(?:total|seconds)\b", PAGE))
    assert {name.removeprefix("connectgenai_") for name in named} <= {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metrics_name_says_what_it_is(metric: Any) -> None:
    endings = {COUNTER: "_total", SECONDS: "_seconds", GAUGE: ""}
    assert metric.name.endswith(endings[metric.kind])
    assert re.fullmatch(r"[a-z_]+", metric.name)
