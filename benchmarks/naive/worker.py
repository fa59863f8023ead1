"""The naive worker: takes a question from SQS, asks the model, and stores the answer when all of it is there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

WAIT_SECONDS = 2  # a long poll; short, so that the worker stops soon when it is told to
Prompt = Callable[[str, str], dict[str, Any]]


class NaiveWorker:
    """Works in threads until it is closed; use it in a `with` statement. `prompt` makes Converse's arguments of topic and question."""

    def __init__(
        self, *, sqs: Any, dynamodb: Any, bedrock: Any, queue_url: str, table: str, prompt: Prompt, slots: int = 50
    ) -> None:
        self._sqs, self._dynamodb, self._bedrock = sqs, dynamodb, bedrock
        self._queue_url, self._table, self._prompt = queue_url, table, prompt
        self._is_closed = threading.Event()
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="naive-slot")
        self._loop = threading.Thread(target=self._run, name="naive-worker")

    def __enter__(self) -> NaiveWorker:
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        self._loop.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._is_closed.is_set():
            reply = self._sqs.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS
            )
            for message in reply.get("Messages", ()):
                self._pool.submit(self._answer, message)

    def _answer(self, message: dict[str, Any]) -> None:
        asked = json.loads(message["Body"])
        reply = self._bedrock.converse(**self._prompt(asked["topic"], asked["question"]))
        text = "".join(part.get("text", "") for part in reply["output"]["message"]["content"])
        store_answer(self._dynamodb, table=self._table, ticket=asked["id"], text=text)
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])


def store_answer(dynamodb: Any, *, table: str, ticket: str, text: str) -> None:
    """Stores the whole answer in one write."""
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": ticket}},
        UpdateExpression="SET #state = :ready, answer = :answer",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":ready": {"S": "READY"}, ":answer": {"S": text}},
    )
