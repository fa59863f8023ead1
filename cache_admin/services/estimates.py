"""How long answers usually take, learned from those that were made."""

from __future__ import annotations

import math
import statistics
from datetime import datetime

from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, Topic
from connectgenai.wire.store import AnswerStore

SAMPLES, ENOUGH = 50, 5


def learn_estimates(store: AnswerStore, *, now: datetime) -> dict[str, int]:
    """Each topic's seconds until the first words, told to the Lambdas where they have changed; 0 means too few to say."""
    learned = {name: typical_seconds(name) for name in Topic.objects.values_list("name", flat=True)}
    for name, seconds in learned.items():
        item = store.read_topic(name)
        if item is not None and item.estimate_seconds != seconds:
            store.set_estimate(name, seconds=seconds, now_ms=epoch_ms(now))
    return learned


def typical_seconds(topic: str) -> int:
    """The median of the topic's last 50 generated answers, rounded up; 0 with fewer than five.

    Counted from the start of the generation: an answer that was warmed in advance may have queued for hours.
    """
    generated = CachedAnswer.objects.filter(
        topic=topic, source=CachedAnswer.Source.GENERATED, started_at__isnull=False, finished_at__isnull=False
    )
    times = generated.order_by("-finished_at").values_list("started_at", "first_chunk_at", "finished_at")[:SAMPLES]
    waits = [((first or end) - start).total_seconds() for start, first, end in times if start and end]
    return math.ceil(statistics.median(waits)) if len(waits) >= ENOUGH else 0
