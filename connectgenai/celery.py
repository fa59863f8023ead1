"""The Celery app: `celery -A connectgenai worker`, or `-A connectgenai.celery`."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings

from connectgenai.wire.request import (
    FORGET_TASK,
    HOUSEKEEPING_QUEUE,
    LEARN_TASK,
    LIVE_QUEUE,
    LOOK_TASK,
    MIRROR_TASK,
    RECONCILE_TASK,
)
from jobs.celery_settings import celery_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connectgenai.settings")

app = Celery("connectgenai")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    celery_settings(
        queue_urls=settings.QUEUE_URLS,
        dead_letter_url=settings.DEAD_LETTER_QUEUE_URL,
        allowed_tasks=(MIRROR_TASK, LEARN_TASK, FORGET_TASK, LOOK_TASK, RECONCILE_TASK),
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
    "forget": {
        "task": FORGET_TASK,
        "schedule": crontab(minute="17"),
        "options": {"queue": HOUSEKEEPING_QUEUE},
    },
}
app.autodiscover_tasks(["jobs"])
