"""The tasks: thin shells around services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Reject
from django.conf import settings
from django.utils import timezone

from cache_admin import gateways
from cache_admin.audit import intents as audit_intents
from cache_admin.services import drift, estimates, mirror, parked, retention
from cache_admin.warming import batches, driving, schedules
from connectgenai.wire.log import log_event
from connectgenai.wire.request import (
    BATCH_TASK,
    FORGET_TASK,
    GENERATE_TASK,
    LEARN_TASK,
    LOOK_TASK,
    MIRROR_TASK,
    RECONCILE_TASK,
    GenerationRequest,
    RequestError,
)
from jobs.services import HandBackError, answer_question
from jobs.workshop import make_workshop


@shared_task(name=GENERATE_TASK, bind=True, throws=(HandBackError,))
def generate_answer(self: Task[Any, Any], request: dict[str, Any]) -> str:
    """Generates one answer; raising leaves the message to SQS, which delivers it again and then parks it."""
    try:
        asked = GenerationRequest.from_dict(request)
    except RequestError:
        raise Reject("not_a_request", requeue=False) from None
    receives = count_deliveries(self.request.properties)
    told = {"contact_id": asked.contact_id, "key": asked.key, "topic": asked.topic}
    log_event("received", **told, epoch=asked.epoch, message_id=self.request.id or "", receives=receives)
    is_last = receives >= settings.MAX_RECEIVES
    return answer_question(asked, shop=make_workshop(), is_last_delivery=is_last).outcome


def count_deliveries(properties: dict[str, Any] | None) -> int:
    """How often SQS has delivered the message of a task, this time included; 1 when it did not come from SQS."""
    message = (properties or {}).get("delivery_info", {}).get("sqs_message", {})
    return int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))


@shared_task(name=MIRROR_TASK, ignore_result=True)
def mirror_changes() -> None:
    """Copies what has changed in DynamoDB into Django's rows."""
    mirror.mirror_changes(gateways.answer_store(), now=timezone.now())


@shared_task(name=LEARN_TASK, ignore_result=True)
def learn_estimates() -> None:
    """Tells the Lambdas how long answers usually take."""
    estimates.learn_estimates(gateways.answer_store(), now=timezone.now())


@shared_task(name=FORGET_TASK, ignore_result=True)
def forget_results() -> None:
    """Deletes what is past its time: the task history, answers and calls."""
    retention.forget_old_results(older_than=timezone.now() - timedelta(days=settings.TASK_HISTORY_DAYS))
    retention.apply_retention(gateways.answer_store(), now=timezone.now())
    batches.forget_old_batches(gateways.file_storage(), now=timezone.now())
    audit_intents.sweep(now=timezone.now())


@shared_task(name=LOOK_TASK, ignore_result=True)
def look_at_parked() -> None:
    """Notes what lies in the dead-letter queue."""
    parked.look_if_due(gateways.dead_letters(), now=timezone.now())


@shared_task(name=RECONCILE_TASK, ignore_result=True)
def reconcile_mirror() -> None:
    """Compares the mirror with DynamoDB when somebody has asked for it, and every night."""
    drift.run_if_due(gateways.answer_store(), clock=timezone.now)


@shared_task(name=BATCH_TASK, ignore_result=True)
def drive_batches() -> None:
    """Takes the supervisors' batches a step further."""
    schedules.run_due(now=timezone.now())
    storage = gateways.file_storage()
    driving.drive_batches(gateways.answer_store(), gateways.prewarm_queue(), storage, clock=timezone.now)
