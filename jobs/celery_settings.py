"""Celery's configuration: what was measured to lose nothing on SQS (docs/adr/0002)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kombu import Queue
from kombu.transport import TRANSPORT_ALIASES

SCHEME = "safesqs"
TRANSPORT_ALIASES[SCHEME] = "jobs.transport:Transport"  # by name: who sends nothing need not load it
# A worker stops only when its poll has ended, and a dead connection is found 10 s after that; SQS would allow 20 s,
# which saves 0.16 dollars a month for each worker (400,000 requests).
WAIT_SECONDS = 5
VISIBILITY_SECONDS = 45  # longer than a lease on an answer, so that what comes again finds it lapsed
HOLD_SECONDS = 900

# Of the event loop's client, which settles messages: an SQS that is silent must not keep it for long.
_CLIENT = {
    "connect_timeout": 3,
    "read_timeout": 8,
    "tcp_keepalive": True,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
_BEHAVIOUR: dict[str, Any] = {
    "broker_url": f"{SCHEME}://",
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for ever
    "task_create_missing_queues": False,
    "task_acks_late": True,
    "task_acks_on_failure": False,  # what raises comes again, and then goes to the dead-letter queue
    "task_acks_on_timeout": False,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "worker_disable_rate_limits": True,
    "worker_enable_remote_control": False,  # SQS has no fan-out
    "worker_send_task_events": False,
    "worker_detect_quorum_queues": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_consumer": "jobs.consumer:SafeConsumer",
    "worker_hijack_root_logger": False,
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "enable_utc": True,
}


def celery_settings(
    *,
    queue_urls: Mapping[str, str],
    dead_letter_url: str,
    allowed_tasks: Collection[str],
    silent_queues: Collection[str] = (),
    region: str = "",
    health_file: str = "",
    visibility_seconds: int = VISIBILITY_SECONDS,
    hold_seconds: float = HOLD_SECONDS,
    wait_seconds: int = WAIT_SECONDS,
) -> dict[str, Any]:
    """Settings for `app.conf.update`. The queues, by name, must exist and have a redrive policy.

    `allowed_tasks` are those that Celery's own envelopes may name, `silent_queues` those that leave no results. A message is
    invisible to others for `visibility_seconds`, renewed while it is held, for `hold_seconds` at most. `health_file` may
    contain %n for the worker's name. Endpoint and, unless given, region are boto3's own variables.
    """
    safe = {
        "allowed_tasks": sorted(allowed_tasks),
        "silent_queues": sorted(silent_queues),
        "dead_letter_url": dead_letter_url,
        "visibility_seconds": visibility_seconds,
        "hold_seconds": hold_seconds,
        "health_file": health_file,
    }
    options = {
        "wait_time_seconds": wait_seconds,
        "predefined_queues": {name: {"url": url} for name, url in queue_urls.items()},
        "client-config": _CLIENT,
        "safe": safe,
        **({"region": region} if region else {}),
    }
    # To declare a queue would be a request to SQS at the start, which can fail, and changes nothing.
    queues = [Queue(name, routing_key=name, no_declare=True) for name in queue_urls]
    return {**_BEHAVIOUR, "broker_transport_options": options, "task_queues": queues}
