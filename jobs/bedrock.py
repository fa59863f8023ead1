"""The one gateway to Amazon Bedrock: a prompt in, text as it comes, an end that is judged, and errors of two kinds."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EventStreamError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from connectgenai.wire.log import log_event
from connectgenai.wire.store import Usage

# What a generation can fail of, in stable words: supervisors see them, flows get them as `reason`.
REASONS = {
    "throttled": "The model's quota is used up for the moment.",
    "model_busy": "The model is not ready or overloaded.",
    "busy": "The model's quota is spent for longer than the caller would wait.",
    "model_down": "The model has failed again and again, and is left alone for a while.",
    "model_timeout": "The model took too long.",
    "network": "The connection to the model, or to the documents, broke.",
    "cut_off": "The model's stream ended in the middle.",
    "truncated": "The answer would have been longer than the topic's token limit.",
    "guardrail": "A guardrail stopped the answer.",
    "content_filter": "The model's content filter stopped the answer.",
    "empty": "The model answered nothing.",
    "unusable": "The model ended in a way that is no answer.",
    "access_denied": "The worker may not use this model.",
    "model_refused": "The model refused the request as invalid.",
    "document_missing": "A source document's text is not in the bucket.",
    "topic_unknown": "The topic is not published, or names no model.",
    "worker_failed": "The worker failed.",
}
# Amazon Bedrock API reference, ConverseStream: errors begin with a capital before the stream, with a small letter within it.
_RETRYABLE_CODES = {
    "ThrottlingException": "throttled",
    "TooManyRequestsException": "throttled",
    "ServiceQuotaExceededException": "throttled",
    "ModelNotReadyException": "model_busy",
    "ServiceUnavailableException": "model_busy",
    "InternalServerException": "model_busy",
    "ModelErrorException": "model_busy",
    "ModelTimeoutException": "model_timeout",
    "ModelStreamErrorException": "cut_off",
}
_PERMANENT_CODES = {
    "AccessDeniedException": "access_denied",
    "UnrecognizedClientException": "access_denied",
    "InvalidSignatureException": "access_denied",
    "ExpiredTokenException": "access_denied",
    "ValidationException": "model_refused",
}
_ANSWERED = ("end_turn", "stop_sequence")
_NOT_ANSWERED = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "guardrail_intervened": "guardrail",
    "content_filtered": "content_filter",
}
MAX_CHARACTERS = 100_000  # DynamoDB's items end at 400 KB; a voice would need two hours


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
        self,
        client: Any,
        *,
        budget_seconds: float = 180.0,
        max_characters: int = MAX_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._budget, self._limit, self._clock = client, budget_seconds, max_characters, clock

    def stream(self, prompt: Mapping[str, Any]) -> Generator[str | Finished, None, None]:
        """Pieces of text as they come, then one Finished; RetryableModelError or PermanentModelError when there is no answer.

        A piece may be empty: something came that is no text. Closing the iterator closes the connection. The whole answer
        may take `budget_seconds`, and the last silence as long as the client's read time-out.
        """
        deadline = self._clock() + self._budget
        try:
            reply = self._client.converse_stream(**prompt)
            _log_reply(prompt, reply)
            with closing(reply["stream"]) as events:
                yield from self._read(events, prompt["modelId"], deadline)
        except (ClientError, EventStreamError) as error:
            raise _translate(error) from error
        except (BotoCoreError, ParserError, ResponseParserError, urllib3.exceptions.HTTPError, OSError) as error:
            raise _translate_connection(error) from error

    def _read(self, events: Any, model_id: str, deadline: float) -> Generator[str | Finished, None, None]:
        usage: dict[str, int] = {}
        stop, has_text, length = "", False, 0
        for event in events:
            if self._clock() > deadline:
                raise RetryableModelError("model_timeout")
            text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
            has_text, length = has_text or bool(text.strip()), length + len(text)
            if length > self._limit:
                raise PermanentModelError("truncated")
            yield text
            stop = event.get("messageStop", {}).get("stopReason", stop)
            usage = event.get("metadata", {}).get("usage", usage)
        _judge(stop, has_text=has_text)
        yield Finished(_read_usage(usage, model_id))


def _log_reply(prompt: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
    """Under which id Bedrock knows the request, for its own log of invocations."""
    named, request_id = prompt.get("requestMetadata", {}), reply["ResponseMetadata"].get("RequestId", "")
    told = {"key": named.get("key", ""), "model": prompt["modelId"], "request_id": request_id}
    log_event("model_replied", **told, epoch=int(named.get("epoch", 0)))


def _judge(stop: str, *, has_text: bool) -> None:
    """Only a text that the model ended itself is an answer. A stream that ends without messageStop raises nothing in boto3."""
    if not stop:
        raise RetryableModelError("cut_off")
    if stop not in _ANSWERED:
        raise PermanentModelError(_NOT_ANSWERED.get(stop, "unusable"))
    if not has_text:
        raise PermanentModelError("empty")


def _read_usage(usage: Mapping[str, int], model_id: str) -> Usage:
    """Bedrock counts what it read from its cache, or wrote there, beside the input tokens; the model has read them all."""
    read = sum(usage.get(name, 0) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"))
    return Usage(model_id, read, usage.get("outputTokens", 0))


def _translate(error: ClientError | EventStreamError) -> ModelError:
    code = error.response.get("Error", {}).get("Code", "")
    code = code[:1].upper() + code[1:]
    if code in _RETRYABLE_CODES:
        return RetryableModelError(_RETRYABLE_CODES[code])
    if code in _PERMANENT_CODES:
        return PermanentModelError(_PERMANENT_CODES[code])
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_ours = 400 <= status < 500 and status not in (408, 429)
    return PermanentModelError("model_refused") if is_ours else RetryableModelError("model_busy")


def _translate_connection(error: Exception) -> ModelError:
    """A frame that breaks in the middle surfaces as urllib3's error, a garbled one as a parser's; neither is a BotoCoreError."""
    if isinstance(error, ParamValidationError):
        return PermanentModelError("model_refused")
    if isinstance(error, NoCredentialsError):
        return PermanentModelError("access_denied")
    is_silence = isinstance(error, ReadTimeoutError | urllib3.exceptions.ReadTimeoutError | TimeoutError)
    return RetryableModelError("model_timeout" if is_silence else "network")
