"""The Celery app: `celery -A connectgenai worker`, or `-A connectgenai.celery`."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from django.conf import settings

from connectgenai.wire.request import (
    BATCH_TASK,
    FORGET_TASK,
    HOUSEKEEPING_QUEUE,
    LEARN_TASK,
    LIVE_QUEUE,
    LOOK_TASK,
    MIRROR_TASK,
    RECONCILE_TASK,
)
from jobs.celery_settings import celery_settings
from jobs.metrics import serve_metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")

app = Celery("connectgenai")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    celery_settings(
        queue_urls=settings.QUEUE_URLS,
        dead_letter_url=settings.DEAD_LETTER_QUEUE_URL,
        allowed_tasks=(MIRROR_TASK, LEARN_TASK, FORGET_TASK, LOOK_TASK, RECONCILE_TASK, BATCH_TASK),
        silent_queues=(LIVE_QUEUE,),
        health_file=settings.WORKER_HEALTH_FILE,
    )
)
app.conf.beat_schedule = {
    "mirror": {"task": MIRROR_TASK, "schedule": 2.0, "options": {"queue": HOUSEKEEPING_QUEUE, "expires": 10}},
    "learn": {"task": LEARN_TASK, "schedule": 60.0, "options": {"queue": HOUSEKEEPING_QUEUE, "expires": 60}},
    "look": {"task": LOOK_TASK, "schedule": 30.0, "options": {"queue": HOUSEKEEPING_QUEUE, "expires": 30}},
    # each time it looks whether a supervisor has asked for a comparison, or the night's is due
    "reconcile": {"task": RECONCILE_TASK, "schedule": 15.0, "options": {"queue": HOUSEKEEPING_QUEUE, "expires": 15}},
    "batches": {"task": BATCH_TASK, "schedule": 2.0, "options": {"queue": HOUSEKEEPING_QUEUE, "expires": 10}},
    "forget": {
        "task": FORGET_TASK,
        "schedule": crontab(minute="17"),
        "options": {"queue": HOUSEKEEPING_QUEUE},
    },
}
app.autodiscover_tasks(["jobs"])


@signals.setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Django's settings hold: that somebody listens to this signal keeps Celery from bringing its own handlers and levels."""


@signals.celeryd_init.connect
def leave_out_banner(instance: Any, **_: Any) -> None:
    """The worker's greeting is no line of JSON, and neither are Python's warnings unless they are logged."""
    instance.quiet = not settings.DEBUG
    logging.captureWarnings(True)


@signals.worker_ready.connect
def offer_metrics(sender: Any, **_: Any) -> None:
    """Once the worker takes messages, and only in the process that runs the tasks."""
    if settings.METRICS_ADDRESS:
        serve_metrics(settings.METRICS_ADDRESS, slots=sender.pool.num_processes or 0)
