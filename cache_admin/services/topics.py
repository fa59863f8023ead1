"""Publishing: a topic as supervisors see it -> the item that the Lambdas and the workers read."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models.fields.files import FieldFile

from cache_admin.models import Topic, WaitPolicy, WaitPrompt
from connectgenai.wire import waiting
from connectgenai.wire.items import TopicItem
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import policies_to_json


def publish_topic(topic: Topic, *, store: AnswerStore, now: datetime) -> TopicItem:
    """Writes the topic to DynamoDB first, then notes it here; StoreError leaves everything as it was.

    Earlier answers become untrustworthy, and the revision is raised, when what they are made from has changed.
    """
    item = describe_topic(topic)
    fingerprint = _fingerprint(item)
    published = store.publish_topic(item, now_ms=_ms(now), is_stale=fingerprint != topic.fingerprint)
    Topic.objects.filter(pk=topic.pk).update(revision=published.revision, fingerprint=fingerprint, published_at=now)
    topic.revision, topic.fingerprint, topic.published_at = published.revision, fingerprint, now
    return published


def describe_topic(topic: Topic) -> TopicItem:
    """The topic as an item; its revision is DynamoDB's to count."""
    languages = topic.languages.select_related("wait_policy").prefetch_related("wait_policy__prompts")
    policies = {
        row.language: describe_policy(row.wait_policy, list(row.wait_policy.prompts.all())) for row in languages
    }
    return TopicItem(
        name=topic.name,
        title=topic.title,
        enabled=topic.enabled,
        sharing=topic.sharing,
        ttl_seconds=topic.ttl_hours * 3600,
        policies=policies_to_json(policies),
        instructions=topic.instructions,
        model_id=topic.model_id,
        max_tokens=topic.max_tokens,
        temperature=str(topic.temperature),
        documents=tuple(f"{d.sha256} {d.title}" for d in topic.documents.all()),
        hold_until_checked=topic.hold_until_checked,
        guardrail=topic.guardrail,
    )


def describe_policy(policy: WaitPolicy, prompts: list[WaitPrompt]) -> waiting.WaitPolicy:
    """The policy as the Consumer runs it."""
    return waiting.WaitPolicy(
        hold=policy.hold_seconds,
        first_prompt_after=policy.first_prompt_after_seconds,
        interval=policy.interval_seconds,
        max_wait=policy.max_wait_seconds,
        max_silence=policy.max_silence_seconds,
        prompts=tuple(waiting.WaitPrompt(text=p.text, ssml=p.ssml, audio=_uri(p.audio)) for p in prompts),
        comfort_audio=_uri(policy.comfort_audio),
        comfort_seconds=policy.comfort_seconds,
        say_estimate=policy.say_estimate,
        estimate_text=policy.estimate_text,
        apology=policy.apology,
        patience_text=policy.patience_text,
        restart_text=policy.restart_text,
    )


def republish_users(policy: WaitPolicy, *, store: AnswerStore, now: datetime) -> int:
    """Publishes every published topic that uses the policy; how many."""
    topics = Topic.objects.filter(languages__wait_policy=policy, published_at__isnull=False).distinct()
    return len([publish_topic(topic, store=store, now=now) for topic in topics])


def invalidate_topic(topic: Topic, *, store: AnswerStore, now: datetime) -> int:
    """Bulk invalidation by one write: none of the topic's answers is served any more, but for pinned ones. The new revision."""
    revision = store.raise_revision(topic.name, now_ms=_ms(now)).revision
    Topic.objects.filter(pk=topic.pk).update(revision=revision)
    return revision


def _fingerprint(item: TopicItem) -> str:
    """Of what makes an answer, and of who may hear it: when these change, older answers are not to be trusted."""
    made_from: list[Any] = [
        item.instructions,
        item.model_id,
        item.max_tokens,
        item.temperature,
        item.documents,
        item.guardrail,
    ]
    return hashlib.sha256(json.dumps([*made_from, item.sharing]).encode()).hexdigest()


def _uri(file: FieldFile | Any) -> str:
    return f"s3://{settings.BUCKET}/{file.name}" if file else ""


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
