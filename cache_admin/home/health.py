"""How the machinery is, as far as the site can see it: the queues, the mirror, and the models that are left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cache_admin import gateways
from cache_admin.amounts import show_duration
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, ModelLimit, Topic
from connectgenai.wire.config import ConfigError
from connectgenai.wire.store import AnswerStore, StoreError

QUEUES = {"live": "CONNECTGENAI_LIVE_QUEUE_URL", "prewarm": "CONNECTGENAI_PREWARM_QUEUE_URL"}
STUCK_AFTER = timedelta(seconds=30)
MIRROR_BEHIND = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing to know about the machinery; `tone` is good, busy or bad."""

    name: str
    text: str
    tone: str


def find_signs(*, now: datetime) -> list[Sign]:
    """What works and what does not; never raises."""
    return [_see_workers(now), _see_queue("prewarm"), _see_mirror(now), *_see_models(now)]


def _see_workers(now: datetime) -> Sign:
    """A question that has waited for a worker for half a minute says that none takes it."""
    stuck = CachedAnswer.objects.filter(
        state=CachedAnswer.State.PENDING,
        started_at=None,
        asked_at__lt=now - STUCK_AFTER,
        asked_at__gt=now - timedelta(hours=1),
    ).count()
    queued = _count("live")
    if queued is None:
        return Sign(_("Workers"), _("SQS does not answer"), "bad")
    if stuck and queued:
        return Sign(
            _("Workers"),
            ngettext(
                "%d question waits for a worker: is one running?",
                "%d questions wait for a worker: is one running?",
                max(stuck, queued),
            )
            % max(stuck, queued),
            "bad",
        )
    return Sign(_("Workers"), _("%d on the live queue") % queued, "busy" if queued > 10 else "good")


def _see_queue(name: str) -> Sign:
    queued = _count(name)
    if queued is None:
        return Sign(_("Pre-warming"), _("SQS does not answer"), "bad")
    return Sign(_("Pre-warming"), _("%d on the queue") % queued, "good")


def _count(name: str) -> int | None:
    try:
        return gateways.count_queued(QUEUES[name])
    except (ClientError, BotoCoreError, ConfigError):
        return None


def _see_mirror(now: datetime) -> Sign:
    """What is still on DynamoDB's list of changes, and for how long."""
    try:
        changed = gateways.answer_store().read_changes(limit=1)
    except (StoreError, ConfigError, BotoCoreError):
        return Sign(_("This site's copy"), _("DynamoDB does not answer"), "bad")
    oldest = min((int(item["changed_at"]["N"]) for item in changed), default=epoch_ms(now))
    behind = max((epoch_ms(now) - oldest) / 1000, 0)
    tone = "bad" if behind > MIRROR_BEHIND.total_seconds() else "good"
    return Sign(_("This site's copy"), _("%s behind what callers hear") % show_duration(round(behind)), tone)


def _see_models(now: datetime) -> list[Sign]:
    try:
        store = gateways.answer_store()
        return [sign for model_id in _find_models() if (sign := _see_model(model_id, store, epoch_ms(now)))]
    except (StoreError, ConfigError, BotoCoreError):
        return []  # the mirror's sign says it


def _see_model(model_id: str, store: AnswerStore, now_ms: int) -> Sign | None:
    capacity = store.limits.read_capacity(model_id)
    if capacity.is_open(now_ms=now_ms):
        return Sign(model_id, _("left alone after failures: %s") % capacity.open_reason, "bad")
    return None


def _find_models() -> list[str]:
    named = {*Topic.objects.values_list("model_id", flat=True), *ModelLimit.objects.values_list("model_id", flat=True)}
    return sorted(named - {""})[:20]
