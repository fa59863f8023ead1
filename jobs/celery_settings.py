"""Celery's configuration: what was measured to lose nothing on SQS (docs/adr/0002)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kombu import Exchange, Queue

import jobs.transport  # noqa: F401 - registers safesqs://
from jobs.transport import SCHEME

WAIT_SECONDS = 20
VISIBILITY_SECONDS = 45
HOLD_SECONDS = 900


def celery_settings(
    *,
    queue_urls: Mapping[str, str],
    dead_letter_url: str,
    allowed_tasks: Collection[str],
    silent_queues: Collection[str] = (),
    health_file: str = "",
    visibility_seconds: int = VISIBILITY_SECONDS,
    wait_seconds: int = WAIT_SECONDS,
) -> dict[str, Any]:
    """Settings for `app.conf.update`; queues by name, the endpoint and region are boto3's own variables.

    `allowed_tasks` are those that Celery's own envelopes may name; `silent_queues` leave no results.
    """
    return {
        "broker_url": f"{SCHEME}://",
        "broker_transport_options": {
            "wait_time_seconds": wait_seconds,
            "polling_interval": 0.1,  # also the pause between a freed slot and the next poll
            "predefined_queues": {name: {"url": url} for name, url in queue_urls.items()},
            "client-config": {
                "connect_timeout": 3,
                "read_timeout": 8,
                "tcp_keepalive": True,
                "retries": {"mode": "standard", "total_max_attempts": 3},
            },
            "safe": {
                "allowed_tasks": sorted(allowed_tasks),
                "silent_queues": sorted(silent_queues),
                "dead_letter_url": dead_letter_url,
                "visibility_seconds": visibility_seconds,
                "hold_seconds": HOLD_SECONDS,
                "health_file": health_file,
            },
        },
        "broker_connection_retry_on_startup": True,
        # the anonymous exchange: giving a message back needs no binding
        "task_queues": [Queue(name, Exchange(""), routing_key=name) for name in queue_urls],
        "task_create_missing_queues": False,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": False,  # what raises comes again, and then goes to the dead-letter queue
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,  # SQS has no fan-out
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_consumer": "jobs.consumer:SafeConsumer",
        "worker_hijack_root_logger": False,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "enable_utc": True,
    }
