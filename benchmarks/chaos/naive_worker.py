"""The worker that everybody builds first: Celery on SQS with its defaults, one task, the whole answer written at its end.

Run as `celery -A benchmarks.chaos.naive_worker worker`; its settings come from the environment.
"""

from __future__ import annotations

import os

import boto3
from celery import Celery

QUEUE = "naive"
app = Celery("naive", broker="sqs://")
app.conf.task_default_queue = QUEUE
app.conf.broker_transport_options = {
    "region": os.environ.get("AWS_REGION", "us-east-1"),
    "predefined_queues": {
        QUEUE: {"url": os.environ.get("NAIVE_QUEUE_URL", ""), "access_key_id": "test", "secret_access_key": "test"}
    },
}


@app.task(name="naive.answer", ignore_result=True)
def answer(question: str) -> None:
    """Streams the answer, and stores what came."""
    prompt = {
        "modelId": "local.chaos-v1",
        "messages": [{"role": "user", "content": [{"text": f"<question>{question}</question>"}]}],
        "inferenceConfig": {"maxTokens": 600},
    }
    events = boto3.client("bedrock-runtime").converse_stream(**prompt)["stream"]  # type: ignore[arg-type]
    text = "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)
    item = {"pk": {"S": question}, "text": {"S": text}}
    boto3.client("dynamodb").put_item(TableName=os.environ["NAIVE_TABLE"], Item=item)
