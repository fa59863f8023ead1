"""SQS, as far as sending requests goes."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connectgenai.wire.log import log_event
from connectgenai.wire.request import GenerationRequest


class QueueUnavailableError(Exception):
    """SQS did not take the message; a waiting caller's next polls send it again."""


class RequestQueue:
    """Sends generation requests to one queue."""

    def __init__(self, client: Any, *, url: str) -> None:
        self._client, self._url = client, url

    def send(self, request: GenerationRequest) -> None:
        """Sends one request; QueueUnavailableError when SQS cannot take it now."""
        try:
            sent = self._client.send_message(QueueUrl=self._url, MessageBody=request.to_json())
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailableError(type(error).__name__) from error
        told = {"contact_id": request.contact_id, "key": request.key, "topic": request.topic}
        log_event("queued", **told, epoch=request.epoch, message_id=sent["MessageId"])
