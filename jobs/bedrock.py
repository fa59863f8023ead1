"""The one gateway to Amazon Bedrock: a prompt in, text as it comes, an outcome at the end, and errors of two kinds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError

from connectgenai.wire.store import Usage

# What a generation can fail of, in stable words: supervisors see them, flows get them as `reason`.
REASONS = {
    "throttled": "The model's quota is used up for the moment.",
    "model_busy": "The model is not ready or overloaded.",
    "model_timeout": "The model took too long.",
    "network": "The connection to the model broke.",
    "cut_off": "The model's stream ended in the middle.",
    "truncated": "The answer would have been longer than the topic's token limit.",
    "guardrail": "A guardrail stopped the answer.",
    "content_filter": "The model's content filter stopped the answer.",
    "empty": "The model answered nothing.",
    "access_denied": "The worker may not use this model.",
    "model_refused": "The model refused the request as invalid.",
    "document_missing": "A source document's text is not in the bucket.",
    "topic_unknown": "The topic is not published.",
    "worker_failed": "The worker failed.",
}
_RETRYABLE_CODES = {
    "ThrottlingException": "throttled",
    "throttlingException": "throttled",
    "TooManyRequestsException": "throttled",
    "ServiceQuotaExceededException": "throttled",
    "ModelNotReadyException": "model_busy",
    "ServiceUnavailableException": "model_busy",
    "serviceUnavailableException": "model_busy",
    "InternalServerException": "model_busy",
    "internalServerException": "model_busy",
    "ModelErrorException": "model_busy",
    "ModelTimeoutException": "model_timeout",
    "modelTimeoutException": "model_timeout",
    "ModelStreamErrorException": "cut_off",
    "modelStreamErrorException": "cut_off",
}
_PERMANENT_CODES = {"AccessDeniedException": "access_denied", "ValidationException": "model_refused"}
_FINISHES = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "guardrail_intervened": "guardrail",
    "content_filtered": "content_filter",
}
ANSWERED = ("end_turn", "stop_sequence")


class ModelError(Exception):
    """No answer; `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryableModelError(ModelError):
    """Trying again may help."""


class PermanentModelError(ModelError):
    """Trying again gives the same."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The model ended its answer itself."""

    usage: Usage


class TextModel:
    """Streams answers by the Converse API; retries are the caller's, so the client must make none."""

    def __init__(
        self, client: Any, *, budget_seconds: float = 180.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._budget, self._clock = client, budget_seconds, clock

    def stream(self, prompt: dict[str, Any]) -> Iterator[str | Finished]:
        """Pieces of text as they come, then one Finished; RetryableModelError or PermanentModelError when there is no answer.

        Closing the iterator closes the connection. `budget_seconds` bounds the whole answer.
        """
        deadline = self._clock() + self._budget
        try:
            reply = self._client.converse_stream(**prompt)
            with closing(reply["stream"]) as events:
                yield from self._read(events, prompt["modelId"], deadline)
        except (ClientError, EventStreamError) as error:
            raise _translate(error) from error
        except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            # A frame broken in the middle surfaces as urllib3's error, not botocore's.
            reason = "model_timeout" if "Timeout" in type(error).__name__ else "network"
            raise RetryableModelError(reason) from error

    def _read(self, events: Any, model_id: str, deadline: float) -> Iterator[str | Finished]:
        usage: dict[str, int] = {}
        stop, has_text = "", False
        for event in events:
            if self._clock() > deadline:
                raise RetryableModelError("model_timeout")
            text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
            has_text = has_text or bool(text.strip())
            if text:
                yield text
            stop = event.get("messageStop", {}).get("stopReason", stop)
            usage = event.get("metadata", {}).get("usage", usage)
        yield _judge(
            stop, has_text=has_text, usage=Usage(model_id, usage.get("inputTokens", 0), usage.get("outputTokens", 0))
        )


def _judge(stop: str, *, has_text: bool, usage: Usage) -> Finished:
    """Only a text that the model ended itself is an answer. A stream that ends without messageStop raises nothing in boto3."""
    if not stop:
        raise RetryableModelError("cut_off")
    if stop in ANSWERED and has_text:
        return Finished(usage)
    raise PermanentModelError(_FINISHES.get(stop, "empty" if stop in ANSWERED else "model_refused"))


def _translate(error: ClientError | EventStreamError) -> ModelError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _RETRYABLE_CODES:
        return RetryableModelError(_RETRYABLE_CODES[code])
    if code in _PERMANENT_CODES:
        return PermanentModelError(_PERMANENT_CODES[code])
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_ours = isinstance(status, int) and 400 <= status < 500 and status not in (408, 429)
    return PermanentModelError("model_refused") if is_ours else RetryableModelError("model_busy")
