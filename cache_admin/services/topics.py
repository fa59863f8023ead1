"""Publishing: a topic as supervisors see it -> the item that the Lambdas and the workers read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from cache_admin.mapping import epoch_ms, topic_item, wait_policy
from cache_admin.models import CachedAnswer, SourceDocument, Topic, TopicLanguage, WaitPolicy, WaitPrompt
from cache_admin.services.mirror import apply_items
from connectgenai.wire import waiting
from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import DRAFT
from connectgenai.wire.store import AnswerStore

Policies = Mapping[int, waiting.WaitPolicy]
# A change of these, or of the documents, makes earlier answers outdated
MADE_FROM = ("instructions", "model_id", "max_tokens", "temperature", "guardrail", "sharing")
COUNTED = 1_000
_LOOKED_AT = 2_000  # of a topic's answers, those that changed last: whoever has more has many


def publish_topic(
    topic: Topic,
    *,
    store: AnswerStore,
    now: datetime,
    languages: Sequence[TopicLanguage] | None = None,
    documents: Iterable[SourceDocument] | None = None,
    policies: Policies | None = None,
) -> TopicItem:
    """Writes the topic to DynamoDB first, then notes it here; StoreError leaves everything as it was.

    Languages, documents and policies that are given stand in for those in the database, so that a form can be published
    before it is saved. What answers are made from, and who may hear them, has a fingerprint: when that has changed, the
    revision is raised, and earlier answers are not given any more.
    """
    item = describe_topic(topic, languages=languages, documents=documents, policies=policies)
    fingerprint = _fingerprint(item)
    published = store.publish_topic(item, now_ms=epoch_ms(now), is_stale=fingerprint != topic.fingerprint)
    topic.fingerprint, topic.published_at = fingerprint, now
    topic.revision, topic.mirrored_version = published.revision, published.version
    Topic.objects.filter(pk=topic.pk).update(fingerprint=fingerprint, published_at=now)
    apply_items([published])
    return published


def describe_topic(
    topic: Topic,
    *,
    languages: Sequence[TopicLanguage] | None = None,
    documents: Iterable[SourceDocument] | None = None,
    policies: Policies | None = None,
) -> TopicItem:
    """The topic as an item; its revision is DynamoDB's to count."""
    rows = list(topic.languages.all() if languages is None else languages)
    missing = {row.wait_policy_id for row in rows} - set(policies or ())
    return topic_item(
        topic,
        languages=rows,
        policies={**_read_policies(missing), **(policies or {})},
        documents=topic.documents.all() if documents is None else documents,
    )


def _read_policies(pks: set[int]) -> Policies:
    rows = WaitPolicy.objects.filter(pk__in=pks).prefetch_related("prompts")
    return {row.pk: describe_policy(row, row.prompts.all()) for row in rows}


def describe_policy(policy: WaitPolicy, prompts: Iterable[WaitPrompt]) -> waiting.WaitPolicy:
    """The policy, saved or not, as the Consumer runs it."""
    return wait_policy(policy, prompts=prompts, bucket=settings.BUCKET)


def republish_users(
    policy: WaitPolicy,
    *,
    store: AnswerStore,
    now: datetime,
    prompts: Iterable[WaitPrompt] | None = None,
    but: Collection[int] = (),
) -> int:
    """Publishes every topic that uses the policy, as it is given, saved or not, but for some topics; how many."""
    described = describe_policy(policy, policy.prompts.all() if prompts is None else prompts)
    topics = Topic.objects.filter(languages__wait_policy=policy.pk, published_at__isnull=False).exclude(pk__in=but)
    policies = {policy.pk: described}
    return len([publish_topic(topic, store=store, now=now, policies=policies) for topic in topics.distinct()])


def invalidate_topic(topic: Topic, *, store: AnswerStore, now: datetime) -> int:
    """Bulk invalidation by one write: none of the topic's answers is given any more but pinned ones. The new revision."""
    item = store.raise_revision(topic.name, now_ms=epoch_ms(now))
    apply_items([item])
    topic.revision, topic.mirrored_version = item.revision, item.version
    return item.revision


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number that was not counted to the end when `is_more`."""

    count: int
    is_more: bool = False


def count_given(topic: Topic, *, now: datetime) -> AtLeast:
    """How many answers of the topic callers are given now, and would not be after a change; pinned ones stay."""
    known = CachedAnswer.objects.filter(topic=topic.name)
    newest = list(known.order_by("-changed_at", "-pk").values_list("pk", flat=True)[:_LOOKED_AT])
    good = known.filter(
        pk__in=newest,
        state=CachedAnswer.State.READY,
        pinned=False,
        revision__gte=topic.revision,
        expires_at__gt=now,
    )
    count = good.exclude(scope=DRAFT).count()
    return AtLeast(min(count, COUNTED), is_more=count > COUNTED or len(newest) == _LOOKED_AT)


def _fingerprint(item: TopicItem) -> str:
    """Of what makes an answer, and of who may hear it: MADE_FROM and the documents, in an order that must not change."""
    model = [item.model_id, item.max_tokens, item.temperature, item.guardrail]
    made_from = [item.instructions, *model, item.documents, item.sharing]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
