"""The naive Producer: notes the question, queues it, and gives the flow a number to ask for."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import boto3

from benchmarks.naive.reply import make_reply

TABLE, QUEUE_URL = os.environ["NAIVE_TABLE"], os.environ["NAIVE_QUEUE_URL"]
dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Amazon Connect's event in, a flat map of strings out."""
    parameters = event["Details"]["Parameters"]
    request_id = str(uuid.uuid4())
    question = {"topic": parameters["topic"], "question": parameters["question"]}
    item = {"pk": request_id, "state": "PENDING", **question}
    dynamodb.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in item.items()})
    sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=json.dumps({"id": request_id, **question}))
    return make_reply("202", ticket=request_id)
