"""Models' quotas: what is saved here binds all workers, and a model that is left alone can be tried again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.badges import badge
from cache_admin.admin.store_first import NotSavedError, StoreFirstAdmin, StoreFirstForm, explain_outages
from cache_admin.amounts import show_duration
from cache_admin.mapping import epoch_ms
from cache_admin.models import ModelLimit
from cache_admin.services.capacity import publish_limit, read_state, try_again
from connectgenai.wire.store import StoreError


class LimitForm(StoreFirstForm[ModelLimit]):
    """A model's quota."""


@admin.register(ModelLimit)
class ModelLimitAdmin(StoreFirstAdmin[ModelLimit]):
    """Few rows: each shows how its model is now, straight from DynamoDB."""

    form = LimitForm
    list_display = ("model_id", "requests_per_minute", "tokens_per_minute", "output_weight", "state")
    search_fields = ("model_id",)
    actions = ("try_models_again",)
    fields = (
        "model_id", "requests_per_minute", "tokens_per_minute", "output_weight", "input_price", "output_price",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: ModelLimit | None = None) -> Any:
        """The model is what the limit is of."""
        return ("model_id",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: ModelLimit | None = None) -> bool:
        """A limit is lifted by 0: workers learn of that."""
        return False

    @admin.display(description=_("state"))
    def state(self, limit: ModelLimit) -> SafeString:
        """Whether requests go to the model."""
        now = timezone.now()
        try:
            capacity, wait = read_state(limit.model_id, store=gateways.answer_store(), now=now)
        except StoreError:
            return badge("plain", _("unknown"))
        if capacity.is_open(now_ms=epoch_ms(now)):
            return badge("FAILED", gettext("left alone: %s") % capacity.open_reason)
        if wait > 1:
            return badge("PENDING", gettext("new questions wait %s") % show_duration(round(wait)))
        return badge("READY", _("has room"))

    def save_model(self, request: HttpRequest, obj: ModelLimit, form: Any, change: bool) -> None:
        """Tells the workers first."""
        with explain_outages():
            publish_limit(obj, store=gateways.answer_store())
        with transaction.atomic():
            super().save_model(request, obj, form, change)

    @admin.action(description=_("Try selected models again now"), permissions=["change"])
    def try_models_again(self, request: HttpRequest, queryset: QuerySet[ModelLimit]) -> None:
        """Closes their breakers."""
        try:
            with explain_outages():
                for limit in queryset:
                    try_again(limit.model_id, store=gateways.answer_store())
                    self.log_change(request, limit, gettext("Let requests through again."))
        except NotSavedError as error:
            return messages.error(request, str(error))
        count = len(queryset)
        return messages.success(
            request, ngettext("%d model is tried again.", "%d models are tried again.", count) % count
        )
