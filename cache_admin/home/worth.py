"""What answers cost in the last hour, and what those known already would have cost again, in dollars by the models' prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum

from cache_admin.models import CachedAnswer, ModelLimit

HOUR = timedelta(hours=1)
Tokens = Mapping[str, tuple[int, int]]  # model -> tokens read and written


def find_used(*, now: datetime) -> dict[str, tuple[int, int]]:
    """What each model has read and written for answers that were finished in the last hour, those pre-warmed too."""
    since = now - HOUR
    # the second condition says nothing new, but is the one that has an index
    made = CachedAnswer.objects.filter(
        source=CachedAnswer.Source.GENERATED, finished_at__gte=since, changed_at__gte=since
    )
    sums = made.order_by().values_list("model").annotate(read=Sum("input_tokens"), written=Sum("output_tokens"))
    return {model: (read, written) for model, read, written in sums}


def price(tokens: Tokens) -> Decimal | None:
    """Dollars; None when the prices of a model that has worked are not entered. What a person wrote has no model."""
    worked = {model: counts for model, counts in tokens.items() if model and any(counts)}
    prices, total = _read_prices(worked), Decimal(0)
    for model, (read, written) in worked.items():
        known = prices.get(model)
        if known is None:
            return None
        total += (known[0] * read + known[1] * written) / 1000
    return total


def _read_prices(models: Iterable[str]) -> dict[str, tuple[Decimal, Decimal]]:
    limits = ModelLimit.objects.filter(model_id__in=set(models))
    return {
        limit.model_id: (limit.input_price, limit.output_price)
        for limit in limits
        if limit.input_price is not None and limit.output_price is not None
    }
