"""Every metric, and how it is read off the events that are logged anyway: nothing is counted that no line tells of.

The Lambdas' lines carry their figures in CloudWatch's embedded metric format; the workers offer the same to Prometheus
(jobs/metrics.py). In CloudWatch the names stand in the namespace "connectgenai", in Prometheus they begin with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from connectgenai.wire.log import Event, JsonFormatter, describe_record

NAMESPACE = "connectgenai"
COUNTER, SECONDS, GAUGE = "counter", "seconds", "gauge"
NONE = "none"  # a label that an event does not have
_UNITS = {COUNTER: "Count", SECONDS: "Seconds"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, made of `events`. `field` holds the value, milliseconds for seconds; without one, events are counted.

    `labels` are the fields that tell them apart ("event": the event's name); with `only`, just those events count whose
    field has that value. A gauge is made of no events: it is asked for when somebody looks.
    """

    name: str
    kind: str
    meaning: str
    events: tuple[str, ...] = ()
    field: str = ""
    labels: tuple[str, ...] = ()
    only: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a metric."""

    metric: Metric
    value: float
    labels: tuple[str, ...]  # their values, in the metric's order


ASKS = ("asked",)
POLLS = ("polled",)
RUNS = ("generation",)
ERRORS = (
    "append_failed",
    "crashed",
    "lease_not_renewed",
    "look_failed",
    "mirror_unfit",
    "mirror_unreadable",
    "quota_unknown",
    "record_failed",
    "requeue_failed",
    "send_failed",
)
METRICS = (
    Metric("asks_total", COUNTER, "questions asked", ASKS, labels=("outcome",)),
    Metric("polls_total", COUNTER, "times that a waiting caller's flow has looked", POLLS),
    Metric("replies_total", COUNTER, "replies to the flow", ASKS + POLLS, labels=("status",)),
    Metric("first_words_seconds", SECONDS, "from the question to the answer's first words", ASKS + POLLS, "ms_to_words"),
    Metric("ready_to_heard_seconds", SECONDS, "from the first words' being written to their being given", POLLS, "ms_ready"),
    Metric("errors_total", COUNTER, "what went wrong and was lived with", ERRORS, labels=("event",)),
    Metric("queue_age_seconds", SECONDS, "from the request to the start of its generation", ("started",), "ms_queued"),
    Metric("generations_total", COUNTER, "requests and runs, by what became of them", RUNS, labels=("outcome", "model")),
    Metric("failures_total", COUNTER, "answers that were given up", RUNS, labels=("reason",), only=("outcome", "failed")),
    Metric("retries_total", COUNTER, "runs to be tried again", RUNS, labels=("reason",), only=("outcome", "interrupted")),
    Metric("first_sentence_seconds", SECONDS, "from a run's start to its first words", RUNS, "ms_to_first_chunk", ("model",)),
    Metric("generation_seconds", SECONDS, "how long a run took, whatever came of it", RUNS, "ms_total", ("model",)),
    Metric("input_tokens_total", COUNTER, "tokens that a model has read", RUNS, "input_tokens", ("model",)),
    Metric("output_tokens_total", COUNTER, "tokens that a model has written", RUNS, "output_tokens", ("model",)),
    Metric("breaker_openings_total", COUNTER, "times that a failing model was left alone", ("breaker_opened",), labels=("model",)),
    Metric("slots_busy", GAUGE, "tasks that run in this worker"),
    Metric("slots", GAUGE, "tasks that can run in this worker at once"),
    Metric("dead_letters_total", COUNTER, "messages that a worker moved to the dead-letter queue", ("dead_letter",), labels=("reason",)),
    Metric("mirror_rows_total", COUNTER, "rows that the mirror has brought up to date", ("mirrored",), labels=("kind",)),
    Metric("mirror_lag_seconds", SECONDS, "from a write in DynamoDB to its row", ("mirrored",), "ms_behind"),
)  # fmt: skip


def measure_event(event: Event) -> Iterator[Measured]:
    """What an event adds to metrics."""
    plain: Mapping[str, Any] = {"event": event.name, **event.fields}
    for metric in _find_metrics(event.name):
        name, wanted = metric.only
        if (metric.field and metric.field not in plain) or (name and plain.get(name) != wanted):
            continue
        value = plain[metric.field] if metric.field else 1
        labels = tuple(str(plain.get(label, NONE)) for label in metric.labels)
        yield Measured(metric, value / 1000 if metric.kind == SECONDS else value, labels)


@lru_cache(maxsize=256)
def _find_metrics(event_name: str) -> tuple[Metric, ...]:
    return tuple(metric for metric in METRICS if event_name in metric.events)


class EmbeddedFormatter(JsonFormatter):
    """A line of JSON from which CloudWatch reads the metrics by itself: no client, no request, no line more.

    Source of the format: CloudWatch user guide, "Specification: Embedded metric format".
    """

    def describe(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the line says, and which metrics lie in it."""
        line = describe_record(record)
        measured = tuple(measure_event(record.msg)) if isinstance(record.msg, Event) else ()
        if measured:
            for found in measured:
                line |= {found.metric.name: found.value, **dict(zip(found.metric.labels, found.labels, strict=True))}
            metrics = _describe_metrics(tuple(found.metric for found in measured))
            line["_aws"] = {"Timestamp": round(record.created * 1000), "CloudWatchMetrics": metrics}
        return line


@lru_cache(maxsize=64)
def _describe_metrics(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    by_labels: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for metric in metrics:
        by_labels.setdefault(metric.labels, []).append({"Name": metric.name, "Unit": _UNITS[metric.kind]})
    return [
        {"Namespace": NAMESPACE, "Dimensions": [list(labels)], "Metrics": named} for labels, named in by_labels.items()
    ]
