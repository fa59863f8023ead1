"""Items of DynamoDB <-> rows of Django."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models.fields.files import FieldFile

from cache_admin.models import CachedAnswer, Call, SourceDocument, Topic, TopicLanguage, WaitPolicy, WaitPrompt
from connectgenai.wire import waiting
from connectgenai.wire.items import AnswerItem, CallItem, TopicItem
from connectgenai.wire.waiting import policies_to_json

_IN_SECONDS = ("expires_at", "purge_at")  # all other times are milliseconds
_LATEST_MS = 253_402_300_799_000  # the end of the year 9999, where Python's dates end


def answer_row(item: AnswerItem) -> CachedAnswer:
    """The unsaved mirror of an answer."""
    return CachedAnswer(**_columns(CachedAnswer, item))


def call_row(item: CallItem) -> Call:
    """The unsaved mirror of a call."""
    return Call(**_columns(Call, item))


def _columns(model: type[models.Model], item: AnswerItem | CallItem) -> dict[str, Any]:
    columns = {column.name: column for column in model._meta.concrete_fields}
    return {f.name: _fit(columns[f.name], getattr(item, f.name)) for f in fields(item) if f.name in columns}


def _fit(column: models.Field[Any, Any], value: Any) -> Any:
    """The value as the column takes it: whatever came in through a call must not stop the mirror."""
    if isinstance(column, models.DateTimeField):
        return moment(value * 1000 if column.name in _IN_SECONDS else value)
    if isinstance(value, tuple):
        return [storable(text) for text in value]
    return storable(value)[: column.max_length] if isinstance(value, str) else value


def storable(text: str) -> str:
    """The text without what PostgreSQL does not take: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def moment(epoch_ms: int) -> datetime | None:
    """The time in UTC; None for 0."""
    return datetime.fromtimestamp(min(epoch_ms, _LATEST_MS) / 1000, tz=UTC) if epoch_ms else None


def epoch_ms(time: datetime) -> int:
    """Epoch milliseconds, as the store wants times."""
    return round(time.timestamp() * 1000)


def topic_item(
    topic: Topic,
    *,
    languages: Sequence[TopicLanguage],
    policies: dict[int, waiting.WaitPolicy],
    documents: Iterable[SourceDocument],
) -> TopicItem:
    """The topic as the Lambdas and the workers read it; `policies` by the primary key of their rows."""
    keep_seconds = topic.keep_days * 24 * 3600
    return TopicItem(
        name=topic.name,
        title=topic.title,
        enabled=topic.enabled,
        sharing=topic.sharing,
        ttl_seconds=min(topic.ttl_hours * 3600, keep_seconds),
        keep_seconds=keep_seconds,
        policies=policies_to_json({row.language: policies[row.wait_policy_id] for row in languages}),
        instructions=topic.instructions,
        model_id=topic.model_id,
        max_tokens=topic.max_tokens,
        temperature=str(float(topic.temperature)),
        documents=tuple(f"{document.sha256} {document.title}" for document in documents),
        hold_until_checked=topic.hold_until_checked,
        guardrail=topic.guardrail,
        fallback_model_id=topic.fallback_model_id,
        asks_per_caller=topic.asks_per_caller,
        asks_per_minute=topic.asks_per_minute,
        needs_approval=topic.needs_approval,
    )


def wait_policy(policy: WaitPolicy, *, prompts: Iterable[WaitPrompt], bucket: str) -> waiting.WaitPolicy:
    """The policy as the Consumer runs it; recordings become S3 URIs in `bucket`."""
    return waiting.WaitPolicy(
        hold=policy.hold_seconds,
        first_prompt_after=policy.first_prompt_after_seconds,
        interval=policy.interval_seconds,
        max_wait=policy.max_wait_seconds,
        max_silence=policy.max_silence_seconds,
        prompts=tuple(
            waiting.WaitPrompt(text=row.text, ssml=row.ssml, audio=_uri(row.audio, bucket)) for row in prompts
        ),
        comfort_audio=_uri(policy.comfort_audio, bucket),
        comfort_seconds=policy.comfort_seconds,
        say_estimate=policy.say_estimate,
        estimate_text=policy.estimate_text,
        apology=policy.apology,
        patience_text=policy.patience_text,
        restart_text=policy.restart_text,
        busy_text=policy.busy_text,
    )


def _uri(file: FieldFile, bucket: str) -> str:
    return f"s3://{bucket}/{file.name}" if file else ""
