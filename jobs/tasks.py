"""The tasks: thin shells around services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cache_admin.services import mirror
from cache_admin.services.results import forget_old_results
from celery import Task, shared_task
from django.conf import settings
from django.utils import timezone

from cache_admin import gateways
from connectgenai.wire.request import FORGET_TASK, GENERATE_TASK, LEARN_TASK, MIRROR_TASK, GenerationRequest
from jobs.services import answer_question
from jobs.workshop import make_workshop


@shared_task(name=GENERATE_TASK, bind=True)
def generate_answer(self: Task[Any, Any], request: dict[str, Any]) -> str:
    """Generates one answer; raising leaves the message to SQS, which delivers it again and then parks it."""
    message = self.request.properties["delivery_info"]["sqs_message"]
    receives = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    is_last = receives >= settings.MAX_RECEIVES
    return answer_question(GenerationRequest.from_dict(request), shop=make_workshop(), is_last_delivery=is_last).outcome


@shared_task(name=MIRROR_TASK, ignore_result=True)
def mirror_changes() -> None:
    """Copies what has changed in DynamoDB into Django's rows."""
    mirror.mirror_changes(gateways.answer_store(), now=timezone.now())


@shared_task(name=LEARN_TASK, ignore_result=True)
def learn_estimates() -> None:
    """Tells the Lambdas how long answers usually take."""
    mirror.learn_estimates(gateways.answer_store(), now=timezone.now())


@shared_task(name=FORGET_TASK, ignore_result=True)
def forget_results() -> None:
    """Deletes the task history that is older than the setting says."""
    forget_old_results(older_than=timezone.now() - timedelta(days=settings.TASK_HISTORY_DAYS))
