"""What this worker process generates with: made at the first job, from the environment."""

from __future__ import annotations

import threading
from functools import lru_cache

import boto3
from botocore.config import Config as BotoConfig
from celery.worker import state
from django.conf import settings

from connectgenai.wire.config import aws_client, read_variable
from connectgenai.wire.store import AnswerStore
from jobs.bedrock import TextModel
from jobs.documents import DocumentLibrary
from jobs.leases import LeaseKeeper
from jobs.quota import Quota
from jobs.runs import Workshop, clock_ms

_making = threading.Lock()


def make_workshop() -> Workshop:
    """The process's one workshop; safe to call from many threads."""
    with _making:
        return _workshop()


@lru_cache(maxsize=1)
def _workshop() -> Workshop:
    slots = settings.WORKER_SLOTS
    store = AnswerStore(aws_client("dynamodb", connections=slots), table=read_variable("CONNECTGENAI_TABLE"))
    return Workshop(
        store=store,
        model=TextModel(_bedrock_client(slots), budget_seconds=settings.MODEL_BUDGET_SECONDS),
        documents=DocumentLibrary(aws_client("s3", read_seconds=20), bucket=read_variable("CONNECTGENAI_BUCKET")),
        leases=LeaseKeeper(store=store, now_ms=clock_ms),
        quota=Quota(store.limits, now_ms=clock_ms),
        is_stopping=lambda: state.should_stop not in (None, False),
    )


def _bedrock_client(slots: int) -> object:
    """No retries of boto3's own: its three attempts of 60 s each would outlast every caller."""
    config = BotoConfig(
        connect_timeout=3,
        read_timeout=settings.MODEL_SILENCE_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=slots,
        tcp_keepalive=True,
    )
    return boto3.client("bedrock-runtime", config=config)
